"""Positions of the mouse at a minimum gap, the last one never late."""

import math
import time

from PySide6.QtCore import QObject, Qt, QTimer, Signal

MINIMUM_GAP_MS = 4.0
LEAST_REST_MS = 1.0
"""From the end of what a position has brought about to the next one: time for the mouse's events that wait."""


class PositionPacer(QObject):
    """Passes positions on at once, or after the rest of a 4 ms gap, when only the latest of them counts.

    One that comes soon after a late one is not held up: the gaps are 4 ms in the mean of any two.  What a position
    brings about, painting included, may take longer than the mouse takes to the next one: then those that have come
    meanwhile are left out, and the hand is never followed later than one frame.
    """

    due = Signal(float, float)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._free_ms = self._ended_ms = -math.inf
        """When the next position may be passed on, were it not for the last one's end; and that end."""
        self._waiting: tuple[float, float] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.flush)

    def offer(self, x: float, y: float) -> None:
        """Take a new position."""
        self._waiting = (x, y)
        wait_ms = max(self._free_ms, self._ended_ms + LEAST_REST_MS) - _now_ms()
        if wait_ms <= 0.0:
            self.flush()
        elif not self._timer.isActive():
            self._timer.start(math.ceil(wait_ms))

    def flush(self) -> None:
        """Pass on the waiting position now, if there is one."""
        self._timer.stop()
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            self._free_ms = max(self._free_ms, _now_ms() - MINIMUM_GAP_MS) + MINIMUM_GAP_MS
            self.due.emit(*waiting)
            self._ended_ms = _now_ms()

    def forget(self) -> None:
        """Drop the waiting position."""
        self._timer.stop()
        self._waiting = None


def _now_ms() -> float:
    return 1e3 * time.perf_counter()
