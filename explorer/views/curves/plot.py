"""One plot of one quantity: its curves, its ranges, its notes and its crosshair."""

import math
from typing import Any

import numpy as np
import pyqtgraph
from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from explorer.theme import current_palette
from explorer.views.curves import ranges
from explorer.views.curves.axis import PlainAxis
from explorer.views.curves.backdrop import Backdrop
from explorer.views.curves.columns import Numbers
from explorer.views.curves.crosshair import Crosshair
from explorer.views.curves.options import COMPLETE, RAW, SMOOTHED, SUBSET, CurveOptions
from explorer.views.curves.quantities import KL_PER_DIMENSION, MOST_DIMENSIONS, UNDEFINED, Quantity
from explorer.views.curves.reading import read_at
from explorer.views.curves.record import CurveRecord
from explorer.views.curves.scales import Scales
from explorer.views.curves.series import Series
from explorer.views.curves.trace import Trace, line_pen

_MOST_MARKERS = 400
_POINTS_PER_PIXEL = 6
_NARROW_PX, _LOW_PX = 300, 120
"""A plot with less room than this reads its values in fewer words."""
_LEAST_PX = (120, 84)
"""With less height the axes leave nothing for the curves."""
_AXIS_PX = 40
_LEFT_PX, _TITLE_PX = 56, 20
"""Least width of the left axis, and what its title and the gaps take of it."""
_BEYOND_VIEW = 20.0
"""Plots' heights by which a curve may leave the view; farther, the painter's integers overflow."""


