"""Handles: numbered discs, the line to the data point each was dragged from, arrows to those out of view."""

import math
from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen, QPolygonF, QRegion

from explorer.theme import Palette
from explorer.views.canvas.coordinates import View
from explorer.views.canvas.faces import blank, copy_face

RADIUS = 9.0
SELECTED_RADIUS = 12.0
HALO = 5.0
GRASP = 3.0
"""How far outside its disc a handle can still be taken, in pixels."""
ARROW_INSET = 24.0
FACE_PX = 52
LONGEST_LINE_PX = 10_000.0
LINE_PIECE_PX = 24.0
MAX_LINE_PIECES = 10


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
            return math.hypot(x - arrow[0], y - arrow[1]) <= self.radius + GRASP + 2.0 + reach
        return math.hypot(x - self.x, y - self.y) <= self.radius + GRASP + reach

    def region(self, view: View) -> QRegion:
        """Return the pixels the handle paints on; small rectangles, so that a drag repaints little."""
        arrow = self.arrow(view)
        if arrow is not None:
            region = QRegion(_square(arrow[0], arrow[1], ARROW_INSET + 2.0))
        elif view.strip:
            region = QRegion(QRect(math.floor(self.x) - 22, 0, 45, view.height))
        else:
            region = QRegion(_square(self.x, self.y, SELECTED_RADIUS + HALO + 6.0))
        if self.anchor is not None:
            region += _line_region(self.x, self.y, *self.anchor, view)
            region += QRegion(_square(self.anchor[0], self.anchor[1], 8.0))
        return region


def paint_handle(painter: QPainter, mark: HandleMark, view: View, colours: Palette, font: QFont) -> None:
    """Draw one handle."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    ratio = painter.device().devicePixelRatioF()
    if mark.anchor is not None:
        _paint_line(painter, mark.anchor, (mark.x, mark.y), colours)
        copy_face(painter, anchor_face(ratio, colours), *mark.anchor)
    arrow = mark.arrow(view)
    if arrow is not None:
        _paint_arrow(painter, arrow, colours, mark.radius - RADIUS)
        x, y, _ = arrow
        copy_face(painter, disc_face(mark.id, mark.selected, False, ratio, colours, font.family()), x, y)
        return
    if view.strip:
        painter.setPen(QPen(QColor(colours.handle), 1.5 if mark.selected else 1.0))
        painter.drawLine(QPointF(mark.x, 0.0), QPointF(mark.x, view.height))
    copy_face(painter, disc_face(mark.id, mark.selected, mark.pinned, ratio, colours, font.family()), mark.x, mark.y)


# Anti-aliased discs cost 20 us each and a handle has up to five, at every move of the mouse; their picture costs 3.
@lru_cache(maxsize=256)
def disc_face(
    handle_id: int,
    selected: bool,  # noqa: FBT001 - a key of the cache
    pinned: bool,  # noqa: FBT001 - as above
    ratio: float,
    colours: Palette,
    family: str,
) -> QImage:
    """Return the picture of a handle's disc, its centre in the middle; `ratio` is device pixels for a pixel."""
    image, painter = blank(FACE_PX, FACE_PX, ratio)
    colour, outline = QColor(colours.handle), QColor(colours.handle_outline)
    centre = QPointF(0.5 * FACE_PX, 0.5 * FACE_PX)
    radius = SELECTED_RADIUS if selected else RADIUS
    if selected:
        halo = QColor(colour)
        halo.setAlpha(70)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(halo)
        painter.drawEllipse(centre, radius + HALO, radius + HALO)
    painter.setPen(QPen(outline, 2.0))
    painter.setBrush(colour)
    painter.drawEllipse(centre, radius, radius)
    if selected:
        painter.setPen(QPen(colour, 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(centre, radius + 2.5, radius + 2.5)
    text = str(handle_id)
    font = QFont(family)
    font.setBold(True)
    font.setPixelSize(round(radius * (1.15 if len(text) == 1 else 0.95 if len(text) == 2 else 0.7)))
    painter.setFont(font)
    painter.setPen(outline)
    painter.drawText(QRectF(0.0, 0.0, FACE_PX, FACE_PX), Qt.AlignmentFlag.AlignCenter, text)
    if pinned:
        _paint_pin(painter, QPointF(centre.x() + 0.72 * radius, centre.y() - 0.72 * radius), colours)
    painter.end()
    return image


@lru_cache(maxsize=8)
def anchor_face(ratio: float, colours: Palette) -> QImage:
    """Return the ring around the data point that a handle was dragged from."""
    image, painter = blank(16, 16, ratio)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for name, width in ((colours.handle_outline, 3.5), (colours.handle, 1.75)):
        painter.setPen(QPen(QColor(name), width))
        painter.drawEllipse(QPointF(8.0, 8.0), 5.0, 5.0)
    painter.end()
    return image


def _paint_line(painter: QPainter, start: tuple[float, float], end: tuple[float, float], colours: Palette) -> None:
    across, down = end[0] - start[0], end[1] - start[1]
    length = math.hypot(across, down)
    if length <= 2.0 or max(map(abs, start)) > LONGEST_LINE_PX:
        return
    # Out of view it only has to point the right way; the painter's numbers end far below a million units.
    share = min(1.0, LONGEST_LINE_PX / length)
    first, last = QPointF(*start), QPointF(start[0] + share * across, start[1] + share * down)
    for name, width in ((colours.handle_outline, 3.0), (colours.handle, 1.25)):
        painter.setPen(QPen(QColor(name), width))
        painter.drawLine(first, last)


def _paint_arrow(painter: QPainter, arrow: tuple[float, float, float], colours: Palette, farther: float) -> None:
    x, y, direction = arrow
    painter.setPen(QPen(QColor(colours.handle_outline), 1.5))
    painter.setBrush(QColor(colours.handle))
    cosine, sine = math.cos(direction), math.sin(direction)
    corners = ((19.0 + farther, 0.0), (6.5 + farther, 8.5), (6.5 + farther, -8.5))
    painter.drawPolygon(QPolygonF([QPointF(x + cosine * u - sine * v, y + sine * u + cosine * v) for u, v in corners]))


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


def _line_region(x0: float, y0: float, x1: float, y1: float, view: View) -> QRegion:
    """Cover the line by a chain of rectangles; one rectangle around a diagonal would repaint half the canvas."""
    region = QRegion()
    pieces = min(1 + int(min(abs(x1 - x0), abs(y1 - y0)) / LINE_PIECE_PX), MAX_LINE_PIECES)
    across, down = (x1 - x0) / pieces, (y1 - y0) / pieces
    for k in range(pieces):
        left, right = sorted((x0 + k * across, x0 + (k + 1) * across))
        top, bottom = sorted((y0 + k * down, y0 + (k + 1) * down))
        # Cut to the widget while still floats: a handle a million units away has no place among Qt's integers.
        west, north = max(int(left) - 4, 0), max(int(top) - 4, 0)
        east, south = min(int(right) + 4, view.width), min(int(bottom) + 4, view.height)
        if west < east and north < south:
            region += QRegion(west, north, east - west, south - north)
    return region
