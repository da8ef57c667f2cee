"""The graphics of one curve: train as a light line, smoothed, and held-out as lines with markers."""

import math
from typing import Any

import numpy as np
import pyqtgraph
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPen

from explorer.views.curves.columns import Numbers
from explorer.views.curves.options import COMPLETE, RAW, SMOOTHED, SUBSET

PARTS = (RAW, SMOOTHED, SUBSET, COMPLETE)

_BOLD_PX = {SMOOTHED: 2.2, COMPLETE: 1.4}
_HOLLOW_PX, _FULL_PX = 5.0, 7.0


def line_pen(colour: str, width: float = 1.0, alpha: float = 1.0) -> QPen:
    """Return a pen that keeps its width in pixels under every zoom."""
    shade = QColor(colour)
    shade.setAlphaF(alpha)
    pen = QPen(shade, width)
    pen.setCosmetic(True)
    pen.setJoinStyle(Qt.PenJoinStyle.BevelJoin)
    return pen


class Line(pyqtgraph.PlotCurveItem):  # type: ignore[misc]  # pyqtgraph has no types
    """A curve with cosmetic pens and nothing filled, whose bounds are asked for at every update.

    pyqtgraph's own way to them, by `nanmin` with warnings switched off, takes a tenth of an update.
    """

    def dataBounds(  # noqa: N802
        self,
        ax: int,
        frac: float = 1.0,  # noqa: ARG002 - all of them
        orthoRange: object = None,  # noqa: ARG002, N803
    ) -> tuple[float | None, float | None]:
        """Return the least and the greatest x (ax 0) or y (ax 1) that is finite, or twice None."""
        values = self.xData if ax == 0 else self.yData
        if values is None or not len(values):
            return None, None
        low, high = float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
        if not (math.isfinite(low) and math.isfinite(high)):
            finite = values[np.isfinite(values)]
            return (float(finite.min()), float(finite.max())) if len(finite) else (None, None)
        return low, high


class Trace:
    """Items that are made once and then only given new points."""

    def __init__(self, plot: Any) -> None:  # noqa: ANN401 - pyqtgraph has no types
        # The raw curve is the hot one: one pixel and no antialiasing cost a fifth of anything finer.
        self._lines = {
            RAW: Line(antialias=False),
            SUBSET: Line(antialias=True),
            COMPLETE: Line(antialias=True),
            SMOOTHED: Line(antialias=True),
        }
        self._markers = {
            SUBSET: pyqtgraph.ScatterPlotItem(size=_HOLLOW_PX, symbol="o", pxMode=True),
            COMPLETE: pyqtgraph.ScatterPlotItem(size=_FULL_PX, symbol="o", pxMode=True),
        }
        for depth, item in enumerate([*self._lines.values(), *self._markers.values()]):
            item.setZValue(10 + depth)
            plot.addItem(item, ignoreBounds=True)

    def restyle(self, train: str, held_out: str, background: str, *, dark: bool, smoothed_only: bool) -> None:
        """Take these colours; `smoothed_only` joins no markers, for plots of many curves."""
        faint = 0.0 if smoothed_only else 0.45
        self._lines[RAW].setPen(line_pen(train, alpha=0.3))
        # The smoothed curve lies on its own noise: a shade stronger in either theme.
        strong = QColor(train).lighter(118) if dark else QColor(train).darker(128)
        self._lines[SMOOTHED].setPen(line_pen(train if smoothed_only else strong.name()))
        self._lines[SUBSET].setPen(line_pen(held_out, alpha=faint))
        self._lines[COMPLETE].setPen(line_pen(held_out, alpha=0.0 if smoothed_only else 1.0))
        self._markers[SUBSET].setPen(line_pen(held_out, 1.2))
        self._markers[SUBSET].setBrush(QColor(background))
        self._markers[COMPLETE].setPen(line_pen(background))
        self._markers[COMPLETE].setBrush(QColor(held_out))

    def set_line(
        self, part: str, x: Numbers, y: Numbers, pixel: float, *, gaps: bool, device_ratio: float = 1.0
    ) -> None:
        """Draw a line; with `gaps`, NaN interrupts it.  `pixel` is the height of a device's pixel in units of `y`."""
        item = self._lines[part]
        item.setVisible(len(x) > 0)
        if not len(x):
            return
        copies = max(1, round(_BOLD_PX.get(part, 1.0) * device_ratio))
        if copies > 1:
            x, y = _side_by_side(x, y, pixel, copies)
            gaps = True
        item.setData(x, y, connect="finite" if gaps else "all", skipFiniteCheck=not gaps)

    def set_markers(self, part: str, x: Numbers, y: Numbers) -> None:
        """Draw markers at finite points."""
        item = self._markers[part]
        item.setVisible(len(x) > 0)
        item.setData(x, y)

    def hide(self) -> None:
        """Draw nothing."""
        for item in (*self._lines.values(), *self._markers.values()):
            item.setVisible(False)


def _side_by_side(x: Numbers, y: Numbers, pixel: float, copies: int) -> tuple[Numbers, Numbers]:
    """Return a line several times, a pixel apart: fine lines make a bold one at a fiftieth of a wide pen's cost."""
    offsets = (np.arange(copies) - (copies - 1) / 2.0) * pixel
    places = np.tile(np.append(x, x[-1]), copies)
    heights = np.append(y, np.nan)[None, :] + offsets[:, None]
    return places, heights.reshape(-1)
