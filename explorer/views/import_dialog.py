"""Importing a folder or an array: how its pictures become the model's, with a preview."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from core.config import DataConfig, ExperimentConfig
from explorer.messages import Failed, ImportPreview
from explorer.views.forms import SectionForm, commit_pending_edit
from explorer.views.panels.frame import ElidedLabel, heading, muted_line, show_text
from explorer.views.panels.summaries import counted
from explorer.views.preview_grid import PreviewGrid

# Long enough to type a number, short enough to feel live.
DEBOUNCE_MS = 200
_NAMES = ("image_size", "fit", "invert", "subfolder_labels", "held_out_fraction", "binarisation", "data_seed")


class ImportDialog(QDialog):
    """Asks how pictures are imported; not modal, and each choice is seen at once."""

    preview_requested = Signal(DataConfig)
    accepted_config = Signal(DataConfig)
    """The import is to be done; the dialog stays until it is closed, or `set_preview` says what went wrong."""

    def __init__(self, config: DataConfig, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Import pictures")
        self.setModal(False)
        self._config = config
        self._shown: DataConfig | None = None
        self._importing = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DEBOUNCE_MS)
        self._timer.timeout.connect(self._request)
        self._form = SectionForm("data", _NAMES)
        self._form.set_config(replace(ExperimentConfig(), data=config))
        self._form.edited.connect(self._edited)
        self._form.validity_changed.connect(self._refresh)
        self._source = ElidedLabel(bold=True)
        self._source.set_text(Path(config.source).name or config.source, config.source)
        self._where = ElidedLabel(muted=True)
        self._where.set_text(str(Path(config.source).parent))
        self._counts = muted_line()
        self._note = muted_line()
        self._error = QLabel()
        self._error.setProperty("role", "error")
        self._error.setWordWrap(True)
        self._error.hide()
        self._grid = PreviewGrid()
        self._grid.set_pictures((), "Reading the first pictures…")
        self._buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        # While Import waits for a preview, Enter in a field must not fall to the other button.
        self._buttons.button(QDialogButtonBox.StandardButton.Cancel).setAutoDefault(False)
        self._import = QPushButton("Import")
        self._import.setProperty("role", "primary")
        self._import.setDefault(True)
        self._import.setToolTip("Read all pictures in this way and explore them.")
        self._buttons.addButton(self._import, QDialogButtonBox.ButtonRole.AcceptRole)
        self._buttons.rejected.connect(self.reject)
        self._import.clicked.connect(self._accept)
        self._lay_out()
        self._refresh()

    @property
    def config(self) -> DataConfig:
        """The choices as they stand."""
        return self._config

    @property
    def form(self) -> SectionForm:
        """The form of the choices."""
        return self._form

    def set_preview(self, preview: ImportPreview | Failed) -> None:
        """Show what an import would give, or why it cannot be done; an answer to older choices is dropped."""
        if isinstance(preview, Failed):
            self._shown, self._importing = None, False
            self._grid.set_pictures((), "No preview")
            show_text(self._counts, "")
            show_text(self._note, "")
            show_text(self._error, preview.reason)
        elif preview.config == self._config:
            self._shown = preview.config
            self._grid.set_pictures(preview.pictures, "" if preview.pictures else "No pictures were found here.")
            show_text(self._counts, _counts_of(preview))
            show_text(self._note, preview.note)
            show_text(self._error, "")
        self._refresh()

    def _lay_out(self) -> None:
        left = QVBoxLayout()
        left.setSpacing(6)
        for widget in (heading("Source"), self._source, self._where, self._counts, self._note):
            left.addWidget(widget)
        left.addSpacing(10)
        left.addWidget(heading("How pictures are read"))
        left.addWidget(self._form)
        left.addWidget(self._error)
        left.addStretch(1)
        side = QWidget()
        side.setLayout(left)
        left.setContentsMargins(0, 0, 0, 0)
        side.setFixedWidth(300)
        frame = QFrame()
        frame.setObjectName("preview_frame")
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(8, 8, 8, 8)
        inside.addWidget(self._grid)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(side)
        row.addWidget(frame, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(16)
        column.addLayout(row, 1)
        column.addWidget(self._buttons)
        self.resize(820, 480)

    def _edited(self, name: str, value: object) -> None:
        self._config = DataConfig.from_mapping({**self._config.to_mapping(), name: value})
        self._importing = False
        self._timer.start()
        self._refresh()

    def _request(self) -> None:
        self.preview_requested.emit(self._config)

    def _accept(self) -> None:
        commit_pending_edit()
        if not self._form.is_valid:
            self._form.focus_first_error()
            return
        self._timer.stop()
        self._importing = True
        self._refresh()
        self.accepted_config.emit(self._config)

    def _refresh(self) -> None:
        ready = self._shown == self._config and self._grid.num_pictures > 0
        self._import.setEnabled(ready and self._form.is_valid and not self._importing)
        self._import.setText("Importing…" if self._importing else "Import")
        self._grid.setCursor(Qt.CursorShape.ArrowCursor if ready else Qt.CursorShape.BusyCursor)


def _counts_of(preview: ImportPreview) -> str:
    parts = [counted(preview.num_images, "picture")]
    if preview.num_broken:
        parts.append(f"{preview.num_broken:,} of them cannot be read")
    if preview.label_names:
        parts.append(counted(len(preview.label_names), "label"))
    return ", ".join(parts)
