"""The ledger at the pen's speed: from a mouse event to its numbers, and to the exact ones when the pen rests.

What the evidence costs by itself, bench_evidence.py says.  The shipped model, the whole window, 125 mouse events a
second.  Seconds in which other programs took more than a tenth of a core are left out where a quarter of all was quiet.
"""

import sys
import time
from collections.abc import Iterator

from PySide6.QtCore import QObject, QPointF, Qt, QTimer
from PySide6.QtTest import QTest

from benchmarks.bench_feel import loops
from benchmarks.driving import MOUSE_GAP_MS, Neighbours, distinct_pixels, open_program, quantile, raise_dock
from benchmarks.report import row
from explorer.messages import LedgerAnswer, Subject, TableReady
from explorer.program import Program
from explorer.tour.driver import Driver
from explorer.workers.evidence import REST_S

STROKES, STROKE_MS, REST_MS = 48, 600, 400
REST_LIMIT_MS, BUILD_LIMIT_MS, MEMORY_LIMIT_MB = 100.0, 1_000.0, 300.0


class Tables(QObject):
    """Keeps what the evidence thread says of its tables."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self.ready: list[TableReady] = []
        program.workers.evidence.table_ready.connect(self._on_ready)

    def _on_ready(self, table: TableReady) -> None:
        self.ready.append(table)


class LedgerWatch(QObject):
    """Moves the pen and times each movement until the ledger of its image, or of a later one, was painted."""

    def __init__(self, program: Program, path: Iterator[QPointF]) -> None:
        super().__init__()
        self._surface = program.views.draw_pad.surface
        self._panel = program.views.ledger
        self._path = path
        self._sent: list[tuple[float, int | None]] = []
        self._answered: LedgerAnswer | None = None
        self.from_event: list[float] = []
        self.moments: list[float] = []
        self.answer_ms: list[float] = []
        self.from_rest: list[float] = []
        self.refined_ms: list[float] = []
        self._last_move = 0.0
        self._resting = False
        program.session.subject.changed.connect(self._on_subject)
        program.workers.evidence.answered.connect(self._on_answered)
        self._panel.bars.painted.connect(self._on_painted)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(MOUSE_GAP_MS)
        self._timer.timeout.connect(self._move)

    def begin(self) -> None:
        """Put the pen down and move it."""
        QTest.mousePress(
            self._surface, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, next(self._path).toPoint()
        )
        self._resting = False
        self._timer.start()

    def rest(self) -> None:
        """Hold the pen still, on the paper."""
        self._timer.stop()
        self._resting = True

    def lift(self) -> None:
        """Take the pen away."""
        QTest.mouseRelease(
            self._surface, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, next(self._path).toPoint()
        )
        self._sent = []

    def _move(self) -> None:
        self._last_move = time.perf_counter()
        self._sent.append((self._last_move, None))
        QTest.mouseMove(self._surface, next(self._path).toPoint())

    def _on_subject(self, subject: Subject) -> None:
        self._sent = [(at, subject.serial if serial is None else serial) for at, serial in self._sent]

    def _on_answered(self, answer: LedgerAnswer) -> None:
        self._answered = answer
        (self.refined_ms if answer.refined else self.answer_ms).append(answer.milliseconds)

    def _on_painted(self) -> None:
        now, answer = time.perf_counter(), self._answered
        if answer is None:
            return
        shown = [at for at, serial in self._sent if serial is not None and serial <= answer.serial]
        self._sent = [(at, serial) for at, serial in self._sent if serial is None or serial > answer.serial]
        self.from_event += [1e3 * (now - at) for at in shown]
        self.moments += [time.monotonic()] * len(shown)
        if self._resting and answer.refined:
            self.from_rest.append(1e3 * (now - self._last_move))
            self._resting = False


def main() -> int:
    """Print the rows."""
    with open_program() as (program, driver):
        tables = Tables(program)
        driver.wait_for("the ledger", lambda: program.views.ledger.ledger is not None)
        build(program, driver, tables)
        pen(program, driver)
    return 0


def build(program: Program, driver: Driver, tables: Tables) -> None:
    """Build the table anew, as when other weights come; print its time and memory."""
    saved = program.session.documents.saved
    if saved is None:
        raise RuntimeError("no model is open")
    times = []
    for _ in range(3):
        tables.ready.clear()
        program.workers.evidence.set_model(
            saved.config.model, saved.as_weights(program.session.training.next_version())
        )
        driver.wait_for("the table", lambda: bool(tables.ready))
        times.append(tables.ready[-1].milliseconds)
    row("table of new weights in the background", min(times), BUILD_LIMIT_MS, "ms")
    row("memory of the table", tables.ready[-1].memory_bytes / 1e6, MEMORY_LIMIT_MB, "MB")


def pen(program: Program, driver: Driver) -> None:
    """Draw strokes and rest after each; print how soon the ledger followed and how soon it was exact."""
    pad = program.views.draw_pad
    raise_dock(driver, pad)
    watch = LedgerWatch(program, distinct_pixels(pad.surface.widget_from_ink(x, y) for x, y in loops()))
    neighbours = Neighbours()
    neighbours.start()
    for _ in range(STROKES):
        pad.clear()
        driver.wait(30)
        watch.begin()
        driver.wait(STROKE_MS)
        watch.rest()
        driver.wait(REST_MS)
        watch.lift()
    neighbours.stop()
    shown = neighbours.undisturbed(watch.moments, watch.from_event)
    row("pen moved to ledger painted, p50", quantile(shown, 0.5), None, "ms")
    row("pen moved to ledger painted, p95", quantile(shown, 0.95), None, "ms")
    row("answer of the evidence thread meanwhile, p95", quantile(watch.answer_ms, 0.95), None, "ms")
    rest = "pen at rest to exact ledger painted"
    row(f"{rest}, p50", quantile(watch.from_rest, 0.5), None, "ms")
    row(f"{rest}, p95", quantile(watch.from_rest, 0.95), REST_LIMIT_MS, "ms")
    row("of which waiting whether the pen rests", 1e3 * REST_S, None, "ms")
    row("taken by other programs", 100.0 * neighbours.share, None, "% of a core")


if __name__ == "__main__":
    sys.exit(main())
