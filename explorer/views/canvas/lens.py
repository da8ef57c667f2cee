"""A magnifying glass in the corner: posteriors are a few pixels wide on a map of the whole prior."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from explorer.theme import Palette, current_palette
from explorer.views.canvas import scales
from explorer.views.canvas.coordinates import View
from explorer.views.canvas.density import DensityLayer, paint_density_name
from explorer.views.canvas.marks import STYLES, EncodingMark, MarkStyle, paint_encoding

SIDE_PX = 148
NEEDED_BELOW_PX = 90.0
"""A map this large on the canvas needs no glass."""
MARGIN_PX = 12
_FILLED = 0.8
# The magnification is kept while what is looked at fills this share of the glass or more: it does not breathe with the
# pen.
_KEPT = 0.3
_LEAST_MAGNIFICATION = 1.5


class PosteriorLens(QWidget):
    """Shows p(z|x) and the ellipses of q around it, to one scale, enlarged."""

    def __init__(self, layer: DensityLayer, parent: QWidget) -> None:
        super().__init__(parent)
        self._layer = layer
        self._axes = (0, 1)
        self._marks: dict[str, EncodingMark] = {}
        self._view = View(SIDE_PX, SIDE_PX)
        self._magnification = 1.0
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName("The true posterior, enlarged")
        self.resize(SIDE_PX, SIDE_PX)
        self.hide()

    @property
    def view(self) -> View:
        """The part of the latent plane in the glass."""
        return self._view

    def frame(self, canvas: View) -> QRectF:
        """Return what is looked at, in the canvas's pixels; empty while there is nothing to look at."""
        if self.isHidden():
            return QRectF()
        x, y = canvas.to_pixels(*self._view.centre)
        half = 0.5 * SIDE_PX / self._magnification
        return QRectF(x - half, y - half, 2.0 * half, 2.0 * half)

    def look(self, canvas: View, axes: tuple[int, int], marks: dict[str, EncodingMark]) -> None:
        """Look at the map and the marks of its image, or hide where there is none or it is large enough by itself."""
        core = self._layer.core(axes)
        size = max(core.width(), core.height()) * canvas.scale
        roomy = canvas.width > 3 * SIDE_PX and canvas.height > 2 * SIDE_PX
        if canvas.strip or not 0.0 < size < NEEDED_BELOW_PX or not roomy:
            self.hide()
            return
        self._axes, self._marks = axes, marks
        # A q far from the posterior is seen on the canvas itself, and the posterior alone enlarged.
        for target in (_with_marks(core, marks), core):
            fitting = _FILLED * SIDE_PX / max(target.width(), target.height()) / canvas.scale
            if fitting >= _LEAST_MAGNIFICATION:
                break
        else:
            self.hide()
            return
        magnification = self._view.scale / canvas.scale
        if not max(_KEPT * fitting, _LEAST_MAGNIFICATION) <= magnification <= fitting:
            magnification = max(1.0 / scales.nice_step(1.0 / fitting), _LEAST_MAGNIFICATION)
        middle = target.center()
        self._view = View(SIDE_PX, SIDE_PX, (middle.x(), middle.y()), canvas.scale * magnification)
        self._magnification = magnification
        x, y = canvas.to_pixels(middle.x(), middle.y())
        self._stay_clear_of(QRectF(x - 0.5 * size, y - 0.5 * size, size, size), canvas)
        if self.isHidden():
            self.show()
        self.update()

    def paint_frame(self, painter: QPainter, canvas: View, colours: Palette) -> None:
        """Draw on the canvas a frame around what is looked at."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(colours.density), 1.0))
        painter.drawRect(self.frame(canvas))

    def _stay_clear_of(self, place: QRectF, canvas: View) -> None:
        """Stand in the lower right corner, or in the upper left one while the map is there."""
        right, bottom = canvas.width - SIDE_PX - MARGIN_PX, canvas.height - SIDE_PX - MARGIN_PX - 24
        corner = QRectF(right, bottom, SIDE_PX, SIDE_PX).adjusted(-20.0, -20.0, 20.0, 20.0)
        x, y = (round(0.09 * canvas.width), MARGIN_PX) if corner.intersects(place) else (right, bottom)
        if (x, y) != (self.x(), self.y()):
            self.move(x, y)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        """Paint map, ellipses, magnification and rim."""
        colours, font = current_palette(), scales.small_font(self.font())
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(colours.canvas))
        self._layer.paint(painter, self._view, self._axes, colours)
        for kind, style in STYLES.items():
            if kind in self._marks:
                # A mean as large as on the map would hide the ellipses that the glass is there for.
                small = MarkStyle(style.colour, "point")
                paint_encoding(painter, self._marks[kind], small, self._view, colours, font)
        paint_density_name(painter, QPointF(4.0, 4.0), f"×{self._magnification:.3g}", colours, font)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(colours.density), 1.0))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()


def _with_marks(core: QRectF, marks: dict[str, EncodingMark]) -> QRectF:
    """Return the core of a posterior together with the ellipses of q at two deviations."""
    target = QRectF(core)
    for mark in marks.values():
        if mark.std is not None and mark.drawable:
            (a, b), (std_a, std_b) = mark.mean, mark.std
            target = target.united(QRectF(a - 2.0 * std_a, b - 2.0 * std_b, 4.0 * std_a, 4.0 * std_b))
    return target
