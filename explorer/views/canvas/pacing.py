"""Positions of the mouse at a minimum gap, the last one never late."""

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal

MINIMUM_GAP_MS = 4


class Pacer(QObject):
    """Passes positions on at once, or after the rest of a 4 ms gap, when only the latest of them counts."""

    due = Signal(float, float)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._clock = QElapsedTimer()
        self._waiting: tuple[float, float] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.flush)

    def offer(self, x: float, y: float) -> None:
        """Take a new position."""
        self._waiting = (x, y)
        gap = self._clock.elapsed() if self._clock.isValid() else MINIMUM_GAP_MS
        if gap >= MINIMUM_GAP_MS:
            self.flush()
        elif not self._timer.isActive():
            self._timer.start(MINIMUM_GAP_MS - gap)

    def flush(self) -> None:
        """Pass on the waiting position now, if there is one."""
        self._timer.stop()
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            self._clock.start()
            self.due.emit(*waiting)

    def forget(self) -> None:
        """Drop the waiting position."""
        self._timer.stop()
        self._waiting = None
