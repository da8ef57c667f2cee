"""Divergences on numpy arrays; core/probability/divergences.py has them for training."""

import numpy as np

from core.shapes import CodeArray


def kl_per_dimension(mean: CodeArray, log_var: CodeArray) -> CodeArray:
    """Return KL(N(mean, exp(log_var)) || N(0, 1)) of each code and dimension, nats.  Kingma & Welling 2014, app. B."""
    # Weights of a file may be finite and give means whose square is not; the sum then says so.
    with np.errstate(over="ignore"):
        result: CodeArray = 0.5 * (mean**2 + np.expm1(log_var) - log_var)
    return result
