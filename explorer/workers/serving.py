"""What every worker thread stands on: an error that nobody foresaw is told, and the thread goes on."""

import threading
import time
import traceback
from abc import abstractmethod

from PySide6.QtCore import QThread, Signal

from explorer.messages import Failed

_CALM_S = 10.0
"""After so long without another, an error counts as the first."""
_LONGEST_REST_S = 0.25
_MOST_IN_A_ROW = 3
"""So often it is tried to come to the word that the program ends, with what was asked before it."""


class ServingThread(QThread):
    """A thread that outlives its errors.

    Qt says of a thread that ended by an exception that it has `finished`, as of any other, and whatever is asked of it
    afterwards is never answered.  Here `serve` begins again instead, after a rest that grows while errors follow each
    other: what was asked meanwhile is waiting in its queue or slots.
    """

    broke = Signal(Failed)
    """An error nobody foresaw; the thread goes on."""

    @abstractmethod
    def serve(self) -> None:
        """Do what is asked, until told to shut down.  Every foreseen error is answered in here."""

    def on_breakdown(self, failed: Failed) -> None:
        """Tell those who wait for an answer that there will be none; nobody waits by default."""

    def run(self) -> None:
        """Serve until told to shut down, whatever goes wrong."""
        in_a_row, last = 0, time.monotonic()
        while True:
            try:
                self.serve()
            except Exception as error:
                failed = Failed(str(error) or type(error).__name__, traceback.format_exc())
            else:
                return
            self.broke.emit(failed)
            self.on_breakdown(failed)
            now = time.monotonic()
            in_a_row = 1 if now - last > _CALM_S else in_a_row + 1
            last = now
            if in_a_row > _MOST_IN_A_ROW and self.isInterruptionRequested():
                return
            # An event that nobody sets: a sleep without the interpreter's lock.
            threading.Event().wait(min(0.02 * in_a_row**2, _LONGEST_REST_S))
