"""Steps and nats as places on a plot's axes, and back."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from explorer.views.curves.columns import Numbers
from explorer.views.curves.ranges import logarithm
from explorer.views.curves.record import CurveRecord

_RIGHT_MARGIN = 0.015
_PIECE = 4.0
"""Ratio of the last step of a piece of a logarithmic axis to its first."""


@dataclass(frozen=True, slots=True)
class Scales:
    """The axes of one plot: steps or epochs along x, nats along y, either on a logarithmic scale."""

    record: CurveRecord
    in_epochs: bool
    log_x: bool
    log_y: bool
    quantity: str

    def x_of(self, steps: npt.ArrayLike) -> Numbers:
        """Return the places of steps; NaN where a logarithm has none."""
        x = np.asarray(steps, np.float64)
        if self.in_epochs:
            x = self.record.epochs.to_epochs(x)
        return logarithm(x) if self.log_x else x

    def steps_at(self, x: float) -> float:
        """Return the step at a place; the inverse of `x_of`."""
        if self.log_x:
            x = 10.0 ** min(x, 300.0)
        return float(self.record.epochs.to_steps(x)) if self.in_epochs else x

    def y_of(self, values: Numbers) -> Numbers:
        """Return the places of values in nats; the ELBO, negative, shows as −ELBO on a logarithmic scale."""
        if not self.log_y:
            return values
        return logarithm(-values if self.quantity == "elbo" else values)

    def placed(self, steps: Numbers, rows: Numbers, values: Numbers) -> tuple[Numbers, Numbers]:
        """Return the places of values at some rows of `steps`, without those that the x axis has no place for."""
        x, y = self.x_of(steps[rows]), self.y_of(values)
        if self.log_x:
            usable = np.isfinite(x)
            x, y = x[usable], y[usable]
        return x, y

    def pieces(
        self, steps: Numbers, start: int, stop: int, shown: tuple[float, float], most: int
    ) -> list[tuple[int, int, int]]:
        """Return rows `start` to `stop` in pieces, each with its share of the `most` points along the visible axis.

        A logarithmic axis gives its first thousandth as much room as the rest: one resolution does not serve both.
        """
        if stop <= start:
            return []
        if not self.log_x:
            return [(start, stop, most)]
        first = max(1.0, float(steps[start]))
        bounds = [start]
        while bounds[-1] < stop:
            first *= _PIECE
            after = int(np.searchsorted(steps[start:stop], first)) + start
            bounds.append(min(max(after, bounds[-1] + 1), stop))
        width = max(shown[1] - shown[0], 1e-9)
        share = max(32, int(most * np.log10(_PIECE) / width))
        return [(before, after, share) for before, after in pairwise(bounds)]

    def whole_range(self) -> tuple[float, float]:
        """Return the places of the record's beginning and end, with a margin at the end."""
        last = max(self.record.last_step, 1)
        if not self.log_x:
            high = float(self.x_of(last))
            return 0.0, high * (1.0 + _RIGHT_MARGIN)
        first = int(self.record.step.values[0]) if len(self.record.step) else last
        low, high = float(self.x_of(max(first, 1))), float(self.x_of(last))
        if high - low < 1e-3:
            low = high - 1.0
        return low, high + _RIGHT_MARGIN * (high - low)
