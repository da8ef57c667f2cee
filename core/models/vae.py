"""The variational auto-encoder.  Kingma & Welling 2014."""

from typing import ClassVar

from core.config import ModelConfig
from core.models.latent import LatentModel
from core.models.picture_model import MODELS
from core.probability.posteriors import POSTERIORS, VariationalPosterior
from core.probability.priors import StandardNormal
from core.tensors import Images


@MODELS.register("vae")
class Vae(LatentModel):
    """q(z|x) from the encoder, p(x|z) from the decoder, p(z) = N(0, I)."""

    has_prior: ClassVar[bool] = True

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.posterior = POSTERIORS[config.posterior]
        self.prior = StandardNormal(config.latent_dim)

    def inference(self, x: Images) -> VariationalPosterior:
        """Return q(z|x) of each image."""
        return self.posterior.from_head(self.through(self.encoder, x), self.config.latent_dim)


@MODELS.register("iwae")
class Iwae(Vae):
    """The same model, trained on the importance-weighted bound.  Burda et al. 2015."""
