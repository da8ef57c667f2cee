"""The plane of rate and distortion: where a run is, whence it came, and where other models are.  Alemi et al. 2018."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from explorer.theme import current_palette
from explorer.views.curves.axis import PlainAxis
from explorer.views.curves.trace import line_pen
from explorer.views.read_outs.plane_point import PlanePoint
from explorer.views.readouts import number

_LEAST_SPAN = 1.0
"""Nats that each axis shows at least: less is noise."""
_PADDING = 0.12
_LONGEST_NAME = 22
HELP = (
    "Each point is a model: nats to tell the code (KL, the rate) and nats that the decoder still needs (NLL, the "
    "distortion). The line is the way of this run; diamonds are other models of this session. On the dashed line the "
    "ELBO is that of this model; below it, better."
)
LEFT_OUT = "Models measured on other images, with another binarisation, or whose nats are a density beside a mass."


class RateDistortionPlane(QWidget):
    """Rate to the right, distortion upwards; models on one dashed line have the same ELBO, and lower ones a better."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Rate and distortion")
        self._trail: tuple[PlanePoint, ...] = ()
        self._others: tuple[PlanePoint, ...] = ()
        self.widget = pyqtgraph.PlotWidget(
            self, axisItems={"left": PlainAxis("left"), "bottom": PlainAxis("bottom")}, enableMenu=False
        )
        self.widget.setFrameStyle(0)
        self.widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._item = self.widget.getPlotItem()
        self._item.hideButtons()
        self._item.setMenuEnabled(False)
        self.view: Any = self._item.getViewBox()
        self.view.disableAutoRange()
        self.view.setLimits(xMin=-1e9, xMax=1e9, yMin=-1e9, yMax=1e9, minXRange=1e-3, minYRange=1e-3)
        self._same_bound = pyqtgraph.PlotCurveItem(antialias=True)
        self._line = pyqtgraph.PlotCurveItem(antialias=True)
        self._past = pyqtgraph.ScatterPlotItem(size=4.0, pxMode=True)
        self._marks = pyqtgraph.ScatterPlotItem(size=9.0, symbol="d", pxMode=True)
        self._now = pyqtgraph.ScatterPlotItem(size=11.0, pxMode=True)
        for item in (self._same_bound, self._line, self._past, self._marks, self._now):
            self._item.addItem(item, ignoreBounds=True)
        self._names: list[Any] = []
        self._message = QLabel(self)
        self._message.setProperty("role", "muted")
        self._message.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.widget, 1)
        column.addWidget(self._message)
        self.setMinimumSize(190, 120)
        self.widget.setToolTip(HELP)
        self._restyle()

    @property
    def message(self) -> str:
        """What is said below the plane."""
        return self._message.text()

    @property
    def shown(self) -> tuple[PlanePoint, ...]:
        """Every point on the plane, those of the trail first."""
        return (*self._trail, *self._others)

    def set_points(self, trail: Sequence[PlanePoint], others: Sequence[PlanePoint], left_out: int) -> None:
        """Show the way of the open model, its newest point last, and other models whose nats can be compared."""
        self._trail = tuple(point for point in trail if _is_finite(point))
        self._others = tuple(point for point in others if _is_finite(point))
        self._message.setText(_left_out_text(left_out))
        self._message.setToolTip(LEFT_OUT if left_out else "")
        self._message.setVisible(left_out > 0)
        told = [
            f"{point.name}: rate {number(point.rate)}, distortion {number(point.distortion)}" for point in self.shown
        ]
        self.setAccessibleDescription("; ".join(told[-20:]))
        self._draw()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._restyle()

    def _draw(self) -> None:
        x, y = _columns(self._trail)
        self._line.setData(x, y)
        self._past.setData(x[:-1], y[:-1])
        self._now.setData(x[-1:], y[-1:])
        self._marks.setData(*_columns(self._others))
        self._name_points()
        if not self.shown:
            self._same_bound.setData([], [])
            return
        self._fit()
        if self._trail:
            # rate + distortion = −ELBO: a line of slope −1 through the newest point.
            cost = x[-1] + y[-1]
            left, right = self.view.viewRange()[0]
            self._same_bound.setData([left, right], [cost - left, cost - right])
        else:
            self._same_bound.setData([], [])

    def _fit(self) -> None:
        x, y = _columns(self.shown)
        for low, high, place in ((x.min(), x.max(), self.view.setXRange), (y.min(), y.max(), self.view.setYRange)):
            middle, span = (low + high) / 2.0, max(high - low, _LEAST_SPAN) * (1.0 + 2.0 * _PADDING)
            place(middle - span / 2.0, middle + span / 2.0, padding=0)

    def _name_points(self) -> None:
        for item in self._names:
            self._item.removeItem(item)
        named = [*self._others, *self._trail[-1:]]
        colours = current_palette()
        self._names = []
        for point in named:
            shade = colours.text if point in self._trail else colours.muted_text
            # Towards the middle, so that a name is not cut at the plane's edge.
            anchor = (1.0 - _side_of(point, self.shown), 1.25)
            item = pyqtgraph.TextItem(_shortened(point.name), color=shade, anchor=anchor)
            item.setPos(point.rate, point.distortion)
            self._item.addItem(item, ignoreBounds=True)
            self._names.append(item)

    def _restyle(self) -> None:
        colours = current_palette()
        self.widget.setBackground(colours.canvas)
        style = {"color": colours.muted_text, "font-size": "8pt"}
        for side, text in (("left", "NLL, nats"), ("bottom", "KL, nats")):
            axis = self._item.getAxis(side)
            axis.setPen(line_pen(colours.border))
            axis.setTextPen(colours.muted_text)
            axis.setStyle(tickLength=-4, tickTextOffset=4, hideOverlappingLabels=True)
            self._item.setLabel(side, text, **style)
        dashed = line_pen(colours.prior)
        dashed.setStyle(Qt.PenStyle.DashLine)
        self._same_bound.setPen(dashed)
        self._line.setPen(line_pen(colours.held_out, 1.4, alpha=0.7))
        for item, fill in ((self._past, colours.held_out), (self._now, colours.held_out), (self._marks, colours.train)):
            item.setBrush(QColor(fill))
            item.setPen(line_pen(colours.canvas))
        self._name_points()


def _columns(points: Sequence[PlanePoint]) -> tuple[Any, Any]:
    return np.array([point.rate for point in points]), np.array([point.distortion for point in points])


def _side_of(point: PlanePoint, every: Sequence[PlanePoint]) -> float:
    """Return 1 for a point at the left of all, 0 at the right, ½ for a single one."""
    rates = [other.rate for other in every]
    span = max(max(rates) - min(rates), _LEAST_SPAN)
    return min(max(0.5 - (point.rate - (max(rates) + min(rates)) / 2.0) / span, 0.0), 1.0)


def _is_finite(point: PlanePoint) -> bool:
    return math.isfinite(point.rate) and math.isfinite(point.distortion)


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"


def _left_out_text(left_out: int) -> str:
    if not left_out:
        return ""
    models = "1 model" if left_out == 1 else f"{left_out} models"
    return f"{models} of this session left out"
