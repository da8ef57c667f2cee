"""The crosshair over a plot and the values it reads, painted above the curves so that these are not drawn anew."""

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from explorer.theme import current_palette

_PADDING = 6.0
_SWATCH = 10.0
_DISTANCE = 12.0


@dataclass(frozen=True, slots=True)
class ReadingLine:
    """One line of a reading; without colour it has no swatch."""

    text: str
    colour: str = ""
    emphasis: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What the crosshair reads at a place, in pixels of the plot."""

    x: float
    lines: tuple[ReadingLine, ...]
    dots: tuple[tuple[float, str], ...] = ()
    """y pixel and colour of the values on the curves."""


class Crosshair(QWidget):
    """An overlay without mouse: a vertical line, a dot on each curve and a box with the values."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Crosshair")
        self.reading: Reading | None = None
        self.frame = QRectF()
        """The part of the plot inside its axes."""

    def show_reading(self, reading: Reading | None) -> None:
        """Show what is read, or nothing."""
        if reading is None and self.reading is None:
            return
        self.reading = reading
        lines = reading.lines if reading else ()
        self.setAccessibleDescription(", ".join(line.text for line in lines))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802
        """Paint the crosshair and its box."""
        reading = self.reading
        if reading is None or not self.frame.left() <= reading.x <= self.frame.right():
            return
        colours = current_palette()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(colours.muted_text), 1.0))
        x = round(reading.x) + 0.5
        painter.drawLine(QPointF(x, self.frame.top()), QPointF(x, self.frame.bottom()))
        for y, colour in reading.dots:
            if self.frame.top() <= y <= self.frame.bottom():
                painter.setPen(QPen(QColor(colours.canvas), 1.5))
                painter.setBrush(QColor(colour))
                painter.drawEllipse(QPointF(x, y), 4.0, 4.0)
        self._paint_box(painter, reading)

    def _paint_box(self, painter: QPainter, reading: Reading) -> None:
        colours = current_palette()
        metrics = QFontMetricsF(painter.font())
        height = metrics.height() + 1
        shown = reading.lines[: max(1, int((self.frame.height() - 2 * _PADDING) // height))]
        limit = max(60.0, self.frame.width() - 2 * _PADDING)
        bold = painter.font()
        bold.setBold(True)
        emphasised = QFontMetricsF(bold)
        width = max(
            (emphasised if line.emphasis else metrics).horizontalAdvance(line.text)
            + (_SWATCH + 4 if line.colour else 1)
            for line in shown
        )
        box = QRectF(0, 0, min(math.ceil(width) + 2 * _PADDING, limit), len(shown) * height + 2 * _PADDING)
        box.moveTopLeft(QPointF(reading.x + _DISTANCE, self.frame.top() + 4))
        if box.right() > self.frame.right():
            box.moveRight(reading.x - _DISTANCE)
        box.moveLeft(max(box.left(), self.frame.left() + 2))
        fill = QColor(colours.window)
        fill.setAlphaF(0.94)
        painter.setPen(QPen(QColor(colours.border), 1.0))
        painter.setBrush(fill)
        painter.drawRoundedRect(box, 4, 4)
        font = painter.font()
        for row, line in enumerate(shown):
            top = box.top() + _PADDING + row * height
            left = box.left() + _PADDING
            if line.colour:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(line.colour))
                painter.drawRoundedRect(QRectF(left, top + height / 2 - 1.5, _SWATCH, 3), 1.5, 1.5)
                left += _SWATCH + 4
            font.setBold(line.emphasis)
            painter.setFont(font)
            painter.setPen(QColor(colours.text if line.colour or line.emphasis else colours.muted_text))
            place = QRectF(left, top, box.right() - _PADDING - left, height)
            text = painter.fontMetrics().elidedText(line.text, Qt.TextElideMode.ElideRight, int(place.width()) + 1)
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
