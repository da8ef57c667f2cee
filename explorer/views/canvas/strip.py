"""One latent dimension: codes spread over a strip whose width at z is their density there."""

from typing import Any

import numpy as np

from core.quantiles import quantiles
from core.shapes import Code
from explorer.views.canvas.points import Column, drawable

# Density of N(0, 1) at its mean: a strip with a prior is never scaled so that the prior leaves it.
PRIOR_PEAK = 0.398_942_28
NUM_BINS = 160


def strip_places(z: Code | Column, *, has_prior: bool) -> tuple[Column, float]:
    """Return each code's place across the strip in [-0.5, 0.5], and the density that fills the strip's whole width.

    The place is a fixed draw for each row within the smoothed histogram of the codes, so the strip is a histogram of
    points: its outline and the prior's density are on the same scale.
    """
    values = drawable(z)
    share = np.random.default_rng(7).uniform(-1.0, 1.0, len(values)).astype(np.float32)
    finite = values[np.isfinite(values)]
    floor = PRIOR_PEAK if has_prior else 1e-12
    if not len(finite):
        return np.zeros(len(values), dtype=np.float32), floor
    low, high = (float(value) for value in quantiles(finite.astype(np.float64), (0.001, 0.999)))
    if not high - low > 1e-6 * max(abs(low), abs(high), 1e-6):
        return 0.2 * share, floor
    edges = np.linspace(low, high, NUM_BINS + 1)
    counts = np.histogram(np.clip(finite, low, high), edges)[0].astype(np.float64)
    kernel = np.exp(-0.5 * (np.arange(-6, 7) / 2.0) ** 2)
    # Reflected at the ends, where a histogram would otherwise sink to half its height.
    padded = np.concatenate((counts[5::-1], counts, counts[:-7:-1]))
    density = np.convolve(padded, kernel / kernel.sum(), mode="valid") / (len(finite) * (edges[1] - edges[0]))
    peak = max(float(density.max()), floor)
    middles: np.ndarray[Any, Any] = 0.5 * (edges[1:] + edges[:-1])
    half_width = 0.5 * np.interp(np.nan_to_num(values), middles, density) / peak
    return (share * np.maximum(half_width, 0.01)).astype(np.float32), peak
