"""What a program must never say while it is tried: errors nobody caught, errors of workers, warnings of Qt's."""

import sys
import threading
import traceback
from collections import deque
from types import TracebackType

from PySide6.QtCore import QMessageLogContext, QObject, QtMsgType, qInstallMessageHandler

from explorer.messages import Failed
from explorer.program import Program

IGNORED_WARNINGS = (
    # The offscreen platform says so of whatever a window manager would do: raising, least sizes, masks.
    "This plugin does not support",
    # QTest's own word on a click that no widget wanted, as one beside a button.
    "not accepted by receiving widget",
    "occurs outside target window",
)
_REMEMBERED = 30
"""Events that are remembered for the report of an error."""
_SHOWN = 3


class Complaints(QObject):
    """Everything that must not happen: exceptions nobody caught, errors of workers, warnings of Qt."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self.exceptions: list[str] = []
        self.warnings: list[str] = []
        self.recent: deque[str] = deque(maxlen=_REMEMBERED)
        program.session.failed.connect(self._on_failed)
        for thread in program.workers.all:
            thread.broke.connect(self._on_failed)
        self._hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
        sys.excepthook = self._on_exception
        threading.excepthook = self._on_thread_exception
        sys.unraisablehook = self._on_unraisable
        qInstallMessageHandler(self._on_message)

    def stop(self) -> None:
        """Listen no more."""
        sys.excepthook, threading.excepthook, sys.unraisablehook = self._hooks
        qInstallMessageHandler(None)

    def _on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        self._note(self.exceptions, "".join(traceback.format_exception(kind, error, trace)))

    def _on_thread_exception(self, arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None:
            self._on_exception(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)

    def _on_unraisable(self, unraisable: "sys.UnraisableHookArgs") -> None:
        if unraisable.exc_value is not None:
            self._on_exception(unraisable.exc_type, unraisable.exc_value, unraisable.exc_traceback)

    def _on_failed(self, failed: Failed) -> None:
        # An error that the user can mend has no stack.
        if failed.details:
            self._note(self.exceptions, f"{failed.reason}\n{failed.details}")

    def _on_message(self, kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
        serious = kind in {QtMsgType.QtWarningMsg, QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg}
        if serious and not any(ignored in text for ignored in IGNORED_WARNINGS):
            self._note(self.warnings, text)

    def _note(self, kept: list[str], text: str) -> None:
        kept.append(text)
        if len(kept) <= _SHOWN:
            events = "\n    ".join(self.recent)
            print(f"{text}\n  after the events\n    {events}", file=sys.stderr, flush=True)
