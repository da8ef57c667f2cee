"""The true posterior p(z|x) as a heat map: over the plane, or as a curve along a strip."""

import math
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPen, QPolygonF

from core.findings.evidence import PosteriorMap
from explorer.theme import Palette
from explorer.views.canvas.coordinates import View
from explorer.views.canvas.scales import veil
from explorer.views.formula import Run, formula_font

NAME = (Run("p", italic=True), Run("("), Run("z", italic=True), Run("|"), Run("x", italic=True), Run(")"))
STRONGEST = 0.92
"""Opacity where the density is largest."""
CURVE_SHARE = 0.46
"""Of half the strip's height: how far the curve of a density reaches at its largest."""
_FAR_PX = 1e5
_CORE_SHARE = 0.01
_LEAST_NAMED_PX = 70.0


class DensityLayer:
    """One posterior map; its tinted picture is kept, since a pan or a zoom only places it anew."""

    def __init__(self) -> None:
        self._map: PosteriorMap | None = None
        self._image = QImage()
        self._tint: tuple[Palette, tuple[int, int]] | None = None
        self._core: tuple[tuple[float, float], tuple[float, float]] | None = None

    @property
    def map(self) -> PosteriorMap | None:
        """The density shown."""
        return self._map

    def set_map(self, found: PosteriorMap | None) -> None:
        """Show another density."""
        if found is not self._map:
            self._map, self._tint, self._core = found, None, None

    def place(self, view: View, axes: tuple[int, int]) -> QRectF:
        """Return the rectangle, in pixels, that the map covers; empty without one."""
        found = self._map
        if found is None or found.density.size == 0:
            return QRectF()
        if view.strip:
            (left, _), (right, _) = (view.to_pixels(edge[0], 0.0) for edge in (found.low, found.high))
            middle, half = view.to_pixels(0.0, 0.0)[1], CURVE_SHARE * 0.5 * view.vertical_scale
            return _limited(left, middle - half, right, middle + half)
        first, second = axes
        left, bottom = view.to_pixels(found.low[first], found.low[second])
        right, top = view.to_pixels(found.high[first], found.high[second])
        return _limited(left, top, right, bottom)

    def core(self, axes: tuple[int, int]) -> QRectF:
        """Return where the density is above a hundredth of its largest, in latent units, y up; empty without a map."""
        found = self._map
        if found is None or len(found.low) != 2 or found.density.size == 0:
            return QRectF()
        if self._core is None:
            dense = found.density > _CORE_SHARE * found.density.max()
            columns, rows = np.flatnonzero(dense.any(axis=0)), np.flatnonzero(dense.any(axis=1)[::-1])
            self._core = _spanned(found, 0, columns), _spanned(found, 1, rows)
        (left, right), (bottom, top) = (self._core[axis] for axis in axes)
        return QRectF(left, bottom, right - left, top - bottom)

    def bounds(self, view: View, axes: tuple[int, int]) -> QRect:
        """Return the pixels the map paints on."""
        place = self.place(view, axes)
        if place.isEmpty():
            return QRect()
        return place.adjusted(-2.0, -2.0, 2.0, 2.0).intersected(QRectF(0, 0, view.width, view.height)).toAlignedRect()

    def paint(self, painter: QPainter, view: View, axes: tuple[int, int], colours: Palette) -> None:
        """Draw the density in its own colour, the more opaque the larger it is."""
        place = self.place(view, axes)
        if self._map is None or place.isEmpty():
            return
        if view.strip:
            _paint_curve(painter, self._map, view, colours)
            return
        if self._tint != (colours, axes):
            self._image, self._tint = _tinted(self._map, axes, colours), (colours, axes)
        # Drawing only what is seen keeps the numbers small enough for the painter at any zoom.
        seen = place.intersected(QRectF(0.0, 0.0, view.width, view.height))
        if seen.isEmpty():
            return
        across, down = self._image.width() / place.width(), self._image.height() / place.height()
        source = QRectF(
            (seen.left() - place.left()) * across,
            (seen.top() - place.top()) * down,
            seen.width() * across,
            seen.height() * down,
        )
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(seen, self._image, source)

    def paint_name(self, painter: QPainter, view: View, axes: tuple[int, int], colours: Palette, font: QFont) -> None:
        """Write p(z|x) beside where the density is, where the map is large enough for that."""
        seen = self.place(view, axes).intersected(QRectF(0.0, 0.0, view.width, view.height))
        if seen.width() <= _LEAST_NAMED_PX or seen.height() <= _LEAST_NAMED_PX:
            return
        core, corner = self.core(axes), seen.topLeft()
        if not core.isEmpty():
            x, y = view.to_pixels(core.left(), core.bottom())
            # Never outside of the map, whose pixels alone are painted again when it changes.
            corner = QPointF(max(x - 20.0, seen.left()), max(y - 12.0, seen.top()))
        paint_density_name(painter, corner + QPointF(4.0, 4.0), "", colours, font)


