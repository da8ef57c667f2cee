"""The open model and the open data: opening, saving, restoring, and what to do when they do not fit."""

from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from core.config import DataConfig, ExperimentConfig
from core.data.dataset import Dataset
from core.saved_model import FOREIGN_SUFFIXES, SavedModel
from explorer.messages import (
    DataInfo,
    DocumentInfo,
    Failed,
    JobFailed,
    LoadedData,
    LoadedModel,
    LoadedRun,
    RunResult,
    SavedFile,
)
from explorer.session.autosaves import SUFFIX, Autosaves, name_of
from explorer.settings import Settings
from explorer.workers.loading import LoadingThread
from resources import resource


@dataclass(frozen=True, slots=True)
class _RunDocument:
    """The document that a run is making."""

    name: str
    path: Path | None
    autosave: Path
    config: ExperimentConfig
    epochs: float
    is_new: bool


class DocumentSession(QObject):
    """Owns the open model as a document and the open data set."""

    model_opened = Signal(SavedModel)
    data_opened = Signal(Dataset)
    info_changed = Signal(DocumentInfo)
    data_info_changed = Signal(DataInfo)
    message = Signal(str)
    note = Signal(str)
    """What is worth more than a line of status."""
    failed = Signal(Failed)
    recent_changed = Signal()
    run_save_wanted = Signal(Path)
    """The model in training is to be written; `on_run_saved` or `on_failed` is to be told."""
    conversion_begun = Signal(str)
    """Weights of another program, whose file has this name, are being read: `model_opened` or `failed` follows, or a
    message that it was cancelled."""
    run_in_the_way = Signal()
    """A model was read that is to be opened as soon as the run has ended."""

    def __init__(
        self,
        settings: Settings,
        autosaves: Autosaves,
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
        self.opened_by_hand = False
        """Whether the open model is one that the user asked for in this session."""
        self.conversion_note = ""
        """What was taken for what in the open model, if it was made of another program's weights and is not saved."""
        self.unwritten = ""
        """Why what the last run left is in no file; empty where it is in one."""
        self._autosave: Path | None = None
        self._in_writing: list[SavedModel] = []
        """States of the open document that are being written to a file."""
        self._data_partial = False
        self._run: _RunDocument | None = None
        self._run_save: Path | None = None
        self._held_model: LoadedModel | None = None
        self._held_data: LoadedData | None = None
        loading.data_loaded.connect(self._on_data_loaded)
        loading.model_loaded.connect(self._on_model_loaded)
        loading.failed.connect(self.on_failed)
        storage.model_saved.connect(self.on_model_saved)
        storage.failed.connect(self.on_failed)

    # Opening

    def restore(self) -> None:
        """Open what was open when the program was last closed, or the model it ships."""
        last = self._settings.last_document
        if last is not None and last.is_file():
            self._load(last, "restored")
        else:
            self._loading.load_model(resource("models", "mnist-2d.safetensors"), "shipped")

    def open_shipped(self) -> None:
        """Open the model the program ships."""
        self._loading.load_model(resource("models", "mnist-2d.safetensors"), "shipped")

    def open_model(self, path: Path) -> None:
        """Open a model file; on failure the open model stays."""
        self._load(path, "opened")

    def _load(self, path: Path, origin: str) -> None:
        if path.suffix.lower() in FOREIGN_SUFFIXES:
            self.conversion_begun.emit(path.name)
        self._loading.load_model(path, origin)

    def open_data(self, config: DataConfig) -> None:
        """Open a data set; on failure the open data stays."""
        self.message.emit(f"Opening {config.source} …")
        self._loading.load_data(config)

    def _on_model_loaded(self, loaded: LoadedModel) -> None:
        if self._run is not None:
            self._held_model = loaded
            self.run_in_the_way.emit()
            return
        self.saved, self._in_writing, self.unwritten = loaded.saved, [], ""
        self.opened_by_hand = loaded.origin == "opened"
        in_autosaves = loaded.path in self._autosaves
        self.name = name_of(loaded.path)
        self.conversion_note = loaded.note
        self.path = None if in_autosaves or loaded.note or loaded.origin == "shipped" else loaded.path
        self._autosave = loaded.path if in_autosaves else None
        # What was converted is in no file of ours; the next start converts it again, until it is saved.
        self.modified = in_autosaves or bool(loaded.note)
        if loaded.origin != "shipped":
            self._remember(loaded.path)
        else:
            self._settings.last_document = None
        self.model_opened.emit(loaded.saved)
        self._tell_info()
        if loaded.origin != "opened" or self.dataset is None:
            self._open_data_of(loaded.saved)

    def open_run(self, loaded: LoadedRun) -> None:
        """Take the checkpoint of a run as the open model: a document without a file, whose run stays as it is."""
        if loaded.saved is None:
            return
        self.saved, self._in_writing, self.unwritten = loaded.saved, [], ""
        self.name, self.path, self._autosave = loaded.name, None, None
        self.conversion_note = ""
        self.opened_by_hand = self.modified = True
        self.model_opened.emit(loaded.saved)
        self._tell_info()
        self._open_data_of(loaded.saved)

    def _open_data_of(self, saved: SavedModel) -> None:
        """Open the data the model was trained on; a folder that has gone away is only worth a word."""
        if self.dataset is None or self.dataset.config != saved.config.data:
            self._loading.load_data(saved.config.data)

    def reread(self, binarisation: str) -> None:
        """Look at the open data under another binarisation; the pictures stay."""
        if self.dataset is not None:
            self.dataset = replace(self.dataset, config=replace(self.dataset.config, binarisation=binarisation))
            self.data_info_changed.emit(data_info(self.dataset, partial=self._data_partial))
            self.data_opened.emit(self.dataset)

    def _on_data_loaded(self, loaded: LoadedData) -> None:
        if self._run is not None:
            self._held_data = loaded  # asked for before the run, whose data stays
            return
        self.dataset = loaded.dataset
        self._data_partial = loaded.partial
        self.data_info_changed.emit(data_info(loaded.dataset, partial=loaded.partial))
        self.data_opened.emit(loaded.dataset)
        if not loaded.partial:
            self.message.emit("")

    @property
    def is_shipped(self) -> bool:
        """Whether the open model is the one that comes with the program, untouched."""
        return self.path is None and self._autosave is None and not self.conversion_note

    @property
    def data_complete(self) -> bool:
        """Whether the training images are there too."""
        return self.dataset is not None and not self._data_partial

    def on_failed(self, failed: JobFailed) -> None:
        """Say what could not be done; with no model open, open the next best."""
        if failed.job in {"preview data", "open picture"}:
            return  # answered where they were asked for
        if failed.failure.reason == "cancelled":
            self.message.emit("Cancelled.")
            if failed.job == "open model" and self.saved is None:
                self.open_shipped()
            return
        if failed.job == "save model":
            self._run_save = None
        self.failed.emit(replace(failed.failure, reason=f"Could not {failed.job}: {failed.failure.reason}"))
        if failed.job == "open model":
            path = Path(failed.path)
            if not path.exists():
                self._settings.remove_recent_file(path)
                self.recent_changed.emit()
            if failed.origin == "restored":
                self.open_shipped()
            elif failed.origin == "opened" and self.saved is None:
                self.restore()

    # Runs

    def begin_run(self, config: ExperimentConfig, *, new: bool) -> Path:
        """Show the document a run makes, a new one or the open one further; return the file it is kept in.

        That file is one of its own: none that is there already, but for the one the open model was kept in before.
        """
        name = self._autosaves.untitled() if new else self.name or "Untitled"
        autosave = None if new else self._autosave
        if autosave is None or not self._autosaves.claim(autosave):
            # Claimed by another window that has the same model open: its training must not be written over.
            autosave = self._autosaves.new_path(name)
        epochs = 0.0 if new or self.saved is None else self.saved.epochs
        self._run = _RunDocument(name, None if new else self.path, autosave, config, epochs, new)
        self._tell_info()
        return autosave

    @property
    def run_name(self) -> str:
        """The name of the document that the run in progress makes; empty where there is none."""
        return "" if self._run is None else self._run.name

    def show_epochs(self, epochs: float) -> None:
        """Show how many epochs the model in training has seen."""
        if self._run is not None:
            self._run = replace(self._run, epochs=epochs)
            self._tell_info()

    def end_run(self, result: RunResult) -> None:
        """Make what a run left the open document; a run that left nothing leaves what was open."""
        run, self._run = self._run, None
        if result.saved is not None and run is not None:
            self.saved, self.modified, self.conversion_note = result.saved, True, ""
            self.unwritten = result.save_error
            if run.is_new:
                self._in_writing = []
            self.name, self.path, self._autosave = run.name, run.path, result.autosave
            if result.autosave is not None:
                self._remember(result.autosave)
        self._tell_info()
        if self._run_save is not None:
            self.save(self._run_save)  # the run ended before it came to it

    def let_go_of_run(self) -> None:
        """See to it that a run that has ended is over here too, when an error kept `end_run` from being reached."""
        if self._run is not None:
            self._run = None
            self._tell_info()
            self.release_held()

    def release_held(self) -> None:
        """Open the data and the model that waited for the end of a run."""
        data, self._held_data = self._held_data, None
        model, self._held_model = self._held_model, None
        if data is not None:
            self._on_data_loaded(data)
        if model is not None:
            ended, kept = self.name, self._autosave
            self._on_model_loaded(model)
            if kept is not None:
                self.note.emit(f"The training of {ended} was stopped for this; it is kept under File, Open recent.")

    def close(self) -> None:
        """Let others write the file this program kept its model in; everything is written."""
        self._autosaves.release()

    # Saving

    @property
    def path_to_save(self) -> Path | None:
        """The file of the document that is shown; None while it has none of its own."""
        return self.path if self._run is None else self._run.path

    def save(self, path: Path) -> None:
        """Write the model that is shown to a file, which becomes its own."""
        if path.suffix != SUFFIX:
            path = path.with_name(path.name + SUFFIX)
        if self._run is not None:
            self._run_save = path
            self.run_save_wanted.emit(path)
        elif self.saved is None:
            self.failed.emit(Failed("There is no model to save yet."))
        else:
            self._run_save = None
            self._in_writing.append(self.saved)
            self._storage.save_model(path, self.saved)

    def on_model_saved(self, written: SavedFile) -> None:
        """Take the file as the document's own, unless another was opened since it was asked for."""
        waiting = [state for state in self._in_writing if state is not written.saved]
        if len(waiting) < len(self._in_writing):
            self._in_writing = waiting
            if written.saved is self.saved:
                self.unwritten = ""
            self.path, self.name, self.conversion_note = written.path, name_of(written.path), ""
            self.modified = written.saved is not self.saved
            # Training on keeps its model under the new name, and not in the file of the old one.
            self._autosave = None
            if self._run is not None and not self._run.is_new:
                self._run = replace(self._run, name=self.name, path=self.path)
            self._settings.last_document = written.path
        self._say_saved(written.path)

    def on_run_saved(self, written: SavedFile) -> None:
        """Take the file as that of the document which the run makes."""
        self._run_save = None
        if self._run is not None:
            self._run = replace(self._run, name=name_of(written.path), path=written.path)
            self._settings.last_document = written.path
        self._say_saved(written.path)

    def _say_saved(self, path: Path) -> None:
        self._settings.add_recent_file(path)
        self.recent_changed.emit()
        self.message.emit(f"Saved {path.name}")
        self._tell_info()

    def _remember(self, path: Path) -> None:
        self._settings.last_document = path
        self._settings.add_recent_file(path)
        self.recent_changed.emit()

    def _tell_info(self) -> None:
        run, saved = self._run, self.saved
        if run is not None:
            self.info_changed.emit(DocumentInfo(run.name, run.path, run.config, run.epochs, modified=True))
        elif saved is not None:
            self.info_changed.emit(
                DocumentInfo(
                    self.name,
                    self.path,
                    saved.config,
                    saved.epochs,
                    self.modified,
                    saved.num_parameters,
                    dict(saved.provenance),
                )
            )


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
