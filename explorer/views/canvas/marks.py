"""Marks of encodings: the mean and, to scale, where q(z|x) is 1 and 2 standard deviations from it."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPen, QPolygonF

from core.shapes import Code, Scale
from explorer.theme import Palette
from explorer.views.canvas.coordinates import View
from explorer.views.canvas.faces import blank, copy_face, paint_tag

MARK_PX = 8.0
# An ellipse much larger than the widget is an even tint; drawn as one it would only cost time.
LARGEST_ELLIPSE_PX = 20_000.0
LABEL_GAP_PX = 4.0
LARGEST_FACE_PX = 300
"""Of larger marks no picture is kept."""

Covariance = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class MarkStyle:
    """How the marks of one kind look; `label` is written beside the mean."""

    colour: str
    """Name of the palette's colour."""
    shape: str
    """`dot`, `diamond`, `square`, or a `point`, which hides least."""
    label: str = ""


STYLES = {
    "posterior": MarkStyle("accent", "dot"),
    "draw": MarkStyle("handle", "dot"),
    "fitted": MarkStyle("fitted_mark", "square", "fitted q"),
    "drawing": MarkStyle("drawing_mark", "diamond"),
}
"""The kinds of marks, the lowest first."""


@dataclass(frozen=True, slots=True)
class EncodingMark:
    """Mean and covariance of q(z|x) on the shown axes, in latent units; no covariance for a plain code."""

    mean: tuple[float, float]
    covariance: tuple[float, float, float] | None
    """Variance on the first axis, covariance, variance on the second axis."""

    @property
    def std(self) -> tuple[float, float] | None:
        """Standard deviation on each shown axis by itself."""
        return None if self.covariance is None else (math.sqrt(self.covariance[0]), math.sqrt(self.covariance[2]))

    @property
    def drawable(self) -> bool:
        """Whether every number is finite."""
        return all(math.isfinite(value) for value in (*self.mean, *(self.covariance or ())))

    @property
    def axes(self) -> tuple[float, float, float]:
        """Standard deviation along the longer and the shorter axis of the ellipse, and the longer one's angle.

        The angle is in radians from the first shown axis towards the second.  Eigenvalues of a symmetric 2×2 matrix.
        """
        first, cross, second = self.covariance or (0.0, 0.0, 0.0)
        middle, half = 0.5 * (first + second), math.hypot(0.5 * (first - second), cross)
        return (
            math.sqrt(middle + half),
            math.sqrt(max(middle - half, 0.0)),
            0.5 * math.atan2(2.0 * cross, first - second),
        )

    def ellipse(self, view: View, deviations: float) -> QRectF | None:
        """Return the upright rectangle around the ellipse at so many standard deviations, in pixels."""
        std = self.std if self.drawable else None
        if std is None:
            return None
        x, y = view.to_pixels(*self.mean)
        half_x = deviations * std[0] * view.scale
        # One latent dimension has no deviation across the strip: a band of the mark's own height is shown.
        half_y = 2.0 * MARK_PX if view.strip else deviations * std[1] * view.scale
        return QRectF(x - half_x, y - half_y, 2.0 * half_x, 2.0 * half_y)

    def bounds(self, view: View) -> QRect:
        """Return the pixels the mark paints on, but for its label."""
        if not self.drawable:
            return QRect()
        x, y = view.to_pixels(*self.mean)
        box = QRectF(x - MARK_PX, y - MARK_PX, 2.0 * MARK_PX, 2.0 * MARK_PX)
        outer = self.ellipse(view, 2.0)
        if outer is not None:
            box = box.united(outer)
        seen = box.adjusted(-5.0, -5.0, 5.0, 5.0).intersected(QRectF(0.0, 0.0, view.width, view.height))
        return seen.toAlignedRect()


def on_axes(scale: Code | Scale | None, axes: tuple[int, int]) -> tuple[float, float, float] | None:
    """Return the covariance of a Gaussian on two of its axes, from its deviations or its lower triangular L: L Lᵀ."""
    if scale is None:
        return None
    rows = scale.astype(np.float64)
    # One row a latent dimension; deviations stand for a diagonal L, of which these two rows are all that counts.
    first, second = (rows[axis] if rows.ndim == 2 else _row(rows, axis) for axis in axes)
    return float(first @ first), float(first @ second), float(second @ second)


def _row(std: Covariance, axis: int) -> Covariance:
    row = np.zeros(len(std))
    row[axis] = std[axis]
    return row


