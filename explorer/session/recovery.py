"""Runs on the disk: the folder that each is kept in, those that were interrupted, and how they go on."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from core.config import DataConfig
from core.saved_model import SavedModel
from explorer.messages import Failed, InterruptedRun, JobFailed, LoadedRun, RunKeeping
from explorer.session.documents import DocumentSession
from explorer.session.training import TrainingSession
from explorer.session.workers import Workers
from explorer.views.main_window import MainWindow


class RecoverySession(QObject):
    """Offers interrupted runs and opens run folders.  Nothing of a run is changed but by the one who resumes it."""

    failed = Signal(Failed)
    curves_wanted = Signal(LoadedRun)
    """Of this run only curves and configuration are left."""

    def __init__(
        self,
        folder: Path,
        window: MainWindow,
        documents: DocumentSession,
        training: TrainingSession,
        workers: Workers,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._folder = folder
        self._window = window
        self._offer = window.banner.offer
        self._documents = documents
        self._training = training
        self._storage = storage = workers.storage
        self._offers = False
        self._runs: tuple[InterruptedRun, ...] = ()
        self._waiting: LoadedRun | None = None
        storage.runs_found.connect(self._on_found)
        for thread in (storage, workers.loading):
            thread.run_loaded.connect(self._on_loaded)
        storage.run_removed.connect(self.look)
        storage.failed.connect(self._on_failed)
        documents.data_opened.connect(self._go_on)
        documents.model_opened.connect(self._on_model_opened)
        documents.failed.connect(self._give_up)
        workers.training.keeping_failed.connect(self._on_keeping_failed)
        self._offer.resume_given.connect(self.resume)
        self._offer.open_given.connect(self.open)
        self._offer.remove_given.connect(self._remove)
        # What another window resumes or leaves changes what there is to offer.
        window.runs_menu.aboutToShow.connect(self._look_again)
        window.runs_menu.chosen.connect(self._offer_again)
        workers.training.run_started.connect(self._on_run_started)

    def look(self) -> None:
        """Look for interrupted runs; the newest is then offered."""
        self._offers = True
        self._storage.find_runs(self._folder)

    def keeping(self, name: str, autosave: Path) -> RunKeeping:
        """Return where a new run is kept."""
        return RunKeeping(self._folder / autosave.stem, name)

    def open(self, path: Path) -> None:
        """Open the newest checkpoint of a run as a model; the run itself stays as it is."""
        self._storage.load_run(path, to_resume=False)

    def resume(self, path: Path) -> None:
        """Go on with an interrupted run."""
        if self._training.active:
            self.failed.emit(Failed("A model is being trained: the interrupted run can be resumed when it has ended."))
            return
        self._storage.load_run(path, to_resume=True)

    def _on_found(self, runs: tuple[InterruptedRun, ...]) -> None:
        self._runs = runs
        self._window.runs_menu.show_runs(runs)
        offers, self._offers = self._offers, False
        if runs and offers and not self._training.active:
            self._offer.show_run(runs[0], len(runs) - 1)

    def _offer_again(self, path: Path) -> None:
        for run in self._runs:
            if run.path == path:
                self._offer.show_run(run, 0)

    def _on_loaded(self, loaded: LoadedRun) -> None:
        if self._training.active:
            self.failed.emit(Failed(f"The run {loaded.name!r} is not opened while another model is being trained."))
            return
        if loaded.saved is None:
            self.curves_wanted.emit(loaded)
        else:
            self._documents.open_run(loaded)
        if loaded.problems:
            self.failed.emit(Failed(f"Of the run {loaded.name}: {'; '.join(loaded.problems)}."))
        if loaded.to_resume and loaded.can_resume:
            self._waiting = loaded
            self._go_on()
        elif loaded.saved is not None:
            self._offer.tell(_told(loaded))

    def _go_on(self) -> None:
        """Resume the run that waits for its data, if they are there."""
        waiting, dataset = self._waiting, self._documents.dataset
        if waiting is None or waiting.saved is None or dataset is None or not self._documents.data_complete:
            return
        saved = waiting.saved
        if not _same_source(dataset.config, saved.config.data):
            return
        self._waiting = None
        if saved.provenance.get("data_fingerprint", dataset.fingerprint) != dataset.fingerprint:
            self._window.show_message(
                f"The images of {dataset.name} are not those the run was trained on, so that it cannot be resumed.",
                "Train on with these images",
                "model.continue",
            )
            return
        autosave = self._documents.begin_run(saved.config, new=False)
        keeping = RunKeeping(waiting.path, waiting.name, resume=True)
        self._training.start(saved.config, dataset, saved, autosave, keeping)

    def _on_run_started(self) -> None:
        # What is said of a checkpoint is over when something else is trained.
        self._offer.forget_told()
        self._look_again()

    def _on_model_opened(self, saved: SavedModel) -> None:
        self._offer.forget_told()
        if self._waiting is not None and saved is not self._waiting.saved:
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None

    def _on_failed(self, failed: JobFailed) -> None:
        if failed.job == "open run":
            self._waiting = None
        elif failed.job == "remove run":
            self.look()

    def _on_keeping_failed(self, problem: str) -> None:
        if problem:
            self.failed.emit(Failed(f"The run cannot be kept on the disk, and goes on all the same: {problem}"))
        else:
            self._window.clear_error()
            self._window.show_message("The run is kept on the disk again.")

    def _remove(self, path: Path) -> None:
        # Not deleted: whoever is sorry finds it there.
        self._storage.remove_run(path)

    def _look_again(self) -> None:
        """Look without an offer: the menu only."""
        self._offers = False
        self._storage.find_runs(self._folder)


def _told(loaded: LoadedRun) -> str:
    what = f"This is the checkpoint of step {loaded.history.last_step:,} of the run {loaded.name}"
    if loaded.why_read_only:
        return f"{what}, opened to be read only: {loaded.why_read_only}. Training it further makes a copy."
    return f"{what}, which is left as it is. Training it further makes a copy."


def _same_source(one: DataConfig, other: DataConfig) -> bool:
    return replace(one, binarisation=other.binarisation) == other
