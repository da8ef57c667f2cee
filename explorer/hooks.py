"""What watches over the running program: errors that nobody caught, and the log of them."""

import logging
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, Signal

from explorer.messages import Failed

_log = logging.getLogger("explorer")
_LARGEST_LOG = 1_000_000
_MOST_KINDS = 200
"""Of errors whose repetitions are counted."""


class ErrorHook(QObject):
    """Turns exceptions that nobody caught, in any thread, into one signal on the GUI thread, and logs them."""

    caught = Signal(Failed)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._times: dict[str, int] = {}

    def install(self) -> None:
        """Take over what Python calls for errors: in slots and paint events, in threads, in destructors."""
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread_exception
        sys.unraisablehook = self._on_unraisable

    def remove(self) -> None:
        """Give the hooks back."""
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__
        sys.unraisablehook = sys.__unraisablehook__

    def _on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        details = "".join(traceback.format_exception(kind, error, trace))
        if self._is_news(details):
            _log.error("unhandled exception\n%s", details)
            print(details, file=sys.stderr)  # noqa: T201 - who started it from a terminal sees it there too
        # Emitted from any thread: the signal is queued to the GUI thread's slots.
        self.caught.emit(Failed(str(error) or kind.__name__, details))

    def _is_news(self, details: str) -> bool:
        """Count an error; one that comes with every movement of the mouse is not to fill the disk with its stack."""
        if len(self._times) >= _MOST_KINDS and details not in self._times:
            self._times.clear()
        times = self._times[details] = self._times.get(details, 0) + 1
        if times == 1:
            return True
        if times in {10, 100, 1_000, 10_000, 100_000}:
            _log.error("the same exception for the %dth time: %s", times, details.rstrip().rpartition("\n")[2])
        return False

    def _on_thread_exception(self, arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None:
            self._on_exception(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)

    def _on_unraisable(self, unraisable: "sys.UnraisableHookArgs") -> None:
        if unraisable.exc_value is not None:
            self._on_exception(unraisable.exc_type, unraisable.exc_value, unraisable.exc_traceback)


class ErrorLog:
    """Errors, written to a folder; one that cannot be written to keeps nobody waiting."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._handler: logging.FileHandler | None = None

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
        except OSError as error:
            print(f"latent-explorer: no log is written: {error}", file=sys.stderr)  # noqa: T201 - where else
            return
        self._handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        _log.addHandler(self._handler)

    def stop(self) -> None:
        """Write no more."""
        if self._handler is not None:
            _log.removeHandler(self._handler)
            self._handler.close()
        self._handler = None
