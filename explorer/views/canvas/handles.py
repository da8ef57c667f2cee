"""Handles: numbered discs, the line to the data point each was dragged from, arrows to those out of view."""

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QPolygonF, QRegion

from explorer.theme import Palette
from explorer.views.canvas.coordinates import View

RADIUS = 9.0
SELECTED_RADIUS = 12.0
HALO = 5.0
GRASP = 3.0
"""How far outside its disc a handle can still be taken, in pixels."""
ARROW_INSET = 22.0
_LINE_PIECES = 8


@dataclass(frozen=True, slots=True)
class HandleMark:
    """A handle as it is drawn: where its code and its data point are, in pixels."""

    id: int
    pinned: bool
    x: float
    y: float
    selected: bool
    anchor: tuple[float, float] | None
    free_right: float = 0.0
    """Width, at the right edge, of what an arrow must not hide behind (the legend), in pixels."""

    @property
    def radius(self) -> float:
        """Radius of the disc in pixels."""
        return SELECTED_RADIUS if self.selected else RADIUS

    def arrow(self, view: View) -> tuple[float, float, float] | None:
        """Return x, y and direction (radians, y down) of the arrow at the border, or None when the disc is in view."""
        if 0.0 <= self.x <= view.width and 0.0 <= self.y <= view.height:
            return None
        middle_x, middle_y = 0.5 * view.width, 0.5 * view.height
        dx, dy = self.x - middle_x, self.y - middle_y
        room_x, room_y = max(middle_x - ARROW_INSET, 1.0), max(middle_y - ARROW_INSET, 1.0)
        share = 1.0 / max(abs(dx) / room_x, abs(dy) / room_y)
        x = min(middle_x + share * dx, view.width - ARROW_INSET - self.free_right)
        return x, middle_y + share * dy, math.atan2(dy, dx)

    def holds(self, view: View, x: float, y: float, reach: float = 0.0) -> bool:
        """Whether a pixel takes hold of the disc, or of the arrow that stands for it; `reach` makes it larger."""
        arrow = self.arrow(view)
        if arrow is not None:
            return math.hypot(x - arrow[0], y - arrow[1]) <= RADIUS + GRASP + 2.0 + reach
        return math.hypot(x - self.x, y - self.y) <= self.radius + GRASP + reach

    def region(self, view: View) -> QRegion:
        """Return the pixels the handle paints on; small rectangles, so that a drag repaints little."""
        arrow = self.arrow(view)
        if arrow is not None:
            region = QRegion(_square(arrow[0], arrow[1], 22.0))
        elif view.strip:
            region = QRegion(QRect(math.floor(self.x) - 22, 0, 45, view.height))
        else:
            region = QRegion(_square(self.x, self.y, SELECTED_RADIUS + HALO + 6.0))
        if self.anchor is not None:
            region += _line_region(QPointF(self.x, self.y), QPointF(*self.anchor), view)
            region += QRegion(_square(self.anchor[0], self.anchor[1], 8.0))
        return region


