"""What every worker thread stands on: an error nobody foresaw is told, and no thread is dropped before its end."""

import atexit
import os
import sys
import threading
import time
import traceback
from abc import abstractmethod

from PySide6.QtCore import QDeadlineTimer, QObject, QThread, Signal

from explorer.messages import Failed

_CALM_S = 10.0
"""After so long without another, an error counts as the first."""
_LONGEST_REST_S = 0.25
_MOST_IN_A_ROW = 3
"""So often it is tried to come to the word that the program ends, with what was asked before it."""
_LONGEST_END_S = 60.0
"""At the end of the process, for a thread inside a call that nothing interrupts, as torch's import from a slow disk."""

# Qt aborts the process when a thread that runs is destroyed, and Python destroys what nobody knows any more.
_begun: "set[ServingThread]" = set()


class ServingThread(QThread):
    """A thread that outlives its errors, and that everything which knows it may forget before it has ended.

    Qt says of a thread that ended by an exception that it has `finished`, as of any other, and whatever is asked of it
    afterwards is never answered.  Here `serve` begins again instead, after a rest that grows while errors follow each
    other: what was asked meanwhile is waiting in its queue or slots.

    Whoever closes a window may end without those that are inside a long call.  They are held on to until they have
    ended, and awaited before the interpreter ends.
    """

    broke = Signal(Failed)
    """An error nobody foresaw; the thread goes on."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._told_to_end = False
        self.finished.connect(self._on_finished)

    def start(self, priority: QThread.Priority = QThread.Priority.InheritPriority) -> None:
        """Begin to serve; one that was told to shut down before begins no more."""
        if not self._told_to_end:
            _begun.add(self)
            super().start(priority)

    def shut_down(self) -> None:
        """End the thread as soon as it can be, for good.  What else has to be told of it, its kind adds."""
        self._told_to_end = True
        self.requestInterruption()

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

    def _on_finished(self) -> None:
        _begun.discard(self)


def _await_all() -> None:
    """Have every thread end before the interpreter does, which would destroy what still runs."""
    deadline = QDeadlineTimer(round(1e3 * _LONGEST_END_S))
    for thread in _begun:
        thread.shut_down()
    for thread in _begun:
        if not thread.wait(deadline):
            print(f"the thread {thread.objectName()!r} does not end", file=sys.stderr)  # noqa: T201 - nowhere else
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(1)
    _begun.clear()


# Registered after Qt's own, and so called before it.
atexit.register(_await_all)
