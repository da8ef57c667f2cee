"""Grid, tick labels and axis names."""

import math
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
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
    extent = view.extent
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(QPen(QColor(colours.grid), 1.0))
    for value, _ in ticks(extent.left, extent.right, view.width):
        x = view.to_pixels(value, 0.0)[0]
        painter.drawLine(QPointF(x, 0.0), QPointF(x, view.height))
    if view.strip:
        y = view.to_pixels(0.0, 0.0)[1]
        painter.drawLine(QPointF(0.0, y), QPointF(view.width, y))
        return
    for value, _ in ticks(extent.bottom, extent.top, view.height):
        y = view.to_pixels(0.0, value)[1]
        painter.drawLine(QPointF(0.0, y), QPointF(view.width, y))


def paint_scales(painter: QPainter, view: View, colours: Palette, font: QFont, axes: tuple[int, int]) -> None:
    """Draw tick labels and axis names on strips along the left and the bottom edge."""
    extent = view.extent
    left, bottom = gutters(view, font)
    metrics = QFontMetricsF(font)
    height, width = float(view.height), float(view.width)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    # Opaque: a translucent fill of these strips alone costs 0.8 ms.
    painter.fillRect(QRectF(0.0, height - bottom, width, bottom), QColor(colours.canvas))
    painter.fillRect(QRectF(0.0, 0.0, left, height - bottom), QColor(colours.canvas))
    painter.setPen(QPen(QColor(colours.border), 1.0))
    painter.drawLine(QPointF(left, height - bottom), QPointF(width, height - bottom))
    if left:
        painter.drawLine(QPointF(left, 0.0), QPointF(left, height - bottom))
    name_width = metrics.horizontalAdvance(axis_name(axes[0])) + 12.0
    painter.setFont(font)
    for value, text in ticks(extent.left, extent.right, view.width):
        x, half = view.to_pixels(value, 0.0)[0], 0.5 * metrics.horizontalAdvance(text)
        if left + half <= x <= width - name_width - half - 6.0:
            painter.setPen(QColor(colours.border))
            painter.drawLine(QPointF(x, height - bottom), QPointF(x, height - bottom + 3.0))
            painter.setPen(QColor(colours.muted_text))
            place = QRectF(x - half - 4.0, height - bottom + 3.0, 2.0 * half + 8.0, bottom - 3.0)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
    bold = QFont(font)
    bold.setBold(True)
    painter.setFont(bold)
    painter.setPen(QColor(colours.text))
    corner = QRectF(width - name_width - 4.0, height - bottom + 2.0, name_width, bottom - 3.0)
    painter.drawText(corner, Qt.AlignmentFlag.AlignCenter, axis_name(axes[0]))
    if not left:
        return
    painter.drawText(QRectF(0.0, 4.0, left, metrics.height()), Qt.AlignmentFlag.AlignCenter, axis_name(axes[1]))
    painter.setFont(font)
    for value, text in ticks(extent.bottom, extent.top, view.height):
        y = view.to_pixels(0.0, value)[1]
        if metrics.height() * 1.5 + 6.0 <= y <= height - bottom - 0.5 * metrics.height():
            painter.setPen(QColor(colours.border))
            painter.drawLine(QPointF(left - 3.0, y), QPointF(left, y))
            painter.setPen(QColor(colours.muted_text))
            place = QRectF(0.0, y - 0.5 * metrics.height(), left - 6.0, metrics.height())
            painter.drawText(place, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, text)
