"""The middle of the window: the canvas, and beside it, when two models are compared, the canvas of the second."""

from pathlib import Path

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSplitter, QVBoxLayout, QWidget

from explorer.messages import OfferedModel
from explorer.views.canvas import LatentCanvas
from explorer.views.compare.pictures import ComparedImage, ComparedPictures, ModelView
from explorer.views.hand_panel import HandPanel
from explorer.views.icon_button import IconButton
from explorer.views.model_menu import ModelMenu
from explorer.views.panels.frame import ElidedLabel
from explorer.views.sliders import SlidersPanel


class ComparePanel(QWidget):
    """Two canvases with one cursor and one drawing; the first is the window's own."""

    close_requested = Signal()
    model_chosen = Signal(Path)
    file_wanted = Signal()
    models_wanted = Signal()
    """The menu of models opens: `set_offered` is to say which there are."""

    def __init__(self, canvas: LatentCanvas, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self.second = LatentCanvas()
        self.second.setAccessibleName("Latent canvas of the second model")
        self.second.setMinimumSize(160, 120)
        # The second latent space has them as the first has; what they would show stands below the canvases.
        self.second_sliders, self.second_hand = SlidersPanel(self), HandPanel()
        self.second_hand.setParent(self)
        for unseen in (self.second_sliders, self.second_hand):
            unseen.hide()
        self.menu = ModelMenu("Compare with", self)
        self.menu.aboutToShow.connect(self.models_wanted)
        self.menu.chosen.connect(self.model_chosen)
        self.menu.file_wanted.connect(self.file_wanted)
        self.pictures = ComparedPictures()
        self._titles = (ElidedLabel(bold=True), ElidedLabel(bold=True))
        self.change = QPushButton("Another…")
        self.change.setToolTip("Compare with another model")
        self.change.setMenu(self.menu)
        self.end = IconButton("close", "End the comparison", "End the comparison (F7)")
        self.end.clicked.connect(self.close_requested)
        self._heads = (_head(self._titles[0]), _head(self._titles[1], self.change, self.end))
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setChildrenCollapsible(False)
        self._beside = _under(self._heads[1], self.second)
        self._splitter.addWidget(_under(self._heads[0], canvas))
        self._splitter.addWidget(self._beside)
        for side in (0, 1):
            self._splitter.setStretchFactor(side, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._splitter, 1)
        column.addWidget(self.pictures)
        self._comparing = True
        self.set_comparing(False)

    @property
    def comparing(self) -> bool:
        """Whether the second canvas is shown."""
        return self._comparing

    @property
    def titles(self) -> tuple[str, str]:
        """What stands above the canvases."""
        return self._titles[0].text(), self._titles[1].text()

    def set_comparing(self, comparing: bool) -> None:  # noqa: FBT001 - a Qt setter
        """Show the second canvas and the pictures, or the first canvas alone."""
        if comparing == self._comparing:
            return
        self._comparing = comparing
        self._heads[0].setVisible(comparing)
        self._beside.setVisible(comparing)
        self.pictures.setVisible(comparing)
        if comparing:
            half = max(self._splitter.width() // 2, 1)
            self._splitter.setSizes([half, half])

    def set_models(self, views: tuple[ModelView, ModelView]) -> None:
        """Name the two models."""
        for title, view in zip(self._titles, views, strict=True):
            title.set_text(view.title)
        self.pictures.set_models(views)

    def set_image(self, compared: ComparedImage | None) -> None:
        """Show what both models make of an image."""
        self.pictures.set_image(compared)

    def set_offered(self, models: tuple[OfferedModel, ...]) -> None:
        """List the models that the open one can be compared with."""
        self.menu.show_models(models)

    def open_menu(self) -> None:
        """Let the user choose a model to compare with."""
        self.menu.popup(self._canvas.mapToGlobal(QPoint(self._canvas.width() // 2, 8)))


def _head(title: ElidedLabel, *buttons: QWidget) -> QFrame:
    head = QFrame()
    head.setObjectName("tool_strip")
    row = QHBoxLayout(head)
    row.setContentsMargins(12, 3, 4, 3)
    row.setSpacing(4)
    row.addWidget(title, 1)
    for button in buttons:
        row.addWidget(button)
    head.setFixedHeight(34)
    return head


def _under(head: QWidget, canvas: QWidget) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    column.addWidget(head)
    column.addWidget(canvas, 1)
    return holder