class QuantityPlot(QWidget):
    """A plot that redraws what is visible when told to, and says when the user has zoomed."""

    zoomed = Signal(str, bool)
    """The user has panned or zoomed the plot of this name; whether along x."""
    range_changed = Signal()
    """The visible range has changed, by whatever cause; what is drawn no longer fits it."""
    follow_requested = Signal()
    """The user has asked, by double click or Home, to see all and the newest again."""

    def __init__(self, quantity: Quantity, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.quantity = quantity
        self.follow_y = True
        self.undefined = ""
        """For what kind of model the quantity is not defined."""
        self._record = CurveRecord()
        self._options = CurveOptions()
        self._dimensions: tuple[int, ...] = ()
        self._ready = False
        self._labelled: object = None
        self.setMinimumSize(*_LEAST_PX)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(f"{quantity.label} curves")
        self.setAccessibleDescription(quantity.help + " Arrow keys move the crosshair, + and − zoom, Home shows all.")
        self.widget = pyqtgraph.PlotWidget(
            self, axisItems={"left": PlainAxis("left"), "bottom": PlainAxis("bottom")}, enableMenu=False
        )
        self.widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.widget.setFrameStyle(0)
        self._item = self.widget.getPlotItem()
        self._item.hideButtons()
        self._item.setMenuEnabled(False)
        self.view: Any = self._item.getViewBox()
        self.view.disableAutoRange()
        self.view.setLimits(xMin=-1e15, xMax=1e15, yMin=-1e33, yMax=1e33, minXRange=1e-6, minYRange=1e-9)
        self.view.sigRangeChangedManually.connect(self._on_zoomed)
        self.view.sigRangeChanged.connect(self._on_range_changed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.addWidget(self.widget)
        self._message = QLabel(self)
        self._message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._message.setWordWrap(True)
        self._message.hide()
        self.crosshair = Crosshair(self.widget.viewport())
        self.widget.viewport().setMouseTracking(True)
        self.widget.viewport().installEventFilter(self)
        self._backdrop = Backdrop(self._item)
        count = MOST_DIMENSIONS if quantity is KL_PER_DIMENSION else 1
        self._traces = [Trace(self._item) for _ in range(count)]
        self._ready = True
        self.restyle()

    @property
    def message(self) -> str:
        """What is said in place of curves, if anything."""
        return self._message.text() if self._message.isVisibleTo(self) else ""

    @property
    def x_range(self) -> tuple[float, float]:
        """The visible part of the x axis."""
        left, right = self.view.viewRange()[0]
        return left, right

    @property
    def dimensions(self) -> tuple[int, ...]:
        """The latent dimensions whose KL was drawn last."""
        return self._dimensions

    def restyle(self) -> None:
        """Take the colours of the palette in force."""
        colours = current_palette()
        self.widget.setBackground(colours.canvas)
        for side in ("left", "bottom"):
            axis = self._item.getAxis(side)
            axis.setPen(line_pen(colours.border))
            axis.setTextPen(colours.muted_text)
            axis.setStyle(tickLength=-4, tickTextOffset=4, hideOverlappingLabels=True)
        self._backdrop.restyle(colours)
        self._item.getAxis("left").setWidth(_LEFT_PX)
        many = len(self._traces) > 1
        for index, trace in enumerate(self._traces):
            train = colours.label(index) if many else colours.train
            trace.restyle(
                train, train if many else colours.held_out, colours.canvas, dark=colours.dark, smoothed_only=many
            )
        self._message.setStyleSheet(f"color: {colours.muted_text}; background: {colours.canvas}; padding: 4px;")
        self._label_axes()
        self.update()

    def draw(self, record: CurveRecord, options: CurveOptions, x_range: tuple[float, float] | None = None) -> None:
        """Draw the record between these places of the x axis; all of it without."""
        self._record, self._options = record, options
        self._say(self._absence())
        if self._message.isVisibleTo(self):
            for trace in self._traces:
                trace.hide()
            self._backdrop.hide()
            self.crosshair.show_reading(None)
            return
        self._label_axes()
        scales = self.scales
        if x_range is None:
            x_range = ranges.steady(self.x_range, scales.whole_range(), 0.01)
        if x_range != self.x_range:
            self.view.setXRange(*x_range, padding=0)
        left, right = self.view.viewRange()[0]
        drawn = [
            self._curves(index, series, steps, scales, (left, right))
            for index, (series, steps, _) in enumerate(self._shown_series())
        ]
        if self.follow_y:
            self._fit_y(drawn)
        bottom, top = self.view.viewRange()[1]
        axis = self._item.getAxis("left")
        width = max(_LEFT_PX, math.ceil(axis.room_for(bottom, top)) + _TITLE_PX)
        if width != axis.fixedWidth:
            axis.setWidth(width)
        reach = _BEYOND_VIEW * (top - bottom)
        for index, trace in enumerate(self._traces):
            self._set_trace(trace, drawn[index] if index < len(drawn) else {}, bottom - reach, top + reach)
        self._backdrop.draw(self._record.notes, scales)
        self._read()
        # Else the view places its curves only while it is painted, and is painted a second time for it.
        self.view.prepareForPaint()

    @property
    def scales(self) -> Scales:
        """How steps and nats become places on the axes."""
        return Scales(
            self._record, self._options.in_epochs, self._options.log_x, self._options.log_y, self.quantity.name
        )

    def _absence(self) -> str:
        if self._record.empty:
            return f"{self.quantity.label}: no training yet"
        if self.quantity.needs_prior and not self._record.has_kl:
            return f"{self.quantity.label}: {self.undefined or UNDEFINED}"
        return ""

    def _shown_series(self) -> list[tuple[Series, Numbers, int | None]]:
        """Series, its steps and its latent dimension, in the order of the traces."""
        record = self._record
        if self.quantity is not KL_PER_DIMENSION:
            return [(record.series[self.quantity.name], record.step.values, None)]
        self._dimensions = record.top_dimensions()
        return [(record.dimension_series(j), record.kl_step.values, j) for j in self._dimensions]

    def _curves(
        self, index: int, series: Series, steps: Numbers, scales: Scales, shown: tuple[float, float]
    ) -> dict[str, tuple[Numbers, Numbers]]:
        """Return x and y, as placed on the axes, of each visible part of a trace."""
        options, record = self._options, self._record
        many = self.quantity is KL_PER_DIMENSION
        dimension = self._dimensions[index] if many else None
        if many and f"z{dimension}" in options.hidden:
            return {}
        parts: dict[str, tuple[Numbers, Numbers]] = {}
        first, last = scales.steps_at(shown[0]), scales.steps_at(shown[1])
        most = _POINTS_PER_PIXEL * max(64, self.widget.width())
        if len(series):
            # Whole numbers: searched for a float, numpy would turn all the steps into floats first.
            start = max(0, int(np.searchsorted(steps, _whole(first))) - 1)
            stop = min(len(series), int(np.searchsorted(steps, _whole(last), side="right")) + 1)
            pieces = scales.pieces(steps, start, stop, shown, most)
            if RAW not in options.hidden and not many:
                parts[RAW] = scales.placed(steps, *_joined([series.drawn(*piece) for piece in pieces]))
            if SMOOTHED not in options.hidden or many:
                smoothed = [series.drawn_smoothed(options.smoothing, *piece) for piece in pieces]
                parts[SMOOTHED] = scales.placed(steps, *_joined(smoothed))
        values, complete = record.held_values(self.quantity.name, dimension), record.held_complete.values
        for part, chosen in ((SUBSET, ~complete), (COMPLETE, complete)):
            if part not in options.hidden and chosen.any():
                parts[part] = scales.placed(record.held_step.values, np.flatnonzero(chosen), values[chosen])
        return parts

    def _fit_y(self, drawn: list[dict[str, tuple[Numbers, Numbers]]]) -> None:
        left, right = self.view.viewRange()[0]
        ranges_shown = []
        for parts in drawn:
            for x, y in parts.values():
                visible = y[(x >= left) & (x <= right)]
                ranges_shown.append(ranges.usual_range(visible, without_outliers=self._options.without_outliers))
        fitted = ranges.common_range(ranges_shown)
        if fitted is None:
            return
        bottom, top = self.view.viewRange()[1]
        fitted = ranges.steady((bottom, top), fitted, 0.03)
        if fitted != (bottom, top):
            self.view.setYRange(*fitted, padding=0)

    def _set_trace(self, trace: Trace, parts: dict[str, tuple[Numbers, Numbers]], bottom: float, top: float) -> None:
        nothing, ratio = np.zeros(0), self.devicePixelRatioF()
        pixel = (top - bottom) / (2.0 * _BEYOND_VIEW + 1.0) / max(1, self.widget.height() - _AXIS_PX)
        for part in (RAW, SMOOTHED, SUBSET, COMPLETE):
            x, y = parts.get(part, (nothing, nothing))
            y = np.clip(y, bottom, top)
            gaps = bool(np.isnan(y).any())
            trace.set_line(part, x, y, pixel / ratio, gaps=gaps, device_ratio=ratio)
            if part in (SUBSET, COMPLETE):
                if gaps:
                    x, y = x[~np.isnan(y)], y[~np.isnan(y)]
                left, right = self.view.viewRange()[0]
                visible = (x >= left) & (x <= right)
                # More markers than this hide the line that joins them.
                x, y = (x[visible], y[visible]) if visible.sum() <= _MOST_MARKERS else (nothing, nothing)
                trace.set_markers(part, x, y)

    def _label_axes(self) -> None:
        colours = current_palette()
        flipped = self.quantity.name == "elbo" and self._options.log_y
        title = ("−" if flipped else "") + f"{self.quantity.label}, nats"
        if self.fontMetrics().horizontalAdvance(title) > self.height() - _AXIS_PX:
            # A title that is cut off says less than one word.
            title = "nats"
        labelled = (self._options.in_epochs, self._options.log_x, self._options.log_y, title, colours)
        if labelled == self._labelled:
            return
        self._labelled = labelled
        style = {"color": colours.muted_text, "font-size": "8pt"}
        self._item.setLabel("bottom", "epoch" if self._options.in_epochs else "step", **style)
        left = self._item.getAxis("left")
        self._item.setLabel("left", title, **style)
        self._item.getAxis("bottom").setLogMode(x=self._options.log_x)
        left.setLogMode(y=self._options.log_y)

    def _say(self, message: str) -> None:
        if message != self._message.text():
            self._message.setText(message)
        self._message.setVisible(bool(message))

    # --- the user's hand

    def move_crosshair(self, x_px: float) -> None:
        """Read the values at a pixel of the plot's viewport."""
        self._crosshair_x = x_px
        self._read()

    def clear_crosshair(self) -> None:
        """Read nothing."""
        self._crosshair_x = None
        self.crosshair.show_reading(None)

    _crosshair_x: float | None = None

    def _read(self) -> None:
        if self._crosshair_x is None or self._message.isVisibleTo(self):
            self.crosshair.show_reading(None)
            return
        self.crosshair.frame = self._frame()
        place = self.view.mapSceneToView(self.widget.mapToScene(int(self._crosshair_x), 0))
        compact = self.crosshair.frame.width() < _NARROW_PX or self.crosshair.frame.height() < _LOW_PX
        reading = read_at(
            self._record,
            self._options,
            self.quantity,
            self._dimensions,
            self.scales,
            place.x(),
            self._px,
            compact=compact,
        )
        self.crosshair.show_reading(reading)

    def _px(self, x: float, y: float) -> QPointF:
        """Return the viewport's pixel of a place on the axes."""
        scene = self.view.mapViewToScene(QPointF(x, y))
        return QPointF(self.widget.viewportTransform().map(scene))

    def _frame(self) -> QRectF:
        return QRectF(self.widget.viewportTransform().mapRect(self.view.sceneBoundingRect()))

    def _on_zoomed(self, axes: list[bool]) -> None:
        along_x, along_y = axes
        self.follow_y = self.follow_y and not along_y
        self.zoomed.emit(self.quantity.name, along_x)

    def _on_range_changed(self) -> None:
        if self._ready:
            self.range_changed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Follow the mouse over the plot's viewport."""
        if self._ready and watched is self.widget.viewport():
            if event.type() == QEvent.Type.MouseMove and isinstance(event, QMouseEvent):
                self.move_crosshair(event.position().x())
            elif event.type() == QEvent.Type.Leave:
                self.clear_crosshair()
            elif event.type() == QEvent.Type.Resize:
                self.crosshair.resize(self.widget.viewport().size())
            elif event.type() == QEvent.Type.MouseButtonDblClick:
                self.follow_requested.emit()
                return True
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Arrow keys move the crosshair, + and − zoom, Home shows all, Escape puts the crosshair away."""
        key, frame = event.key(), self._frame()
        far = 10.0 if event.modifiers() & Qt.KeyboardModifier.ControlModifier else 1.0
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            now = frame.center().x() if self._crosshair_x is None else self._crosshair_x
            moved = now + (far if key == Qt.Key.Key_Right else -far) * frame.width() / 100.0
            self.move_crosshair(min(max(moved, frame.left() + 1), frame.right() - 1))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            factor = 1.25 if key == Qt.Key.Key_Minus else 0.8
            centre = None
            if self._crosshair_x is not None:
                centre = self.view.mapSceneToView(self.widget.mapToScene(int(self._crosshair_x), 0))
            self.view.scaleBy(x=factor, center=centre)
            self.zoomed.emit(self.quantity.name, True)
        elif key == Qt.Key.Key_Home:
            self.follow_requested.emit()
        elif key == Qt.Key.Key_Escape and self._crosshair_x is not None:
            self.clear_crosshair()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Keep the message in the middle; what was drawn for another size is drawn anew."""
        super().resizeEvent(event)
        self.range_changed.emit()
        self._message.setGeometry(self.rect().adjusted(1, 1, -1, -1))
        self._message.raise_()
        self.crosshair.resize(self.widget.viewport().size())

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        """Show the ring of the focus."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        """Hide the ring of the focus."""
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, event: Any) -> None:  # noqa: ANN401, ARG002, N802
        """Paint the border; it is the plot's ring when it has the focus."""
        colours = current_palette()
        painter = QPainter(self)
        painter.setPen(line_pen(colours.accent if self.hasFocus() else colours.border))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))


def _whole(step: float) -> np.int64:
    return np.int64(min(max(step, -(2.0**62)), 2.0**62))


def _joined(pieces: list[tuple[Numbers, Numbers]]) -> tuple[Numbers, Numbers]:
    if len(pieces) == 1:
        return pieces[0]
    if not pieces:
        return np.zeros(0, np.int64), np.zeros(0)
    rows, values = zip(*pieces, strict=True)
    return np.concatenate(rows), np.concatenate(values)
