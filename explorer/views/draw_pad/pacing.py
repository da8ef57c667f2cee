"""At most one event in a few milliseconds, and the last one always."""

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal

LEAST_GAP_MS = 4
"""Shorter gaps help no screen; a longer one, of a 120 Hz frame, doubles the latency of a 125 Hz mouse."""


class Pacer(QObject):
    """Says `due` at once when the last time is long enough ago, else as soon as it is."""

    due = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._since = QElapsedTimer()
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._fire)

    def request(self) -> None:
        """Ask for one `due`."""
        elapsed = self._since.elapsed() if self._since.isValid() else LEAST_GAP_MS
        if elapsed >= LEAST_GAP_MS:
            # A flood of events can keep a timer that is due from its turn.
            self.request_now()
        elif not self._timer.isActive():
            self._timer.start(int(LEAST_GAP_MS - elapsed))

    def request_now(self) -> None:
        """Say `due` whatever the gap, and drop the one that waits: it would only repeat this one."""
        self._timer.stop()
        self._fire()

    def _fire(self) -> None:
        self._since.restart()
        self.due.emit()
