"""The composition root: checks the display, builds the program, watches over it, runs Qt's event loop."""

import argparse
import gc
import os
import signal
import sys
from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication

from explorer.display import display_problem
from explorer.hooks import ErrorHook, ErrorLog
from explorer.last_run import RunMark
from explorer.program import Program, application, data_folder
from explorer.settings import Settings
from explorer.stalls import StallWatch
from explorer.system_signals import SignalHook
from explorer.theme import apply_theme, unstyled
from explorer.views.help_windows import program_version


class _Watch(QObject):
    """Ends the program when the system asks, and ends Qt's loop when the program has ended."""

    def __init__(self, app: QApplication, program: Program) -> None:
        super().__init__()
        self._app = app
        self._program = program
        self.clean = True
        program.ended.connect(self._on_ended)

    def on_signal(self) -> None:
        """Close the window; a second signal is not waited for here, it ends the program whatever this does."""
        self._program.window.close()

    def _on_ended(self, clean: bool) -> None:  # noqa: FBT001 - a signal's value
        self.clean = clean
        self._app.quit()


def main(arguments: list[str] | None = None) -> int:
    """Return the exit status of the program with a window."""
    options = _parsed(sys.argv[1:] if arguments is None else arguments)
    if options.version:
        print(f"latent-explorer {program_version()}")  # noqa: T201 - what was asked for
        return 0
    problem = display_problem()
    if problem:
        print(f"latent-explorer: {problem}", file=sys.stderr)  # noqa: T201 - there is no window to say it in
        return 1
    app = application(sys.argv[:1])
    # Every point of a fast pen, not one a frame.
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents, on=False)
    app.setQuitOnLastWindowClosed(False)
    settings = Settings()
    apply_theme(app, settings.theme)
    folder = data_folder()
    log = ErrorLog(folder)
    log.start()
    mark = RunMark(folder)
    last_run = mark.start()
    errors, signals = ErrorHook(), SignalHook()
    with unstyled(app):
        program = Program(settings, folder)
    watch = _Watch(app, program)
    # Queued: an exception in a paint event is not to open a window in the middle of the painting.
    errors.caught.connect(program.show_breakdown, Qt.ConnectionType.QueuedConnection)
    signals.received.connect(watch.on_signal)
    errors.install()
    signals.install()
    program.start(tuple(Path(name).absolute() for name in options.paths))
    program.show_last_run(last_run)
    # All that stands now is there to stay, and the collector need never go through it.
    gc.freeze()
    stalls = StallWatch(folder)
    stalls.start()
    status = app.exec()
    stalls.stop()
    errors.remove()
    mark.stop()
    log.stop()
    # Last: a signal that comes twice is not to kill a program that has ended well.
    signals.remove()
    if not watch.clean:
        # A thread is inside an import of torch, which cannot be interrupted; everything is saved already.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status


def _parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="latent-explorer",
        description="Explore the latent space of variational auto-encoders.",
        epilog="Without a window: `train`, `evaluate`, `convert`, `tour` as first word; each has a --help of its own.",
    )
    parser.add_argument(
        "paths", nargs="*", help="a model (.safetensors, .pt), data (IDX, npy, npz, a folder) or a picture"
    )
    parser.add_argument("--version", action="store_true", help="show the program's version and exit")
    return parser.parse_args(arguments)


# Interrupted before the window is up, the program ends at once instead of printing a traceback.
signal.signal(signal.SIGINT, signal.SIG_DFL)
