"""Steps as epochs and back, from what the held-out reports say of both."""

import numpy as np
import numpy.typing as npt

from explorer.views.curves.columns import Numbers


class EpochScale:
    """A rising, piecewise linear map between steps and epochs, continued beyond its ends."""

    def __init__(self) -> None:
        self._steps = [0.0]
        self._epochs = [0.0]

    @property
    def known(self) -> bool:
        """Whether at least one report has tied a step to an epoch."""
        return len(self._steps) > 1

    def add(self, step: float, epoch: float) -> None:
        """Tie a step to an epoch; what does not rise in both is passed over."""
        if step > self._steps[-1] and self._epochs[-1] < epoch < np.inf:
            self._steps.append(float(step))
            self._epochs.append(float(epoch))

    def to_epochs(self, steps: npt.ArrayLike) -> Numbers:
        """Return the epochs at these steps."""
        return _continued(np.asarray(steps, np.float64), self._steps, self._epochs)

    def to_steps(self, epochs: npt.ArrayLike) -> Numbers:
        """Return the steps at these epochs; the inverse of `to_epochs`."""
        return _continued(np.asarray(epochs, np.float64), self._epochs, self._steps)


def _continued(x: Numbers, knots: list[float], values: list[float]) -> Numbers:
    if len(knots) < 2:
        return x
    inside: Numbers = np.interp(x, knots, values)
    first = (values[1] - values[0]) / (knots[1] - knots[0])
    last = (values[-1] - values[-2]) / (knots[-1] - knots[-2])
    below = values[0] + first * (x - knots[0])
    above = values[-1] + last * (x - knots[-1])
    return np.where(x < knots[0], below, np.where(x > knots[-1], above, inside))
