"""ELBO surgery over some images: mean KL = I(n; z) + KL(q̄(z) ‖ p(z)).  Hoffman & Johnson 2016."""

import math
from collections.abc import Callable, Generator
from typing import Any

import numpy as np

from core.array_types import Float64
from core.findings.surgery import Surgery
from core.inference.array_posteriors import ArrayPosterior, Factorised
from core.inference.quadrature import product_rule
from core.inference.steps import within
from core.probability.constants import LOG_TWO_PI
from core.shapes import CodeArray

Rows = Float64[np.ndarray, "batch _"]
Column = Float64[np.ndarray, "batch"]
Noise = Float64[np.ndarray, "one_or_batch _"]
Groups = Float64[np.ndarray, "groups"]

LEAST_ORDER, HIGHEST_ORDER = 5, 20
"""Nodes on each axis of the Gauss-Hermite rule: 5 for 2,000 images and more, up to 20 for few."""
QUADRATURE_DENSITIES = 1e8
"""Densities of one code under one image that are computed gladly; the fewer images, the more nodes they allow."""
MOST_QUADRATURE_DIMENSIONS = 2
SAMPLES = 4
"""Codes drawn of each posterior where there are too many dimensions for a quadrature."""
BLOCK_CODES = 128
BLOCK_IMAGES = 4096
"""One block of log-densities, codes by images: 4 MB."""
CODES_AT_ONCE = 4096
NEIGHBOURS = 32
"""Images beside each other whose densities are left out together where none of them reaches."""
NEGLIGIBLE = 40.0
"""Nats below which a density beside another is nothing: e^-40 of it, times any number of images."""

# exp() of a float32 below this is no normal number any more, and slow.
_LEAST_EXPONENT = np.float32(-80.0)


def surgery(posterior: ArrayPosterior, seed: int = 0, version: int = 0) -> Generator[float, None, Surgery]:
    """Yield the share done and return mutual information and marginal KL in nats over the images of one batch.

    With H the entropy, both follow from E log q̄: I = −mean H(q_n) − E log q̄ and KL(q̄ ‖ p) = E log q̄ − E log p, where
    all else is in closed form.  E log q̄ is a quadrature over every q_n for up to two dimensions, else a mean over
    samples with the standard error that `seed`'s noise leaves; the images are no sample here, they are all there are.
    Raises ValueError for no images or a posterior without density.
    """
    if posterior.log_var is None:
        raise ValueError("a code without variance has no density, hence no mutual information")
    if not len(posterior.mean):
        raise ValueError("surgery needs at least one image")
    aggregate = AggregatePosterior(posterior)
    entropy = aggregate.entropies().mean()
    cross_entropy = aggregate.cross_entropies().mean()
    if aggregate.latent_dim <= MOST_QUADRATURE_DIMENSIONS:
        order = _order(aggregate)
        mean_log_density, error = yield from _by_quadrature(aggregate, order)
        num_samples = order**aggregate.latent_dim
    else:
        mean_log_density, error = yield from _by_samples(aggregate, np.random.default_rng(seed))
        num_samples = SAMPLES
    return Surgery(
        mutual_information=float(-entropy - mean_log_density),
        marginal_kl=float(mean_log_density + cross_entropy),
        mean_kl=float(cross_entropy - entropy),
        num_images=len(aggregate),
        error=error,
        is_estimate=aggregate.latent_dim > MOST_QUADRATURE_DIMENSIONS,
        num_samples=num_samples,
        version=version,
    )


