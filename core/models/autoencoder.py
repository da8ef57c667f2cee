"""The plain autoencoder: a code, no distribution over it."""

from typing import ClassVar

from core.models.latent import MODELS, LatentModel
from core.probability.posteriors import PointMass
from core.tensors import Images


@MODELS.register("autoencoder")
class Autoencoder(LatentModel):
    """A deterministic code and p(x|code); it defines no p(x)."""

    has_prior: ClassVar[bool] = False

    def inference(self, x: Images) -> PointMass:
        """Return the code of each image."""
        return PointMass(self.encoder(x))
