"""The costs of a batch, and what an objective is."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from core.models.latent import LatentModel
from core.registry import Registry
from core.tensors import Images, Nats, NatsPerDimension

Scalar = Float[Tensor, ""]


@dataclass(frozen=True, slots=True, eq=False)
class ElboTerms:
    """The costs of each image of a batch, in nats; -ELBO is their sum."""

    nll: Nats
    """-log p(x|z) at the sampled code: summed over pixels."""
    kl_per_dimension: NatsPerDimension | None
    """KL(q(z_j|x) || p(z_j)); None for a model that defines no prior."""

    @property
    def kl(self) -> Nats | None:
        """KL(q(z|x) || p(z)): summed over latent dimensions."""
        return None if self.kl_per_dimension is None else self.kl_per_dimension.sum(dim=1)

    @property
    def elbo(self) -> Nats | None:
        """The bound itself, whatever beta the objective used; None without a prior."""
        kl = self.kl
        return None if kl is None else -(self.nll + kl)


@runtime_checkable
class Objective(Protocol):
    """What a training step minimises."""

    def terms(self, model: LatentModel, x: Images, generator: torch.Generator) -> ElboTerms:
        """Return the costs of each image, differentiable in the model's weights."""

    def loss(self, terms: ElboTerms, beta: float) -> Scalar:
        """Return the number to minimise: a mean over the batch, in nats per image."""


OBJECTIVES: Registry[Objective] = Registry("objective of model")
