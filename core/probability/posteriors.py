"""Families of q(z|x), made from the numbers an encoder's head gives."""

from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from core.probability.clamp import clamp_keeping_gradient
from core.probability.constants import LOG_TWO_PI
from core.probability.divergences import kl_to_standard_normal
from core.probability.limits import LOG_VAR_MAX, LOG_VAR_MIN
from core.registry import Registry
from core.tensors import Codes, Logits, Nats, NatsPerDimension


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

    @classmethod
    def from_head(cls, head: Logits, latent_dim: int) -> Self:
        """Return the posterior that the encoder's last layer describes."""

    @property
    def log_var(self) -> Codes:
        """The logarithm of the variance of each dimension by itself."""

    @property
    def scale(self) -> Float[Tensor, "batch latent_dim latent_dim"]:
        """The lower triangular L of q's covariance L Lᵀ, its diagonal positive."""

    def at(self, noise: Codes) -> Codes:
        """Return the codes that standard normal noise is carried to, differentiable in q's parameters."""

    def repeated(self, times: int) -> Self:
        """Return the batch so many times over: all of it, then all of it again."""

    def log_prob(self, z: Codes) -> Nats:
        """Return log q(z|x) in nats."""

    def kl_per_dimension(self) -> NatsPerDimension:
        """Return the shares of KL(q(z|x) || N(0, I)) of the latent dimensions, in nats."""


POSTERIORS: Registry[type[VariationalPosterior]] = Registry("posterior")


@POSTERIORS.register("factorised")
@dataclass(frozen=True, slots=True, eq=False)
class FactorisedGaussian:
    """q(z|x) = N(mean, diag(exp(log_var))): the dimensions are independent."""

    mean: Codes
    log_var: Codes

    @classmethod
    def from_head(cls, head: Logits, latent_dim: int) -> Self:
        """Return the posterior whose head holds [mean, log_var]; log-variances are limited here and nowhere else."""
        mean, log_var = torch.split(head, latent_dim, dim=1)
        return cls(mean, clamp_keeping_gradient(log_var, LOG_VAR_MIN, LOG_VAR_MAX))

    @property
    def scale(self) -> Float[Tensor, "batch latent_dim latent_dim"]:
        """The standard deviations on a diagonal."""
        return torch.diag_embed((0.5 * self.log_var).exp())

    def at(self, noise: Codes) -> Codes:
        """Return mean + std * noise.  Kingma & Welling 2014, section 2.4."""
        return torch.addcmul(self.mean, (0.5 * self.log_var).exp(), noise)

    def repeated(self, times: int) -> Self:
        """Return the batch so many times over."""
        return self if times == 1 else type(self)(self.mean.repeat(times, 1), self.log_var.repeat(times, 1))

    def rsample(self, generator: torch.Generator) -> Codes:
        """Return one z ~ q(z|x) for each image."""
        return self.at(_noise(self.mean, generator))

    def log_prob(self, z: Codes) -> Nats:
        """Return log q(z|x) in nats."""
        scaled_square = (z - self.mean).square() * (-self.log_var).exp()
        return -0.5 * (scaled_square + self.log_var + LOG_TWO_PI).sum(dim=1)

    def kl_per_dimension(self) -> NatsPerDimension:
        """Return KL(q(z_j|x) || N(0, 1)) of each dimension j, in nats."""
        return kl_to_standard_normal(self.mean, self.log_var)


@POSTERIORS.register("full")
@dataclass(frozen=True, slots=True, eq=False)
class FullGaussian:
    """q(z|x) = N(mean, L Lᵀ), L lower triangular: any covariance."""

    mean: Codes
    conditional_log_var: Codes
    """log L_jj²: the variance of z_j given the dimensions before it."""
    below: Float[Tensor, "batch below_diagonal"]
    """The entries of L below its diagonal, row by row."""

    @classmethod
    def from_head(cls, head: Logits, latent_dim: int) -> Self:
        """Return the posterior whose head holds [mean, log L_jj², L below the diagonal]; limited as the other one's."""
        mean, log_var, below = torch.split(head, [latent_dim, latent_dim, head.shape[1] - 2 * latent_dim], dim=1)
        return cls(mean, clamp_keeping_gradient(log_var, LOG_VAR_MIN, LOG_VAR_MAX), below)

    @property
    def scale(self) -> Float[Tensor, "batch latent_dim latent_dim"]:
        """The lower triangular L."""
        scale = torch.diag_embed((0.5 * self.conditional_log_var).exp())
        rows, columns = torch.tril_indices(scale.shape[1], scale.shape[1], offset=-1, device=scale.device)
        return scale.index_put((torch.arange(len(scale), device=scale.device)[:, None], rows, columns), self.below)

    @property
    def log_var(self) -> Codes:
        """The logarithm of the marginal variances Σ_jj."""
        return self.scale.square().sum(dim=2).log()

    def at(self, noise: Codes) -> Codes:
        """Return mean + L noise."""
        return self.mean + (self.scale @ noise.unsqueeze(2)).squeeze(2)

    def repeated(self, times: int) -> Self:
        """Return the batch so many times over."""
        if times == 1:
            return self
        return type(self)(*(part.repeat(times, 1) for part in (self.mean, self.conditional_log_var, self.below)))

    def rsample(self, generator: torch.Generator) -> Codes:
        """Return one z ~ q(z|x) for each image."""
        return self.at(_noise(self.mean, generator))

    def log_prob(self, z: Codes) -> Nats:
        """Return log q(z|x) in nats."""
        noise: Tensor = torch.linalg.solve_triangular(self.scale, (z - self.mean).unsqueeze(2), upper=False)
        return -0.5 * (noise.squeeze(2).square() + self.conditional_log_var + LOG_TWO_PI).sum(dim=1)

    def kl_per_dimension(self) -> NatsPerDimension:
        """Return the share of each dimension j by the chain rule, E_q KL(q(z_j|z_<j, x) || N(0, 1)), in nats.

        Each is at least 0 and they add up to KL(q || N(0, I)), but they depend on the order of the dimensions.
        """
        variance = self.scale.square().sum(dim=2)
        return 0.5 * (self.mean.square() + variance - 1.0 - self.conditional_log_var)


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


def _noise(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=generator, dtype=like.dtype, device=like.device)
