"""The reconstruction cost of a plain autoencoder."""

import torch

from core.models.latent import LatentModel
from core.objectives.terms import OBJECTIVES, ElboTerms, Scalar
from core.tensors import Images


class Reconstruction:
    """-log p(x | code of x); beta weighs nothing here."""

    def terms(self, model: LatentModel, x: Images, generator: torch.Generator) -> ElboTerms:
        """Return nll at the code; there is no KL."""
        code = model.inference(x).rsample(generator)
        return ElboTerms(-model.likelihood.log_prob(x, model.generative(code)), None)

    def loss(self, terms: ElboTerms, beta: float) -> Scalar:  # noqa: ARG002
        """Return nll averaged over the batch."""
        return terms.nll.mean()


OBJECTIVES.register("autoencoder")(Reconstruction())
