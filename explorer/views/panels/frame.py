"""What the panels have in common: a heading, muted lines, even distances."""

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from explorer.theme import current_palette

MARGIN = 12


class Panel(QWidget):
    """A part of the experiment with its heading."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(title)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(MARGIN, 10, MARGIN, 12)
        self.column.setSpacing(6)
        self.column.addWidget(heading(title))


class ElidedLabel(QWidget):
    """One line of text, cut where there is no room, in the middle if not said otherwise; the whole is the tooltip."""

    def __init__(
        self,
        *,
        bold: bool = False,
        muted: bool = False,
        cut: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._text = ""
        self._muted = muted
        self._cut = cut
        font = self.font()
        font.setBold(bold)
        self.setFont(font)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def text(self) -> str:
        """Return the whole text."""
        return self._text

    def set_text(self, text: str, tip: str = "") -> None:
        """Show a text."""
        if (text, tip or text) == (self._text, self.toolTip()):
            return
        self._text = text
        self.setAccessibleName(text)
        self.setToolTip(tip or text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the size of the whole text."""
        return QSize(self.fontMetrics().horizontalAdvance(self._text), self.fontMetrics().height() + 2)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the size of a few letters."""
        return QSize(self.fontMetrics().averageCharWidth() * 4, self.fontMetrics().height() + 2)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint what fits."""
        painter = QPainter(self)
        colours = current_palette()
        painter.setPen(QColor(colours.muted_text if self._muted else colours.text))
        shown = self.fontMetrics().elidedText(self._text, self._cut, self.width())
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), shown)
        painter.end()
        event.accept()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Repaint in a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.update()


def heading(text: str) -> QLabel:
    """Return a panel's heading."""
    label = QLabel(text)
    label.setProperty("role", "heading")
    font = label.font()
    font.setPointSizeF(font.pointSizeF() * 1.12)
    label.setFont(font)
    return label


def muted_line(text: str = "") -> QLabel:
    """Return a line of secondary text that wraps; hidden while it is empty."""
    label = QLabel(text)
    label.setProperty("role", "muted")
    label.setWordWrap(True)
    # To show it before it has a place would open a window of its own.
    if not text:
        label.hide()
    return label


def show_text(label: QLabel, text: str) -> None:
    """Show a text, or hide the label where there is none."""
    if label.text() != text:
        label.setText(text)
    label.setVisible(bool(text))
