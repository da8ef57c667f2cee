"""The likelihoods p(x|z) on numpy arrays, for decoding before torch is there; core/probability has them for training.

`parameters` are what the decoder gives, one row a code, before any nonlinearity.
"""

from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32

from core.registry import Registry
from core.shapes import PerImage, Pixels

Parameters = Float32[np.ndarray, "batch parameters"]


@runtime_checkable
class ArrayLikelihood(Protocol):
    """A distribution of pixels, given what the decoder says."""

    def mean(self, parameters: Parameters) -> Pixels:
        """Return E[x|z] in [0, 1], finite whatever the parameters are."""
        ...

    def nll(self, parameters: Parameters, pixels: Pixels) -> PerImage:
        """Return -log p(x|z) in nats per image."""
        ...

    def sample(self, parameters: Parameters, generator: np.random.Generator) -> Pixels:
        """Return one draw x ~ p(x|z) for each row of parameters."""
        ...

    def is_normalised(self, binarisation: str) -> bool:
        """Return whether nats of pixels binarised in this way are those of a likelihood that sums to one."""
        ...


ARRAY_LIKELIHOODS: Registry[ArrayLikelihood] = Registry("likelihood")

# exp(80) is still finite in float32, and 1 / (1 + exp(80)) is black on any screen.
_LOWEST_LOGIT = np.float32(-80.0)


class _Bernoulli:
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

    def is_normalised(self, binarisation: str) -> bool:
        return binarisation != "none"


ARRAY_LIKELIHOODS.register("bernoulli")(_Bernoulli())


def softplus(logits: Parameters) -> Parameters:
    """Return log(1 + exp(logits)) without overflow: max(l, 0) + log1p(exp(-|l|))."""
    result: Parameters = np.abs(logits)
    np.negative(result, out=result)
    np.exp(result, out=result)
    np.log1p(result, out=result)
    result += np.maximum(logits, 0.0)
    return result
