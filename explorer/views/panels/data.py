"""The data panel: which images, how many, and how the model sees them."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QWidget

from core.config import DataConfig, ExperimentConfig
from explorer.messages import DataInfo
from explorer.views.forms import SectionForm
from explorer.views.panels.frame import Panel, muted_line, show_text
from explorer.views.panels.summaries import counts_of_data, labels_of_data

_EMBEDDED = (
    ("mnist", "MNIST", "70,000 handwritten digits, 28 × 28."),
    ("shapes", "Shapes", "Squares, ellipses and hearts of known position, scale and rotation."),
)
_OPEN_FILE, _OPEN_FOLDER = "\0file", "\0folder"


class DataPanel(Panel):
    """Chooses the data and says what is open."""

    open_data_requested = Signal()
    """A data file is to be asked for."""
    open_folder_requested = Signal()
    """A folder of pictures is to be asked for."""
    data_chosen = Signal(str)
    """Source of an embedded data set or of the one opened before, as DataConfig.source takes it."""
    setting_edited = Signal(str, str, object)
    """Section, name and valid value."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Data", parent)
        self._source = "mnist"
        self._own: tuple[str, str] | None = None
        self._box = QComboBox()
        self._box.setAccessibleName("Data set")
        self._box.setToolTip("The images to train on and to explore.")
        self._box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._box.setMinimumContentsLength(8)
        self._box.activated.connect(self._chosen)
        self._counts = muted_line()
        self._labels = muted_line()
        self._note = muted_line()
        self._form = SectionForm("data", ("binarisation",))
        self._form.edited.connect(self._form_edited)
        for widget in (self._box, self._counts, self._labels, self._note, self._form):
            self.column.addWidget(widget)
        self._fill()

    def set_data(self, data: DataInfo) -> None:
        """Show the open data; no intent is emitted."""
        self._source = data.config.source
        if self._source not in {name for name, _, _ in _EMBEDDED}:
            self._own = (self._source, data.name or Path(self._source).name)
        self._fill()
        show_text(self._counts, counts_of_data(data))
        show_text(self._labels, labels_of_data(data))
        show_text(self._note, data.note)
        self._form.set_values({"binarisation": data.config.binarisation})

    def set_config(self, config: ExperimentConfig) -> None:
        """Show the settings of the next run; no intent is emitted."""
        self._form.set_config(config)

    def set_running(self, running: bool) -> None:  # noqa: FBT001 - a Qt setter
        """Keep the data during a run."""
        if running and self.window().focusWidget() is self._box:
            # Qt would pass the focus of a disabled field to whatever comes next.
            self._box.clearFocus()
        self._box.setEnabled(not running)
        self._box.setToolTip(
            "The data stays while a model trains on it." if running else "The images to train on and to explore."
        )
        self._form.set_running(running)

    @property
    def is_valid(self) -> bool:
        """Whether every field holds an allowed value."""
        return self._form.is_valid

    @property
    def config(self) -> DataConfig:
        """The settings this panel shows, beside the source."""
        return DataConfig.from_mapping(self._form.values())

    def _fill(self) -> None:
        self._box.clear()
        for name, text, tip in _EMBEDDED:
            self._box.addItem(text, name)
            self._box.setItemData(self._box.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        if self._own is not None:
            source, text = self._own
            self._box.addItem(text, source)
            self._box.setItemData(self._box.count() - 1, source, Qt.ItemDataRole.ToolTipRole)
        self._box.insertSeparator(self._box.count())
        self._box.addItem("Open file…", _OPEN_FILE)
        self._box.addItem("Open folder of pictures…", _OPEN_FOLDER)
        self._show_source()

    def _show_source(self) -> None:
        self._box.setCurrentIndex(self._box.findData(self._source))

    def _chosen(self) -> None:
        chosen = str(self._box.currentData())
        # What is open stays shown until the owner says that something else is.
        self._show_source()
        if chosen == _OPEN_FILE:
            self.open_data_requested.emit()
        elif chosen == _OPEN_FOLDER:
            self.open_folder_requested.emit()
        elif chosen != self._source:
            self.data_chosen.emit(chosen)

    def _form_edited(self, name: str, value: object) -> None:
        self.setting_edited.emit("data", name, value)
