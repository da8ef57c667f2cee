"""The likelihoods p(x|z) on numpy arrays, for decoding before torch is there; core/probability has them for training.

`parameters` are what the decoder says of each pixel, one row a code, before any nonlinearity.  All of them are
exponential families: log p(x|z) = t(x) · η(z) − A(z) + c(x), so that a grid of codes needs its η and A only once.
"""

import math
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np

from core.array_types import Float, Float32
from core.config import ModelConfig
from core.probability.constants import LOG_TWO_PI
from core.probability.limits import PIXEL_LOG_VAR_MAX, PIXEL_LOG_VAR_MIN
from core.registry import Registry
from core.shapes import PerImage, Pixels

Parameters = Float32[np.ndarray, "batch parameters"]
Statistics = Float[np.ndarray, "batch statistics"]
Sums = Float[np.ndarray, "batch"]
PixelValues = Float[np.ndarray, "batch pixels"]


@runtime_checkable
class ArrayLikelihood(Protocol):
    """A distribution of pixels, given what the decoder says."""

    def mean(self, parameters: Parameters) -> Pixels:
        """Return E[x|z], finite whatever the parameters are; in [0, 1] but for a Gaussian."""
        ...

    def nll(self, parameters: Parameters, pixels: Pixels) -> PerImage:
        """Return -log p(x|z) in nats per image."""
        ...

    def sample(self, parameters: Parameters, generator: np.random.Generator) -> Pixels:
        """Return one draw x ~ p(x|z) for each row of parameters."""
        ...

    def statistics(self, pixels: Pixels) -> Statistics:
        """Return the sufficient statistics t(x) of each image."""
        ...

    def natural(self, parameters: Statistics) -> tuple[Statistics, Sums]:
        """Return η and A of each row of parameters, in the parameters' own precision."""
        ...

    def base(self, pixels: Pixels) -> Sums:
        """Return c(x) of each image, in float64."""
        ...

    def is_normalised(self, binarisation: str) -> bool:
        """Return whether nats of pixels binarised in this way are those of a distribution that sums to one."""
        ...


ARRAY_LIKELIHOODS: Registry[Callable[[ModelConfig], ArrayLikelihood]] = Registry("likelihood")

# exp(80) is still finite in float32, and 1 / (1 + exp(80)) is black on any screen.
_LOWEST_LOGIT = np.float32(-80.0)
# Below this |logit| the closed forms of the continuous Bernoulli subtract equal numbers; their series err by 1e-8.
_SERIES_BELOW = 0.5


class _Logits:
    """What both likelihoods with one logit a pixel share."""

    def statistics(self, pixels: Pixels) -> Statistics:
        return pixels

    def base(self, pixels: Pixels) -> Sums:
        return np.zeros(len(pixels))


class _Bernoulli(_Logits):
    def mean(self, parameters: Parameters) -> Pixels:
        # fmax() takes the number where the other is NaN, so that weights gone wild show black and not a warning.
        pixels: Pixels = np.fmax(parameters, _LOWEST_LOGIT)
        np.negative(pixels, out=pixels)
        np.exp(pixels, out=pixels)
        pixels += 1.0
        np.reciprocal(pixels, out=pixels)
        return pixels

    def nll(self, parameters: Parameters, pixels: Pixels) -> PerImage:
        # log p = x·l - softplus(l): the logits form, exact where sigmoid(l) has rounded to 0 or 1.
        costs = softplus(parameters)
        # Parameters that are not finite give nats that are not, which says it better than a warning.
        with np.errstate(over="ignore", invalid="ignore"):
            costs -= pixels * parameters
            nats: PerImage = costs.sum(axis=1, dtype=np.float64).astype(np.float32)
        return nats

    def sample(self, parameters: Parameters, generator: np.random.Generator) -> Pixels:
        uniform = generator.random(parameters.shape, dtype=np.float32)
        pixels: Pixels = (uniform < self.mean(parameters)).astype(np.float32)
        return pixels

    def natural(self, parameters: Statistics) -> tuple[Statistics, Sums]:
        return parameters, softplus(parameters).sum(axis=1, dtype=np.float64)

    def is_normalised(self, binarisation: str) -> bool:
        return binarisation != "none"


