"""Analyses that follow the hand: one at a time, the newest next, so that a fast hand does not starve them."""

from PySide6.QtCore import QObject, Signal

from explorer.messages import Failed
from explorer.workers.analysis import Analysis, AnalysisEnded, AnalysisThread, Found


class InTurn(QObject):
    """Lets an analysis of one kind end before the newest of those asked for since begins.

    (The thread itself would give up the one in progress, and while the hand moves none would come to its end.)
    """

    found = Signal(Found)
    failed = Signal(Failed)

    def __init__(self, thread: AnalysisThread, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread = thread
        self._running: Analysis | None = None
        self._next: Analysis | None = None
        thread.found.connect(self._on_found)
        thread.ended.connect(self._on_ended)

    def ask(self, analysis: Analysis) -> None:
        """Begin an analysis, or let it be the next."""
        if self._running is None:
            self._begin(analysis)
        else:
            self._next = analysis

    def forget(self) -> None:
        """Take no more answers to what was asked for, and begin nothing of it."""
        if self._running is not None:
            self._thread.give_up(type(self._running))
        self._running = self._next = None

    def _begin(self, analysis: Analysis) -> None:
        self._running, self._next = analysis, None
        self._thread.ask(analysis)

    def _on_found(self, found: Found) -> None:
        if found.analysis is self._running:
            self.found.emit(found)

    def _on_ended(self, ended: AnalysisEnded) -> None:
        if ended.analysis is not self._running:
            return
        self._running = None
        if ended.failure is not None:
            self.failed.emit(ended.failure)
        if self._next is not None:
            self._begin(self._next)
