"""The loading thread: reads and writes files, one job after the other, so that the window never waits for a disk."""

import contextlib
import queue
import threading
import traceback
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Signal

from core.config import DataConfig
from core.data.dataset import DataError, Dataset, QuickLook
from core.data.sources import load_dataset, load_quick_look
from core.saved_model import FOREIGN_SUFFIXES, SavedModel
from core.settings import ConfigError
from core.snapshots import Split
from core.storage.model_file import ModelFileError, load_model, save_model
from core.storage.run_folder import RunFolderError, is_run_folder
from explorer.messages import (
    Failed,
    ImportedPicture,
    ImportPreview,
    JobFailed,
    LoadedData,
    LoadedModel,
    LoadedRun,
    SavedFile,
)
from explorer.workers.memory import give_back_memory
from explorer.workers.runs import found_runs, loaded_run, remove_run
from explorer.workers.serving import ServingThread

_LONGEST_LOOK_S = 2.0
"""So long the rest of a data set waits for the first picture."""


class _Cancelled(Exception):  # noqa: N818 - a request, not an error
    """The user gave up waiting, or the program closes."""


@dataclass(frozen=True, slots=True)
class _LoadData:
    """Read a data set."""

    config: DataConfig


@dataclass(frozen=True, slots=True)
class _LoadModel:
    """Read a model; `origin` goes back with it."""

    path: Path
    origin: str


@dataclass(frozen=True, slots=True, eq=False)
class _SaveModel:
    """Write a model."""

    path: Path
    saved: SavedModel


@dataclass(frozen=True, slots=True)
class _OpenPath:
    """Read what a path names, or ask first how it is to be imported."""

    path: Path


@dataclass(frozen=True, slots=True)
class _Preview:
    """Show what an import would give."""

    config: DataConfig


@dataclass(frozen=True, slots=True)
class _ImportPicture:
    """Read one picture in the size of a model."""

    path: Path
    config: DataConfig
    height: int
    width: int


@dataclass(frozen=True, slots=True)
class _FindRuns:
    """Look for interrupted runs."""

    folder: Path


@dataclass(frozen=True, slots=True)
class _RemoveRun:
    """Be rid of an interrupted run."""

    path: Path


@dataclass(frozen=True, slots=True)
class _LoadRun:
    """Read an interrupted run."""

    path: Path
    to_resume: bool


class _ImportPlots:
    """Import what draws curves."""


class _GiveBack:
    """Give freed memory back to the system."""


_RunJob = _FindRuns | _LoadRun | _RemoveRun
_Job = (
    _RunJob
    | _LoadData
    | _OpenPath
    | _LoadModel
    | _SaveModel
    | _Preview
    | _ImportPicture
    | _ImportPlots
    | _GiveBack
    | None
)

_NAMES: dict[type, str] = {
    _LoadData: "open data",
    _OpenPath: "open data",
    _LoadModel: "open model",
    _FindRuns: "look for interrupted runs",
    _RemoveRun: "remove run",
    _LoadRun: "open run",
    _SaveModel: "save model",
    _Preview: "preview data",
    _ImportPicture: "open picture",
    _ImportPlots: "import plots",
    _GiveBack: "give memory back",
}


