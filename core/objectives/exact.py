"""The exact cost of an autoregressive model."""

import torch

from core.config import ObjectiveConfig
from core.models.made import Made
from core.models.picture_model import PictureModel
from core.objectives.terms import OBJECTIVES, Beta, ElboTerms, Scalar, as_model
from core.tensors import Images


@OBJECTIVES.register("made")
class Exact:
    """-log p(x) = -Σ_i log p(x_i | x_<i), no bound.  Germain et al. 2015."""

    def __init__(self, config: ObjectiveConfig) -> None:
        """Nothing of the objective's settings concerns it."""

    def terms(self, model: PictureModel, x: Images, generator: torch.Generator) -> ElboTerms:  # noqa: ARG002
        """Return -log p(x); there is no code, hence no KL."""
        made = as_model(model, Made, "an exact log p(x) is that of an autoregressive model")
        return ElboTerms(-made.log_prob(x), None)

    def loss(self, terms: ElboTerms, beta: Beta) -> Scalar:  # noqa: ARG002
        """Return the mean over the batch."""
        return terms.nll.mean()
