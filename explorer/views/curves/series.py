"""One growing curve: its values, their smoothed course, and the few points that draw either."""

import numpy as np

from explorer.views.curves.columns import Column, Numbers
from explorer.views.curves.envelope import Envelope
from explorer.views.curves.smoothing import ExponentialAverage


class Series:
    """A quantity, one value a row; smoothed only when asked, and then only what was added since."""

    def __init__(self) -> None:
        self._values = Column()
        self._envelope = Envelope()
        self._average = ExponentialAverage(0.0)
        self._smoothed = Column()
        self._smoothed_envelope = Envelope()

    def __len__(self) -> int:
        return len(self._values)

    @property
    def values(self) -> Numbers:
        """The values; NaN where there is none."""
        return self._values.values

    def extend(self, values: Numbers) -> None:
        """Append values; what is not finite becomes a gap."""
        self._values.append(np.where(np.isfinite(values), values, np.nan))
        self._envelope.extend(self._values.values)

    def smoothed(self, weight: float) -> Numbers:
        """Return the exponentially smoothed values (see ExponentialAverage)."""
        if weight != self._average.weight:
            self._average = ExponentialAverage(weight)
            self._smoothed = Column()
            self._smoothed_envelope = Envelope()
        done = len(self._smoothed)
        if done < len(self._values):
            self._smoothed.append(self._average.extend(self.values[done:]))
            self._smoothed_envelope.extend(self._smoothed.values)
        return self._smoothed.values

    def drawn(self, start: int, stop: int, most: int) -> tuple[Numbers, Numbers]:
        """Return row numbers and values that draw rows `start` to `stop` (see Envelope)."""
        return self._envelope.drawn(self.values, start, stop, most)

    def drawn_smoothed(self, weight: float, start: int, stop: int, most: int) -> tuple[Numbers, Numbers]:
        """Return what `drawn` does for the smoothed values."""
        smoothed = self.smoothed(weight)
        return self._smoothed_envelope.drawn(smoothed, start, stop, most)
