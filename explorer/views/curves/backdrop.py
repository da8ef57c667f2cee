"""What lies behind the curves: the grid, and a thin line for each note of the run."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph

from core.snapshots import RunNote
from explorer.theme import Palette
from explorer.views.curves.columns import Numbers
from explorer.views.curves.scales import Scales
from explorer.views.curves.trace import line_pen

_NOTE_KINDS = (("start", "resumed"), ("setting",), ("non_finite", "warning", "rollback", "memory"))


class Backdrop:
    """One item for all lines of the grid, and one for the notes of each colour."""

    def __init__(self, plot: Any) -> None:  # noqa: ANN401 - pyqtgraph has no types
        self._plot = plot
        # The axes' own grid takes a third of all the painting.
        self._grid = pyqtgraph.PlotCurveItem(connect="pairs", antialias=False)
        self._notes = [pyqtgraph.PlotCurveItem(connect="pairs", antialias=False) for _ in _NOTE_KINDS]
        for depth, item in enumerate([self._grid, *self._notes]):
            item.setZValue(depth)
            plot.addItem(item, ignoreBounds=True)

    def restyle(self, colours: Palette) -> None:
        """Take these colours."""
        self._grid.setPen(line_pen(colours.grid))
        for item, colour in zip(self._notes, (colours.muted_text, colours.note, colours.error), strict=True):
            item.setPen(line_pen(colour, alpha=0.75))

    def hide(self) -> None:
        """Draw nothing."""
        for item in (self._grid, *self._notes):
            item.setVisible(False)

    def draw(self, notes: Sequence[RunNote], scales: Scales) -> None:
        """Draw grid and notes for the range that is visible."""
        view = self._plot.getViewBox()
        (left, right), (bottom, top) = view.viewRange()
        at_x = self._ticks("bottom", left, right, view.width())
        at_y = self._ticks("left", bottom, top, view.height())
        x = np.concatenate([np.repeat(at_x, 2), len(at_y) * [left, right]])
        y = np.concatenate([len(at_x) * [bottom, top], np.repeat(at_y, 2)])
        _set_pairs(self._grid, x, y)
        pixel = (right - left) / max(1.0, view.width())
        first = int(scales.record.step.values[0]) if len(scales.record.step) else 0
        for item, kinds in zip(self._notes, _NOTE_KINDS, strict=True):
            # That a run starts where its curves begin needs no line.
            told = [note.step for note in notes if note.kind in kinds and (note.kind != "start" or note.step > first)]
            if not told:
                item.setVisible(False)
                continue
            steps = np.array(told, np.float64)
            places = scales.x_of(steps)
            places = places[(places >= left) & (places <= right)]
            # Lines closer than a pixel are one line.
            places = np.unique(np.round(places / pixel)) * pixel
            _set_pairs(item, np.repeat(places, 2), np.tile([bottom, top], len(places)))

    def _ticks(self, side: str, low: float, high: float, size: float) -> Numbers:
        levels = self._plot.getAxis(side).tickValues(low, high, size)
        return np.array([place for _, places in levels for place in places], np.float64)


def _set_pairs(item: Any, x: Numbers, y: Numbers) -> None:  # noqa: ANN401 - pyqtgraph has no types
    item.setVisible(len(x) > 0)
    if len(x):
        item.setData(x, y, connect="pairs", skipFiniteCheck=True)
