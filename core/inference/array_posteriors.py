"""What the encoder says of codes, on numpy arrays; core/probability/posteriors.py has it for training."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from core.array_types import Float32
from core.config import ModelConfig
from core.inference.array_divergences import kl_per_dimension
from core.probability.constants import LOG_TWO_PI
from core.probability.limits import LOG_VAR_MAX, LOG_VAR_MIN
from core.registry import Registry
from core.shapes import CodeArray, PerImage

Heads = Float32[np.ndarray, "batch head"]
Scales = Float32[np.ndarray, "batch latent_dim latent_dim"]


@runtime_checkable
class ArrayPosterior(Protocol):
    """q(z|x) of each image of a batch; or its plain code, which has no variance and no KL."""

    @property
    def mean(self) -> CodeArray:
        """E_q[z], or the code."""
        ...

    @property
    def log_var(self) -> CodeArray | None:
        """Logarithm of the variance of each dimension by itself; None for a plain code."""
        ...

    @property
    def scale(self) -> Scales:
        """Lower triangular L of the covariance L Lᵀ; zeros for a plain code."""
        ...

    def at(self, noise: CodeArray) -> CodeArray:
        """Return the codes that standard normal noise is carried to: of one image its own row, or all rows alike."""
        ...

    def log_prob(self, codes: CodeArray) -> PerImage:
        """Return log q(z|x) in nats, row by row, or of many codes under the one image of a batch of one."""
        ...

    def kl_per_dimension(self) -> CodeArray | None:
        """Return the dimensions' shares of KL(q(z|x) || N(0, I)) in nats; None for a plain code."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class PlainCode:
    """The code of an autoencoder."""

    mean: CodeArray

    @property
    def log_var(self) -> None:
        """There is no variance."""

    @property
    def scale(self) -> Scales:
        """Zeros."""
        return np.zeros((*self.mean.shape, self.mean.shape[1]), np.float32)

    def at(self, noise: CodeArray) -> CodeArray:
        """Return the code, as often as there is noise."""
        return np.broadcast_to(self.mean, noise.shape)

    def log_prob(self, codes: CodeArray) -> PerImage:
        """Raise TypeError: a code without variance has no density."""
        raise TypeError(f"the code of an autoencoder has no density at {len(codes)} codes")

    def kl_per_dimension(self) -> None:
        """There is no KL."""


@dataclass(frozen=True, slots=True, eq=False)
class Factorised:
    """N(mean, diag(exp(log_var)))."""

    mean: CodeArray
    log_var: CodeArray

    @property
    def scale(self) -> Scales:
        """The standard deviations on a diagonal."""
        scale: Scales = np.exp(0.5 * self.log_var)[:, :, None] * np.eye(self.mean.shape[1], dtype=np.float32)
        return scale

    def at(self, noise: CodeArray) -> CodeArray:
        """Return mean + std * noise."""
        codes: CodeArray = self.mean + np.exp(np.float32(0.5) * self.log_var) * noise
        return codes

    def log_prob(self, codes: CodeArray) -> PerImage:
        """Return log q(z|x) in nats."""
        scaled = (codes - self.mean) ** 2 * np.exp(-self.log_var)
        nats: PerImage = -0.5 * (scaled + self.log_var + np.float32(LOG_TWO_PI)).sum(axis=1)
        return nats

    def kl_per_dimension(self) -> CodeArray:
        """Return KL(q(z_j|x) || N(0, 1)) of each dimension j, in nats."""
        return kl_per_dimension(self.mean, self.log_var)


@dataclass(frozen=True, slots=True, eq=False)
class Full:
    """N(mean, L Lᵀ)."""

    mean: CodeArray
    scale: Scales

    @property
    def log_var(self) -> CodeArray:
        """Logarithm of the marginal variances."""
        with np.errstate(over="ignore"):
            log_var: CodeArray = np.log((self.scale**2).sum(axis=2))
        return log_var

    def at(self, noise: CodeArray) -> CodeArray:
        """Return mean + L noise."""
        codes: CodeArray = self.mean + (self.scale @ noise[:, :, None])[:, :, 0]
        return codes

    def log_prob(self, codes: CodeArray) -> PerImage:
        """Return log q(z|x) in nats."""
        scale = np.broadcast_to(self.scale, (len(codes), *self.scale.shape[1:])).astype(np.float64)
        noise = np.linalg.solve(scale, (codes - self.mean)[:, :, None].astype(np.float64))[:, :, 0]
        log_det = np.log(np.diagonal(self.scale, axis1=1, axis2=2)).sum(axis=1)
        nats: PerImage = (-0.5 * (noise**2 + LOG_TWO_PI).sum(axis=1) - log_det).astype(np.float32)
        return nats

    def kl_per_dimension(self) -> CodeArray:
        """Return each dimension's share by the chain rule, E_q KL(q(z_j|z_<j, x) || N(0, 1)), in nats."""
        conditional = 2.0 * np.log(np.diagonal(self.scale, axis1=1, axis2=2))
        with np.errstate(over="ignore"):
            shares: CodeArray = 0.5 * (self.mean**2 + (self.scale**2).sum(axis=2) - 1.0 - conditional)
        return shares


ARRAY_POSTERIORS: Registry[Callable[[Heads, int], ArrayPosterior]] = Registry("posterior")


def array_posterior(config: ModelConfig, head: Heads) -> ArrayPosterior:
    """Return what the encoder's last layer describes, for any model with codes."""
    if config.has_prior:
        return ARRAY_POSTERIORS[config.posterior](head, config.latent_dim)
    if config.model == "sparse_autoencoder" and config.sparsity == "kl":
        # exp() of a float32 is finite up to 88; a unit that far off is off.
        return PlainCode(1.0 / (1.0 + np.exp(np.clip(-head, -80.0, 80.0))))
    return PlainCode(head)


@ARRAY_POSTERIORS.register("factorised")
def _factorised(head: Heads, latent_dim: int) -> Factorised:
    mean, log_var = head[:, :latent_dim], head[:, latent_dim:]
    return Factorised(np.ascontiguousarray(mean), np.clip(log_var, LOG_VAR_MIN, LOG_VAR_MAX))


@ARRAY_POSTERIORS.register("full")
def _full(head: Heads, latent_dim: int) -> Full:
    scale = np.zeros((len(head), latent_dim, latent_dim), np.float32)
    diagonal = np.arange(latent_dim)
    log_var = np.clip(head[:, latent_dim : 2 * latent_dim], LOG_VAR_MIN, LOG_VAR_MAX)
    scale[:, diagonal, diagonal] = np.exp(0.5 * log_var)
    rows, columns = np.tril_indices(latent_dim, -1)
    scale[:, rows, columns] = head[:, 2 * latent_dim :]
    return Full(np.ascontiguousarray(head[:, :latent_dim]), scale)
