"""Python's cyclic garbage collector, run by the GUI thread alone."""

import gc

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QGuiApplication

_INTERVAL_MS = 1000


class GarbageCollector(QObject):
    """Collects at intervals on the GUI thread, and never in any other, nor while a mouse button is held.

    Left to itself the collector runs in whichever thread happens to allocate.  When a worker's turn then destroys a
    widget that was part of a cycle, Qt waits for a lock that the GUI thread holds, while the GUI thread waits for the
    interpreter's lock, which the worker holds: the program stands still for ever.
    """

    def __init__(self) -> None:
        super().__init__()
        self._timer = QTimer(self)
        self._timer.setInterval(_INTERVAL_MS)
        self._timer.timeout.connect(self._collect_unless_dragging)

    def take_over(self) -> None:
        """Switch the collector of the interpreter off, for good, and collect here from now on."""
        gc.disable()
        self._timer.start()

    def stop(self) -> None:
        """Collect no more."""
        self._timer.stop()

    def _collect_unless_dragging(self) -> None:
        if QGuiApplication.mouseButtons() == Qt.MouseButton.NoButton:
            collect_if_due()


def collect_if_due() -> int | None:
    """Collect the oldest generation that the interpreter would have collected by now; return which, if any."""
    counted = zip(gc.get_count(), gc.get_threshold(), strict=True)
    due = [generation for generation, (count, threshold) in enumerate(counted) if 0 < threshold < count]
    if not due:
        return None
    gc.collect(due[-1])
    return due[-1]
