"""Asking for files: dialogs that are not modal and answer with a signal."""

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QWidget


@dataclass(frozen=True, slots=True)
class _Question:
    """What a dialog asks for."""

    title: str
    mode: QFileDialog.FileMode
    filters: str = ""
    suffix: str = ""


_Mode = QFileDialog.FileMode
_QUESTIONS = {
    "model": _Question("Open model", _Mode.ExistingFile, "Models and weights (*.safetensors *.pt *.pth *.ckpt)"),
    "compare": _Question("Compare with a model", _Mode.ExistingFile, "Models (*.safetensors)"),
    "similar": _Question("Lay a model beside the open one", _Mode.ExistingFile, "Models (*.safetensors)"),
    "data": _Question("Open data", _Mode.ExistingFile, "Images (*.gz *.idx *ubyte *.npy *.npz);;All files (*)"),
    "folder": _Question("Open folder of pictures", _Mode.Directory),
    "save": _Question("Save model as", _Mode.AnyFile, "Models (*.safetensors)", "safetensors"),
    "curves": _Question(
        "Export curves", _Mode.AnyFile, "PNG picture (*.png);;SVG drawing (*.svg);;CSV table (*.csv)", "png"
    ),
    "canvas": _Question("Export canvas picture", _Mode.AnyFile, "PNG picture (*.png)", "png"),
}


class FileDialogs(QObject):
    """One dialog at a time; asking the same again raises the one that is open."""

    chosen = Signal(str, Path)
    """Purpose (a key of the questions, as `model` or `save`) and the path that was chosen for it."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._dialog: QFileDialog | None = None
        self._purpose = ""
        self.folder = Path.home()
        """Where dialogs open; the folder of the last choice."""

    @property
    def dialog(self) -> QFileDialog | None:
        """The dialog that is open."""
        return self._dialog

    def ask(self, purpose: str, name: str = "") -> None:
        """Ask for a path; `name` is proposed for a file to be written.  Raises KeyError for unknown purposes."""
        question = _QUESTIONS[purpose]
        if self._dialog is not None:
            if self._purpose == purpose:
                self._dialog.raise_()
                self._dialog.activateWindow()
                return
            self._dialog.reject()
        dialog = QFileDialog(self._window, question.title, str(self.folder), question.filters)
        dialog.setFileMode(question.mode)
        if question.mode is _Mode.Directory:
            dialog.setOption(QFileDialog.Option.ShowDirsOnly, True)
        elif question.mode is _Mode.AnyFile:
            dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
            # With a default suffix the dialog itself asks before it replaces a file of the completed name.
            dialog.setDefaultSuffix(question.suffix)
            dialog.selectFile(name)
            dialog.filterSelected.connect(self._filter_selected)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._selected)
        dialog.finished.connect(self._finished)
        self._dialog, self._purpose = dialog, purpose
        dialog.open()

    def ask_for_data(self) -> None:
        """Ask for a data file to open."""
        self.ask("data")

    def ask_for_folder(self) -> None:
        """Ask for a folder of pictures to open."""
        self.ask("folder")

    def close(self) -> None:
        """Close the open dialog, as when the program ends."""
        if self._dialog is not None:
            self._dialog.reject()

    def _filter_selected(self, chosen: str) -> None:
        if self._dialog is not None and "*." in chosen:
            self._dialog.setDefaultSuffix(chosen.rpartition("*.")[2].rstrip(")"))

    def _selected(self, name: str) -> None:
        if not name:
            return
        path = Path(name)
        self.folder = path.parent
        self.chosen.emit(self._purpose, path)

    def _finished(self) -> None:
        self._dialog = None