def label_box(mark: EncodingMark, style: MarkStyle, view: View, font: QFont) -> QRectF:
    """Return where the mark's label stands: to the upper right of the mean, pushed back into the widget."""
    if not style.label or not mark.drawable:
        return QRectF()
    metrics = QFontMetricsF(font)
    x, y = view.to_pixels(*mark.mean)
    width, height = metrics.horizontalAdvance(style.label) + 10.0, metrics.height() + 2.0
    left = min(x + MARK_PX + LABEL_GAP_PX, view.width - width - 4.0)
    return QRectF(left, max(y - MARK_PX - height, 4.0), width, height)


def paint_encoding(
    painter: QPainter, mark: EncodingMark, style: MarkStyle, view: View, colours: Palette, font: QFont
) -> None:
    """Draw ellipses, mean and label: a diamond for a drawing, a dot for a data point, a square for a fitted q."""
    if not mark.drawable:
        return
    outer = mark.ellipse(view, 2.0) or QRectF()
    side = 2 * math.ceil(0.5 * max(outer.width(), outer.height(), 2.0 * MARK_PX) + 3.0)
    if view.strip or side > LARGEST_FACE_PX:
        _paint_shape(painter, mark, style, view, colours)
    else:
        ratio = painter.device().devicePixelRatioF()
        copy_face(painter, _face(mark.covariance, style, side, view.scale, colours, ratio), *view.to_pixels(*mark.mean))
    box = label_box(mark, style, view, font)
    if not box.isEmpty():
        paint_tag(painter, box, style.label, style.colour, colours, font)


# Two anti-aliased ellipses cost 0.2 ms, and are painted anew with every movement of a handle over them; a copy 0.02.
@lru_cache(maxsize=16)
def _face(
    covariance: tuple[float, float, float] | None,
    style: MarkStyle,
    side: int,
    scale: float,
    colours: Palette,
    ratio: float,
) -> QImage:
    """Return the picture of a mark without its label, its mean in the middle; `side` is in pixels."""
    image, painter = blank(side, side, ratio)
    _paint_shape(painter, EncodingMark((0.0, 0.0), covariance), style, View(side, side, scale=scale), colours)
    painter.end()
    return image


def _paint_shape(painter: QPainter, mark: EncodingMark, style: MarkStyle, view: View, colours: Palette) -> None:
    colour, outline = QColor(getattr(colours, style.colour)), QColor(colours.handle_outline)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for deviations in (2.0, 1.0):
        _paint_ellipse(painter, mark, view, colour, deviations)
    _paint_mean(painter, QPointF(*view.to_pixels(*mark.mean)), style.shape, colour, outline)


def _paint_ellipse(painter: QPainter, mark: EncodingMark, view: View, colour: QColor, deviations: float) -> None:
    box = mark.ellipse(view, deviations)
    if box is None or max(box.width(), box.height()) > 2.0 * LARGEST_ELLIPSE_PX:
        return
    fill = QColor(colour)
    fill.setAlpha(38 if deviations == 2.0 else 66)
    painter.setBrush(fill)
    painter.setPen(QPen(colour, 1.5, Qt.PenStyle.SolidLine if deviations == 1.0 else Qt.PenStyle.DashLine))
    if view.strip:
        painter.drawEllipse(box)
        return
    longer, shorter, angle = mark.axes
    painter.save()
    painter.translate(box.center())
    # Pixels count downward, the second latent axis upward.
    painter.rotate(-math.degrees(angle))
    reach = deviations * view.scale
    painter.drawEllipse(QPointF(0.0, 0.0), reach * longer, reach * shorter)
    painter.restore()


def _paint_mean(painter: QPainter, place: QPointF, shape: str, colour: QColor, outline: QColor) -> None:
    x, y = place.toTuple()
    painter.setPen(QPen(outline, 1.5))
    painter.setBrush(colour)
    if shape == "diamond":
        side = MARK_PX
        corners = [QPointF(x, y - side), QPointF(x + side, y), QPointF(x, y + side), QPointF(x - side, y)]
        painter.drawPolygon(QPolygonF(corners))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(outline)
        painter.drawEllipse(place, 2.0, 2.0)
    elif shape == "square":
        side = 0.55 * MARK_PX
        painter.drawRect(QRectF(x - side, y - side, 2.0 * side, 2.0 * side))
    elif shape == "point":
        painter.setPen(Qt.PenStyle.NoPen)
        painter.drawEllipse(place, 2.0, 2.0)
    else:
        painter.drawEllipse(place, 0.5 * MARK_PX, 0.5 * MARK_PX)
