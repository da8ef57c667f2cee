"""Exponential smoothing of a growing curve, without bias at its start and with its gaps kept."""

import numpy as np

from explorer.views.curves.columns import Numbers

_BLOCK = 64
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
        remaining = self._remaining * self.weight ** np.arange(1.0, len(finite) + 1.0)
        self._sum, self._remaining = float(sums[-1]), float(remaining[-1])
        result[given] = sums / (1.0 - remaining)
        return result
