"""Small decoded pictures under a slider: what the picture becomes along it."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QToolTip, QWidget

from core.shapes import Picture
from explorer.theme import current_palette
from explorer.views.notation import dimension_name
from explorer.views.sliders.row import SliderRow

_EDGE = 3.0
_NAME = 24.0
"""Width of the dimension's name before the pictures: they may stand far from its slider."""
_MARK = 4.0
_SIDE = 4
_TALLEST_PX = 56.0


class Filmstrip(QWidget):
    """An overlay without mouse, so that showing it moves no slider away from under the hand."""

    def __init__(self, parent: QWidget, rows: tuple[QWidget, ...]) -> None:
        """Make a strip over `parent` that leaves `rows` free where there is room."""
        super().__init__(parent)
        self._rows = rows
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
        if row is not self.row:
            self._free_row()
            row.show_slider_tip(False)
            QToolTip.hideText()
        self.row = row
        self.place()
        self.show()
        self.raise_()

    def put_away(self) -> None:
        """Show no pictures."""
        self._free_row()
        self.row = None
        self.hide()

    def _free_row(self) -> None:
        if self.row is not None:
            self.row.show_slider_tip(True)

    def place(self) -> None:
        """Stand below all rows; where there is no room, over those farthest from the one under the hand."""
        row, content = self.row, self.parentWidget()
        if row is None or self._picture is None or content is None:
            return
        # As wide as the row, not as the slider: pictures a dozen pixels wide would show nothing.
        width = row.width() - 2 * _SIDE
        rows, columns = self._picture.shape
        height = min((width - _NAME - 2 * _EDGE) * rows / columns, _TALLEST_PX)
        width = min(width, round(height * columns / rows + _NAME + 2 * _EDGE))
        whole = round(height + 2 * _EDGE + _MARK)
        above = row.mapTo(content, row.rect().topLeft())
        visible = content.visibleRegion().boundingRect()
        last = max((widget.y() + widget.height() for widget in self._rows if widget.isVisibleTo(content)), default=0)
        if last + whole <= visible.bottom() + 1:
            top = last
        elif above.y() + row.height() / 2.0 < visible.center().y():
            top = max(visible.bottom() + 1 - whole, above.y() + row.height())
        else:
            top = min(visible.top(), above.y() - whole)
        self.setGeometry(above.x() + _SIDE, top, round(width), whole)
        self.move_mark()

    def move_mark(self) -> None:
        """Mark the slider's value: the middle of the first picture is the low end, that of the last the high end."""
        if self.row is not None:
            fraction = min(max(self.row.span.fraction_of(self.row.value), 0.0), 1.0)
            tile = (self.width() - _NAME - 2 * _EDGE) / self._count
            self._mark_x = _NAME + _EDGE + tile / 2 + fraction * tile * (self._count - 1)
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
        if self.row is not None:
            painter.setPen(QColor(colours.text))
            where = QRectF(0.0, frame.top(), _NAME + _EDGE, frame.height())
            painter.drawText(where, Qt.AlignmentFlag.AlignCenter, dimension_name(self.row.dimension))
        inner = frame.adjusted(_NAME + _EDGE - 0.5, _EDGE - 0.5, 0.5 - _EDGE, 0.5 - _EDGE)
        painter.drawImage(inner, self._image)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.accent))
        x = self._mark_x
        painter.drawPolygon(QPolygonF([QPointF(x - 5, 0), QPointF(x + 5, 0), QPointF(x, 6)]))
        painter.drawRect(QRectF(x - 0.5, 4.5, 1.0, self.height() - 5.0))
