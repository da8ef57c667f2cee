"""Gaussians q(z) of a batch of images, by mean and Cholesky factor, and nodes to take averages over them."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import torch
from jaxtyping import Float
from torch import Tensor

from core.inference import quadrature
from core.probability.constants import LOG_TWO_PI
from core.probability.posteriors import VariationalPosterior
from core.tensors import Codes, Nats

Scales = Float[Tensor, "batch latent_dim latent_dim"]
Nodes = Float[Tensor, "nodes latent_dim"]
Shares = Float[Tensor, "nodes"]


@dataclass(frozen=True, slots=True, eq=False)
class Gaussians:
    """N(mean, L Lᵀ) of each image; L is lower triangular with a positive diagonal."""

    mean: Codes
    scale: Scales

    @classmethod
    def of(cls, posterior: VariationalPosterior) -> Self:
        """Return the encoder's posterior, whatever its family."""
        return cls(posterior.mean.detach(), posterior.scale.detach())

    @classmethod
    def prior_like(cls, other: Self) -> Self:
        """Return N(0, I) as often as there are others."""
        identity = torch.eye(other.mean.shape[1], dtype=other.mean.dtype)
        return cls(torch.zeros_like(other.mean), identity.repeat(len(other), 1, 1))

    def __len__(self) -> int:
        return len(self.mean)

    def rows(self, rows: Tensor) -> Self:
        """Return some of them, as often as their rows are named."""
        return type(self)(self.mean[rows], self.scale[rows])

    def where(self, chosen: Tensor, other: Self) -> Self:
        """Return those of `other` where chosen, else these."""
        return type(self)(
            torch.where(chosen[:, None], other.mean, self.mean),
            torch.where(chosen[:, None, None], other.scale, self.scale),
        )

    def at(self, noise: Nodes) -> Float[Tensor, "batch nodes latent_dim"]:
        """Return mean + L ε of each image for all ε."""
        return self.mean[:, None, :] + noise.to(self.mean.dtype) @ self.scale.transpose(1, 2)

    def log_prob(self, z: Float[Tensor, "batch nodes latent_dim"]) -> Float[Tensor, "batch nodes"]:
        """Return log q(z) in nats."""
        noise = torch.linalg.solve_triangular(self.scale, (z - self.mean[:, None, :]).transpose(1, 2), upper=False)
        log_det = self.log_diagonal.sum(dim=1, keepdim=True)
        nats: Tensor = -0.5 * (noise.square() + LOG_TWO_PI).sum(dim=1) - log_det
        return nats

    @property
    def log_diagonal(self) -> Codes:
        """The logarithms of L_jj."""
        return torch.diagonal(self.scale, dim1=1, dim2=2).log()

    def kl_to_prior(self) -> Nats:
        """Return KL(q || N(0, I)) = ½ (|μ|² + |L|² − K) − Σ log L_jj in nats."""
        square = self.mean.square().sum(dim=1) + self.scale.square().sum(dim=(1, 2))
        return 0.5 * (square - self.mean.shape[1]) - self.log_diagonal.sum(dim=1)


@lru_cache(maxsize=32)
def product_rule(latent_dim: int, per_axis: int) -> tuple[Nodes, Shares]:
    """Return nodes and shares of the Gauss-Hermite product rule for N(0, I), in float64, on tensors."""
    # torch warns of read-only arrays: hand it copies.
    nodes, shares = (torch.from_numpy(part.copy()) for part in quadrature.product_rule(latent_dim, per_axis))
    return nodes, shares


def opposite_nodes(latent_dim: int, pairs: int, generator: torch.Generator) -> tuple[Nodes, Shares]:
    """Return random nodes of equal shares in opposite pairs whose mean is 0 and whose covariance is exactly I.

    At least as many pairs as dimensions.  Averages of quadratics over them are exact.
    """
    pairs = max(pairs, latent_dim)
    drawn = torch.randn(pairs, latent_dim, generator=generator, dtype=torch.float64)
    left, _, right = torch.linalg.svd(drawn, full_matrices=False)
    half = left @ right * pairs**0.5
    return torch.cat([half, -half]), torch.full((2 * pairs,), 0.5 / pairs, dtype=torch.float64)


def turned(nodes: Nodes, generator: torch.Generator) -> Nodes:
    """Return the nodes under a random rotation: the rule for N(0, I) stays one, its nodes do not."""
    latent_dim = nodes.shape[1]
    rotation = torch.linalg.qr(torch.randn(latent_dim, latent_dim, generator=generator, dtype=torch.float64))[0]
    result: Tensor = nodes @ rotation
    return result
