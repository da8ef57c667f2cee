"""Two combo boxes that choose which latent dimensions the canvas shows."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QWidget

from explorer.theme import current_palette
from explorer.views.canvas.faces import paint_panel
from explorer.views.canvas.scales import axis_name


class AxisChooser(QWidget):
    """Chooses two different axes; picking the one the other box shows swaps them."""

    axes_chosen = Signal(int, int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_NoMousePropagation)
        self._axes = (0, 1)
        self.horizontal = self._box("Horizontal axis", "Latent dimension shown from left to right")
        self.vertical = self._box("Vertical axis", "Latent dimension shown from bottom to top")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(5)
        for text, box in (("→", self.horizontal), ("↑", self.vertical)):
            label = QLabel(text, self)
            label.setBuddy(box)
            layout.addWidget(label)
            layout.addWidget(box)
        self.horizontal.activated.connect(self._choose_horizontal)
        self.vertical.activated.connect(self._choose_vertical)

    def set_latent_dim(self, latent_dim: int) -> None:
        """Offer the dimensions of a model."""
        for box in (self.horizontal, self.vertical):
            box.clear()
            box.addItems([axis_name(dimension) for dimension in range(latent_dim)])

    def set_axes(self, axes: tuple[int, int]) -> None:
        """Show which axes are chosen."""
        self._axes = axes
        self.horizontal.setCurrentIndex(axes[0])
        self.vertical.setCurrentIndex(axes[1])

    def event(self, event: QEvent) -> bool:
        """Keep the size the boxes ask for: a theme or font gives them another, and no layout is around this widget."""
        handled = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self.adjustSize()
        return handled

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        """Paint a veil, so that the boxes are not lost among points."""
        painter = QPainter(self)
        paint_panel(painter, *self.size().toTuple(), current_palette())
        painter.end()

    def _box(self, name: str, tip: str) -> QComboBox:
        box = QComboBox(self)
        box.setAccessibleName(name)
        box.setToolTip(tip)
        # Never empty: Qt keeps the least width it has once measured, and an empty box asks for much.
        box.addItems([axis_name(0), axis_name(1)])
        box.setMinimumContentsLength(3)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        box.setMaxVisibleItems(16)
        return box

    def _choose_horizontal(self, chosen: int) -> None:
        self._choose(chosen, self._axes[0] if chosen == self._axes[1] else self._axes[1])

    def _choose_vertical(self, chosen: int) -> None:
        self._choose(self._axes[1] if chosen == self._axes[0] else self._axes[0], chosen)

    def _choose(self, horizontal: int, vertical: int) -> None:
        if (horizontal, vertical) != self._axes:
            self.set_axes((horizontal, vertical))
            self.axes_chosen.emit(horizontal, vertical)
