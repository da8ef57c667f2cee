"""Grid, tick labels and axis names."""

import math
from functools import lru_cache

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from explorer.theme import Palette
from explorer.views.canvas.coordinates import View

TICK_SPACING_PX = 84.0
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def axis_name(dimension: int) -> str:
    """Return the name of a latent dimension counted from 0: z₁, z₂, ..."""
    return "z" + str(dimension + 1).translate(_SUBSCRIPTS)


def nice_step(smallest: float) -> float:
    """Return the least of 1, 2 or 5 times a power of ten that is at least `smallest`."""
    power = 10.0 ** math.floor(math.log10(smallest))
    return next(
        (factor * power for factor in (1.0, 2.0, 5.0) if factor * power >= smallest * (1.0 - 1e-9)), 10.0 * power
    )


@lru_cache(maxsize=16)
def ticks(low: float, high: float, pixels: float) -> tuple[tuple[float, str], ...]:
    """Return round numbers between `low` and `high` with their texts, at most one every 84 px."""
    step = nice_step(max(high - low, 1e-300) * TICK_SPACING_PX / max(pixels, 1.0))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return tuple((k * step, f"{k * step:.{decimals}f}".replace("-", "−")) for k in range(first, last + 1))


def small_font(font: QFont) -> QFont:
    """Return the font of tick labels and notes, a little smaller than the widget's own."""
    result = QFont(font)
    if font.pointSizeF() > 0.0:
        result.setPointSizeF(max(font.pointSizeF() * 0.88, 6.0))
    return result


def veil(colours: Palette) -> QColor:
    """Return the canvas colour, nearly opaque, on which text over points and pictures can be read."""
    colour = QColor(colours.canvas)
    colour.setAlpha(222)
    return colour


def gutters(view: View, font: QFont) -> tuple[float, float]:
    """Return the width of the left and the height of the bottom strip that hold the tick labels, in pixels."""
    metrics = QFontMetricsF(font)
    extent = view.extent
    widest = max(
        (metrics.horizontalAdvance(text) for _, text in ticks(extent.bottom, extent.top, view.height)), default=0
    )
    return (0.0 if view.strip else widest + 14.0), metrics.height() + 8.0


def paint_grid(painter: QPainter, view: View, colours: Palette) -> None:
    """Draw thin lines at the ticks of both axes."""
    extent, width, height = view.extent, float(view.width), float(view.height)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(QPen(QColor(colours.grid), 1.0))
    across = (0.0,) if view.strip else (value for value, _ in ticks(extent.bottom, extent.top, view.height))
    upright = [view.to_pixels(value, 0.0)[0] for value, _ in ticks(extent.left, extent.right, view.width)]
    level = [view.to_pixels(0.0, value)[1] for value in across]
    painter.drawLines([*(QLineF(x, 0.0, x, height) for x in upright), *(QLineF(0.0, y, width, y) for y in level)])


def paint_scales(painter: QPainter, view: View, colours: Palette, font: QFont, axes: tuple[int, int]) -> None:
    """Draw tick labels and axis names on strips along the left and the bottom edge."""
    left, bottom = gutters(view, font)
    metrics = QFontMetricsF(font)
    height, width = float(view.height), float(view.width)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    # Opaque: a translucent fill of these strips alone costs 0.8 ms.
    painter.fillRect(QRectF(0.0, height - bottom, width, bottom), QColor(colours.canvas))
    painter.fillRect(QRectF(0.0, 0.0, left, height - bottom), QColor(colours.canvas))
    name_width = metrics.horizontalAdvance(axis_name(axes[0])) + 12.0
    lines = [QLineF(left, height - bottom, width, height - bottom)]
    below, beside = _below(view, metrics, width - name_width, (left, bottom)), []
    lines += [QLineF(x, height - bottom, x, height - bottom + 3.0) for x, _, _ in below]
    if left:
        beside = _beside(view, metrics, (left, bottom))
        lines.append(QLineF(left, 0.0, left, height - bottom))
        lines += [QLineF(left - 3.0, y, left, y) for y, _, _ in beside]
    painter.setPen(QPen(QColor(colours.border), 1.0))
    painter.drawLines(lines)
    painter.setFont(font)
    painter.setPen(QColor(colours.muted_text))
    for _, place, text in (*below, *beside):
        painter.drawText(place, text)
    bold = QFont(font)
    bold.setBold(True)
    painter.setFont(bold)
    painter.setPen(QColor(colours.text))
    corner = QRectF(width - name_width - 4.0, height - bottom + 2.0, name_width, bottom - 3.0)
    painter.drawText(corner, Qt.AlignmentFlag.AlignCenter, axis_name(axes[0]))
    if left:
        painter.drawText(QRectF(0.0, 4.0, left, metrics.height()), Qt.AlignmentFlag.AlignCenter, axis_name(axes[1]))


_Labels = list[tuple[float, QPointF, str]]
"""Of ticks: the pixel each is at along its axis, and where its text begins, on the base line."""


def _below(view: View, metrics: QFontMetricsF, room: float, gutter: tuple[float, float]) -> _Labels:
    """Return the ticks of the horizontal axis whose texts stand clear of the corner and of the axis' name."""
    extent, (left, bottom) = view.extent, gutter
    base = view.height - bottom + 3.0 + 0.5 * (bottom - 3.0 - metrics.height()) + metrics.ascent()
    found: _Labels = []
    for value, text in ticks(extent.left, extent.right, view.width):
        x, half = view.to_pixels(value, 0.0)[0], 0.5 * metrics.horizontalAdvance(text)
        if left + half <= x <= room - half - 6.0:
            found.append((x, QPointF(x - half, base), text))
    return found


def _beside(view: View, metrics: QFontMetricsF, gutter: tuple[float, float]) -> _Labels:
    """Return the ticks of the vertical axis whose texts stand clear of the corner and of the axis' name."""
    extent, (left, bottom), height = view.extent, gutter, metrics.height()
    found: _Labels = []
    for value, text in ticks(extent.bottom, extent.top, view.height):
        y = view.to_pixels(0.0, value)[1]
        if height * 1.5 + 6.0 <= y <= view.height - bottom - 0.5 * height:
            start = left - 6.0 - metrics.horizontalAdvance(text)
            found.append((y, QPointF(start, y - 0.5 * height + metrics.ascent()), text))
    return found
