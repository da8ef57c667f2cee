"""Random hands on the whole window: real events, one at a time, from a seed."""

import faulthandler
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QTimer, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QMessageBox

from benchmarks.complaints import Complaints
from benchmarks.hands import Hands
from explorer.program import Program

_LEFT = Qt.MouseButton.LeftButton
_NO_KEYS = Qt.KeyboardModifier.NoModifier
_PROGRESS = 5_000
_STANDS_S = 60
_LOOK_MS, _WAITS_S = 50, 1.0
"""An event that takes so long waits for an answer."""


class Monkey(Hands):
    """Gives one random event after the other to the program; dialogs for files are answered, never played with.

    (Qt's own file dialog can rename and delete.  The program's end is asked for and never granted.)
    """

    def __init__(
        self, program: Program, complaints: Complaints, files: dict[str, list[Path]], count: int, seed: int
    ) -> None:
        super().__init__(program, files, random.Random(seed))  # noqa: S311 - hands, not secrets
        self._complaints = complaints
        self._count = count
        self._script: Iterator[str] = iter(())
        self._inside = False
        self._entered = 0.0
        self.quits = 0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)
        window = program.window
        window.close_requested.disconnect(program.session.close)
        window.close_requested.connect(self._on_close_requested)
        for scheme in ("file", "http", "https"):
            QDesktopServices.setUrlHandler(scheme, self, "on_url")  # type: ignore[arg-type]

    def pause(self, milliseconds: int) -> None:
        """Give the next events this far apart."""
        self._timer.setInterval(milliseconds)

    def start(self) -> None:
        """Begin."""
        self._timer.start(0)
        self._look_inside()

    def stop(self) -> None:
        """Let go of whatever is held."""
        self._timer.stop()
        faulthandler.cancel_dump_traceback_later()
        while (popup := QApplication.activePopupWidget()) is not None:
            popup.close()
        for dialog in self._dialogs():
            dialog.close()
        window = self._program.window
        QTest.mouseRelease(window, _LEFT, _NO_KEYS, QPoint(5, 5))
        window.close_requested.disconnect(self._on_close_requested)
        window.close_requested.connect(self._program.session.close)
        for scheme in ("file", "http", "https"):
            QDesktopServices.unsetUrlHandler(scheme)

    @property
    def done(self) -> bool:
        """Whether every event was given."""
        return self.events >= self._count

    @Slot(QUrl)
    def on_url(self, url: QUrl) -> None:
        """Open nothing."""

    def _on_close_requested(self) -> None:
        self.quits += 1
        self._program.window.stay_open()

    def _tick(self) -> None:
        if self.done:
            self._timer.stop()
            return
        self._inside, self._entered = True, time.monotonic()
        try:
            said = self._answer_dialog() or self._next()
        except RuntimeError as error:
            # A widget that has gone between two events of a script.
            if "already deleted" not in str(error):
                raise
            said, self._script = "gone", iter(())
        finally:
            self._inside = False
        self.events += 1
        self._complaints.recent.append(f"{self.events} {said}")
        # Should it all stand still, the stacks say where.
        faulthandler.dump_traceback_later(_STANDS_S, exit=True)
        if self.events % _PROGRESS == 0:
            print(f"{self.events:,} events", file=sys.stderr, flush=True)

    def _look_inside(self) -> None:
        """Answer what an event waits for: a menu, a dialog of Qt's own.

        Each look has a timer of its own: Qt gives a timer no second turn while its first still waits.
        """
        if self.done and not self._inside:
            return
        QTimer.singleShot(_LOOK_MS, self._look_inside)
        # QTest, too, has the events of the loop processed in between, and minds a window that goes then.
        waits = self._inside and time.monotonic() - self._entered > _WAITS_S
        if waits and not self._answer_dialog():
            popup = QApplication.activePopupWidget()
            if popup is not None:
                QTest.keyClick(popup, self._random.choice((Qt.Key.Key_Escape, Qt.Key.Key_Down, Qt.Key.Key_Return)))

    def _next(self) -> str:
        said = next(self._script, None)
        while said is None:
            self._script = self.script()
            said = next(self._script, None)
        return said

    # Dialogs

    def _dialogs(self) -> list[QDialog]:
        return [one for one in QApplication.topLevelWidgets() if isinstance(one, QDialog) and one.isVisible()]

    def _answer_dialog(self) -> str:
        for dialog in self._dialogs():
            if isinstance(dialog, QMessageBox):
                buttons = dialog.buttons()
                if buttons:
                    self._random.choice(buttons).click()
                return "answered a question"
            if isinstance(dialog, QFileDialog):
                self._answer_files(dialog)
                return f"answered {dialog.windowTitle()!r}"
        if self._random.random() < 0.02:
            for dialog in self._dialogs():
                dialog.reject()
                return f"closed {dialog.windowTitle()!r}"
        return ""

    def _answer_files(self, dialog: QFileDialog) -> None:
        if self._random.random() < 0.4:
            dialog.reject()
            return
        if dialog.acceptMode() is QFileDialog.AcceptMode.AcceptSave:
            path = self._files["save"][0] / f"{self._random.choice('abc')}{self._random.choice(['', '.csv', '.svg'])}"
        else:
            folder = dialog.fileMode() is QFileDialog.FileMode.Directory
            path = self._random.choice(self._files["folder" if folder else "open"])
        dialog.setDirectory(str(path.parent))
        dialog.selectFile(str(path))
        dialog.done(int(QDialog.DialogCode.Accepted))
        if dialog.result():
            dialog.fileSelected.emit(str(path))
