"""The program as one object: threads, views, window and session, wired together."""

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QStandardPaths, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication

from explorer.garbage import GarbageCollector
from explorer.messages import Failed
from explorer.session.dispatch import Dispatch
from explorer.session.session import Session
from explorer.session.views import LatePanels, Views
from explorer.session.workers import Workers, make_workers
from explorer.settings import Settings
from explorer.views.canvas import LatentCanvas
from explorer.views.compare import ComparePanel
from explorer.views.curves import CurvesPanel
from explorer.views.draw_pad import DrawPad
from explorer.views.error_dialog import ErrorDialog
from explorer.views.hand_panel import HandPanel
from explorer.views.later import Later
from explorer.views.ledger import LedgerPanel
from explorer.views.main_window import MainWindow, Panels
from explorer.views.panels import DataPanel, ModelPanel, TrainingPanel
from explorer.views.sampling import SamplingView
from explorer.views.sliders import SlidersPanel
from explorer.workers.analysis import AnalysisEnded

if TYPE_CHECKING:
    from explorer.views.fit import FitPanel
    from explorer.views.gaps import GapsPanel
    from explorer.views.ladder import LadderPanel
    from explorer.views.read_outs import ReadOutsPanel
    from explorer.views.similar import SimilarPanel

_log = logging.getLogger("explorer")
_PAINT_MS = 30
"""For what is shown to be painted, before a thread takes the interpreter's lock from that."""
_PATIENCE_MS = 2000
"""For the first picture: curves are shown without it then."""
_CURVES_MS = 150
"""For the curves to be made and drawn."""
_USUAL_TURN_S, _SHORT_TURN_S = sys.getswitchinterval(), 0.001
"""How long a thread may keep the interpreter's lock from another: usually, and while threads import and the window has
much to paint, which asks for the lock again and again."""
_START_MS = 20_000
"""After so long a start is over, whatever has come of it."""
_TIDY_MS = 500
"""After what takes much memory for a moment."""


class Program(QObject):
    """Everything that runs, from the first paint to the last save."""

    ended = Signal(bool)
    """The window has closed; False when a thread was still inside a call that cannot be interrupted."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        super().__init__()
        # Before there is a thread that could collect, and a widget that it could destroy.
        self._collector = GarbageCollector()
        self._collector.take_over()
        self.settings = settings
        self.workers: Workers = make_workers()
        self.views = _make_views(settings)
        self.window: MainWindow = self.views.window
        self.session = Session(self.views, self.workers, settings, folder)
        self.dispatch = Dispatch(self.session, self.views)
        self._paths: tuple[Path, ...] = ()
        self._folder = folder
        self._errors: ErrorDialog | None = None
        self._rest_begun = False
        self._tidying = QTimer(self, singleShot=True, interval=_TIDY_MS)
        self._tidying.timeout.connect(self.workers.beside.give_back_memory)
        for done in (self.workers.training.torch_loaded, self.workers.evidence.table_ready):
            done.connect(self._tidy_soon)
        self.workers.training.run_started.connect(self._tidy_soon)
        self.workers.training.ended.connect(self._tidy_soon)
        self.window.log_folder_requested.connect(self.open_log_folder)
        self.window.close_requested.connect(self.session.close)
        self.session.closed.connect(self._on_closed)
        self.session.failed.connect(self.show_error)
        for thread in self.workers.all:
            thread.broke.connect(self.show_error)
        self.workers.analysis.ended.connect(self._on_analysis_ended)

    def start(self, paths: tuple[Path, ...] = ()) -> None:
        """Show the window, have opened what is to be opened, and start the threads when the window has painted."""
        self._paths = paths
        sys.setswitchinterval(_SHORT_TURN_S)
        self.window.show()
        QTimer.singleShot(0, self._open_start)

    def _tidy_soon(self) -> None:
        self._tidying.start()

    def show_error(self, failed: Failed) -> None:
        """Show an error: one that the user can mend above the canvas, one of the program's own in its dialog."""
        if failed.details:
            _log.error("%s\n%s", failed.reason, failed.details)
            self.show_breakdown(failed)
        else:
            self.window.show_error(failed)

    def show_breakdown(self, failed: Failed) -> None:
        """Show an error of the program itself, which is in the log already."""
        try:
            if self._errors is None:
                self._errors = ErrorDialog(self.window)
                self._errors.save_requested.connect(self._save_as)
                self._errors.folder_requested.connect(self.open_log_folder)
            self._errors.tell(failed, can_save=self.window.commands["file.save_as"].isEnabled())
        except Exception:  # noqa: BLE001 - as below
            # Told like the first, this one would come back here, again and again.
            _log.exception("the dialog of errors failed")

    def show_last_run(self, note: str) -> None:
        """Say how an earlier run of the program ended, if there is something to say."""
        if note:
            self.window.banner.show_notice(note, "Open log folder", "help.log_folder")

    def open_log_folder(self) -> None:
        """Show the folder of the logs, or where it is."""
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder))):
            self.window.show_message(f"The logs are in {self._folder}.")

    def _save_as(self) -> None:
        self.window.commands.trigger("file.save_as")

    def _open_start(self) -> None:
        if self.session.closing:
            return
        # Analyses wait for the digit that can be dragged, and for torch: beside its import both would be late.
        for there in (self.workers.training.torch_loaded, self.workers.training.run_started):
            there.connect(self._start_analyses)
            there.connect(self._take_usual_turns)
        # The training images are of no use to a hand that waits for its first digit.
        self.workers.loading.look_first()
        self.session.open_start(self._paths)
        self.workers.beside.plots_imported.connect(self.views.curves.draw_now)
        # The digit comes first, the curves next, torch last: the shipped model is decoded without either, and their
        # imports slow everything for a moment.
        self.session.latent.refreshed.connect(self._on_first_picture)
        # There may be no picture, as when the data have gone away.
        QTimer.singleShot(_PATIENCE_MS, self.workers.beside.import_plots)
        QTimer.singleShot(_START_MS, self._take_usual_turns)
        QTimer.singleShot(_PAINT_MS, self._start_threads)

    def _start_threads(self) -> None:
        if self.session.closing:
            return
        for thread in self.workers.all:
            if thread is not self.workers.analysis:
                thread.start()

    def _on_first_picture(self) -> None:
        self.session.latent.refreshed.disconnect(self._on_first_picture)
        self.workers.beside.plots_imported.connect(self._on_plots_imported)
        QTimer.singleShot(_PAINT_MS, self.workers.beside.import_plots)

    def _on_plots_imported(self) -> None:
        # On a busy machine both have asked for them, and a signal on its way comes after a disconnection too.
        if self._rest_begun:
            return
        self._rest_begun = True
        # Threads that hold the interpreter's lock meanwhile make a plot take three times as long.
        QTimer.singleShot(_CURVES_MS, self._load_the_rest)

    def _load_the_rest(self) -> None:
        self.workers.loading.read_all()
        self.workers.training.load_torch()

    def _take_usual_turns(self) -> None:
        sys.setswitchinterval(_USUAL_TURN_S)

    def _start_analyses(self) -> None:
        if not self.session.closing and not self.workers.analysis.isRunning():
            self.workers.analysis.start()

    def _on_analysis_ended(self, ended: AnalysisEnded) -> None:
        """Its panel says in a line that it failed; why is for the dialog."""
        if ended.failure is not None:
            self.show_error(ended.failure)

    def _on_closed(self, clean: bool) -> None:  # noqa: FBT001 - a signal's value
        self.settings.save()
        self._collector.stop()
        self._tidying.stop()
        self._take_usual_turns()
        if self._errors is not None:
            self._errors.close()
        self.window.close_now()
        self.ended.emit(clean)


