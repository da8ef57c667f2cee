"""Drives the real window with real mouse and key events, waits for what it does, and takes its picture."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QEventLoop, QObject, QPoint, QPointF, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

_LEFT = Qt.MouseButton.LeftButton
_NO_KEYS = Qt.KeyboardModifier.NoModifier
_POLL_MS = 10


class TourError(RuntimeError):
    """The program did not do in time what a stop of the tour waits for."""


class Driver(QObject):
    """Hands and eyes of the tour."""

    def __init__(self, window: QWidget, folder: Path) -> None:
        super().__init__()
        self._window = window
        self._folder = folder
        self._taken = 0
        self.pictures: list[dict[str, str]] = []

    def wait(self, milliseconds: int) -> None:
        """Let the program run for a while, as a person looks."""
        loop = QEventLoop()
        QTimer.singleShot(milliseconds, loop.quit)
        loop.exec()

    def wait_for(self, what: str, condition: Callable[[], bool], timeout_s: float = 60.0) -> float:
        """Let the program run until the condition holds; return the seconds that took.  Raises TourError."""
        start = time.monotonic()
        while not condition():
            if time.monotonic() - start > timeout_s:
                raise TourError(f"waited {timeout_s:g} s in vain for {what}")
            self.wait(_POLL_MS)
        return time.monotonic() - start

    def press(self, widget: QWidget, at: QPointF) -> None:
        """Press the left button."""
        QTest.mousePress(widget, _LEFT, _NO_KEYS, _pixel(at))

    def release(self, widget: QWidget, at: QPointF) -> None:
        """Release the left button."""
        QTest.mouseRelease(widget, _LEFT, _NO_KEYS, _pixel(at))

    def move(self, widget: QWidget, path: Iterable[QPointF], gap_ms: int = 8) -> None:
        """Move the mouse along points, one each `gap_ms` (8 ms is a mouse of 125 Hz)."""
        for point in path:
            QTest.mouseMove(widget, _pixel(point))
            self.wait(gap_ms)

    def drag(self, widget: QWidget, path: Iterable[QPointF], gap_ms: int = 8) -> None:
        """Press at the first point, move along the others, release at the last."""
        points = list(path)
        self.press(widget, points[0])
        self.move(widget, points[1:], gap_ms)
        self.release(widget, points[-1])

    def click(self, widget: QWidget) -> None:
        """Click in the middle of a widget."""
        QTest.mouseClick(widget, _LEFT, _NO_KEYS, widget.rect().center())

    def key(self, widget: QWidget, key: Qt.Key, keys: Qt.KeyboardModifier = _NO_KEYS) -> None:
        """Press and release a key."""
        QTest.keyClick(widget, key, keys)

    def type(self, widget: QWidget, text: str) -> None:
        """Type a text."""
        QTest.keyClicks(widget, text)

    def picture(self, title: str) -> Path:
        """Save a picture of the whole window under the next number."""
        self.wait(30)
        self._taken += 1
        name = f"{self._taken:02d}-{title.lower().replace(' ', '-').replace(',', '')}.png"
        path = self._folder / name
        if not self._window.grab().save(str(path)):
            raise TourError(f"{path} could not be written")
        self.pictures.append({"file": name, "title": title})
        return path


def line(start: QPointF, end: QPointF, steps: int) -> list[QPointF]:
    """Return points from start to end, both included."""
    return [start + (end - start) * (step / steps) for step in range(steps + 1)]


def _pixel(point: QPointF) -> QPoint:
    return point.toPoint()
