"""The draw pad: how long a move of the pen takes until its ink is drawn, normalised and told of; how long paints take.

Moves come in a busy loop, which is the cost of the work itself, and out of an event loop that slept and painted, when
caches are cold and the processor has clocked down.
"""

import os
import sys
from collections.abc import Callable
from time import perf_counter

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QEvent, QEventLoop, QObject, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication

from benchmarks.report import row
from core.snapshots import PictureEncoding, frozen
from explorer.messages import Drawing
from explorer.views.draw_pad import DrawPad
from explorer.views.draw_pad.pad import LEAST_GAP_MS

STROKES = 6
POINTS = 120
LIMIT_MS = 1.0


class Receiver(QObject):
    """Counts drawings, as a session that only queues them would."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def receive(self, drawing: Drawing) -> None:
        """Take a drawing."""
        self.count += not drawing.empty


def main() -> int:
    """Return 0 after printing the rows."""
    app = QApplication([])
    app.setAttribute(Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents, on=False)
    pad = DrawPad()
    receiver = Receiver()
    pad.drawing_changed.connect(receiver.receive)
    pad.resize(360, 680)
    pad.show()
    pause(50)
    for centre in (True, False):
        pad.set_centre_drawings(centre)
        receiver.count = 0
        moved, lifted, emitted = draw(pad, receiver, busy)
        woken, _, _ = draw(pad, receiver, pause)
        name = "centred like MNIST" if centre else "only scaled"
        row(f"pen moves: segment, {name}, emitted, p95", float(np.quantile(moved, 0.95)), LIMIT_MS, "ms")
        row("the same, p50", float(np.median(moved)), None, "ms")
        row("the same out of an event loop that slept, p50", float(np.median(woken)), None, "ms")
        row("the same out of an event loop that slept, p95", float(np.quantile(woken, 0.95)), None, "ms")
        row(f"pen lifts: smoothed, {name}, emitted, p95", float(np.quantile(lifted, 0.95)), None, "ms")
        row(f"moves that were emitted at once, {name}", 100.0 * emitted, 95.0, "%", "more")
    row("an encoding shown and painted, p95", float(np.quantile(paint(pad), 0.95)), None, "ms")
    pad.close()
    return 0


def draw(pad: DrawPad, receiver: Receiver, wait: Callable[[int], None]) -> tuple[list[float], list[float], float]:
    """Draw loops slowly enough for each event to be emitted.  Return milliseconds of moves and lifts, share emitted."""
    moved, lifted, emitted = [], [], 0
    for stroke in range(STROKES):
        pad.clear()
        angles = np.linspace(0.0, 3.0 * np.pi, POINTS)
        xs = 140.0 + (90.0 - 20.0 * stroke / STROKES) * np.cos(angles) * np.linspace(1.0, 0.4, POINTS)
        ys = 140.0 + 100.0 * np.sin(angles) * np.linspace(1.0, 0.5, POINTS)
        send(pad, QEvent.Type.MouseButtonPress, xs[0], ys[0])
        for x, y in zip(xs[1:], ys[1:], strict=True):
            wait(LEAST_GAP_MS + 1)
            before = receiver.count
            moved.append(send(pad, QEvent.Type.MouseMove, x, y))
            emitted += receiver.count - before
        lifted.append(send(pad, QEvent.Type.MouseButtonRelease, xs[-1], ys[-1]))
    return moved, lifted, emitted / len(moved)


def paint(pad: DrawPad) -> list[float]:
    """Return milliseconds from an encoding to the end of all its paints."""
    generator = np.random.default_rng(0)
    times = []
    for _ in range(100):
        pictures = [frozen(generator.integers(0, 2, (28, 28)) * 255, np.uint8) for _ in range(3)]
        mean = frozen(generator.normal(size=2), np.float32)
        scale = frozen(np.diag(np.exp(0.5 * mean)), np.float32)
        encoding = PictureEncoding(pictures[0], mean, mean, pictures[1], pictures[2], 140.0, 6.0, 64, 1, scale)
        begin = perf_counter()
        pad.set_encoding(encoding)
        for view in (*pad.results.pictures, pad.results.posterior, pad.results.costs):
            view.repaint()
        times.append((perf_counter() - begin) * 1e3)
    return times


def send(pad: DrawPad, kind: QEvent.Type, x: float, y: float) -> float:
    """Send a mouse event at ink pixels; return the milliseconds until it was handled."""
    surface = pad.surface
    position = surface.widget_from_ink(x, y)
    button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else Qt.MouseButton.LeftButton
    held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else Qt.MouseButton.LeftButton
    at = QPointF(surface.mapToGlobal(position))
    event = QMouseEvent(kind, position, at, button, held, Qt.KeyboardModifier.NoModifier)
    begin = perf_counter()
    QApplication.sendEvent(surface, event)
    return (perf_counter() - begin) * 1e3


def busy(milliseconds: int) -> None:
    """Keep the processor awake for a while; paints wait."""
    end = perf_counter() + milliseconds / 1e3
    while perf_counter() < end:
        pass


def pause(milliseconds: int) -> None:
    """Run the event loop, paints included, for a while."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


if __name__ == "__main__":
    sys.exit(main())
