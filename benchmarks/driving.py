"""The whole program off-screen, its mouse, and the watches that a benchmark holds beside it."""

import math
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# As main.py does, and like there before numpy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from PySide6.QtCore import QObject, QPointF, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDockWidget, QWidget

from explorer.messages import Failed
from explorer.program import Program, application
from explorer.settings import Settings
from explorer.theme import apply_theme
from explorer.tour.driver import Driver
from explorer.views.canvas import LatentCanvas
from explorer.views.pictures import PictureView

WIDTH, HEIGHT = 1440, 900
MOUSE_GAP_MS = 8
"""A mouse of 125 Hz."""
HEARTBEAT_MS = 5
SLICE_MS = 1000
QUIET = 0.1
"""The part of a core that other programs may take in a second that counts."""
LEAST_QUIET = 0.25
"""Where fewer of the seconds were quiet, all count."""


@contextmanager
def open_program() -> Iterator[tuple[Program, Driver]]:
    """Yield the program as it stands some seconds after its start: model, data, codes, mosaic and torch are there."""
    app = application(["latent-explorer"])
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents, on=False)
    with tempfile.TemporaryDirectory(prefix="latent-explorer-bench-") as folder:
        settings = Settings(Path(folder) / "settings.ini")
        settings.theme = "light"
        apply_theme(app, "light")
        program = Program(settings, Path(folder))
        program.window.resize(WIDTH, HEIGHT)
        driver = Driver(program.window, Path(folder))
        ready = Ready(program)
        program.start()
        driver.wait_for("model, data and torch", ready.complete)
        driver.wait(1000)
        try:
            yield program, driver
        finally:
            program.window.close()
            driver.wait_for("the program to end", ready.has_ended, timeout_s=10.0)


class Ready(QObject):
    """Knows how far a program has come."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self._program = program
        self.refreshes = 0
        self.torch_version = ""
        self.ended: bool | None = None
        self.errors = 0
        program.session.failed.connect(self._on_failed)
        program.session.latent.refreshed.connect(self._on_refreshed)
        program.workers.training.torch_loaded.connect(self._on_torch_loaded)
        program.ended.connect(self._on_ended)

    def complete(self) -> bool:
        """Return whether everything that a start loads is there."""
        return bool(self.refreshes and self.torch_version and self._program.session.documents.data_complete)

    def has_ended(self) -> bool:
        """Return whether the window has closed and its threads have been seen to."""
        return self.ended is not None

    def _on_refreshed(self) -> None:
        self.refreshes += 1

    def _on_torch_loaded(self, version: str) -> None:
        self.torch_version = version

    def _on_failed(self, failed: Failed) -> None:
        self.errors += 1
        print(f"the program said: {failed.reason}")

    def _on_ended(self, clean: bool) -> None:  # noqa: FBT001 - a signal's value
        self.ended = clean


class Neighbours(QObject):
    """Notes when other programs kept the processor busy: what they take of two cores is not the program's doing."""

    def __init__(self) -> None:
        super().__init__()
        self._last: tuple[float, float | None] = (0.0, None)
        self._slices: list[tuple[float, float, float]] = []
        self._timer = QTimer(self)
        self._timer.setInterval(SLICE_MS)
        self._timer.timeout.connect(self._look)

    def start(self) -> None:
        """Begin to look, every second."""
        self._slices = []
        self._last = (time.monotonic(), _seconds_of_others())
        self._timer.start()

    def stop(self) -> None:
        """Look a last time."""
        self._timer.stop()

    @property
    def share(self) -> float:
        """The part of a core that others took, on average."""
        return float(np.mean([share for _, _, share in self._slices])) if self._slices else 0.0

    @property
    def quiet_share(self) -> float:
        """The part of the time in which they took less than a tenth of a core."""
        return float(np.mean([share < QUIET for _, _, share in self._slices])) if self._slices else 1.0

    def undisturbed(self, moments: list[float], values: list[float]) -> list[float]:
        """Return the values of quiet seconds; all of them where too few were quiet or nothing is known of others."""
        if self.quiet_share < LEAST_QUIET or not self._slices:
            return values
        starts = np.array([start for start, _, _ in self._slices])
        quiet = np.array([share < QUIET for _, _, share in self._slices])
        rows = np.searchsorted(starts, np.array(moments), side="right") - 1
        return [value for value, row in zip(values, rows, strict=True) if row >= 0 and quiet[row]]

    def _look(self) -> None:
        now, others = time.monotonic(), _seconds_of_others()
        before, others_before = self._last
        if others is not None and others_before is not None:
            self._slices.append((before, now, (others - others_before) / (now - before)))
        self._last = (now, others)


def _seconds_of_others() -> float | None:
    """Return the seconds that all cores were busy for other processes than this; None where the system says nothing."""
    try:
        counts = [int(text) for text in Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()[1:9]]
    except (OSError, ValueError):
        return None
    busy = sum(counts) - counts[3] - counts[4]
    return busy / os.sysconf("SC_CLK_TCK") - time.process_time()


