"""A row of figures, each above its name; painted, so that a digit never arranges the panel anew."""

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from explorer.theme import current_palette


@dataclass(frozen=True, slots=True)
class Figure:
    """One number with its unit, what it is in a word or two, and in a sentence."""

    text: str
    name: str
    tip: str = ""


class FigureRow(QWidget):
    """Figures side by side."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._figures: tuple[Figure, ...] = ()
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The figures shown."""
        return self._figures

    def set_figures(self, figures: tuple[Figure, ...]) -> None:
        """Show figures."""
        self._figures = figures
        self.setAccessibleDescription(", ".join(f"{figure.name} {figure.text}" for figure in figures))
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return two lines' height; any width will do."""
        return QSize(0, self.fontMetrics().height() + QFontMetrics(self._small()).height() + 2)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the size hint."""
        return self.sizeHint()

    def event(self, event: QEvent) -> bool:
        """Show a figure's sentence as its tool tip."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip and self._figures:
            index = event.pos().x() * len(self._figures) // max(self.width(), 1)
            QToolTip.showText(event.globalPos(), self._figures[min(max(index, 0), len(self._figures) - 1)].tip, self)
            return True
        return super().event(event)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        """Paint the figures."""
        colours = current_palette()
        painter = QPainter(self)
        bold, small = QFont(self.font()), self._small()
        bold.setWeight(QFont.Weight.DemiBold)
        above = self.fontMetrics().height()
        each = self.width() / max(len(self._figures), 1)
        centred = int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        for number, figure in enumerate(self._figures):
            painter.setFont(bold)
            painter.setPen(QColor(colours.text))
            painter.drawText(QRectF(number * each, 0.0, each, above), centred, figure.text)
            painter.setFont(small)
            painter.setPen(QColor(colours.muted_text))
            name = QFontMetrics(small).elidedText(figure.name, Qt.TextElideMode.ElideRight, int(each))
            painter.drawText(QRectF(number * each, above, each, self.height() - above), centred, name)
        painter.end()

    def _small(self) -> QFont:
        font = QFont(self.font())
        font.setPointSizeF(max(font.pointSizeF() * 0.88, 7.0))
        return font
