"""Small decoded pictures under a slider: what the picture becomes along it."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from core.shapes import Picture
from explorer.theme import current_palette
from explorer.views.sliders.row import SliderRow

_EDGE = 3.0
_MARK = 4.0
_SIDE = 4
_TALLEST_PX = 56.0


class Filmstrip(QWidget):
    """An overlay without mouse, so that showing it moves no slider away from under the hand."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName("Pictures along the slider")
        self._picture: Picture | None = None
        self._image = QImage()
        self._count = 1
        self._mark_x = 0.0
        self.row: SliderRow | None = None
        self.hide()

    def show_strip(self, row: SliderRow, picture: Picture, count: int) -> None:
        """Show `count` pictures, side by side in one, spread over the range of a row's slider.

        Raises ValueError for a picture without pixels.
        """
        if picture.ndim != 2 or not picture.size or count < 1:
            raise ValueError(f"a filmstrip must have pixels and pictures, not {picture.shape} with {count} pictures")
        self._picture = picture  # QImage does not keep the pixels alive
        height, width = picture.shape
        self._image = QImage(picture.data, width, height, picture.strides[0], QImage.Format.Format_Grayscale8)
        self._count = count
        self.row = row
        self.place()
        self.show()
        self.raise_()

    def put_away(self) -> None:
        """Show no pictures."""
        self.row = None
        self.hide()

    def place(self) -> None:
        """Stand under the row, or above it where there is no room below."""
        row, content = self.row, self.parentWidget()
        if row is None or self._picture is None or content is None:
            return
        # As wide as the row, not as the slider: pictures a dozen pixels wide would show nothing.
        width = row.width() - 2 * _SIDE
        rows, columns = self._picture.shape
        height = min((width - 2 * _EDGE) * rows / columns, _TALLEST_PX)
        width = min(width, round(height * columns / rows + 2 * _EDGE))
        whole = round(height + 2 * _EDGE + _MARK)
        above = row.mapTo(content, row.rect().topLeft()).y()
        top = above + row.height()
        visible = content.visibleRegion().boundingRect()
        if top + whole > visible.bottom() and above - whole >= visible.top():
            top = above - whole
        self.setGeometry(row.mapTo(content, row.rect().topLeft()).x() + _SIDE, top, round(width), whole)
        self.move_mark()

    def move_mark(self) -> None:
        """Mark the slider's value: the middle of the first picture is the low end, that of the last the high end."""
        if self.row is not None:
            fraction = min(max(self.row.span.fraction_of(self.row.value), 0.0), 1.0)
            tile = (self.width() - 2 * _EDGE) / self._count
            self._mark_x = _EDGE + tile / 2 + fraction * tile * (self._count - 1)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802
        """Paint the pictures and the mark."""
        colours = current_palette()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        frame = QRectF(self.rect()).adjusted(0.5, 4.5, -0.5, -0.5)
        painter.setPen(QPen(QColor(colours.border), 1.0))
        painter.setBrush(QColor(colours.base))
        painter.drawRoundedRect(frame, 3, 3)
        inner = frame.adjusted(_EDGE - 0.5, _EDGE - 0.5, 0.5 - _EDGE, 0.5 - _EDGE)
        painter.drawImage(inner, self._image)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.accent))
        x = self._mark_x
        painter.drawPolygon(QPolygonF([QPointF(x - 5, 0), QPointF(x + 5, 0), QPointF(x, 6)]))
        painter.drawRect(QRectF(x - 0.5, 4.5, 1.0, self.height() - 5.0))
