"""The crosshair over a plot and the values it reads, painted above the curves so that these are not drawn anew."""

import math
from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from explorer.theme import current_palette

_PADDING = 6.0
_SWATCH = 10.0
_DISTANCE = 12.0
_GAP, _BETWEEN = 4.0, 14.0
"""Distance of a text from its swatch, and of readings that stand side by side."""
_MOST_COVERED, _COVERED_BY_NOTES = 0.6, 0.9
"""Share of the plot's height that the box may cover, and with a note in it that needs several rows."""


@dataclass(frozen=True, slots=True)
class ReadingLine:
    """One line of a reading; without colour it has no swatch."""

    text: str
    colour: str = ""
    emphasis: bool = False
    continues: bool = False
    """Whether it is the rest of the line before."""


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
        reading = self.wrapped(reading, painter.font())
        box, places = self.box(reading, painter.font())
        colours = current_palette()
        fill = QColor(colours.window)
        fill.setAlphaF(0.94)
        painter.setPen(QPen(QColor(colours.border), 1.0))
        painter.setBrush(fill)
        painter.drawRoundedRect(box, 4, 4)
        font = painter.font()
        for line, place in zip(reading.lines, places, strict=False):
            where = QRectF(place)
            if line.colour:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(QColor(line.colour))
                if not line.continues:
                    painter.drawRoundedRect(QRectF(where.left(), where.center().y() - 1.5, _SWATCH, 3), 1.5, 1.5)
                where.setLeft(where.left() + _SWATCH + _GAP)
            font.setBold(line.emphasis)
            painter.setFont(font)
            painter.setPen(QColor(colours.text if line.colour or line.emphasis else colours.muted_text))
            text = painter.fontMetrics().elidedText(line.text, Qt.TextElideMode.ElideRight, int(where.width()) + 1)
            painter.drawText(where, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    def wrapped(self, reading: Reading, font: QFont) -> Reading:
        """Return the reading with lines that are too long for the plot broken between words, none of them shortened."""
        metrics = QFontMetricsF(font)
        room = self._limit - _SWATCH - _GAP - 1.0
        lines: list[ReadingLine] = []
        for line in reading.lines:
            rows = _rows(line.text, metrics, room) if line.colour else [line.text]
            lines += [replace(line, text=text, continues=number > 0) for number, text in enumerate(rows)]
        return replace(reading, lines=tuple(lines))

    @property
    def _limit(self) -> float:
        """The width that lines may have."""
        return max(60.0, self.frame.width() - 4.0 - 2 * _PADDING)

    def box(self, reading: Reading, font: QFont) -> tuple[QRectF, tuple[QRectF, ...]]:
        """Return where the box of a reading stands and each of its lines; lines for which there is no room have none.

        Beside the crosshair, one line below the other; in a plot too low for that, side by side along its top or its
        bottom, whichever is farther from the curves.
        """
        bold = QFont(font)
        bold.setBold(True)
        plain, emphasised = QFontMetricsF(font), QFontMetricsF(bold)
        height = plain.height() + 1
        widths = [
            math.ceil((emphasised if line.emphasis else plain).horizontalAdvance(line.text))
            + 1.0
            + (_SWATCH + _GAP if line.colour else 0.0)
            for line in reading.lines
        ]
        frame, limit = self.frame, self._limit
        share = _COVERED_BY_NOTES if any(line.continues for line in reading.lines) else _MOST_COVERED
        if len(widths) * height + 2 * _PADDING <= share * frame.height():
            area = QRectF(0.0, 0.0, min(max(widths), limit) + 2 * _PADDING, len(widths) * height + 2 * _PADDING)
            area.moveTopLeft(QPointF(reading.x + _DISTANCE, frame.top() + 4))
            if area.right() > frame.right():
                area.moveRight(reading.x - _DISTANCE)
            area.moveLeft(max(area.left(), frame.left() + 2))
            left, top = area.left() + _PADDING, area.top() + _PADDING
            inner = area.width() - 2 * _PADDING
            return area, tuple(QRectF(left, top + row * height, inner, height) for row in range(len(widths)))
        places: list[QRectF] = []
        x, y = 0.0, 0.0
        for line, width in zip(reading.lines, widths, strict=True):
            if x > 0.0 and (x + width > limit or line.continues):
                x, y = 0.0, y + height
            if places and y + height + _PADDING > max(share * frame.height(), height + _PADDING):
                break
            places.append(QRectF(x, y, min(width, limit), height))
            x += width + _BETWEEN
        area = QRectF(0.0, 0.0, max(place.right() for place in places) + 2 * _PADDING, 0.0)
        area.setHeight(places[-1].bottom() + _PADDING)
        start = min(max(frame.left() + 2.0, reading.x - area.width() / 2.0), frame.right() - 2.0 - area.width())
        heights = sorted(y for y, _ in reading.dots)
        above = bool(heights) and heights[len(heights) // 2] < frame.center().y()
        area.moveTopLeft(
            QPointF(
                max(start, frame.left() + 2.0), frame.bottom() - 1.0 - area.height() if above else frame.top() + 1.0
            )
        )
        corner = QPointF(area.left() + _PADDING, area.top() + _PADDING / 2.0)
        return area, tuple(place.translated(corner) for place in places)


def _rows(text: str, metrics: QFontMetricsF, room: float) -> list[str]:
    """Return a text in rows no wider than there is room, broken between words."""
    rows: list[str] = []
    for word in text.split(" "):
        longer = f"{rows[-1]} {word}" if rows else word
        if rows and metrics.horizontalAdvance(longer) <= room:
            rows[-1] = longer
        else:
            rows.append(word)
    return rows
