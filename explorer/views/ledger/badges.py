"""Badges: short statements of how far a number can be trusted."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer.theme import current_palette
from explorer.views.ground import paint_ground, stand_on_ground

TONES = {"good": "success", "doubtful": "note", "plain": "muted_text"}
"""The palette's colour of each tone."""


class Badge(QWidget):
    """A line of text in a rounded outline, with a dot in the colour of its tone; hidden while it is empty."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        stand_on_ground(self)
        self.text = ""
        self.tone = "plain"
        self._room = 0
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.hide()

    def set_text(self, text: str, tone: str = "plain", *, widest: str = "") -> None:
        """Say something; `widest` keeps room for a longer text, so that changing digits do not move what follows."""
        if (text, tone) == (self.text, self.tone):
            return
        self.text, self.tone = text, tone
        self.setAccessibleDescription(text)
        metrics = QFontMetricsF(self.font())
        room = round(max(metrics.horizontalAdvance(text), metrics.horizontalAdvance(widest)))
        if room != self._room:
            self._room = room
            self.updateGeometry()
        if self.isHidden() == bool(text):
            self.setVisible(bool(text))
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the size of the text in its outline."""
        return QSize(self._room + 28, self.fontMetrics().height() + 6)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the size hint."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint outline, dot and text."""
        colours = current_palette()
        colour = QColor(getattr(colours, TONES[self.tone]))
        painter = QPainter(self)
        paint_ground(painter, event.rect())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        fill = QColor(colour)
        fill.setAlpha(26)
        edge = QColor(colour)
        edge.setAlpha(120)
        painter.setPen(QPen(edge, 1.0))
        painter.setBrush(fill)
        painter.drawRoundedRect(box, 0.5 * box.height(), 0.5 * box.height())
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(QRectF(9.0, box.center().y() - 3.0, 6.0, 6.0))
        painter.setPen(QColor(colours.text))
        metrics = painter.fontMetrics()
        base = (self.height() + metrics.ascent() - metrics.descent()) / 2.0
        painter.drawText(QPointF(20.0, base), self.text)
        painter.end()
