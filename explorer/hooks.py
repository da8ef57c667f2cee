"""What watches over the running program: errors that nobody caught, signals of the system, a log of crashes."""

import contextlib
import faulthandler
import logging
import signal
import socket
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType
from typing import TextIO

from PySide6.QtCore import QObject, QSocketNotifier, Signal

from explorer.messages import Failed

_log = logging.getLogger("explorer")
_LARGEST_LOG = 1_000_000


class ErrorHook(QObject):
    """Turns exceptions that nobody caught, in any thread, into one signal on the GUI thread, and logs them."""

    caught = Signal(Failed)

    def install(self) -> None:
        """Take over sys.excepthook and threading.excepthook."""
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread_exception

    def remove(self) -> None:
        """Give the hooks back."""
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__

    def _on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        details = "".join(traceback.format_exception(kind, error, trace))
        _log.error("unhandled exception\n%s", details)
        print(details, file=sys.stderr)  # noqa: T201 - who started it from a terminal sees it there too
        # Emitted from any thread: the signal is queued to the GUI thread's slots.
        self.caught.emit(
            Failed(f"An error in the program: {str(error) or kind.__name__}. It goes on; see the log.", details)
        )

    def _on_thread_exception(self, arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None:
            self._on_exception(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)


class SignalHook(QObject):
    """Hears SIGINT, SIGTERM and SIGHUP also while Qt's event loop is idle."""

    received = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        # A Python handler runs only when the interpreter does, and an idle event loop never enters it: the
        # C-level handler writes a byte here, which wakes the loop.
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_activated)

    def install(self) -> None:
        """Take over the signals that ask a program to end."""
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                signal.signal(getattr(signal, name), _ignore)

    def remove(self) -> None:
        """Give the signals back."""
        signal.set_wakeup_fd(-1)
        for name in ("SIGINT", "SIGTERM", "SIGHUP"):
            if hasattr(signal, name):
                default = signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL
                signal.signal(getattr(signal, name), default)
        self._notifier.setEnabled(False)
        self._reader.close()
        self._writer.close()

    def _on_activated(self) -> None:
        with contextlib.suppress(BlockingIOError, OSError):
            for number in self._reader.recv(64):
                self.received.emit(number)


def _ignore(number: int, frame: object) -> None:
    """The byte in the socket says it all."""


class ErrorLog:
    """Errors, and the stacks of a crash, written to a folder; one that cannot be written to keeps nobody waiting."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._handler: logging.FileHandler | None = None
        self._crashes: TextIO | None = None

    @property
    def path(self) -> Path:
        """The file of the errors."""
        return self._folder / "latent-explorer.log"

    def start(self) -> None:
        """Write from now on."""
        _log.setLevel(logging.INFO)
        _log.propagate = False
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if self.path.exists() and self.path.stat().st_size > _LARGEST_LOG:
                self.path.replace(self.path.with_suffix(".old.log"))
            self._handler = logging.FileHandler(self.path, encoding="utf-8")
            self._crashes = (self._folder / "crash.log").open("a", encoding="utf-8")
        except OSError as error:
            print(f"latent-explorer: no log is written: {error}", file=sys.stderr)  # noqa: T201 - where else
            return
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        _log.addHandler(self._handler)
        faulthandler.enable(self._crashes)

    def stop(self) -> None:
        """Write no more."""
        if self._handler is not None:
            _log.removeHandler(self._handler)
            self._handler.close()
        if self._crashes is not None:
            faulthandler.disable()
            self._crashes.close()
        self._handler = self._crashes = None
