"""What the window has beside its own for the model that the open one is compared with."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from explorer.views.canvas import LatentCanvas
from explorer.views.compare.head import head
from explorer.views.compare.pictures import ComparedPictures
from explorer.views.hand_panel import HandPanel
from explorer.views.icon_button import IconButton
from explorer.views.model_menu import ModelMenu
from explorer.views.panels.frame import ElidedLabel
from explorer.views.sliders import SlidersPanel


class SecondModel(QWidget):
    """A canvas under a head that names the model; and the pictures by both models, for below the canvases."""

    close_requested = Signal()
    model_chosen = Signal(Path)
    file_wanted = Signal()
    models_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = LatentCanvas()
        self.canvas.setAccessibleName("Latent canvas of the second model")
        self.canvas.setMinimumSize(160, 120)
        # The second latent space has them as the first has; what they would show stands below the canvases.
        self.sliders, self.hand = SlidersPanel(self), HandPanel()
        self.hand.setParent(self)
        for unseen in (self.sliders, self.hand):
            unseen.hide()
        self.pictures = ComparedPictures()
        self.menu = ModelMenu("Compare with", self)
        self.menu.aboutToShow.connect(self.models_wanted)
        self.menu.chosen.connect(self.model_chosen)
        self.menu.file_wanted.connect(self.file_wanted)
        self.title = ElidedLabel(bold=True)
        self.change = QPushButton("Another…")
        self.change.setToolTip("Compare with another model")
        self.change.setMenu(self.menu)
        self.end = IconButton("close", "End the comparison", "End the comparison (F7)")
        self.end.clicked.connect(self.close_requested)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(head(self.title, self.change, self.end))
        column.addWidget(self.canvas, 1)