class _Categorical:
    def __init__(self, grey_levels: int) -> None:
        self._grey_levels = grey_levels
        self._greys = np.linspace(0.0, 1.0, grey_levels, dtype=np.float32)

    def mean(self, parameters: Parameters) -> Pixels:
        pixels: Pixels = np.exp(self._log_probabilities(parameters)) @ self._greys
        return pixels

    def nll(self, parameters: Parameters, pixels: Pixels) -> PerImage:
        chosen = np.take_along_axis(self._log_probabilities(parameters), self._levels(pixels)[:, :, None], axis=2)
        nats: PerImage = -chosen[:, :, 0].sum(axis=1, dtype=np.float64).astype(np.float32)
        return nats

    def sample(self, parameters: Parameters, generator: np.random.Generator) -> Pixels:
        below = np.exp(self._log_probabilities(parameters)).cumsum(axis=2)[:, :, :-1]
        uniform = generator.random(below.shape[:2], dtype=np.float32)
        pixels: Pixels = self._greys[(uniform[:, :, None] >= below).sum(axis=2)]
        return pixels

    def statistics(self, pixels: Pixels) -> Statistics:
        levels = self._levels(pixels)
        one_hot = np.zeros((*levels.shape, self._grey_levels), np.float32)
        np.put_along_axis(one_hot, levels[:, :, None], 1.0, axis=2)
        return one_hot.reshape(len(pixels), -1)

    def natural(self, parameters: Statistics) -> tuple[Statistics, Sums]:
        log_probabilities = self._log_probabilities(parameters)
        return log_probabilities.reshape(len(parameters), -1), np.zeros(len(parameters))

    def base(self, pixels: Pixels) -> Sums:
        return np.zeros(len(pixels))

    def is_normalised(self, binarisation: str) -> bool:  # noqa: ARG002 - one signature for all
        return True

    def _levels(self, pixels: Pixels) -> np.ndarray[Any, np.dtype[np.int64]]:
        levels: np.ndarray[Any, np.dtype[np.int64]] = np.rint(pixels * (self._grey_levels - 1)).astype(np.int64)
        return levels.clip(0, self._grey_levels - 1)

    def _log_probabilities(self, parameters: Statistics) -> np.ndarray[Any, Any]:
        finite = np.nan_to_num(parameters, nan=0.0, posinf=1e30, neginf=-1e30)
        by_level = finite.reshape(len(parameters), -1, self._grey_levels)
        shifted = by_level - by_level.max(axis=2, keepdims=True)
        result: np.ndarray[Any, Any] = shifted - np.log(np.exp(shifted).sum(axis=2, keepdims=True))
        return result


class _Gaussian:
    def mean(self, parameters: Parameters) -> Pixels:
        pixels: Pixels = np.nan_to_num(parameters[:, ::2], nan=0.0)
        return pixels

    def nll(self, parameters: Parameters, pixels: Pixels) -> PerImage:
        mean, log_var = _mean_and_log_var(parameters.astype(np.float64))
        with np.errstate(over="ignore", invalid="ignore"):
            costs = (pixels - mean) ** 2 * np.exp(-log_var) + log_var + LOG_TWO_PI
            nats: PerImage = (0.5 * costs.sum(axis=1)).astype(np.float32)
        return nats

    def sample(self, parameters: Parameters, generator: np.random.Generator) -> Pixels:
        mean, log_var = _mean_and_log_var(parameters)
        noise = generator.standard_normal(mean.shape, dtype=np.float32)
        pixels: Pixels = np.nan_to_num(mean, nan=0.0) + np.exp(np.float32(0.5) * log_var) * noise
        return pixels

    def statistics(self, pixels: Pixels) -> Statistics:
        return np.concatenate([pixels, pixels**2], axis=1)

    def natural(self, parameters: Statistics) -> tuple[Statistics, Sums]:
        mean, log_var = _mean_and_log_var(parameters)
        precision = np.exp(-log_var)
        sums = 0.5 * (mean**2 * precision + log_var + LOG_TWO_PI).sum(axis=1, dtype=np.float64)
        return np.concatenate([mean * precision, -0.5 * precision], axis=1), sums

    def base(self, pixels: Pixels) -> Sums:
        return np.zeros(len(pixels))

    def is_normalised(self, binarisation: str) -> bool:  # noqa: ARG002 - one signature for all
        return True