class Heartbeat(QObject):
    """A precise 5 ms timer of the window's event loop: how late each beat comes is how long something else took."""

    def __init__(self) -> None:
        super().__init__()
        self._late: list[float] = []
        self._at: list[float] = []
        self._last = 0.0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(HEARTBEAT_MS)
        self._timer.timeout.connect(self._beat)

    def start(self) -> None:
        """Forget what was, and listen."""
        self._late, self._at, self._last = [], [], time.monotonic()
        self._timer.start()

    def stop(self) -> list[float]:
        """Return how late each beat came, in milliseconds."""
        self._timer.stop()
        return self._late

    @property
    def moments(self) -> list[float]:
        """When each beat came, on the clock of time.monotonic()."""
        return self._at

    def _beat(self) -> None:
        now = time.monotonic()
        self._late.append(max(1e3 * (now - self._last) - HEARTBEAT_MS, 0.0))
        self._at.append(now)
        self._last = now


class MouseWatch(QObject):
    """Moves the mouse 125 times a second and times each event until every view that it changes has been painted."""

    def __init__(
        self, target: QWidget, path: Iterator[QPointF], picture: PictureView, other: PictureView | LatentCanvas
    ) -> None:
        """Each event is to change `picture`, and `other` beside it."""
        super().__init__()
        self._target = target
        self._path = path
        self._picture = picture
        self._due = 0.0
        self._waiting: list[_Sent] = []
        self.moments: list[float] = []
        """When each event's effect was painted, on the clock of time.monotonic()."""
        self.from_event: list[float] = []
        """Milliseconds from the event's delivery, as a toolkit's own measure would have it."""
        self.from_motion: list[float] = []
        """Milliseconds from when the mouse was to move: what a hand feels, waiting for a busy event loop included."""
        picture.painted.connect(self._on_picture_painted)
        other.painted.connect(self._on_other_painted)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(MOUSE_GAP_MS)
        self._timer.timeout.connect(self._move)

    def start(self) -> None:
        """Begin to move."""
        self._due = time.perf_counter() + MOUSE_GAP_MS / 1e3
        self._timer.start()

    def stop(self) -> None:
        """Rest."""
        self._timer.stop()

    def _move(self) -> None:
        now = time.perf_counter()
        due = min(self._due, now)
        self._due += MOUSE_GAP_MS / 1e3
        while self._due <= now:  # events that a real mouse would have sent meanwhile count as one, from the first
            self._due += MOUSE_GAP_MS / 1e3
        self._waiting.append(_Sent(now, due, self._picture.serial + 1))
        QTest.mouseMove(self._target, next(self._path).toPoint())

    def _on_picture_painted(self, serial: int) -> None:
        for sent in self._waiting:
            sent.picture_painted |= serial >= sent.serial
        self._settle()

    def _on_other_painted(self) -> None:
        for sent in self._waiting:
            sent.other_painted = True
        self._settle()

    def _settle(self) -> None:
        now = time.perf_counter()
        for sent in self._waiting:
            if sent.picture_painted and sent.other_painted:
                self.moments.append(time.monotonic())
                self.from_event.append(1e3 * (now - sent.at))
                self.from_motion.append(1e3 * (now - sent.due))
        self._waiting = [sent for sent in self._waiting if not (sent.picture_painted and sent.other_painted)]


class _Sent:
    """A mouse event on its way to the screen."""

    __slots__ = ("at", "due", "other_painted", "picture_painted", "serial")

    def __init__(self, at: float, due: float, serial: int) -> None:
        self.at, self.due, self.serial = at, due, serial
        self.picture_painted = self.other_painted = False


def distinct_pixels(points: Iterator[QPointF]) -> Iterator[QPointF]:
    """Yield points without those that fall on the pixel of the one before."""
    last = None
    for point in points:
        pixel = point.toPoint()
        if pixel != last:
            last = pixel
            yield QPointF(pixel)


def winding(middle: QPointF, reach_x: float, reach_y: float, start: QPointF) -> Iterator[QPointF]:
    """Yield a path without end over a rectangle, some pixels a step, that begins at a point of it."""
    angle = 0.0
    for step in range(50):
        yield start + (middle - start) * (step / 50)
    while True:
        angle += 0.011
        yield middle + QPointF(reach_x * math.sin(3 * angle), reach_y * math.sin(2 * angle))


def path_of_handle(program: Program) -> Iterator[QPointF]:
    """Return a path without end for the mouse on the canvas, from the selected handle over most of the map."""
    canvas, latent = program.views.canvas, program.session.latent
    code = latent.selected_code
    if code is None:
        raise RuntimeError("no handle is selected")
    start = QPointF(*canvas.view.to_pixels(*(float(code[axis]) for axis in latent.axes)))
    middle = QPointF(canvas.width() / 2.0, canvas.height() / 2.0)
    return distinct_pixels(winding(middle, 0.36 * canvas.width(), 0.36 * canvas.height(), start))


def quantile(milliseconds: list[float], share: float) -> float:
    """Return a quantile, or infinity where nothing was measured: nothing shown is never soon enough."""
    return float(np.quantile(milliseconds, share)) if len(milliseconds) else float("inf")


def raise_dock(driver: Driver, content: QObject) -> None:
    """Bring the dock that holds a widget to the front."""
    parent = content.parent()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parent()
    if isinstance(parent, QDockWidget):
        parent.show()
        parent.raise_()
        driver.wait(200)
