"""Similar input, similar code: clouds of codes under noise, and nearest neighbours."""

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from core.config import ModelConfig
from core.shapes import Picture, PictureStack
from explorer.messages import OfferedModel
from explorer.views.dock_panel import DockPanel
from explorer.views.model_menu import ModelMenu
from explorer.views.panels.frame import ElidedLabel
from explorer.views.similar.column import CloudColumn
from explorer.views.similar.controls import NoiseControls, NoiseSettings
from explorer.views.similar.neighbours import NeighbourPictures, NeighbourRows
from explorer.views.similar.thumbnail import Thumbnail

MOST_BESIDE = 2
NUM_EXAMPLES = 5
# With this height there is room for the cloud and the neighbours below each other.
_TALL = 400


class SimilarPanel(DockPanel):
    """Clouds of noisy copies under up to three models, and the image's nearest neighbours."""

    noise_changed = Signal(NoiseSettings)
    new_noise_requested = Signal()
    model_chosen = Signal(Path)
    """A model file is to be laid beside the open model."""
    file_wanted = Signal()
    models_wanted = Signal()
    """The menu of models opens: `set_offered` is to say which there are."""
    model_removed = Signal(int)
    """The slot of a model beside the open one: 1 or 2."""
    image_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Similar images")
        self.controls = NoiseControls()
        self.columns = tuple(CloudColumn(slot) for slot in range(MOST_BESIDE + 1))
        self.neighbours = NeighbourRows()
        self.clean = Thumbnail("", "The image as the model sees it, without noise.", least_side=40)
        self.examples = tuple(Thumbnail("", "One of the noisy copies.", least_side=40) for _ in range(NUM_EXAMPLES))
        for view, name in ((self.clean, "clean image"), *((view, "noisy copy") for view in self.examples)):
            view.setAccessibleName(name)
        self.close_up = QPushButton("Close-up")
        self.close_up.setCheckable(True)
        self.close_up.setToolTip("Show each cloud as large as it fits: every map then has a scale of its own")
        self._reason = QLabel()
        self._reason.setProperty("role", "muted")
        self._reason.setWordWrap(True)
        self._note = ElidedLabel(muted=True)
        self.menu = ModelMenu("Add a model", self)
        self.menu.aboutToShow.connect(self.models_wanted)
        self.add = QPushButton("Add a model…")
        self.add.setToolTip("Lay an autoencoder, a denoising autoencoder or a VAE beside the open model")
        self.add.setMenu(self.menu)
        self.cloud_button, self.neighbours_button = _page_button("Cloud"), _page_button("Neighbours")
        self.cloud_button.setChecked(True)
        self._pages = QButtonGroup(self)
        for button in (self.cloud_button, self.neighbours_button):
            self._pages.addButton(button)
        self._switch = QWidget()
        self._build()
        self._connect()
        self._arrange()
        for column in self.columns[1:]:
            column.hide()
        self.set_reason("")

    def _build(self) -> None:
        switch = QHBoxLayout(self._switch)
        switch.setContentsMargins(0, 0, 0, 0)
        switch.setSpacing(4)
        for button in (self.cloud_button, self.neighbours_button):
            switch.addWidget(button)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._switch)
        head.addWidget(self._note, 1)
        head.addWidget(self.close_up)
        head.addWidget(self.add)
        pictures = QGridLayout()
        pictures.setSpacing(4)
        for place, view in enumerate((self.clean, *self.examples)):
            pictures.addWidget(view, place // 3, place % 3)
        noise = QVBoxLayout()
        noise.setSpacing(8)
        noise.addWidget(self.controls)
        noise.addLayout(pictures, 1)
        self._cloud_page = QWidget()
        row = QHBoxLayout(self._cloud_page)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        row.addLayout(noise, 2)
        for column in self.columns:
            row.addWidget(column, 3)
        self._body = QWidget()
        body = QVBoxLayout(self._body)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(8)
        body.addLayout(head)
        body.addWidget(self._cloud_page, 1)
        body.addWidget(self.neighbours, 1)
        self._body.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(12, 8, 12, 8)
        whole.addWidget(self._reason)
        whole.addWidget(self._body, 1)
        whole.addStretch(0)

    def _connect(self) -> None:
        self.controls.changed.connect(self.noise_changed)
        self.controls.new_noise_requested.connect(self.new_noise_requested)
        self.neighbours.image_chosen.connect(self.image_chosen)
        self.menu.chosen.connect(self.model_chosen)
        self.menu.file_wanted.connect(self.file_wanted)
        self._pages.buttonClicked.connect(self._arrange)
        for column in self.columns:
            self.close_up.toggled.connect(column.canvas.set_close_up)
            column.remove_requested.connect(self.model_removed)
        # In this panel R means its own noise; the window's command of that key is for the points of q.
        for child in self.findChildren(QWidget):
            child.installEventFilter(self)

    # What the session shows

    def set_reason(self, text: str) -> None:
        """Say, in a sentence, why there is nothing to show; an empty text takes it away."""
        self._reason.setText(text)
        self._reason.setVisible(bool(text))
        self._body.setVisible(not text)

    @property
    def reason(self) -> str:
        """Why there is nothing to show."""
        return self._reason.text()

    def set_note(self, text: str) -> None:
        """Say what the noisy copies are copies of, or what could not be done."""
        self._note.set_text(text)

    @property
    def note(self) -> str:
        """What is said beside the controls."""
        return self._note.text()

    def set_offered(self, models: tuple[OfferedModel, ...]) -> None:
        """List the models that can be laid beside the open one."""
        self.menu.show_models(models)

    def set_column(self, slot: int, title: str, config: ModelConfig | None) -> None:
        """Show a model in a slot, or (None) nothing there."""
        if config is not None:
            self.columns[slot].set_model(title, config)
        self.columns[slot].setVisible(config is not None)
        self._arrange()

    def set_examples(self, pictures: PictureStack | None) -> None:
        """Show a few of the noisy copies."""
        for place, view in enumerate(self.examples):
            view.set_picture(None if pictures is None or place >= len(pictures) else pictures[place])

    def set_clean(self, picture: Picture | None) -> None:
        """Show the image without noise."""
        self.clean.set_picture(picture)

    def set_neighbours(self, shown: NeighbourPictures | None) -> None:
        """Show the nearest images."""
        self.neighbours.set_neighbours(shown)

    # What Qt tells the panel

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Draw other noise at R, whatever in the panel has the focus."""
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_R and not event.modifiers():
            if event.type() == QEvent.Type.ShortcutOverride:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress:
                self.new_noise_requested.emit()
                return True
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Show both parts where there is room."""
        super().resizeEvent(event)
        self._arrange()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Measure anew in another font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "_switch"):
            self._arrange()

    def _arrange(self) -> None:
        tall = self.height() >= _TALL
        cloud = self.cloud_button.isChecked()
        self._switch.setVisible(not tall)
        self._cloud_page.setVisible(tall or cloud)
        self.close_up.setVisible(tall or cloud)
        self.add.setVisible((tall or cloud) and any(column.isHidden() for column in self.columns[1:]))
        self.neighbours.setVisible(tall or not cloud)


def _page_button(text: str) -> QPushButton:
    button = QPushButton(text)
    button.setCheckable(True)
    return button
