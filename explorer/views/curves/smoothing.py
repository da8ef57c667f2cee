"""Exponential smoothing of a growing curve, without bias at its start and with its gaps kept."""

import math

import numpy as np

from explorer.views.curves.columns import Numbers

_BLOCK = 32
_NEGLIGIBLE = 1e-18
LARGEST_NATS = 1e30
"""No cost of a picture is larger; what is, counts as a gap, lest it hides all that follows."""


class ExponentialAverage:
    """The running mean whose weights fall by the factor `weight` at each finite value."""

    def __init__(self, weight: float) -> None:
        if not 0.0 <= weight < 1.0:
            raise ValueError(f"the weight of smoothing must lie in [0, 1), not {weight}")
        self.weight = weight
        self._sum = 0.0
        self._remaining = 1.0
        steps = np.arange(_BLOCK)
        powers = (1.0 - weight) * weight ** np.maximum(steps[:, None] - steps[None, :], 0)
        self._kernel = np.where(steps[:, None] >= steps[None, :], powers, 0.0).T
        self._decay = weight ** (steps + 1.0)

    def extend(self, values: Numbers) -> Numbers:
        """Return the running mean at each of the next `values`; NaN where a value is not finite.

        Without bias: s_t / (1 - weight^t) with s_t = weight s_{t-1} + (1 - weight) x_t.  Kingma & Ba 2015, section 3.
        """
        result = np.full(len(values), np.nan)
        given = np.abs(values) < LARGEST_NATS
        finite = values[given]
        if not len(finite):
            return result
        # A recurrence, but linear: whole blocks by one matrix product, and only their ends one after another.
        num_blocks = -(-len(finite) // _BLOCK)
        padded = np.zeros(num_blocks * _BLOCK)
        padded[: len(finite)] = finite
        sums = padded.reshape(num_blocks, _BLOCK) @ self._kernel
        carried = np.empty(num_blocks)
        carry, whole_decay = self._sum, float(self._decay[-1])
        for block, end in enumerate(sums[:, -1].tolist()):
            carried[block] = carry
            carry = whole_decay * carry + end
        sums += carried[:, None] * self._decay
        sums = sums.reshape(-1)[: len(finite)]
        self._sum = float(sums[-1])
        self._remove_bias(sums)
        result[given] = sums
        return result

    def _remove_bias(self, sums: Numbers) -> None:
        """Divide by 1 - weight^t for as long as that is not 1; powers beyond would be slow denormal numbers."""
        if self._remaining < _NEGLIGIBLE:
            return
        left = 1.0 if self.weight < _NEGLIGIBLE else math.log(_NEGLIGIBLE / self._remaining) / math.log(self.weight)
        count = min(len(sums), math.ceil(left) + 1)
        remaining = self._remaining * self.weight ** np.arange(1.0, count + 1.0)
        sums[:count] /= 1.0 - remaining
        self._remaining = float(remaining[-1])