class AggregatePosterior:
    """q̄(z) = 1/N Σ_n q(z|x_n): the mixture of the posteriors of N images, which stand in an order of their own."""

    def __init__(self, posterior: ArrayPosterior) -> None:
        if posterior.log_var is None:
            raise ValueError("a code without variance has no density")
        order = _neighbours_together(posterior.mean)
        self._mean = posterior.mean[order].astype(np.float64)
        self._factorised = isinstance(posterior, Factorised)
        # L itself, or its diagonal where that is all: N·K numbers then instead of N·K².
        if self._factorised:
            self._scale = np.exp(0.5 * posterior.log_var[order].astype(np.float64))
            self._diagonal = self._scale
        else:
            self._scale = posterior.scale[order].astype(np.float64)
            self._diagonal = np.diagonal(self._scale, axis1=1, axis2=2)
        self._log_peaks = -np.log(self._diagonal).sum(axis=1) - 0.5 * self.latent_dim * LOG_TWO_PI
        # An upper limit of the largest eigenvalue of each covariance: its largest, or their sum.
        squares = self._scale**2
        self._reach = squares.max(axis=1) if self._factorised else squares.sum(axis=(1, 2))

    def __len__(self) -> int:
        return len(self._mean)

    @property
    def latent_dim(self) -> int:
        """Number of latent dimensions K."""
        return int(self._mean.shape[1])

    def entropies(self) -> Column:
        """Return the entropy of each q_n in nats, ½ K log 2πe + log det L."""
        result: Column = 0.5 * self.latent_dim * (LOG_TWO_PI + 1.0) + np.log(self._diagonal).sum(axis=1)
        return result

    def cross_entropies(self) -> Column:
        """Return −E_{q_n} log p(z) of each image in nats, with p(z) = N(0, I)."""
        variances = (self._scale**2).reshape(len(self), -1).sum(axis=1)
        with np.errstate(over="ignore"):
            result: Column = 0.5 * ((self._mean**2).sum(axis=1) + variances + self.latent_dim * LOG_TWO_PI)
        return result

    def codes_at(self, noise: Noise) -> tuple[Rows, Column]:
        """Return the code z of each image that standard normal noise is carried to, and log q_n(z) of that image.

        The noise has one row for all images, or one for each.
        """
        every = np.broadcast_to(noise, self._mean.shape)
        moved = self._scale * every if self._factorised else (self._scale @ every[:, :, None])[:, :, 0]
        return self._mean + moved, self._log_peaks - 0.5 * (every**2).sum(axis=1)

    def log_density(self, codes: Rows, least: Column) -> Generator[float, None, Column]:
        """Yield the share done and return log q̄(z) of each code in nats; `least` is log q_n(z) of any of the images.

        Each log q_n(z) is a quadratic form, hence linear in the squares and products of z: a block of codes by images
        is one matrix product, in float64, for z² / σ² of a narrow posterior has no digit to lose.  Images far from all
        codes of a block are left out, which for narrow posteriors in two dimensions is most of them.
        """
        largest = np.full(len(codes), -np.inf)
        sums = np.zeros(len(codes))
        centre = self._mean.mean(axis=0)
        done, total = 0, math.ceil(len(self) / BLOCK_IMAGES) * math.ceil(len(codes) / BLOCK_CODES)
        for first in range(0, len(self), BLOCK_IMAGES):
            images = slice(first, first + BLOCK_IMAGES)
            coefficients, constants = self._quadratic(images, centre)
            heights = self._heights(images)
            for start in range(0, len(codes), BLOCK_CODES):
                rows = slice(start, start + BLOCK_CODES)
                done += 1
                near = heights(codes[rows]) > least[rows].min() - NEGLIGIBLE
                if near.any():
                    chosen = np.repeat(near, NEIGHBOURS)[: len(constants)]
                    block = self._features(codes[rows] - centre) @ coefficients[:, chosen]
                    block += constants[chosen]
                    _add_exponentials(largest[rows], sums[rows], block)
                yield done / total
        result: Column = largest + np.log(sums) - math.log(len(self))
        return result

    def _heights(self, images: slice) -> Callable[[Rows], Groups]:
        """Return a function of a block of codes: what log q_n(z) of each group of neighbours does not exceed there."""
        mean, peaks, reach = self._mean[images], self._log_peaks[images], self._reach[images]
        starts = np.arange(0, len(mean), NEIGHBOURS)
        low, high = np.minimum.reduceat(mean, starts), np.maximum.reduceat(mean, starts)
        peak, widest = np.maximum.reduceat(peaks, starts), np.maximum.reduceat(reach, starts)

        def heights(codes: Rows) -> Groups:
            apart = np.maximum(np.maximum(low - codes.max(axis=0), codes.min(axis=0) - high), 0.0)
            result: Groups = peak - 0.5 * (apart**2).sum(axis=1) / widest
            return result

        return heights

    def _features(self, codes: Rows) -> Rows:
        if self._factorised:
            return np.concatenate([codes**2, codes], axis=1)
        rows, columns = np.tril_indices(self.latent_dim)
        return np.concatenate([codes[:, rows] * codes[:, columns], codes], axis=1)

    def _quadratic(
        self, images: slice, centre: np.ndarray[Any, Any]
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return what log q_n(z) of some images is linear in: coefficients, a column an image, and constants."""
        mean = self._mean[images] - centre
        if self._factorised:
            precision = self._scale[images] ** -2
            linear = precision * mean
            coefficients = np.concatenate([-0.5 * precision, linear], axis=1)
        else:
            inverse = np.linalg.inv(self._scale[images])
            precision = inverse.swapaxes(1, 2) @ inverse
            linear = (precision @ mean[:, :, None])[:, :, 0]
            rows, columns = np.tril_indices(self.latent_dim)
            # z'Pz takes every product of two different dimensions twice.
            twice = np.where(rows == columns, 0.5, 1.0)
            coefficients = np.concatenate([-precision[:, rows, columns] * twice, linear], axis=1)
        return np.ascontiguousarray(coefficients.T), self._log_peaks[images] - 0.5 * (linear * mean).sum(axis=1)


def _neighbours_together(mean: CodeArray) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return an order of the images in which codes beside each other in the first two dimensions stand together."""
    order = np.argsort(mean[:, 0], kind="stable")
    if mean.shape[1] == 1:
        return order
    strips = max(1, round(math.sqrt(len(mean) / NEIGHBOURS)))
    strip = np.empty(len(mean), np.int64)
    strip[order] = np.arange(len(mean)) * strips // len(mean)
    return np.lexsort((mean[:, 1], strip))


def _add_exponentials(largest: Column, sums: Column, block: Rows) -> None:
    """Add Σ exp(block) of each row to exp(largest) · sums, in place."""
    now = np.maximum(largest, block.max(axis=1))
    block -= now[:, None]
    exponents = block.astype(np.float32)
    np.maximum(exponents, _LEAST_EXPONENT, out=exponents)
    shares = np.exp(exponents, out=exponents).sum(axis=1, dtype=np.float64)
    sums *= np.exp(largest - now)
    sums += shares
    largest[:] = now


def _order(aggregate: AggregatePosterior) -> int:
    nodes = QUADRATURE_DENSITIES / len(aggregate) ** 2
    return min(max(int(nodes ** (1.0 / aggregate.latent_dim)), LEAST_ORDER), HIGHEST_ORDER)


def _by_quadrature(aggregate: AggregatePosterior, order: int) -> Generator[float, None, tuple[float, float]]:
    """Return E log q̄ by a Gauss-Hermite rule over every posterior, and how far it is from the next lower order."""
    dim = aggregate.latent_dim
    rules = [product_rule(dim, order - 1), product_rule(dim, order)]
    total, done, means = sum(len(shares) for _, shares in rules), 0, []
    # Few images: several nodes of each at once, or all time goes into small calls.
    at_once = max(1, CODES_AT_ONCE // len(aggregate))
    for noise, shares in rules:
        mean = 0.0
        for first in range(0, len(shares), at_once):
            some = slice(first, first + at_once)
            codes, least = zip(*(aggregate.codes_at(row[None, :]) for row in noise[some]), strict=True)
            steps = aggregate.log_density(np.concatenate(codes), np.concatenate(least))
            density = yield from within(steps, done / total, (done + len(codes)) / total)
            mean += float(shares[some] @ density.reshape(len(codes), -1).mean(axis=1))
            done += len(codes)
        means.append(mean)
    return means[-1], abs(means[-1] - means[-2])


def _by_samples(
    aggregate: AggregatePosterior, generator: np.random.Generator
) -> Generator[float, None, tuple[float, float]]:
    """Return E log q̄ over samples of every posterior, and its standard error.

    log q_n(z), whose mean is known, is what the samples' noise is regressed on: for images that nothing overlaps it is
    log q̄ itself but for a constant, and nothing is left of the noise.
    """
    shape = (len(aggregate), aggregate.latent_dim)
    densities, known = [], []
    for sample in range(SAMPLES):
        noise = generator.standard_normal(shape)
        known.append(-0.5 * (noise**2 - 1.0).sum(axis=1))
        steps = aggregate.log_density(*aggregate.codes_at(noise))
        densities.append((yield from within(steps, sample / SAMPLES, (sample + 1) / SAMPLES)))
    log_density, control = np.stack(densities), np.stack(known)
    deviation = log_density - log_density.mean(axis=0)
    scatter = control - control.mean(axis=0)
    slope = (deviation * scatter).sum() / (scatter**2).sum()
    left = log_density - slope * control
    # Each image's own noise only: that images differ is no error of a mean over all of them.
    error = float(np.sqrt((left.var(axis=0, ddof=1) / SAMPLES).sum()) / len(aggregate))
    return float(left.mean()), error
