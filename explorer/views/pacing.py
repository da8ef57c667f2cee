"""At most one showing in so many milliseconds, and the last one always."""

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal

FOLLOW_MS = 33
"""Numbers follow a code that moves elsewhere at most 30 times a second: a third of a drag, and no eye reads sooner."""


class RequestPacer(QObject):
    """Says `due` at once when the last time is so many milliseconds ago, else as soon as it is."""

    due = Signal()

    def __init__(self, parent: QObject, least_gap_ms: int) -> None:
        super().__init__(parent)
        self._least_gap_ms = least_gap_ms
        self._since = QElapsedTimer()
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._fire)

    def request(self) -> None:
        """Ask for one `due`."""
        elapsed = self._since.elapsed() if self._since.isValid() else self._least_gap_ms
        if elapsed >= self._least_gap_ms:
            # A flood of events can keep a timer that is due from its turn.
            self.request_now()
        elif not self._timer.isActive():
            self._timer.start(int(self._least_gap_ms - elapsed))

    def request_now(self) -> None:
        """Say `due` whatever the gap, and drop the one that waits: it would only repeat this one."""
        self._timer.stop()
        self._fire()

    def _fire(self) -> None:
        self._since.restart()
        self.due.emit()
