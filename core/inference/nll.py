"""-log p(x) over held-out images: exact where the model allows it, an importance-weighted estimate elsewhere."""

import math
from collections.abc import Generator
from typing import Any

import numpy as np

from core.compatibility import data_for
from core.config import MOST_EXACT_DIMENSIONS, DataConfig, ModelConfig
from core.data.binarisation import seen_by_model
from core.findings.nll import HeldOutNll
from core.inference.array_likelihoods import ARRAY_LIKELIHOODS
from core.inference.array_posteriors import ArrayPosterior
from core.inference.autoregressive import AutoregressiveCoder
from core.inference.coders import Coder, make_coder
from core.inference.codes import subset_indices
from core.inference.encoding import of_image
from core.probability.constants import LOG_TWO_PI
from core.shapes import CodeArray, Pixels
from core.snapshots import Split, Weights, frozen

DEFAULT_SAMPLES = 1000
CHUNK_SAMPLES = 500
"""Samples of one image whose pictures are in memory at once."""
PIECE_IMAGES = 100
QUADRATURE_IMAGES = 250
"""Images integrated at once: the more, the more codes they share, and the longer between two looks at the clock."""
NO_DENSITY = "an autoencoder defines no p(x): it has no prior over its codes"

Costs = np.ndarray[Any, np.dtype[np.float64]]


def held_out_nll(
    config: ModelConfig,
    weights: Weights,
    split: Split,
    data_config: DataConfig,
    split_name: str = "held_out",
    *,
    limit: int | None = None,
    num_samples: int = DEFAULT_SAMPLES,
    seed: int = 0,
) -> Generator[float, None, HeldOutNll]:
    """Yield the share done and return the mean of -log p(x) in nats over at most `limit` images, a seeded subset.

    Exact by a product for an autoregressive model and by quadrature for up to two latent dimensions; else estimated by
    log 1/k Σ p(x, z_i) / q(z_i|x) with k = `num_samples` samples (Burda et al. 2015), a lower bound of log p(x) in
    expectation.  Each x is the image's fixed draw.  Raises ValueError for an autoencoder or without images.
    """
    if config.has_codes and not config.has_prior:
        raise ValueError(NO_DENSITY)
    indices = subset_indices(len(split), limit, seed)
    if not len(indices):
        raise ValueError("there are no images whose -log p(x) could be found")
    data_config = data_for(data_config, config)
    pixels = seen_by_model(split.images[indices], indices, data_config)
    error_bar = samples = effective = None
    if not config.has_codes:
        method = "product"
        nll = yield from _by_product(config, weights, pixels)
    elif config.latent_dim <= MOST_EXACT_DIMENSIONS:
        method = "quadrature"
        nll, error_bar = yield from _by_quadrature(config, weights, pixels)
    else:
        method, samples = "importance", num_samples
        log_px, sizes = yield from importance_weighted(make_coder(config, weights), pixels, num_samples, seed)
        nll, effective = -log_px, float(np.median(sizes))
    return HeldOutNll(
        nll=float(nll.mean()),
        standard_error=float(nll.std(ddof=1) / len(nll) ** 0.5) if len(nll) > 1 else None,
        per_image=frozen(nll),
        num_images=len(nll),
        of_images=len(split),
        split=split_name,
        method=method,
        error_bar=error_bar,
        num_samples=samples,
        effective_samples=effective,
        likelihood_normalised=ARRAY_LIKELIHOODS[config.likelihood](config).is_normalised(data_config.binarisation),
        version=weights.version,
    )


def importance_weighted(
    coder: Coder, pixels: Pixels, num_samples: int, seed: int = 0
) -> Generator[float, None, tuple[Costs, Costs]]:
    """Yield the share done; return estimates of log p(x) of each image in nats, and their effective sample sizes.

    log 1/k Σ w_i with w_i = p(x|z_i) p(z_i) / q(z_i|x), z_i ~ q(z|x), Burda et al. 2015, equation 8; (Σ w)² / Σ w².
    The noise of an image depends on `seed` and its place alone.
    """
    if num_samples < 1:
        raise ValueError(f"num_samples must be at least 1, not {num_samples}")
    posterior = coder.encode(pixels)
    log_px, sizes = np.empty(len(pixels)), np.empty(len(pixels))
    for image, row in enumerate(pixels):
        generator = np.random.default_rng((seed, image))
        weights = []
        for start in range(0, num_samples, CHUNK_SAMPLES):
            count = min(CHUNK_SAMPLES, num_samples - start)
            noise = generator.standard_normal((count, coder.config.latent_dim), dtype=np.float32)
            weights.append(_log_weights(coder, row, of_image(posterior, image), noise))
            yield (image + (start + count) / num_samples) / len(pixels)
        log_weights = np.concatenate(weights)
        largest = log_weights.max()
        shares = np.exp(log_weights - largest)
        log_px[image] = largest + math.log(shares.mean())
        sizes[image] = shares.sum() ** 2 / (shares**2).sum()
    return log_px, sizes


def _log_weights(coder: Coder, row: np.ndarray[Any, Any], posterior: ArrayPosterior, noise: CodeArray) -> Costs:
    codes = posterior.at(noise)
    log_likelihood = -coder.nll(np.broadcast_to(row, (len(codes), len(row))), codes).astype(np.float64)
    log_prior = -0.5 * (codes.astype(np.float64) ** 2 + LOG_TWO_PI).sum(axis=1)
    # The noise is at hand: log q from it loses no digits where q is narrow.
    log_det = np.log(np.diagonal(posterior.scale[0]).astype(np.float64)).sum()
    log_q = -0.5 * (noise.astype(np.float64) ** 2 + LOG_TWO_PI).sum(axis=1) - log_det
    result: Costs = log_likelihood + log_prior - log_q
    return result


def _by_product(config: ModelConfig, weights: Weights, pixels: Pixels) -> Generator[float, None, Costs]:
    """Return -log p(x) of each image under an autoregressive model.  Germain et al. 2015."""
    coder = AutoregressiveCoder(config, weights)
    nll = np.empty(len(pixels))
    for start in range(0, len(pixels), PIECE_IMAGES):
        rows = slice(start, start + PIECE_IMAGES)
        nll[rows] = -coder.log_prob(pixels[rows]).astype(np.float64)
        yield min(start + PIECE_IMAGES, len(pixels)) / len(pixels)
    return nll


def _by_quadrature(
    config: ModelConfig, weights: Weights, pixels: Pixels
) -> Generator[float, None, tuple[Costs, float]]:
    """Return -log p(x) of each image by quadrature, and the largest difference of two resolutions."""
    from core.inference.evidence.table import EvidenceTable  # noqa: PLC0415 - it imports torch

    codes = make_coder(config, weights).encode(pixels).mean
    table = EvidenceTable.build(config, weights, codes)
    if table is None:
        raise RuntimeError("a table that nobody stopped was not built")
    yield 0.0
    nll, bars = np.empty(len(pixels)), np.empty(len(pixels))
    for start in range(0, len(pixels), QUADRATURE_IMAGES):
        rows = slice(start, start + QUADRATURE_IMAGES)
        integrals, _ = table.integrals(pixels[rows])
        nll[rows], bars[rows] = -integrals.log_z, integrals.error_bar
        yield min(start + QUADRATURE_IMAGES, len(pixels)) / len(pixels)
    return nll, float(bars.max())
