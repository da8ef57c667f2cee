"""The reconstruction costs of autoencoders: plain, from a corrupted image, with a price on active units."""

import torch

from core.config import ObjectiveConfig
from core.models.autoencoder import Autoencoder, SparseAutoencoder
from core.models.picture_model import PictureModel
from core.objectives.corruption import CORRUPTIONS
from core.objectives.sparsity import PENALTIES
from core.objectives.terms import OBJECTIVES, Beta, ElboTerms, Scalar, as_model
from core.tensors import Images

_NEEDS_CODE = "a reconstruction cost without a prior is that of an autoencoder"


@OBJECTIVES.register("autoencoder")
class Reconstruction:
    """-log p(x | code of x); beta weighs nothing here."""

    def __init__(self, config: ObjectiveConfig) -> None:
        self._config = config

    def terms(self, model: PictureModel, x: Images, generator: torch.Generator) -> ElboTerms:  # noqa: ARG002
        """Return nll at the code; there is no KL."""
        return _terms(as_model(model, Autoencoder, _NEEDS_CODE), x, x)

    def loss(self, terms: ElboTerms, beta: Beta) -> Scalar:  # noqa: ARG002
        """Return nll averaged over the batch."""
        return terms.nll.mean()


@OBJECTIVES.register("denoising_autoencoder")
class Denoising(Reconstruction):
    """-log p(x | code of a corrupted x).  Vincent et al. 2008."""

    def terms(self, model: PictureModel, x: Images, generator: torch.Generator) -> ElboTerms:
        """Return nll of the clean image at the code of a corrupted one."""
        corrupted = CORRUPTIONS[self._config.corruption](x, self._config.corruption_level, generator)
        return _terms(as_model(model, Autoencoder, _NEEDS_CODE), x, corrupted)


@OBJECTIVES.register("sparse_autoencoder")
class Sparse(Reconstruction):
    """-log p(x | code of x) + λ times a price on active units.  Ng 2011."""

    def terms(self, model: PictureModel, x: Images, generator: torch.Generator) -> ElboTerms:  # noqa: ARG002
        """Return nll at the code, and the price of the batch's codes."""
        sparse = as_model(model, SparseAutoencoder, "a price on active units is that of a sparse autoencoder")
        code = sparse.inference(x).mean
        penalty = PENALTIES[sparse.config.sparsity](code, self._config.sparsity_target)
        nll = -sparse.likelihood.log_prob(x, sparse.generative(code))
        return ElboTerms(nll, None, penalty=penalty)

    def loss(self, terms: ElboTerms, beta: Beta) -> Scalar:  # noqa: ARG002
        """Return nll averaged over the batch plus the weighted price."""
        if terms.penalty is None:
            raise TypeError("a sparse objective needs the price of its codes")
        return terms.nll.mean() + self._config.sparsity_weight * terms.penalty


def _terms(model: Autoencoder, x: Images, encoded: Images) -> ElboTerms:
    parameters = model.generative(model.inference(encoded).mean)
    return ElboTerms(-model.likelihood.log_prob(x, parameters), None)
