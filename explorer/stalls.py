"""A watch on the event loop: what every thread was doing when the window stood still."""

import logging
import os
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import TextIO

from PySide6.QtCore import QObject, Qt, QTimer

LIMIT_S = 0.25
"""A window that answers later than this feels stuck."""
_BEAT_MS = 50
_MOST_STALLS = 200
"""Of one run of the program: a machine that crawls is not to fill its disk with stacks."""
_LARGEST_FILE = 1_000_000

_log = logging.getLogger("explorer")


class StallWatch(QObject):
    """Writes the stacks of all threads to a file while the event loop stands still, and afterwards for how long it did.

    A thread of Python's takes the stacks, holding the interpreter's lock.  faulthandler's own thread would need no
    lock, but it reads the frames of threads that run meanwhile, and that has crashed the program.  A call that keeps
    the lock is therefore seen when it gives it back, at the line that made it.
    """

    def __init__(self, folder: Path, limit_s: float = LIMIT_S, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._limit_s = limit_s
        self._path = folder / "stalls.log"
        self._file: TextIO | None = None
        self._last = self._told = 0.0
        self._writing = threading.Lock()
        self._ended = threading.Event()
        self._watcher: threading.Thread | None = None
        self.stalls = 0
        """How often the event loop stood still."""
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(_BEAT_MS)
        self._timer.timeout.connect(self._beat)

    @property
    def path(self) -> Path:
        """The file of the stacks."""
        return self._path

    def start(self) -> None:
        """Watch from now on; where the file cannot be written, nothing is watched, and the log says so."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            too_large = self._path.exists() and self._path.stat().st_size > _LARGEST_FILE
            self._file = self._path.open("w" if too_large else "a", encoding="utf-8")
        except OSError as error:
            _log.warning("the event loop is not watched: %s", error)
            return
        self._last = time.monotonic()
        self._ended.clear()
        self._watcher = threading.Thread(target=self._watch, name="stall watch", daemon=True)
        self._watcher.start()
        self._timer.start()

    def stop(self) -> None:
        """Watch no more."""
        self._timer.stop()
        self._ended.set()
        if self._watcher is not None:
            self._watcher.join()
            self._watcher = None
        if self._file is not None:
            self._file.close()
            self._file = None

    def _beat(self) -> None:
        now = time.monotonic()
        stood_s = now - self._last
        self._last = now
        if stood_s > self._limit_s + _BEAT_MS / 1e3:
            self.stalls += 1
            text = f"the window stood still for {1e3 * stood_s:.0f} ms (process {os.getpid()})"
            stamp = time.strftime("%Y-%m-%d %H:%M:%S")
            self._write(f"{stamp} {text}; the stacks above were taken meanwhile\n\n")
            _log.warning("%s; stacks in %s", text, self._path.name)

    def _watch(self) -> None:
        """Look at the event loop's last beat again and again, in a thread of its own."""
        while not self._ended.wait(_BEAT_MS / 1e3):
            last = self._last
            late = time.monotonic() - last > self._limit_s + _BEAT_MS / 1e3
            if late and last != self._told and self.stalls < _MOST_STALLS:
                # Once for each stall, whatever its length.
                self._told = last
                self._write(_stacks())

    def _write(self, text: str) -> None:
        with self._writing:
            if self._file is not None:
                self._file.write(text)
                self._file.flush()


def _stacks() -> str:
    """Return what every thread is doing, the innermost call last."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    own = threading.get_ident()
    parts = [
        f"Thread {names.get(ident, 'of Qt')} ({ident}):\n{''.join(traceback.format_stack(frame))}"
        for ident, frame in sys._current_frames().items()  # noqa: SLF001 - the documented way to all threads' stacks
        if ident != own
    ]
    return "\n".join(parts)
