"""The signals by which the system asks a program to end: the first is heard, the second needs nobody to hear it."""

import contextlib
import ctypes
import os
import signal
import socket
import sys
import time
from types import FrameType

from PySide6.QtCore import QObject, QSocketNotifier, QTimer, Signal

GRACE_S = 0.5
"""Signals so soon after the first are the same request: a terminal that closes, and `timeout`, send it twice."""
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class SignalHook(QObject):
    """Hears SIGINT, SIGTERM and SIGHUP also while Qt's event loop is idle; a second one ends the program at once.

    The first is told by `received`.  From half a second later on the system's own handling is back in force, which
    kills the process whatever it is doing.  Where the event loop stands still the first is told to nobody; then

    - while the GUI thread executes Python, the interpreter calls the handler all the same, which forces the second;
    - while it is inside a call that may even hold the interpreter's lock, no Python runs in any thread.  So SIGINT and
      SIGTERM are each heard once only: the system takes its own handling back as it delivers the first, and the
      handler, when it comes to run, listens again.  SIGHUP is spared, because a terminal that closes sends it twice.
    """

    received = Signal(int)
    """The first signal: the program is to end."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        # A Python handler runs only when the interpreter does, and an idle event loop never enters it: the
        # C-level handler writes a byte here, which wakes the loop.
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_activated)
        self._first_at: float | None = None
        self._told = False
        self._once = _Once()

    def install(self) -> None:
        """Take over the signals that ask a program to end."""
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in _numbers():
            signal.signal(number, self._on_signal)
            self._once.listen(number)

    def remove(self) -> None:
        """Give the signals back; what belongs to the request that is being carried out counts for nothing any more."""
        signal.set_wakeup_fd(-1)
        carried_out = self._first_at is not None and time.monotonic() - self._first_at <= GRACE_S
        for number in _numbers():
            usual = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, signal.SIG_IGN if carried_out else usual)
        self._notifier.setEnabled(False)
        self._reader.close()
        self._writer.close()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        """Python's handler: called on the GUI thread between two of its instructions, whoever runs them."""
        now = time.monotonic()
        if self._first_at is None:
            self._first_at = now
        if now - self._first_at > GRACE_S:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        else:
            self._once.listen(number)

    def _on_activated(self) -> None:
        numbers = b""
        with contextlib.suppress(BlockingIOError, OSError):
            numbers = self._reader.recv(64)
        if numbers and not self._told:
            self._told = True
            QTimer.singleShot(round(1e3 * GRACE_S), self._let_go)
            self.received.emit(numbers[0])

    def _let_go(self) -> None:
        """Leave the next signal to the system, which needs neither event loop nor interpreter to obey it."""
        if self._notifier.isEnabled():
            for number in _numbers():
                signal.signal(number, signal.SIG_DFL)


class _Once:
    """Has the system hear a signal once more through Python's C-level handler, and then handle it by itself."""

    def __init__(self) -> None:
        self._handler: int | None = None
        libc = ctypes.CDLL(None) if sys.platform == "linux" else None
        # Only the GNU library offers this; elsewhere a GUI thread inside a long call is deaf, as Python programs are.
        self._listen_once = getattr(libc, "sysv_signal", None)
        if libc is None or self._listen_once is None:
            return
        for function in (libc.signal, self._listen_once):
            function.argtypes, function.restype = (ctypes.c_int, ctypes.c_void_p), ctypes.c_void_p
        # The handler is the same for every signal; it is asked of one that nobody minds losing for a moment.
        before = signal.signal(signal.SIGURG, _no_news)
        self._handler = libc.signal(signal.SIGURG, None)
        signal.signal(signal.SIGURG, before or signal.SIG_DFL)

    def listen(self, number: int) -> None:
        if self._listen_once is not None and self._handler and number != signal.SIGHUP:
            self._listen_once(number, self._handler)


def _no_news(_number: int, _frame: FrameType | None) -> None:
    """Python's handler must be some function."""


def _numbers() -> list[int]:
    return [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