def paint_handle(painter: QPainter, mark: HandleMark, view: View, colours: Palette, font: QFont) -> None:
    """Draw one handle."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour, outline = QColor(colours.handle), QColor(colours.handle_outline)
    if mark.anchor is not None:
        _paint_anchor(painter, mark, mark.anchor, colour, outline)
    arrow = mark.arrow(view)
    if arrow is not None:
        _paint_arrow(painter, arrow, mark, colours, font)
        return
    centre = QPointF(mark.x, mark.y)
    if view.strip:
        painter.setPen(QPen(colour, 1.5 if mark.selected else 1.0))
        painter.drawLine(QPointF(mark.x, 0.0), QPointF(mark.x, view.height))
    if mark.selected:
        halo = QColor(colours.handle)
        halo.setAlpha(70)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(halo)
        painter.drawEllipse(centre, mark.radius + HALO, mark.radius + HALO)
    painter.setPen(QPen(outline, 2.0))
    painter.setBrush(colour)
    painter.drawEllipse(centre, mark.radius, mark.radius)
    if mark.selected:
        painter.setPen(QPen(colour, 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(centre, mark.radius + 2.5, mark.radius + 2.5)
    _paint_number(painter, mark, QPointF(mark.x, mark.y), colours, font)
    if mark.pinned:
        _paint_pin(painter, QPointF(mark.x + 0.72 * mark.radius, mark.y - 0.72 * mark.radius), colours)


def _paint_number(painter: QPainter, mark: HandleMark, centre: QPointF, colours: Palette, font: QFont) -> None:
    text = str(mark.id)
    bold = QFont(font)
    bold.setBold(True)
    bold.setPixelSize(round(mark.radius * (1.15 if len(text) == 1 else 0.95 if len(text) == 2 else 0.7)))
    painter.setFont(bold)
    painter.setPen(QColor(colours.handle_outline))
    side = 2.0 * mark.radius
    painter.drawText(
        QRectF(centre.x() - side, centre.y() - side, 2 * side, 2 * side), Qt.AlignmentFlag.AlignCenter, text
    )


def _paint_anchor(
    painter: QPainter, mark: HandleMark, anchor: tuple[float, float], colour: QColor, outline: QColor
) -> None:
    start, end = QPointF(*anchor), QPointF(mark.x, mark.y)
    if math.hypot(end.x() - start.x(), end.y() - start.y()) > 2.0:
        painter.setPen(QPen(outline, 3.0))
        painter.drawLine(start, end)
        painter.setPen(QPen(colour, 1.25))
        painter.drawLine(start, end)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(outline, 3.5))
    painter.drawEllipse(start, 5.0, 5.0)
    painter.setPen(QPen(colour, 1.75))
    painter.drawEllipse(start, 5.0, 5.0)


def _paint_arrow(
    painter: QPainter, arrow: tuple[float, float, float], mark: HandleMark, colours: Palette, font: QFont
) -> None:
    x, y, direction = arrow
    painter.setPen(QPen(QColor(colours.handle_outline), 1.5))
    painter.setBrush(QColor(colours.handle))
    tip = [(19.0, 0.0), (6.5, 8.5), (6.5, -8.5)]
    cosine, sine = math.cos(direction), math.sin(direction)
    corners = [QPointF(x + cosine * u - sine * v, y + sine * u + cosine * v) for u, v in tip]
    painter.drawPolygon(QPolygonF(corners))
    painter.drawEllipse(QPointF(x, y), RADIUS, RADIUS)
    small = HandleMark(mark.id, mark.pinned, x, y, selected=False, anchor=None)
    _paint_number(painter, small, QPointF(x, y), colours, font)


def _paint_pin(painter: QPainter, tip: QPointF, colours: Palette) -> None:
    """A drawing pin: head, and a needle that points at the disc."""
    head = QPointF(tip.x() + 4.0, tip.y() - 4.0)
    painter.setPen(QPen(QColor(colours.handle_outline), 4.0, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawLine(QPointF(tip.x() - 3.0, tip.y() + 3.0), head)
    painter.setPen(QPen(QColor(colours.text), 1.75, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawLine(QPointF(tip.x() - 3.0, tip.y() + 3.0), head)
    painter.setPen(QPen(QColor(colours.handle_outline), 1.25))
    painter.setBrush(QColor(colours.text))
    painter.drawEllipse(head, 4.0, 4.0)


def _square(x: float, y: float, half: float) -> QRect:
    return QRectF(x - half, y - half, 2.0 * half, 2.0 * half).toAlignedRect()


def _line_region(start: QPointF, end: QPointF, view: View) -> QRegion:
    """Cover the line by a chain of rectangles; one rectangle around a diagonal would repaint half the canvas."""
    region = QRegion()
    pieces = 1 if view.strip else _LINE_PIECES
    for k in range(pieces):
        first = start + (end - start) * (k / pieces)
        second = start + (end - start) * ((k + 1) / pieces)
        box = QRectF(first, second).normalized().adjusted(-3.0, -3.0, 3.0, 3.0)
        region += QRegion(box.intersected(QRectF(0.0, 0.0, view.width, view.height)).toAlignedRect())
    return region