def paint_density_name(painter: QPainter, corner: QPointF, text: str, colours: Palette, font: QFont) -> None:
    """Write p(z|x), and a text after it, on a veil whose upper left corner is given."""
    formula, metrics = formula_font(font.toString(), 1.0), QFontMetricsF(font)
    after = metrics.horizontalAdvance(text) + 5.0 if text else 0.0
    width = formula.width(NAME)
    box = QRectF(corner.x(), corner.y(), width + after + 10.0, formula.height + 2.0)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(veil(colours))
    painter.drawRoundedRect(box, 4.0, 4.0)
    painter.setPen(QColor(colours.density))
    base = box.top() + 1.0 + formula.ascent
    formula.paint(painter, QPointF(box.left() + 5.0, base), NAME)
    if text:
        painter.setFont(font)
        painter.setPen(QColor(colours.muted_text))
        painter.drawText(QPointF(box.left() + width + 10.0, base), text)


def _spanned(found: PosteriorMap, axis: int, cells: np.ndarray[Any, Any]) -> tuple[float, float]:
    """Return where the first of some cells along an axis begins and the last ends, in latent units."""
    if not len(cells):
        return found.low[axis], found.low[axis]
    return found.low[axis] + found.step * int(cells[0]), found.low[axis] + found.step * (int(cells[-1]) + 1)


def _tinted(found: PosteriorMap, axes: tuple[int, int], colours: Palette) -> QImage:
    """Return the map in its colour, premultiplied; opacity follows the square root, so that tails are seen."""
    density = found.density if axes == (0, 1) else found.density[::-1].T[::-1]
    share = np.sqrt(np.clip(density / max(float(density.max()), 1e-30), 0.0, 1.0)) * np.float32(STRONGEST)
    colour = QColor(colours.density)
    pixels = np.rint(share * np.float32(255.0)).astype(np.uint32) << np.uint32(24)
    for level, shift in ((colour.red(), 16), (colour.green(), 8), (colour.blue(), 0)):
        pixels |= np.rint(share * np.float32(level)).astype(np.uint32) << np.uint32(shift)
    rows, columns = pixels.shape
    pixels = np.ascontiguousarray(pixels)
    # A copy, so that the image owns its memory.
    return QImage(pixels.data, columns, rows, 4 * columns, QImage.Format.Format_ARGB32_Premultiplied).copy()


def _paint_curve(painter: QPainter, found: PosteriorMap, view: View, colours: Palette) -> None:
    """Draw the density along a strip, mirrored like the prior's, its largest value always as high."""
    density = found.density[0]
    middles = found.low[0] + found.step * (np.arange(len(density)) + 0.5)
    x, base = view.to_pixels(middles.astype(np.float32), np.zeros(len(density), np.float32))
    height = CURVE_SHARE * 0.5 * view.vertical_scale * density / max(float(density.max()), 1e-30)
    seen = np.flatnonzero((x > -view.width) & (x < 2 * view.width))
    if len(seen) < 2:
        return
    upper = [QPointF(float(x[k]), float(base[k] - height[k])) for k in seen]
    lower = [QPointF(float(x[k]), float(base[k] + height[k])) for k in reversed(seen)]
    fill = QColor(colours.density)
    fill.setAlpha(110)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(fill)
    painter.setPen(QPen(QColor(colours.density), 1.5))
    painter.drawPolygon(QPolygonF([*upper, *lower]))


def _limited(left: float, top: float, right: float, bottom: float) -> QRectF:
    """Return a rectangle; none where its numbers are beyond any painter's."""
    if not all(math.isfinite(value) and abs(value) < _FAR_PX for value in (left, top, right, bottom)):
        return QRectF()
    return QRectF(left, top, max(right - left, 0.0), max(bottom - top, 0.0))
