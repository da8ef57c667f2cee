"""The orderly end: the run is stopped and kept, the threads end, and nothing is lost without a word."""

from PySide6.QtCore import QObject, QTimer, Signal

from core.saved_model import SavedModel
from explorer.messages import Failed, RunResult
from explorer.session.documents import DocumentSession
from explorer.session.training import TrainingSession
from explorer.session.workers import Workers
from explorer.views.main_window import MainWindow

# Closing waits for the step in progress and its save, but not for an import of torch, which has nothing to lose.
_CLOSE_DEADLINE_MS, _IMPORT_DEADLINE_MS = 1_800, 600


class Closing(QObject):
    """Ends the run, saves it, ends the threads; `closed` follows within two seconds.

    A model that could not be saved keeps the window open, once, and it is said how to save it and how to end without.
    """

    closed = Signal(bool)
    """Every thread has ended, or (False) one is still busy with nothing to lose at the deadline."""

    def __init__(
        self,
        window: MainWindow,
        documents: DocumentSession,
        training: TrainingSession,
        workers: Workers,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._window = window
        self._documents = documents
        self._training = training
        self._workers = workers
        self.begun = False
        """Whether the end has begun."""
        self._ended = False
        self._told_of: SavedModel | None = None
        self._deadline = QTimer(self, singleShot=True)
        self._deadline.timeout.connect(self._on_deadline)
        for thread in workers.all:
            thread.finished.connect(self._on_thread_finished)

    def begin(self) -> None:
        """Begin the end, unless something would be lost of which nothing was said yet."""
        if self.begun or self._stays_open():
            return
        self.begun = True
        self._deadline.start(_IMPORT_DEADLINE_MS)
        if self._training.active:
            self._training.stop()
        # A run that waits for an import has no step to save.
        if not self._training.active or self._workers.importing_torch:
            self._end_threads()

    def go_on(self, result: RunResult) -> None:
        """Go on when the run has ended, unless what it left could not be saved."""
        if self._ended:
            return  # the deadline came first
        if result.save_error:
            self._deadline.stop()
            self.begun = False
            self._stays_open()
        else:
            self._end_threads()

    def _stays_open(self) -> bool:
        """Keep the window open for a model that is in no file, if that was not done for the same one before."""
        problem, saved = self._documents.unwritten, self._documents.saved
        if not problem or self._told_of is saved:
            return False
        self._told_of = saved
        said = (
            f"The model is in no file: {problem}. Save it somewhere else, or close the window once more to end the "
            "program without it."
        )
        self._window.show_error(Failed(said), "Save as …", "file.save_as")
        self._window.stay_open()
        return True

    def _end_threads(self) -> None:
        self._workers.shut_down()
        # Not at once where no thread runs yet: a window cannot be closed while it is asked whether it may.
        QTimer.singleShot(0, self._on_thread_finished)

    def _on_thread_finished(self) -> None:
        if self.begun and not self._workers.running and self._deadline.isActive():
            self._finish(clean=True)

    def _on_deadline(self) -> None:
        if self._deadline.interval() == _IMPORT_DEADLINE_MS and not self._workers.only_import_torch:
            self._deadline.start(_CLOSE_DEADLINE_MS - _IMPORT_DEADLINE_MS)
            return
        self._end_threads()
        self._finish(clean=False)

    def _finish(self, *, clean: bool) -> None:
        self._deadline.stop()
        self._ended = True
        self._documents.close()
        self.closed.emit(clean)
