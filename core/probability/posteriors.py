"""Families of q(z|x), made from the numbers an encoder's head gives."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from core.probability.divergences import kl_to_standard_normal
from core.probability.limits import LOG_VAR_MAX, LOG_VAR_MIN
from core.registry import Registry
from core.tensors import Codes, Logits, Nats, NatsPerDimension

_LOG_TWO_PI = math.log(2.0 * math.pi)


@runtime_checkable
class Posterior(Protocol):
    """What a model's `inference` returns: a distribution over the code of each image of a batch."""

    @property
    def mean(self) -> Codes:
        """E_q[z]."""

    @property
    def log_var(self) -> Codes | None:
        """The logarithm of q's variances; None where the code is deterministic."""

    def rsample(self, generator: torch.Generator) -> Codes:
        """Return one z ~ q(z|x) for each image, differentiable in q's parameters."""


@runtime_checkable
class VariationalPosterior(Posterior, Protocol):
    """A posterior with a density, as a registry entry offers it."""

    outputs_per_dimension: ClassVar[int]

    @classmethod
    def from_head(cls, head: Logits) -> Self:
        """Return the posterior that the encoder's last layer describes."""

    def log_prob(self, z: Codes) -> Nats:
        """Return log q(z|x) in nats."""

    def kl_per_dimension(self) -> NatsPerDimension:
        """Return the shares of KL(q(z|x) || N(0, I)) of the latent dimensions, in nats."""


POSTERIORS: Registry[type[VariationalPosterior]] = Registry("posterior")


class _ClampKeepingGradient(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(value: Tensor, low: float, high: float) -> Tensor:
        return value.clamp(low, high)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, float, float], output: Tensor) -> None:  # noqa: ANN401
        ctx.save_for_backward(inputs[0], output)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:  # noqa: ANN401
        value, clamped = ctx.saved_tensors
        # Descent moves against the gradient: above the range it goes back when the gradient is positive.
        outward = (value - clamped) * gradient < 0.0
        return gradient.masked_fill(outward, 0.0), None, None


def clamp_keeping_gradient(value: Float[Tensor, "*shape"], low: float, high: float) -> Float[Tensor, "*shape"]:
    """Return `value` limited to [low, high]; outside, the gradient passes where descent leads back into the range."""
    result: Tensor = _ClampKeepingGradient.apply(value, low, high)  # type: ignore[no-untyped-call]
    return result


@POSTERIORS.register("factorised")
@dataclass(frozen=True, slots=True, eq=False)
class FactorisedGaussian:
    """q(z|x) = N(mean, diag(exp(log_var))): the dimensions are independent."""

    outputs_per_dimension: ClassVar[int] = 2
    mean: Codes
    log_var: Codes

    @classmethod
    def from_head(cls, head: Logits) -> Self:
        """Return the posterior whose head holds [mean, log_var]; log-variances are limited here and nowhere else."""
        mean, log_var = head.chunk(2, dim=1)
        return cls(mean, clamp_keeping_gradient(log_var, LOG_VAR_MIN, LOG_VAR_MAX))

    def rsample(self, generator: torch.Generator) -> Codes:
        """Return z = mean + std * noise, one for each image.  Kingma & Welling 2014, section 2.4."""
        mean = self.mean
        noise = torch.randn(mean.shape, generator=generator, dtype=mean.dtype, device=mean.device)
        return torch.addcmul(mean, (0.5 * self.log_var).exp(), noise)

    def log_prob(self, z: Codes) -> Nats:
        """Return log q(z|x) in nats."""
        scaled_square = (z - self.mean).square() * (-self.log_var).exp()
        return -0.5 * (scaled_square + self.log_var + _LOG_TWO_PI).sum(dim=1)

    def kl_per_dimension(self) -> NatsPerDimension:
        """Return KL(q(z_j|x) || N(0, 1)) of each dimension j, in nats."""
        return kl_to_standard_normal(self.mean, self.log_var)


@dataclass(frozen=True, slots=True, eq=False)
class PointMass:
    """The deterministic code of a plain autoencoder: no density, no KL."""

    mean: Codes

    @property
    def log_var(self) -> None:
        """There is no variance."""

    def rsample(self, generator: torch.Generator) -> Codes:  # noqa: ARG002
        """Return the code itself."""
        return self.mean
