"""The prior's contours: circles in the plane, the density along a strip."""

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPen, QPolygonF

from explorer.theme import Palette
from explorer.views.canvas.coordinates import View
from explorer.views.canvas.faces import paint_tag

# Qt flattens an ellipse into a path whose cost and error grow with its radius; beyond this only the seen arc is drawn.
LARGEST_ELLIPSE_PX = 8_000.0
# Anti-aliased circles cost 0.6 ms each, their picture 0.1 ms; beyond this size they are mostly out of view anyway.
LARGEST_PICTURE_PX = 1_600


class PriorLayer:
    """Draws where N(0, I) is 1, 2 and 3 standard deviations from its mean: circles, to scale.

    Their picture is kept, since a pan only moves it.
    """

    def __init__(self) -> None:
        self._circles = QImage()
        self._key: tuple[float, float, Palette] | None = None

    def paint(self, painter: QPainter, view: View, colours: Palette, font: QFont) -> None:
        """Draw circles and their labels."""
        x, y = view.to_pixels(0.0, 0.0)
        ratio = painter.device().devicePixelRatioF()
        # A whole device pixel, so that the kept picture is not blurred by the place it is copied to.
        x, y = round(x * ratio) / ratio, round(y * ratio) / ratio
        half = math.ceil(3.0 * view.scale + 6.0)
        if 2 * half * ratio <= LARGEST_PICTURE_PX:
            if self._key != (view.scale, ratio, colours):
                self._key = (view.scale, ratio, colours)
                self._circles = _circles(view.scale, half, ratio, colours)
            painter.drawImage(QPointF(x - half, y - half), self._circles)
        else:
            _paint_circles(painter, (x, y), view.scale, colours, view)
        painter.setFont(font)
        for deviations in (1, 2, 3):
            _label_circle(painter, view, colours, (x, y, deviations * view.scale), f"{deviations}σ")


def _circles(scale: float, half: int, ratio: float, colours: Palette) -> QImage:
    side = round(2 * half * ratio)
    image = QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    _paint_circles(painter, (half, half), scale, colours, None)
    painter.end()
    return image


def _paint_circles(
    painter: QPainter, middle: tuple[float, float], scale: float, colours: Palette, view: View | None
) -> None:
    """Draw the circles about a pixel; with a view, only what it can show of huge ones."""
    x, y = middle
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen, halo = QColor(colours.prior), QColor(colours.canvas)
    halo.setAlpha(110)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for deviations in (1, 2, 3):
        radius = deviations * scale
        if radius < 3.0:
            continue
        pen.setAlphaF(1.0 - 0.15 * (deviations - 1))
        for ink, width in ((halo, 3.0), (pen, 1.25)):
            painter.setPen(QPen(ink, width))
            if view is None or radius <= LARGEST_ELLIPSE_PX:
                painter.drawEllipse(QPointF(x, y), radius, radius)
            else:
                painter.drawPolyline(_seen_arc(view, x, y, radius))
    if scale >= 6.0:
        painter.setPen(QPen(QColor(colours.prior), 1.25))
        painter.drawLine(QPointF(x - 4.0, y), QPointF(x + 4.0, y))
        painter.drawLine(QPointF(x, y - 4.0), QPointF(x, y + 4.0))


def paint_prior_strip(painter: QPainter, view: View, colours: Palette, font: QFont, peak: float) -> None:
    """Draw the density of N(0, 1), mirrored, on the scale on which `peak` fills the strip; lines at 1, 2, 3 sigma."""
    painter.setFont(font)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(colours.prior), 1.25))
    extent = view.extent
    grid = [extent.left + extent.width * k / 240.0 for k in range(241)]
    for side in (0.5, -0.5):
        outline = (view.to_pixels(a, side * _density(a) / max(peak, 1e-12)) for a in grid)
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
    paint_tag(painter, box, text, "prior", colours, painter.font())


def _density(deviation: float) -> float:
    """Return the density of N(0, 1)."""
    return math.exp(-0.5 * deviation * deviation) / math.sqrt(math.tau)
