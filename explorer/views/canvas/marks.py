"""Marks of encodings: the mean and, to scale, where q(z|x) is 1 and 2 standard deviations from it."""

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from explorer.views.canvas.coordinates import View

MARK_PX = 8.0
# An ellipse much larger than the widget is an even tint; drawn as one it would only cost time.
LARGEST_ELLIPSE_PX = 20_000.0


@dataclass(frozen=True, slots=True)
class EncodingMark:
    """Mean and standard deviation of q(z|x) on the shown axes, in latent units; no deviation for a plain code."""

    mean: tuple[float, float]
    std: tuple[float, float] | None

    @property
    def drawable(self) -> bool:
        """Whether every number is finite."""
        return all(math.isfinite(value) for value in (*self.mean, *(self.std or ())))

    def ellipse(self, view: View, deviations: float) -> QRectF | None:
        """Return the rectangle around the ellipse at so many standard deviations, in pixels."""
        if self.std is None or not self.drawable:
            return None
        x, y = view.to_pixels(*self.mean)
        half_x = deviations * self.std[0] * view.scale
        # One latent dimension has no deviation across the strip: a band of the mark's own height is shown.
        half_y = 2.0 * MARK_PX if view.strip else deviations * self.std[1] * view.scale
        return QRectF(x - half_x, y - half_y, 2.0 * half_x, 2.0 * half_y)

    def bounds(self, view: View) -> QRect:
        """Return the pixels the mark paints on."""
        if not self.drawable:
            return QRect()
        x, y = view.to_pixels(*self.mean)
        box = QRectF(x - MARK_PX, y - MARK_PX, 2.0 * MARK_PX, 2.0 * MARK_PX)
        outer = self.ellipse(view, 2.0)
        if outer is not None:
            box = box.united(outer)
        seen = box.adjusted(-5.0, -5.0, 5.0, 5.0).intersected(QRectF(0.0, 0.0, view.width, view.height))
        return seen.toAlignedRect()


def paint_encoding(
    painter: QPainter, mark: EncodingMark, view: View, colour: QColor, outline: QColor, *, diamond: bool
) -> None:
    """Draw ellipses and mean: a diamond for a drawing, a dot for a data point."""
    if not mark.drawable:
        return
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for deviations in (2.0, 1.0):
        box = mark.ellipse(view, deviations)
        if box is None or max(box.width(), box.height()) > 2.0 * LARGEST_ELLIPSE_PX:
            continue
        fill = QColor(colour)
        fill.setAlpha(38 if deviations == 2.0 else 66)
        painter.setBrush(fill)
        painter.setPen(QPen(colour, 1.5, Qt.PenStyle.SolidLine if deviations == 1.0 else Qt.PenStyle.DashLine))
        painter.drawEllipse(box)
    x, y = view.to_pixels(*mark.mean)
    side = MARK_PX if diamond else 0.5 * MARK_PX
    painter.setPen(QPen(outline, 1.5))
    painter.setBrush(colour)
    if diamond:
        corners = [QPointF(x, y - side), QPointF(x + side, y), QPointF(x, y + side), QPointF(x - side, y)]
        painter.drawPolygon(QPolygonF(corners))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(outline)
        painter.drawEllipse(QPointF(x, y), 2.0, 2.0)
    else:
        painter.drawEllipse(QPointF(x, y), side, side)