def data_folder() -> Path:
    """Return the folder for what the program keeps by itself."""
    return Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppLocalDataLocation))


def _make_views(settings: Settings) -> Views:
    canvas, sliders, hand, draw_pad, curves = LatentCanvas(), SlidersPanel(), HandPanel(), DrawPad(), CurvesPanel()
    data, model, training = DataPanel(), ModelPanel(), TrainingPanel()
    curves.remember(settings)
    curves.wait()
    draw_pad.remember(settings)
    ledger, compare = Later(LedgerPanel), ComparePanel(canvas)
    ledger()  # the one in front at the start
    beside = Later(_fit), Later(_ladder), Later(_gaps), Later(_read_outs), Later(_similar)
    late = LatePanels(*beside, Later(SamplingView))
    beside_curves = (late.ladder, late.gaps, late.read_outs, late.similar)
    below = (beside_curves, (ledger, late.fit))
    panels = Panels(data, model, training, canvas, hand, sliders, draw_pad, curves, *below, compare, late.sampling)
    window = MainWindow(panels, settings)
    shown = (window, canvas, sliders, hand, draw_pad, curves, data, model, training)
    return Views(*shown, ledger(), compare, late)


def _fit() -> "FitPanel":
    from explorer.views.fit import FitPanel

    return FitPanel()


def _ladder() -> "LadderPanel":
    from explorer.views.ladder import LadderPanel

    return LadderPanel()


def _gaps() -> "GapsPanel":
    from explorer.views.gaps import GapsPanel

    return GapsPanel()


def _read_outs() -> "ReadOutsPanel":
    from explorer.views.read_outs import ReadOutsPanel

    return ReadOutsPanel()


def _similar() -> "SimilarPanel":
    from explorer.views.similar import SimilarPanel

    return SimilarPanel()


def application(arguments: list[str]) -> QApplication:
    """Return the QApplication, made as this program needs it."""
    app = QApplication(arguments)
    app.setApplicationName("latent-explorer")
    app.setApplicationDisplayName("Latent Explorer")
    app.setOrganizationName("latent-explorer")
    return app
