"""A watch on the event loop: what every thread was doing when the window stood still."""

import faulthandler
import logging
import os
import time
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

    The stacks are written by faulthandler's own thread, which needs no interpreter lock: it also sees a call that holds
    the lock and never returns.
    """

    def __init__(self, folder: Path, limit_s: float = LIMIT_S, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._limit_s = limit_s
        self._path = folder / "stalls.log"
        self._file: TextIO | None = None
        self._last = 0.0
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
        self._arm()
        self._timer.start()

    def stop(self) -> None:
        """Watch no more."""
        self._timer.stop()
        if self._file is not None:
            faulthandler.cancel_dump_traceback_later()
            self._file.close()
            self._file = None

    def _beat(self) -> None:
        now = time.monotonic()
        stood_s = now - self._last
        self._last = now
        if self._file is None:
            return
        if stood_s > self._limit_s + _BEAT_MS / 1e3:
            self.stalls += 1
            text = f"the window stood still for {1e3 * stood_s:.0f} ms (process {os.getpid()})"
            self._file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}; the stacks above were taken meanwhile\n\n")
            self._file.flush()
            _log.warning("%s; stacks in %s", text, self._path.name)
        if self.stalls < _MOST_STALLS:
            self._arm()
        else:
            faulthandler.cancel_dump_traceback_later()

    def _arm(self) -> None:
        """Have the stacks written unless the next beat comes in time: each call puts off the one before."""
        if self._file is not None:
            faulthandler.dump_traceback_later(self._limit_s + _BEAT_MS / 1e3, file=self._file)
