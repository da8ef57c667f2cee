"""Grid, tick labels and axis names; the prior's contours."""

import math
from statistics import NormalDist

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPolygonF

from explorer.theme import Palette
from explorer.views.canvas.coordinates import View

TICK_SPACING_PX = 84.0
# Qt flattens an ellipse into a path whose cost and error grow with its radius; beyond this only the seen arc is drawn.
LARGEST_ELLIPSE_PX = 8_000.0
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


def ticks(low: float, high: float, pixels: float) -> list[tuple[float, str]]:
    """Return round numbers between `low` and `high` with their texts, at most one every 84 px."""
    step = nice_step(max(high - low, 1e-300) * TICK_SPACING_PX / max(pixels, 1.0))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return [(k * step, f"{k * step:.{decimals}f}".replace("-", "−")) for k in range(first, last + 1)]


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
    """Draw tick labels and axis names on veiled strips along the left and the bottom edge."""
    extent = view.extent
    left, bottom = gutters(view, font)
    metrics = QFontMetricsF(font)
    height, width = float(view.height), float(view.width)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.fillRect(QRectF(0.0, height - bottom, width, bottom), veil(colours))
    painter.fillRect(QRectF(0.0, 0.0, left, height - bottom), veil(colours))
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


def paint_prior(painter: QPainter, view: View, colours: Palette, font: QFont) -> None:
    """Draw where N(0, I) is 1, 2 and 3 standard deviations from its mean: circles, to scale."""
    painter.setFont(font)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    x, y = view.to_pixels(0.0, 0.0)
    pen, halo = QColor(colours.prior), QColor(colours.canvas)
    halo.setAlpha(110)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for deviations in (1, 2, 3):
        radius = deviations * view.scale
        if radius < 3.0:
            continue
        pen.setAlphaF(1.0 - 0.15 * (deviations - 1))
        for ink, width in ((halo, 3.0), (pen, 1.25)):
            painter.setPen(QPen(ink, width))
            if radius <= LARGEST_ELLIPSE_PX:
                painter.drawEllipse(QPointF(x, y), radius, radius)
            else:
                painter.drawPolyline(_seen_arc(view, x, y, radius))
        _label_circle(painter, view, colours, (x, y, radius), f"{deviations}σ")
    if view.scale >= 6.0:
        painter.setPen(QPen(QColor(colours.prior), 1.25))
        painter.drawLine(QPointF(x - 4.0, y), QPointF(x + 4.0, y))
        painter.drawLine(QPointF(x, y - 4.0), QPointF(x, y + 4.0))


def paint_prior_strip(painter: QPainter, view: View, colours: Palette, font: QFont, peak: float) -> None:
    """Draw the density of N(0, 1), mirrored, on the scale on which `peak` fills the strip; lines at 1, 2, 3 sigma."""
    painter.setFont(font)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    prior = NormalDist()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(colours.prior), 1.25))
    extent = view.extent
    grid = [extent.left + extent.width * k / 240.0 for k in range(241)]
    for side in (0.5, -0.5):
        outline = (view.to_pixels(a, side * prior.pdf(a) / max(peak, 1e-12)) for a in grid)
        painter.drawPolyline(QPolygonF([QPointF(*point) for point in outline]))
    for deviations in (-3, -2, -1, 1, 2, 3):
        x, top = view.to_pixels(float(deviations), 0.5)
        if not 0.0 <= x <= view.width:
            continue
        bottom = view.to_pixels(0.0, -0.5)[1]
        painter.setPen(QPen(QColor(colours.prior), 1.0, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(x, top), QPointF(x, bottom))
        if view.scale >= 30.0:
            _paint_label(painter, colours, QPointF(x, top), f"{deviations}σ".replace("-", "−"))


def _seen_arc(view: View, x: float, y: float, radius: float) -> QPolygonF:
    """Return the arc of a huge circle that can lie in the widget, as a polyline; its sagitta is far below a pixel."""
    across, up = 0.5 * view.width - x, y - 0.5 * view.height
    middle = math.atan2(up, across)
    half = min(math.hypot(view.width, view.height) / radius, math.pi)
    if abs(math.hypot(across, up) - radius) > math.hypot(view.width, view.height):
        return QPolygonF()
    angles = (middle + half * (k / 48.0 - 1.0) for k in range(97))
    return QPolygonF([QPointF(x + radius * math.cos(angle), y - radius * math.sin(angle)) for angle in angles])


def _label_circle(
    painter: QPainter, view: View, colours: Palette, circle: tuple[float, float, float], text: str
) -> None:
    x, y, radius = circle
    if radius < 22.0:
        return
    for degrees in (45, 135, 315, 225, 20, 70, 110, 160, 200, 250, 290, 340):
        angle = math.radians(degrees)
        place = QPointF(x + radius * math.cos(angle), y - radius * math.sin(angle))
        if QRectF(56.0, 16.0, view.width - 90.0, view.height - 60.0).contains(place):
            _paint_label(painter, colours, place, text)
            return


def _paint_label(painter: QPainter, colours: Palette, place: QPointF, text: str) -> None:
    metrics = QFontMetricsF(painter.font())
    size = metrics.boundingRect(text).size()
    box = QRectF(0.0, 0.0, size.width() + 8.0, metrics.height())
    box.moveCenter(place)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(veil(colours))
    painter.drawRoundedRect(box, 4.0, 4.0)
    painter.setPen(QColor(colours.prior))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
    painter.setBrush(Qt.BrushStyle.NoBrush)
