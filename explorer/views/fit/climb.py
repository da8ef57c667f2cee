"""The ELBO over the iterations of a fit, climbing toward log p(x)."""

import math
from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer.theme import current_palette
from explorer.views.canvas.scales import nice_step
from explorer.views.readouts import number

_LEAST_ITERATIONS = 20
_LEAST_SPAN = 0.5
"""Nats that the plot shows at least: a fit that has arrived is a flat line, not noise."""
_PADDING = 0.08
_MOST_OF_LABELS = 0.25
"""Share of the height that the room for a label may take at either end."""
_TEXT_GAP = 4.0


class ClimbPlot(QWidget):
    """A line of nats by iteration, and horizontal lines to compare it with."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("ELBO by iteration")
        self.setToolTip(
            "The ELBO of the q being fitted, by iteration.  Dashed: log p(x), which no ELBO exceeds.\n"
            "What is left between them is KL(q ‖ p(z|x))."
        )
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._elbos: list[float] = []
        self._lines: tuple[tuple[float, str, str], ...] = ()

    @property
    def elbos(self) -> tuple[float, ...]:
        """The values shown, the start first."""
        return tuple(self._elbos)

    def set_elbos(self, values: Sequence[float]) -> None:
        """Show these values, the start first."""
        self._elbos = [value for value in values if math.isfinite(value)]
        self._describe()
        self.update()

    def set_lines(self, lines: Sequence[tuple[float, str, str]]) -> None:
        """Show horizontal lines: nats, what they are, and the palette's colour; the first is dashed."""
        self._lines = tuple(line for line in lines if math.isfinite(line[0]))
        self._describe()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the least height: it takes what the panel has to spare, and asks for no more."""
        return QSize(280, self.minimumSizeHint().height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the least size."""
        return QSize(160, 64)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        """Paint lines, curve and labels."""
        colours = current_palette()
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(colours.canvas))
        area = self._area()
        low, high = self._span()
        self._paint_ticks(painter, area, low, high)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for row, (nats, _, colour) in enumerate(self._lines):
            y = _place(nats, low, high, area)
            style = Qt.PenStyle.DashLine if row == 0 else Qt.PenStyle.DotLine
            painter.setPen(QPen(QColor(getattr(colours, colour)), 1.3, style))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.drawText(self.label_rect(row), Qt.AlignmentFlag.AlignCenter, self._label(row))
        self._paint_curve(painter)
        painter.end()

    def label_rect(self, row: int) -> QRectF:
        """Return where a line's label stands: what climbs between the lines crosses neither.

        That of the first line, log p(x), is above it at the left, where the curve is still low; the others are below
        theirs at the right, where the curve has left them.
        """
        area, (low, high) = self._area(), self._span()
        metrics = QFontMetricsF(self.font())
        y = _place(self._lines[row][0], low, high, area)
        width, height = metrics.horizontalAdvance(self._label(row)) + 1.0, metrics.height()
        if row == 0:
            return QRectF(area.left() + _TEXT_GAP, max(y - height, 0.0), width, height)
        return QRectF(area.right() - width - _TEXT_GAP, min(y, self.height() - height), width, height)

    def curve_points(self) -> list[QPointF]:
        """Return where the values are painted."""
        area, (low, high) = self._area(), self._span()
        last = max(len(self._elbos) - 1, _LEAST_ITERATIONS)
        return [
            QPointF(area.left() + area.width() * row / last, _place(nats, low, high, area))
            for row, nats in enumerate(self._elbos)
        ]

    def _label(self, row: int) -> str:
        nats, text, _ = self._lines[row]
        return f"{text} {number(nats)}"

    def _paint_curve(self, painter: QPainter) -> None:
        if not self._elbos:
            return
        colours, points = current_palette(), self.curve_points()
        painter.setPen(QPen(QColor(colours.fitted_mark), 1.8))
        painter.drawPolyline(QPolygonF(points))
        painter.setBrush(QColor(colours.fitted_mark))
        painter.setPen(QPen(QColor(colours.canvas), 1.0))
        painter.drawEllipse(points[-1], 3.5, 3.5)

    def _paint_ticks(self, painter: QPainter, area: QRectF, low: float, high: float) -> None:
        colours = current_palette()
        step = nice_step((high - low) / max(2.0, area.height() / 34.0))
        decimals = max(0, -math.floor(math.log10(step)))
        nats = math.ceil(low / step) * step
        while nats <= high:
            y = _place(nats, low, high, area)
            painter.setPen(QColor(colours.grid))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(QColor(colours.muted_text))
            text = number(nats, decimals)
            width = QFontMetricsF(self.font()).horizontalAdvance(text)
            painter.drawText(QPointF(area.left() - width - _TEXT_GAP, y + 0.35 * self.fontMetrics().ascent()), text)
            nats += step
        last = max(len(self._elbos) - 1, _LEAST_ITERATIONS)
        base = self.height() - self.fontMetrics().descent() - 1.0
        painter.drawText(QPointF(area.left(), base), "0")
        text = f"{last} iterations"
        width = QFontMetricsF(self.font()).horizontalAdvance(text)
        painter.drawText(QPointF(area.right() - width, base), text)

    def _area(self) -> QRectF:
        metrics = QFontMetricsF(self.font())
        left = metrics.horizontalAdvance("\N{MINUS SIGN}0000.0") + 2.0 * _TEXT_GAP
        return QRectF(left, 4.0, max(self.width() - left - 6.0, 1.0), max(self.height() - metrics.height() - 8.0, 1.0))

    def _span(self) -> tuple[float, float]:
        shown = [*self._elbos, *(nats for nats, _, _ in self._lines)]
        if not shown:
            return 0.0, 1.0
        low, high = min(shown), max(shown)
        extra = max(_PADDING * (high - low), 0.5 * (_LEAST_SPAN - (high - low)), 0.02)
        # Room above the highest line and below the lowest for their labels, as far as the height has some to give.
        share = min(self.fontMetrics().height() / self._area().height(), _MOST_OF_LABELS) if self._lines else 0.0
        extra = max(extra, (high - low) * share / (1.0 - 2.0 * share))
        return low - extra, high + extra

    def _describe(self) -> None:
        lines = [f"{text} {number(nats)} nats" for nats, text, _ in self._lines]
        if self._elbos:
            lines.insert(0, f"ELBO {number(self._elbos[-1])} nats after {len(self._elbos) - 1} iterations")
        self.setAccessibleDescription("; ".join(lines))


def _place(nats: float, low: float, high: float, area: QRectF) -> float:
    return area.bottom() - area.height() * (nats - low) / (high - low)