class LoadingThread(ServingThread):
    """Reads data sets, models and pictures and writes models.  Its methods only queue jobs."""

    progressed = Signal(float, str)
    data_loaded = Signal(LoadedData)
    model_loaded = Signal(LoadedModel)
    model_saved = Signal(SavedFile)
    runs_found = Signal(tuple)
    """Of InterruptedRun, the newest first."""
    run_removed = Signal(Path)
    run_loaded = Signal(LoadedRun)
    preview_ready = Signal(ImportPreview)
    import_wanted = Signal(ImportPreview)
    """A folder or array was named whose import the user should decide on, with what it would look like."""
    picture_imported = Signal(ImportedPicture)
    plots_imported = Signal()
    """What draws curves is there, or whoever wants it will say why not."""
    failed = Signal(JobFailed)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._cancelled = threading.Event()
        self._may_read_all = threading.Event()
        self._may_read_all.set()

    def look_first(self) -> None:
        """Of data with a quick look, leave the rest until `read_all`, or for two seconds."""
        self._may_read_all.clear()

    def read_all(self) -> None:
        """Read data to their end from now on, without a pause after the quick look."""
        self._may_read_all.set()

    def load_data(self, config: DataConfig) -> None:
        """Read a data set; `data_loaded` or `failed` follows."""
        self._cancelled.clear()
        self._jobs.put(_LoadData(config))

    def load_model(self, path: Path, origin: str) -> None:
        """Read a model file, or weights of PyTorch as one; `model_loaded` or `failed` follows."""
        if path.suffix.lower() in FOREIGN_SUFFIXES:
            self._cancelled.clear()
        self._jobs.put(_LoadModel(path, origin))

    def find_runs(self, folder: Path) -> None:
        """Look for interrupted runs in a folder of runs; `runs_found` follows."""
        self._jobs.put(_FindRuns(folder))

    def remove_run(self, path: Path) -> None:
        """Move a run's folder to the trash, unless somebody writes it; `run_removed` or `failed` follows."""
        self._jobs.put(_RemoveRun(path))

    def load_run(self, path: Path, *, to_resume: bool) -> None:
        """Read a run's folder; `run_loaded` or `failed` follows."""
        self._jobs.put(_LoadRun(path, to_resume))

    def save_model(self, path: Path, saved: SavedModel) -> None:
        """Write a model file, atomically; `model_saved` or `failed` follows."""
        self._jobs.put(_SaveModel(path, saved))

    def open_path(self, path: Path) -> None:
        """Read a data file; `import_wanted` follows instead of `data_loaded` where there is something to decide."""
        self._cancelled.clear()
        self._jobs.put(_OpenPath(path))

    def preview(self, config: DataConfig) -> None:
        """Look at a folder or array as it would be imported; `preview_ready` or `failed` follows."""
        self._jobs.put(_Preview(config))

    def import_picture(self, path: Path, config: DataConfig, height: int, width: int) -> None:
        """Read one picture through the import choices of the model's data."""
        self._jobs.put(_ImportPicture(path, config, height, width))

    def import_plots(self) -> None:
        """Import what draws curves, so that the window need not stand still for it; `plots_imported` follows."""
        self._jobs.put(_ImportPlots())

    def give_back_memory(self) -> None:
        """Give freed memory back to the system, where that keeps nobody waiting."""
        self._jobs.put(_GiveBack())

    def cancel(self) -> None:
        """Give up the data set, or the weights of another program, that are being read."""
        self._cancelled.set()

    def shut_down(self) -> None:
        """End the thread after the jobs queued so far; a data set or foreign weights being read are given up."""
        super().shut_down()
        self._cancelled.set()
        self._may_read_all.set()
        self._jobs.put(None)

    def serve(self) -> None:
        """Serve jobs until told to shut down."""
        while (job := self._jobs.get()) is not None:
            try:
                self._do(job)
            except _Cancelled:
                self._fail(job, Failed("cancelled"))
            except (DataError, ModelFileError, RunFolderError, ConfigError, OSError) as error:
                self._fail(job, Failed(str(error)))
            except Exception as error:
                self._fail(job, Failed(str(error) or type(error).__name__, traceback.format_exc()))

    def _do(self, job: "_Job") -> None:
        match job:
            case _LoadData(config):
                self._load_data(config)
            case _LoadModel(path, origin):
                self._load_model(path, origin)
            case _SaveModel(path, saved):
                save_model(path, saved)
                self.model_saved.emit(SavedFile(path, saved))
            case _FindRuns() | _RemoveRun() | _LoadRun():
                self._do_with_runs(job)
            case _OpenPath(path):
                self._open_path(path)
            case _Preview(config):
                self.preview_ready.emit(_preview(config))
            case _ImportPicture(path, config, height, width):
                # What imports pictures is imported by those who do, not by every window that opens.
                from core.data.importing import import_picture

                picture = import_picture(path, config, (height, width))
                self.picture_imported.emit(ImportedPicture(path, picture))
            case _ImportPlots():
                with contextlib.suppress(ImportError):
                    import numpy.ma  # noqa: F401 - np.unique and np.quantile, when they are first called
                    import pyqtgraph  # noqa: F401 - for the views
                self.plots_imported.emit()
            case _GiveBack():
                give_back_memory()

    def _do_with_runs(self, job: _RunJob) -> None:
        match job:
            case _FindRuns(folder):
                self.runs_found.emit(found_runs(folder))
            case _RemoveRun(path):
                remove_run(path)
                self.run_removed.emit(path)
            case _LoadRun(path, to_resume):
                self.run_loaded.emit(loaded_run(path, to_resume=to_resume))

    def _load_model(self, path: Path, origin: str) -> None:
        if path.suffix.lower() in FOREIGN_SUFFIXES:
            # As what imports pictures: it starts processes.
            from core.storage.foreign.conversion import convert

            found = convert(path, waiting=self._check_wanted)
            self.model_loaded.emit(LoadedModel(path, found.saved, origin, found.note))
        else:
            self.model_loaded.emit(LoadedModel(path, load_model(path), origin))

    def _load_data(self, config: DataConfig) -> None:
        look = load_quick_look(config)
        if look is not None:
            self.data_loaded.emit(LoadedData(_held_out_only(look), partial=True))
            self._may_read_all.wait(_LONGEST_LOOK_S)
        self.data_loaded.emit(LoadedData(load_dataset(config, self._report)))

    def _open_path(self, path: Path) -> None:
        if is_run_folder(path):
            self.run_loaded.emit(loaded_run(path, to_resume=False))
            return
        from core.data.importing import needs_import_choices, suggested_config

        config = suggested_config(path)
        if needs_import_choices(path):
            self.import_wanted.emit(_preview(config))
        else:
            self.data_loaded.emit(LoadedData(load_dataset(config, self._report)))

    def _check_wanted(self) -> None:
        if self._cancelled.is_set():
            raise _Cancelled

    def _report(self, fraction: float, text: str) -> None:
        self._check_wanted()
        self.progressed.emit(fraction, text)

    def _fail(self, job: "_Job", failure: Failed) -> None:
        match job:
            case _LoadModel(path, origin):
                self.failed.emit(JobFailed(_NAMES[type(job)], str(path), failure, origin))
            case _FindRuns(path) | _LoadRun(path) | _RemoveRun(path) | _SaveModel(path):
                self.failed.emit(JobFailed(_NAMES[type(job)], str(path), failure))
            case _ImportPicture(path) | _OpenPath(path):
                self.failed.emit(JobFailed(_NAMES[type(job)], str(path), failure))
            case _LoadData(config) | _Preview(config):
                self.failed.emit(JobFailed(_NAMES[type(job)], config.source, failure))
            case _ImportPlots() | _GiveBack() | None:
                pass


def _preview(config: DataConfig) -> ImportPreview:
    from core.data.importing import preview_import

    found = preview_import(Path(config.source), config)
    pictures = tuple(found.pictures)
    return ImportPreview(config, found.num_images, found.num_broken, found.label_names, pictures, found.note)


def _held_out_only(look: QuickLook) -> Dataset:
    """Return the data set without its training half, which is still to be read."""
    nothing = Split(np.zeros((0, look.height, look.width), np.uint8), None)
    return Dataset(look.name, look.config, nothing, look.held_out, look.label_names, "", look.note)