class _ContinuousBernoulli(_Logits):
    def mean(self, parameters: Parameters) -> Pixels:
        logits = np.nan_to_num(parameters, nan=0.0)
        small = np.abs(logits) < _SERIES_BELOW
        safe = np.where(small, np.float32(1.0), logits)
        # Where the series is not taken its value does not matter, only that it is finite.
        near = np.where(small, logits, np.float32(0.0))
        square = near**2
        series = 0.5 + near * (1 / 12 - square * (1 / 720 - square / 30240))
        pixels: Pixels = np.where(small, series, 0.5 + 0.5 / np.tanh(0.5 * safe) - 1.0 / safe).astype(np.float32)
        return pixels

    def nll(self, parameters: Parameters, pixels: Pixels) -> PerImage:
        with np.errstate(over="ignore", invalid="ignore"):
            costs = softplus(parameters) - log_normaliser(parameters) - pixels * parameters
            nats: PerImage = costs.sum(axis=1, dtype=np.float64).astype(np.float32)
        return nats

    def sample(self, parameters: Parameters, generator: np.random.Generator) -> Pixels:
        uniform = generator.random(parameters.shape, dtype=np.float32)
        size = np.abs(np.nan_to_num(parameters, nan=0.0))
        small = size < 1e-3
        safe = np.where(small, np.float32(1.0), size)
        falling = np.where(small, uniform, np.log1p(uniform * np.expm1(-safe)) / -safe)
        pixels: Pixels = np.where(parameters > 0.0, 1.0 - falling, falling).astype(np.float32)
        return pixels

    def natural(self, parameters: Statistics) -> tuple[Statistics, Sums]:
        return parameters, (softplus(parameters) - log_normaliser(parameters)).sum(axis=1, dtype=np.float64)

    def is_normalised(self, binarisation: str) -> bool:  # noqa: ARG002 - one signature for all
        return True


ARRAY_LIKELIHOODS.register("bernoulli")(lambda config: _Bernoulli())  # noqa: ARG005 - one signature for all
ARRAY_LIKELIHOODS.register("categorical")(lambda config: _Categorical(config.grey_levels))
ARRAY_LIKELIHOODS.register("gaussian")(lambda config: _Gaussian())  # noqa: ARG005
ARRAY_LIKELIHOODS.register("continuous_bernoulli")(lambda config: _ContinuousBernoulli())  # noqa: ARG005


def softplus(logits: Statistics) -> Statistics:
    """Return log(1 + exp(logits)) without overflow: max(l, 0) + log1p(exp(-|l|))."""
    result: Statistics = np.abs(logits)
    np.negative(result, out=result)
    np.exp(result, out=result)
    np.log1p(result, out=result)
    result += np.maximum(logits, 0.0)
    return result


def log_normaliser(logits: Statistics) -> Statistics:
    """Return log C of the continuous Bernoulli, log(l / tanh(l / 2)) for the logit l; log 2 at l = 0."""
    size = np.abs(logits)
    small = size < _SERIES_BELOW
    safe = np.where(small, logits.dtype.type(1.0), size)
    square = np.where(small, size, logits.dtype.type(0.0)) ** 2
    series = math.log(2.0) + np.log1p(square * (1 / 12 - square * (1 / 720 - square / 30240)))
    result: Statistics = np.where(small, series, np.log(safe) - np.log(np.tanh(0.5 * safe))).astype(logits.dtype)
    return result


def _mean_and_log_var(parameters: Statistics) -> tuple[PixelValues, PixelValues]:
    return parameters[:, ::2], np.clip(parameters[:, 1::2], PIXEL_LOG_VAR_MIN, PIXEL_LOG_VAR_MAX)
