"""What samples of q say of one image: the ladder of bounds, the noise of gradients, the reparameterised draws."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.findings import Finding
from core.shapes import CodeArray

Numbers = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class Ladder(Finding):
    """Bounds on log p(x) of one image by how many samples of the encoder's q they take; nats, one entry a count."""

    counts: np.ndarray[Any, np.dtype[np.int64]]
    """L of the ELBO, k of IWAE."""
    elbo_mean: Numbers
    """Mean of the L-sample estimates of the ELBO over independent repeats: it does not move with L."""
    elbo_spread: Numbers
    """Standard deviation of one L-sample estimate: it shrinks as 1/√L."""
    iwae_mean: Numbers
    """Mean of log 1/k Σ p(x, z)/q(z|x) over independent groups of k: it rises with k toward log p(x)."""
    iwae_error: Numbers
    """Standard error of that mean."""
    num_groups: np.ndarray[Any, np.dtype[np.int64]]
    """Repeats behind each entry."""
    elbo: float
    """The ELBO by quadrature."""
    elbo_error: float
    log_px: float | None
    """Exact log p(x), where it is known."""
    log_px_error: float | None
    effective_sample_size: float
    """(Σ w)² / Σ w² over all samples drawn: near 1, a single sample carries the highest rung."""
    num_samples: int
    """Samples drawn so far."""
    total_samples: int
    version: int

    @property
    def complete(self) -> bool:
        """Whether all samples are drawn."""
        return self.num_samples >= self.total_samples


@dataclass(frozen=True, slots=True, eq=False)
class GradientNoise(Finding):
    """Two estimators of the gradient of one image's ELBO in q's parameters, sample by sample; one entry a parameter."""

    names: tuple[str, ...]
    """μ₁, …, log σ₁, …, and for a full covariance the entries of L below its diagonal."""
    pathwise_mean: Numbers
    score_mean: Numbers
    baseline_mean: Numbers
    pathwise_variance: Numbers
    """Of the estimate from a single sample, nats² per unit of the parameter squared."""
    score_variance: Numbers
    baseline_variance: Numbers
    """Of the score function with the mean of the other samples' log p(x|z) taken off."""
    ratio: float
    """Σ score variance / Σ pathwise variance."""
    ratio_error: float
    """Standard error, by the jackknife over groups of samples."""
    baseline_ratio: float
    baseline_ratio_error: float
    num_samples: int
    total_samples: int
    version: int


@dataclass(frozen=True, slots=True, eq=False)
class ReparameterisedDraws(Finding):
    """ε ~ N(0, I) and where z = μ + L ε carries them, one row a draw."""

    noise: CodeArray
    codes: CodeArray
    seed: int
