"""A small card near the mouse with the picture behind a point."""

import numpy as np
from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from core.shapes import Picture
from explorer.theme import current_palette

PICTURE_PX = 84
PADDING = 8
AWAY = 18
MAX_TEXT_PX = 220


def card_place(size: QSize, mouse: QPoint, bounds: QRect) -> QRect:
    """Return where a card stands: beside the mouse, on the side with room, never over the edge of `bounds`."""
    x = mouse.x() + AWAY
    if x + size.width() > bounds.right() - 3:
        x = mouse.x() - AWAY - size.width()
    y = mouse.y() + AWAY
    if y + size.height() > bounds.bottom() - 3:
        y = mouse.y() - AWAY - size.height()
    x = max(bounds.left() + 4, min(x, bounds.right() - 3 - size.width()))
    y = max(bounds.top() + 4, min(y, bounds.bottom() - 3 - size.height()))
    return QRect(QPoint(x, y), size)


class HoverCard(QWidget):
    """Shows one picture on the fixed grey scale with lines of text; the mouse goes through it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._canvas = parent
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("Picture behind the point under the mouse")
        self._picture: Picture = np.zeros((0, 0), dtype=np.uint8)
        self._lines: list[str] = []
        self.hide()

    def show_picture(self, picture: Picture, text: str, mouse: QPoint) -> None:
        """Show a picture (grey levels 0..255) and a text near the mouse."""
        self._picture = np.ascontiguousarray(picture)
        metrics = QFontMetrics(self.font())
        self._lines = [
            metrics.elidedText(line, Qt.TextElideMode.ElideRight, MAX_TEXT_PX) for line in text.splitlines() if line
        ]
        shown = self._picture_size()
        widest = max((metrics.horizontalAdvance(line) for line in self._lines), default=0)
        height = shown.height() + metrics.lineSpacing() * len(self._lines) + (5 if self._lines else 0)
        self.resize(max(shown.width(), widest) + 2 * PADDING, height + 2 * PADDING)
        self.follow(mouse)
        self.raise_()
        self.show()
        self.update()

    def follow(self, mouse: QPoint) -> None:
        """Move beside the mouse."""
        self.setGeometry(card_place(self.size(), mouse, self._canvas.rect()))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        """Paint card, picture and text."""
        colours = current_palette()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(colours.border), 1.0))
        painter.setBrush(QColor(colours.base))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6.0, 6.0)
        shown = self._picture_size()
        if self._picture.size:
            height, width = self._picture.shape
            image = QImage(self._picture.data, width, height, width, QImage.Format.Format_Grayscale8)
            place = QRect(QPoint((self.width() - shown.width()) // 2, PADDING), shown)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.drawImage(place, image)
        painter.setFont(self.font())
        painter.setPen(QColor(colours.text))
        metrics = QFontMetrics(self.font())
        top = PADDING + shown.height() + 5
        for number, line in enumerate(self._lines):
            place = QRect(0, top + number * metrics.lineSpacing(), self.width(), metrics.lineSpacing())
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, line)
        painter.end()

    def _picture_size(self) -> QSize:
        """A whole number of screen pixels for each of the picture's, as long as that stays near 84 px."""
        if not self._picture.size:
            return QSize(0, 0)
        height, width = self._picture.shape
        factor = PICTURE_PX / max(height, width)
        factor = float(round(factor)) if factor >= 1.0 else factor
        return QSize(max(round(width * factor), 1), max(round(height * factor), 1))
