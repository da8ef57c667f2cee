"""Exponential smoothing of a growing curve, short at its start and with its gaps kept."""

import math

import numpy as np

from explorer.views.curves.columns import Numbers

_BLOCK = 32
_SHARE = 10.0
"""Parts of the run so far, of which the mean spans one at the most."""
LARGEST_NATS = 1e30
"""No cost of a picture is larger; what is, counts as a gap, lest it hides all that follows."""


class ExponentialAverage:
    """The running mean whose weights fall by the factor `weight` at each finite value.

    At the t-th value the factor is at most 1 - 10 / t, so that the mean spans no more than a tenth of what has come: a
    run begins with a fall that a longer memory would drag along.  The first value is taken as it is, hence no bias.
    """

    def __init__(self, weight: float) -> None:
        if not 0.0 <= weight < 1.0:
            raise ValueError(f"the weight of smoothing must lie in [0, 1), not {weight}")
        self.weight = weight
        self._mean = 0.0
        self._count = 0
        self._warm = math.ceil(_SHARE / (1.0 - weight)) if weight > 0.0 else 0
        """From this count on the factor is `weight`."""
        steps = np.arange(_BLOCK)
        powers = (1.0 - weight) * weight ** np.maximum(steps[:, None] - steps[None, :], 0)
        self._kernel = np.where(steps[:, None] >= steps[None, :], powers, 0.0).T
        self._decay = weight ** (steps + 1.0)

    def extend(self, values: Numbers) -> Numbers:
        """Return the running mean at each of the next `values`; NaN where a value is not finite.

        m_t = w_t m_{t-1} + (1 - w_t) x_t with w_t = min(weight, max(0, 1 - 10 / t)).
        """
        result = np.full(len(values), np.nan)
        given = np.abs(values) < LARGEST_NATS
        finite = values[given]
        if len(finite):
            early = min(max(self._warm - 1 - self._count, 0), len(finite))
            result[given] = np.concatenate((self._growing(finite[:early]), self._steady(finite[early:])))
        return result

    def _growing(self, values: Numbers) -> Numbers:
        """Return the means while their span still grows, one value after another: they are few."""
        means = np.empty(len(values))
        mean, count = self._mean, self._count
        for index, value in enumerate(values.tolist()):
            count += 1
            new = min(1.0, max(1.0 - self.weight, _SHARE / count))
            mean += new * (value - mean)
            means[index] = mean
        self._mean, self._count = mean, count
        return means

    def _steady(self, values: Numbers) -> Numbers:
        """Return the means at the full weight."""
        if not len(values):
            return values
        # A recurrence, but linear: whole blocks by one matrix product, and only their ends one after another.
        num_blocks = -(-len(values) // _BLOCK)
        padded = np.zeros(num_blocks * _BLOCK)
        padded[: len(values)] = values
        sums = padded.reshape(num_blocks, _BLOCK) @ self._kernel
        carried = np.empty(num_blocks)
        carry, whole_decay = self._mean, float(self._decay[-1])
        for block, end in enumerate(sums[:, -1].tolist()):
            carried[block] = carry
            carry = whole_decay * carry + end
        sums += carried[:, None] * self._decay
        means: Numbers = sums.reshape(-1)[: len(values)]
        self._mean = float(means[-1])
        self._count += len(values)
        return means
