"""Importance sampling of log p(x): an estimate that owes nothing to the quadrature's sums."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from core.findings.evidence import ImportanceEstimate
from core.inference.evidence.decoding import NodeCodes, NodeNats
from core.inference.evidence.lattice import BLOCK, Lattice, block_offsets
from core.inference.evidence.refinement import Cells
from core.inference.evidence.table import EvidenceTable
from core.probability.constants import LOG_TWO_PI
from core.shapes import Pixels

SHARES = (0.2, 0.7, 0.1)
"""Of samples from the encoder's q, from the posterior's cells and from the prior."""
INFLATION = 1.5
"""What q's standard deviations are multiplied by, so that its tails are not thinner than the posterior's near it."""

_KEY_BITS = 31


@dataclass(frozen=True, slots=True)
class WeightedMean:
    """The logarithm of a mean of weights, with what is known of its error."""

    log_mean: float
    standard_error: float
    """Of `log_mean`, by the delta method: the weights' standard error over their mean."""
    effective_sample_size: float


def weighted_mean(log_weights: Float64[np.ndarray, "samples"]) -> WeightedMean:
    """Return log 1/k Σ w, its standard error in nats, and (Σ w)² / Σ w²."""
    top = log_weights.max()
    if not np.isfinite(top):
        return WeightedMean(float(top), math.inf, 1.0)
    weights = np.exp(log_weights - top)
    mean = weights.mean()
    spread = weights.std(ddof=1) / len(weights) ** 0.5 if len(weights) > 1 else math.inf
    return WeightedMean(
        float(top + np.log(mean)), float(spread / mean), float(weights.sum() ** 2 / np.square(weights).sum())
    )


class CellMixture:
    """The grid's posterior as a density: a cell by its mass, then uniform in the cell."""

    def __init__(self, lattice: Lattice, cells: Sequence[Cells], image: int = 0) -> None:
        (found,) = [part for part in cells if (part.pairs.image == image).any()]
        rows = np.flatnonzero(found.pairs.image == image)
        if found.pairs.values is None:
            raise ValueError("the cells were not kept: their log-densities are needed to sample from them")
        self._lattice = lattice
        self._step = lattice.step_at(found.level)
        inner = block_offsets(lattice.latent_dim).astype(np.int64)
        places = (BLOCK * found.pairs.keys[rows][:, None, :] + inner).reshape(-1, lattice.latent_dim)
        values = found.pairs.values[rows].astype(np.float64).ravel()
        mass = np.exp(values - values.max())
        order = np.argsort(_numbers(places))
        self._places, self._numbers = places[order], _numbers(places)[order]
        self._mass = mass[order] / mass.sum()

    def sample(self, count: int, generator: np.random.Generator) -> NodeCodes:
        """Return some codes."""
        chosen = generator.choice(len(self._mass), count, p=self._mass)
        within = generator.random((count, self._lattice.latent_dim)) - 0.5
        codes: NodeCodes = np.array(self._lattice.low) + self._step * (self._places[chosen] + within)
        return codes

    def density(self, codes: NodeCodes) -> NodeNats:
        """Return the density at some codes, zero outside of all cells."""
        places = np.rint((codes - np.array(self._lattice.low)) / self._step)
        numbers = _numbers(np.clip(places, -(2.0**_KEY_BITS) / 2, 2.0**_KEY_BITS / 2 - 1).astype(np.int64))
        at = np.minimum(np.searchsorted(self._numbers, numbers), len(self._numbers) - 1)
        found = self._numbers[at] == numbers
        density: NodeNats = np.where(found, self._mass[at], 0.0) / self._step**self._lattice.latent_dim
        return density


def defensive_estimate(
    table: EvidenceTable,
    pixels: Pixels,
    num_samples: int = 2000,
    seed: int = 0,
    *,
    cells: Sequence[Cells] | None = None,
    image: int = 0,
) -> ImportanceEstimate:
    """Return log p(x) of the one picture, shape (1, D), by samples from a mixture that no mode can escape.

    The encoder's q, wider by half; the grid's posterior; the prior.  The mixture's density is known everywhere, so the
    mean weight is p(x) whatever the grid's masses are: were they wrong, the standard error would be large.  `cells`
    and `image` say which posterior when `EvidenceTable.integrals` has found it already.
    """
    if cells is None:
        _, cells = table.integrals(pixels, keep=True)
    posterior = table.coder.encode(pixels)
    grid = CellMixture(table.lattice, cells, image)
    generator = np.random.default_rng(seed)
    counts = generator.multinomial(num_samples, SHARES)
    mean, scale = posterior.mean[0].astype(np.float64), INFLATION * posterior.scale[0].astype(np.float64)
    dim = table.config.latent_dim
    codes = np.concatenate(
        [
            mean + generator.standard_normal((counts[0], dim)) @ scale.T,
            grid.sample(int(counts[1]), generator),
            generator.standard_normal((counts[2], dim)),
        ]
    )
    density = SHARES[0] * _normal(codes, mean, scale) + SHARES[1] * grid.density(codes)
    density += SHARES[2] * _normal(codes, np.zeros(dim), np.eye(dim))
    log_joint = table.decoder.log_joint(codes[None], table.decoder.statistics(pixels))[0]
    estimate = weighted_mean(log_joint - np.log(density) + table.decoder.base(pixels)[0])
    return ImportanceEstimate(
        log_px=estimate.log_mean,
        standard_error=estimate.standard_error,
        effective_sample_size=estimate.effective_sample_size,
        num_samples=num_samples,
        version=table.version,
    )


def _normal(
    codes: NodeCodes, mean: Float64[np.ndarray, "latent_dim"], scale: Float64[np.ndarray, "latent_dim latent_dim"]
) -> NodeNats:
    noise = np.linalg.solve(scale, (codes - mean).T).T
    log_det = np.log(np.diagonal(scale)).sum()
    density: NodeNats = np.exp(-0.5 * (noise**2 + LOG_TWO_PI).sum(axis=1) - log_det)
    return density


def _numbers(places: Int64[np.ndarray, "nodes latent_dim"]) -> Int64[np.ndarray, "nodes"]:
    """Return one number for each place."""
    numbers = places[:, 0].copy()
    for axis in range(1, places.shape[1]):
        numbers = (numbers << _KEY_BITS) + places[:, axis]
    return numbers
