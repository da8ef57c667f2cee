"""The distribution of one pixel as a bar: each grey level as wide as it is likely."""

from PySide6.QtCore import QEvent, QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer.theme import current_palette


class LevelBar(QWidget):
    """Black at the left, white at the right; empty for a density, which has no probabilities."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.probabilities: tuple[float, ...] = ()
        """Of each level, from black to white."""
        self.setAccessibleName("Distribution of the next pixel")
        self.setToolTip("p(xᵢ | x₁ … xᵢ₋₁): each grey level is as wide as it is likely.")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_probabilities(self, probabilities: tuple[float, ...]) -> None:
        """Show a distribution; an empty one where there is none."""
        if probabilities != self.probabilities:
            self.probabilities = probabilities
            self.setAccessibleDescription(", ".join(f"{share:.3f}" for share in probabilities))
            self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the height of a bar; any width will do."""
        return QSize(120, max(self.fontMetrics().height() - 2, 12))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        """Paint the levels side by side in their greys."""
        if not self.probabilities:
            return
        colours = current_palette()
        painter = QPainter(self)
        whole = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        left, total = whole.left(), max(sum(self.probabilities), 1e-12)
        for level, share in enumerate(self.probabilities):
            width = whole.width() * share / total
            grey = round(255 * level / (len(self.probabilities) - 1))
            painter.fillRect(QRectF(left, whole.top(), width, whole.height()), QColor(grey, grey, grey))
            left += width
        painter.setPen(QPen(QColor(colours.control), 1.0))
        painter.drawRect(whole)
        painter.end()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Paint anew in another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.update()
