"""A picture in the making: pixels that are not there yet are not black, and the next one is marked."""

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.findings.pixel_sampling import Mask
from core.shapes import Picture
from explorer.theme import current_palette

_LEAST_MARK_PX = 7.0
_CAPTION_GAP = 6


class PixelPicture(QWidget):
    """One picture (height, width) on the fixed grey scale; hatched where nothing is known."""

    def __init__(self, caption: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._caption = caption
        self.picture: Picture | None = None
        """What is shown."""
        self.known: Mask | None = None
        """Where it is shown; the rest is hatched."""
        self.mark: tuple[int, int] | None = None
        """Row and column of the pixel whose turn it is."""
        self._image = QImage()
        self._pixels: np.ndarray[tuple[int, int], np.dtype[np.uint32]] | None = None
        self.setAccessibleName(caption)
        self.setToolTip(tip)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(96, 120)

    def set_picture(self, picture: Picture | None, known: Mask | None, mark: tuple[int, int] | None) -> None:
        """Show the known pixels of a picture, and mark one."""
        self.picture, self.known, self.mark = picture, known, mark
        if picture is None or known is None:
            self._image, self._pixels = QImage(), None
        else:
            # Opaque grey where a pixel is there, nothing elsewhere; the image wraps the array, which has to stay.
            self._pixels = np.where(known, 0xFF000000 + picture.astype(np.uint32) * 0x010101, 0).astype(np.uint32)
            height, width = picture.shape
            self._image = QImage(self._pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32)
        self.update()

    def picture_rect(self) -> QRectF:
        """Return where the picture is painted; empty when there is none."""
        if self.picture is None:
            return QRectF()
        room = QSize(self.width() - 2, self.height() - self._caption_height() - 2)
        height, width = self.picture.shape
        zoom = max(min(room.width() / width, room.height() / height), 0.1)
        if zoom >= 1.0:
            zoom = float(int(zoom))
        size = (width * zoom, height * zoom)
        left, top = (self.width() - size[0]) // 2, (self.height() - self._caption_height() - size[1]) // 2
        return QRectF(left, max(top, 1), *size)

    def pixel_rect(self, row: int, column: int) -> QRectF:
        """Return where a pixel is painted."""
        where = self.picture_rect()
        if self.picture is None:
            return where
        height, width = self.picture.shape
        across, down = where.width() / width, where.height() / height
        return QRectF(where.left() + column * across, where.top() + row * down, across, down)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return a comfortable size."""
        return QSize(280, 280 + self._caption_height())

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        """Paint hatching, pixels, frame, mark and caption."""
        colours = current_palette()
        painter = QPainter(self)
        where = self.picture_rect()
        if not where.isEmpty():
            painter.fillRect(where, QColor(colours.canvas))
            painter.fillRect(where, QBrush(QColor(colours.control), Qt.BrushStyle.BDiagPattern))
            painter.drawImage(where, self._image)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(colours.border), 1.0))
            painter.drawRect(where.adjusted(-0.5, -0.5, 0.5, 0.5))
            if self.mark is not None:
                self._paint_mark(painter, self.pixel_rect(*self.mark))
        painter.setPen(QColor(colours.muted_text))
        bottom = where.bottom() if not where.isEmpty() else self.height() - self._caption_height()
        line = QRectF(0.0, bottom + _CAPTION_GAP, self.width(), self.fontMetrics().height())
        painter.drawText(line, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, self._caption)
        painter.end()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Paint anew in another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.update()

    def _paint_mark(self, painter: QPainter, pixel: QRectF) -> None:
        grown = max(_LEAST_MARK_PX - pixel.width(), 0.0) / 2.0
        ring = pixel.adjusted(-grown, -grown, grown, grown)
        painter.setPen(QPen(QColor(current_palette().handle_outline), 4.0))
        painter.drawRect(ring)
        painter.setPen(QPen(QColor(current_palette().handle), 2.0))
        painter.drawRect(ring)

    def pixel_at(self, place: QPointF) -> tuple[int, int] | None:
        """Return row and column of the pixel at a place of the widget; None beside the picture."""
        where = self.picture_rect()
        if self.picture is None or not where.contains(place):
            return None
        height, width = self.picture.shape
        row = int((place.y() - where.top()) / where.height() * height)
        column = int((place.x() - where.left()) / where.width() * width)
        return min(row, height - 1), min(column, width - 1)

    def _caption_height(self) -> int:
        return self.fontMetrics().height() + _CAPTION_GAP + 2
