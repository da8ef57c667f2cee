"""Ticks that read well: thousands apart, and plain numbers on logarithmic axes."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pyqtgraph
from PySide6.QtGui import QFontMetricsF

_WANTED_TICKS = 5
_LABEL_GAP_PX = 6.0


def nice_step(span: float, wanted: int = _WANTED_TICKS) -> float:
    """Return 1, 2 or 5 times a power of ten that divides `span` into about `wanted` parts."""
    rough = span / max(wanted, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    return float(min((1, 2, 5, 10), key=lambda factor: abs(math.log(factor * power / rough))) * power)


def logarithmic_ticks(low: float, high: float, wanted: int = _WANTED_TICKS) -> list[float]:
    """Return round numbers between 10**low and 10**high, as their logarithms."""
    low, high = max(low, -300.0), min(high, 300.0)
    if not low < high:
        return []
    if high - low < 1.0:
        first, last = 10.0**low, 10.0**high
        step = nice_step(last - first, wanted)
        ticks = np.arange(math.ceil(first / step), math.floor(last / step) + 1) * step
        return [math.log10(tick) for tick in ticks if tick > 0.0]
    every = max(1, math.ceil((high - low) / wanted))
    digits = (1, 2, 5) if high - low <= wanted / 2 else (1,)
    decades = range(math.floor(low), math.ceil(high) + 1)
    ticks_of = [
        decade + math.log10(digit) for decade in decades for digit in digits if decade % every == 0 or len(digits) > 1
    ]
    return [tick for tick in ticks_of if low <= tick <= high]


def plain_number(value: float, step: float) -> str:
    """Return a tick's number, as exact as ticks `step` apart need."""
    if value != 0.0 and not 1e-4 <= abs(value) < 1e9:
        return f"{value:.4g}"
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0.0 else 0
    return f"{value:,.{min(decimals, 6)}f}".replace("-", "−")


class PlainAxis(pyqtgraph.AxisItem):  # type: ignore[misc]  # pyqtgraph has no types
    """An axis with plain numbers; its values are logarithms when `setLogMode` says so."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation)
        self.enableAutoSIPrefix(False)

    def room_for(self, low: float, high: float) -> float:
        """Return the width in pixels of the widest number on a vertical axis between two values."""
        metrics = QFontMetricsF(self.font())
        ticks = self.tickValues(low, high, self.height())
        texts = [text for spacing, values in ticks for text in self.tickStrings(values, 1.0, spacing)]
        return max((metrics.horizontalAdvance(text) for text in texts), default=0.0)

    def tickValues(self, minVal: float, maxVal: float, size: float) -> Any:  # noqa: ANN401, N802, N803
        """Return (spacing, positions) of the ticks."""
        if not (math.isfinite(minVal) and math.isfinite(maxVal) and minVal < maxVal):
            return []
        wanted = max(3, int(size / (70.0 if self.orientation == "bottom" else 32.0)))
        if self.logMode:
            return [(1.0, logarithmic_ticks(minVal, maxVal, wanted))]
        step = self._step(minVal, maxVal, size, wanted)
        first, last = math.ceil(minVal / step), math.floor(maxVal / step)
        return [(step, [number * step for number in range(first, min(last, first + 100) + 1)])]

    def _step(self, low: float, high: float, size: float, wanted: int) -> float:
        """Return how far apart `wanted` ticks are, or fewer where the numbers below them would touch."""
        step = nice_step(high - low, wanted)
        if self.orientation != "bottom":
            return step
        metrics, farthest = QFontMetricsF(self.font()), max(abs(low), abs(high))
        for fewer in range(wanted, 0, -1):
            step = nice_step(high - low, fewer)
            if step * size >= (high - low) * (metrics.horizontalAdvance(plain_number(farthest, step)) + _LABEL_GAP_PX):
                break
        return step

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:  # noqa: ARG002, N802
        """Return the ticks' texts."""
        if not self.logMode:
            return [plain_number(value, spacing) for value in values]
        shown = [10.0**value for value in values]
        gaps = [after - before for before, after in pairwise(shown)]
        return [plain_number(value, min([*gaps, value])) for value in shown]
