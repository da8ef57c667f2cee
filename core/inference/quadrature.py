"""Nodes to take averages over a normal distribution with.  Free of torch."""

from functools import lru_cache

import numpy as np

from core.array_types import Float64
from core.snapshots import frozen

Noise = Float64[np.ndarray, "nodes latent_dim"]
Shares = Float64[np.ndarray, "nodes"]


@lru_cache(maxsize=32)
def product_rule(latent_dim: int, per_axis: int) -> tuple[Noise, Shares]:
    """Return standard normal codes and their shares of an average: the Gauss-Hermite rule on each axis, read-only."""
    along, weights = np.polynomial.hermite_e.hermegauss(per_axis)
    shares = product(weights, latent_dim).prod(axis=1)
    return frozen(product(along, latent_dim)), frozen(shares / shares.sum())


def product(values: Float64[np.ndarray, "per_axis"], latent_dim: int) -> Noise:
    """Return every tuple of values, one for each axis, the last axis running fastest."""
    return np.stack(np.meshgrid(*[values] * latent_dim, indexing="ij"), axis=-1).reshape(-1, latent_dim)
