"""The middle of the window: the canvas, and beside it, when two models are compared, the canvas of the second."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QPushButton, QSplitter, QVBoxLayout, QWidget

from explorer.messages import OfferedModel
from explorer.views.canvas import LatentCanvas
from explorer.views.compare.head import head
from explorer.views.hand_panel import HandPanel
from explorer.views.icon_button import IconButton
from explorer.views.model_menu import ModelMenu
from explorer.views.panels.frame import ElidedLabel
from explorer.views.sliders import SlidersPanel

if TYPE_CHECKING:
    from explorer.views.compare.pictures import ComparedImage, ComparedPictures, ModelView
    from explorer.views.compare.second import SecondModel


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
        self._title = ElidedLabel(bold=True)
        self._head = head(self._title)
        self._head.hide()
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setChildrenCollapsible(False)
        first = QWidget()
        under = QVBoxLayout(first)
        under.setContentsMargins(0, 0, 0, 0)
        under.setSpacing(0)
        under.addWidget(self._head)
        under.addWidget(canvas, 1)
        self._splitter.addWidget(first)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self._splitter, 1)
        self._comparing = False

    @cached_property
    def _beside(self) -> "SecondModel":
        # Another canvas and what belongs to it take as long as the first: only who compares two models waits for it.
        from explorer.views.compare.second import SecondModel  # noqa: PLC0415 - as above

        made = SecondModel()
        for hidden in (made, made.pictures):
            hidden.hide()
        made.close_requested.connect(self.close_requested)
        made.model_chosen.connect(self.model_chosen)
        made.file_wanted.connect(self.file_wanted)
        made.models_wanted.connect(self.models_wanted)
        self._splitter.addWidget(made)
        for side in (0, 1):
            self._splitter.setStretchFactor(side, 1)
        self._column.addWidget(made.pictures)
        return made

    @property
    def second(self) -> LatentCanvas:
        """The second model's canvas."""
        return self._beside.canvas

    @property
    def second_sliders(self) -> SlidersPanel:
        """The second latent space's sliders, which are not shown."""
        return self._beside.sliders

    @property
    def second_hand(self) -> HandPanel:
        """The second latent space's pictures, which are not shown."""
        return self._beside.hand

    @property
    def pictures(self) -> "ComparedPictures":
        """What both models make of one image."""
        return self._beside.pictures

    @property
    def menu(self) -> ModelMenu:
        """The models that can be compared with."""
        return self._beside.menu

    @property
    def change(self) -> QPushButton:
        """The button that opens the menu."""
        return self._beside.change

    @property
    def end(self) -> IconButton:
        """The button that ends the comparison."""
        return self._beside.end

    @property
    def comparing(self) -> bool:
        """Whether the second canvas is shown."""
        return self._comparing

    @property
    def titles(self) -> tuple[str, str]:
        """What stands above the canvases."""
        return self._title.text(), self._beside.title.text()

    def set_comparing(self, comparing: bool) -> None:  # noqa: FBT001 - a Qt setter
        """Show the second canvas and the pictures, or the first canvas alone."""
        if comparing == self._comparing:
            return
        self._comparing = comparing
        self._head.setVisible(comparing)
        self._beside.setVisible(comparing)
        self.pictures.setVisible(comparing)
        if comparing:
            half = max(self._splitter.width() // 2, 1)
            self._splitter.setSizes([half, half])

    def set_models(self, views: "tuple[ModelView, ModelView]") -> None:
        """Name the two models."""
        for title, view in zip((self._title, self._beside.title), views, strict=True):
            title.set_text(view.title)
        self.pictures.set_models(views)

    def set_image(self, compared: "ComparedImage | None") -> None:
        """Show what both models make of an image."""
        self.pictures.set_image(compared)

    def set_offered(self, models: tuple[OfferedModel, ...]) -> None:
        """List the models that the open one can be compared with."""
        self.menu.show_models(models)

    def open_menu(self) -> None:
        """Let the user choose a model to compare with."""
        self.menu.popup(self._canvas.mapToGlobal(QPoint(self._canvas.width() // 2, 8)))
