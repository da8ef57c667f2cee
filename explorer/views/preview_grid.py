"""A grid of small pictures, as an import would make them."""

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.shapes import Picture
from explorer.theme import current_palette

_GAP = 6


class PreviewGrid(QWidget):
    """Pictures in rows, as large as fit, their pixels kept square and sharp."""

    def __init__(self, columns: int = 6, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._columns = columns
        self._images: tuple[QImage, ...] = ()
        self._pictures: tuple[Picture, ...] = ()
        self._text = ""
        self.setAccessibleName("Preview of the pictures")
        self.setToolTip("The pictures as the model would see them, before binarisation.")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_pictures(self, pictures: tuple[Picture, ...], text: str = "") -> None:
        """Show pictures, or a text where there are none."""
        # The arrays are kept beside the images that look into them.
        self._pictures = pictures
        self._images = tuple(_image_of(picture) for picture in pictures)
        self._text = text
        self.setAccessibleDescription(text or f"{len(pictures)} pictures")
        self.update()

    @property
    def num_pictures(self) -> int:
        """How many pictures are shown."""
        return len(self._images)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return room for pictures of 64 px."""
        return QSize(self._columns * (64 + _GAP) + _GAP, 4 * (64 + _GAP) + _GAP)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return room for pictures of 32 px."""
        return QSize(self._columns * (32 + _GAP) + _GAP, 4 * (32 + _GAP) + _GAP)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint the pictures."""
        painter = QPainter(self)
        for image, place in zip(self._images, self._places(), strict=True):
            painter.drawImage(place, image)
        if not self._images:
            painter.setPen(QColor(current_palette().muted_text))
            flags = int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap)
            painter.drawText(self.rect().adjusted(24, 24, -24, -24), flags, self._text)
        painter.end()
        event.accept()

    def _places(self) -> list[QRect]:
        if not self._images:
            return []
        columns = min(self._columns, len(self._images))
        rows = -(-len(self._images) // columns)
        across = (self.width() - _GAP) // columns - _GAP
        down = (self.height() - _GAP) // rows - _GAP
        side = max(8, min(across, down, 96))
        pitch = side + _GAP
        left = (self.width() - columns * pitch + _GAP) // 2
        top = (self.height() - rows * pitch + _GAP) // 2
        return [
            QRect(left + (number % columns) * pitch, top + (number // columns) * pitch, side, side)
            for number in range(len(self._images))
        ]


def _image_of(picture: Picture) -> QImage:
    height, width = picture.shape
    return QImage(picture.data, width, height, picture.strides[0], QImage.Format.Format_Grayscale8)
