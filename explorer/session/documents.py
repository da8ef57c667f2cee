"""The open model and the open data: opening, saving, restoring, and what to do when they do not fit."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from core.config import DataConfig, ExperimentConfig
from core.data.dataset import Dataset
from core.saved_model import SavedModel
from explorer.messages import (
    DataInfo,
    DocumentInfo,
    Failed,
    JobFailed,
    LoadedData,
    LoadedModel,
    RunResult,
    SavedFile,
)
from explorer.settings import Settings
from explorer.workers.loading import LoadingThread
from resources import resource

SUFFIX = ".safetensors"
_STAMP = re.compile(r" \(\d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\)( \d+)?$")


class DocumentSession(QObject):
    """Owns the open model as a document and the open data set."""

    model_opened = Signal(SavedModel)
    data_opened = Signal(Dataset)
    info_changed = Signal(DocumentInfo)
    data_info_changed = Signal(DataInfo)
    message = Signal(str)
    failed = Signal(Failed)

    def __init__(
        self,
        settings: Settings,
        autosaves: Path,
        loading: LoadingThread,
        storage: LoadingThread,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        self._autosaves = autosaves
        self._loading = loading
        self._storage = storage
        self.saved: SavedModel | None = None
        self.dataset: Dataset | None = None
        self.name = ""
        self.path: Path | None = None
        self.modified = False
        self._autosave: Path | None = None
        self._data_partial = False
        self._now: Callable[[], datetime] = datetime.now
        loading.data_loaded.connect(self._on_data_loaded)
        loading.model_loaded.connect(self._on_model_loaded)
        loading.failed.connect(self._on_failed)
        storage.model_saved.connect(self._on_model_saved)
        storage.failed.connect(self._on_failed)

    # Opening

    def restore(self) -> None:
        """Open what was open when the program was last closed, or the model it ships."""
        last = self._settings.last_document
        if last is not None and last.is_file():
            self._loading.load_model(last, "restored")
        else:
            self._loading.load_model(resource("models", "mnist-2d.safetensors"), "shipped")

    def open_shipped(self) -> None:
        """Open the model the program ships."""
        self._loading.load_model(resource("models", "mnist-2d.safetensors"), "shipped")

    def open_model(self, path: Path) -> None:
        """Open a model file; on failure the open model stays."""
        self._loading.load_model(path, "opened")

    def open_data(self, config: DataConfig) -> None:
        """Open a data set; on failure the open data stays."""
        self.message.emit(f"Opening {config.source} …")
        self._loading.load_data(config)

    def _on_model_loaded(self, loaded: LoadedModel) -> None:
        self.saved = loaded.saved
        in_autosaves = loaded.path.parent == self._autosaves
        self.name = name_of(loaded.path)
        self.path = None if in_autosaves or loaded.origin == "shipped" else loaded.path
        self._autosave = loaded.path if in_autosaves else None
        self.modified = in_autosaves
        if loaded.origin != "shipped":
            self._remember(loaded.path)
        else:
            self._settings.last_document = None
        self.model_opened.emit(loaded.saved)
        self._tell_info()
        if loaded.origin != "opened" or self.dataset is None:
            self._open_data_of(loaded.saved)

    def _open_data_of(self, saved: SavedModel) -> None:
        """Open the data the model was trained on; a folder that has gone away is only worth a word."""
        if self.dataset is None or self.dataset.config != saved.config.data:
            self._loading.load_data(saved.config.data)

    def reread(self, config: DataConfig) -> None:
        """Look at the open data under another binarisation; the pictures stay."""
        if self.dataset is not None:
            self.dataset = replace(self.dataset, config=replace(self.dataset.config, binarisation=config.binarisation))
            self.data_info_changed.emit(data_info(self.dataset, partial=self._data_partial))
            self.data_opened.emit(self.dataset)

    def _on_data_loaded(self, loaded: LoadedData) -> None:
        self.dataset = loaded.dataset
        self._data_partial = loaded.partial
        self.data_info_changed.emit(data_info(loaded.dataset, partial=loaded.partial))
        self.data_opened.emit(loaded.dataset)
        if not loaded.partial:
            self.message.emit("")

    @property
    def is_shipped(self) -> bool:
        """Whether the open model is the one that comes with the program, untouched."""
        return self.path is None and self._autosave is None

    @property
    def data_complete(self) -> bool:
        """Whether the training images are there too."""
        return self.dataset is not None and not self._data_partial

    def _on_failed(self, failed: JobFailed) -> None:
        if failed.job in {"preview data", "open picture"}:
            return  # answered where they were asked for
        if failed.failure.reason == "cancelled":
            self.message.emit("Cancelled.")
            return
        self.failed.emit(replace(failed.failure, reason=f"Could not {failed.job}: {failed.failure.reason}"))
        if failed.origin == "restored":
            self.open_shipped()

    # Runs

    def autosave_path(self, *, new: bool) -> Path:
        """Return where a run keeps its model: a file of its own, never one that is there already."""
        if not new and self._autosave is not None:
            return self._autosave
        name = self._untitled() if new else self.name or "Untitled"
        return self._free_path(name)

    def _free_path(self, name: str) -> Path:
        stem = f"{name} ({self._now():%Y-%m-%d %H.%M.%S})"
        candidate, number = self._autosaves / f"{stem}{SUFFIX}", 2
        while candidate.exists():
            candidate, number = self._autosaves / f"{stem} {number}{SUFFIX}", number + 1
        return candidate

    def _untitled(self) -> str:
        taken = {name_of(path) for path in self._autosaves.glob(f"*{SUFFIX}")} if self._autosaves.is_dir() else set()
        if "Untitled" not in taken:
            return "Untitled"
        number = 2
        while f"Untitled {number}" in taken:
            number += 1
        return f"Untitled {number}"

    def show_run(self, config: ExperimentConfig, autosave: Path, epochs: float) -> None:
        """Show the model a run is making as the open one; it becomes so when the run ends."""
        continued = autosave == self._autosave
        self.info_changed.emit(
            DocumentInfo(
                self.name if continued else name_of(autosave),
                self.path if continued else None,
                config,
                epochs,
                modified=True,
            )
        )

    def adopt_run(self, result: RunResult) -> None:
        """Make what a run left the open document."""
        if result.saved is None:
            self._tell_info()
            return
        continued = self.saved is not None and result.autosave is not None and result.autosave == self._autosave
        self.saved = result.saved
        self.modified = True
        if result.autosave is not None:
            if not continued and name_of(result.autosave) != self.name:
                self.name = name_of(result.autosave)
                self.path = None
            self._autosave = result.autosave
            self._remember(result.autosave)
        self._tell_info()

    # Saving

    def save(self, path: Path) -> None:
        """Write the open model to a file, which becomes its own."""
        if self.saved is None:
            self.failed.emit(Failed("There is no model to save yet."))
            return
        if path.suffix != SUFFIX:
            path = path.with_name(path.name + SUFFIX)
        self._storage.save_model(path, self.saved)

    def _on_model_saved(self, written: SavedFile) -> None:
        self.path = written.path
        self.name = name_of(written.path)
        self.modified = written.saved is not self.saved
        self._remember(written.path)
        self.message.emit(f"Saved {written.path.name}")
        self._tell_info()

    def _remember(self, path: Path) -> None:
        self._settings.last_document = path
        self._settings.add_recent_file(path)

    def _tell_info(self) -> None:
        if self.saved is None:
            return
        self.info_changed.emit(
            DocumentInfo(
                self.name,
                self.path,
                self.saved.config,
                self.saved.history.epochs,
                self.modified,
                self.saved.num_parameters,
                dict(self.saved.provenance),
            )
        )


def name_of(path: Path) -> str:
    """Return the name of the document in a file: its stem, without the stamp of a file the program keeps itself."""
    return _STAMP.sub("", path.stem)


def data_info(dataset: Dataset, *, partial: bool) -> DataInfo:
    """Return what the data panel says of a data set."""
    note = "loading the training images …" if partial else dataset.note
    return DataInfo(
        dataset.name,
        dataset.config,
        len(dataset.train),
        len(dataset.held_out),
        dataset.height,
        dataset.width,
        dataset.label_names,
        note,
    )
