"""The costs of a batch, and what an objective is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from core.config import ObjectiveConfig
from core.models.picture_model import PictureModel
from core.registry import Registry
from core.tensors import Images, Nats, NatsPerDimension

Scalar = Float[Tensor, ""]
Beta = float | Tensor
"""The weight of the KL term: a number, or a scalar on the device that a captured step reads anew each time."""
M = TypeVar("M", bound=PictureModel)


@dataclass(frozen=True, slots=True, eq=False)
class ElboTerms:
    """The costs of each image of a batch, in nats; -ELBO is the sum of nll and KL."""

    nll: Nats
    """-log p(x|z), summed over pixels, a mean over the sampled codes; without codes -log p(x) itself."""
    kl_per_dimension: NatsPerDimension | None
    """Shares of KL(q(z|x) || p(z)), closed form; None for a model that defines no prior."""
    bound: Nats | None = None
    """The importance-weighted bound, larger is better, where that is what training maximises."""
    penalty: Scalar | None = None
    """A price on the codes of the batch, not weighted yet; None where there is none."""

    @property
    def kl(self) -> Nats | None:
        """KL(q(z|x) || p(z)): summed over latent dimensions."""
        return None if self.kl_per_dimension is None else self.kl_per_dimension.sum(dim=1)

    @property
    def elbo(self) -> Nats | None:
        """The evidence lower bound itself, whatever the objective is; None without a prior."""
        kl = self.kl
        return None if kl is None else -(self.nll + kl)


@runtime_checkable
class Objective(Protocol):
    """What a training step minimises."""

    def terms(self, model: PictureModel, x: Images, generator: torch.Generator) -> ElboTerms:
        """Return the costs of each image, differentiable in the model's weights."""

    def loss(self, terms: ElboTerms, beta: Beta) -> Scalar:
        """Return the number to minimise: a mean over the batch, in nats per image."""


OBJECTIVES: Registry[Callable[[ObjectiveConfig], Objective]] = Registry("objective of model")


def as_model(model: PictureModel, kind: type[M], what: str) -> M:
    """Return the model as one of its kind.  Raises TypeError saying for what it is needed."""
    if not isinstance(model, kind):
        raise TypeError(f"{what}, not for {type(model).__name__}")
    return model
