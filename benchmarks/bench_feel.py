"""How the program feels: from a mouse event to the painted picture, idle and while a model trains in the background.

Real mouse events, 125 a second, in the whole window: the shipped model, 10,000 codes over their mosaic.  Seconds in
which other programs took more than a tenth of a core are left out where a quarter of all was quiet.
"""

import itertools
import math
import sys
import time
from collections.abc import Iterator, Mapping

from PySide6.QtCore import QObject, QPointF
from PySide6.QtWidgets import QLineEdit

from benchmarks.driving import (
    HEARTBEAT_MS,
    Heartbeat,
    MouseWatch,
    Neighbours,
    distinct_pixels,
    open_program,
    path_of_handle,
    quantile,
    raise_dock,
)
from benchmarks.peers.matplotlib_hand import beside_matplotlib
from benchmarks.report import row
from explorer.messages import RunReport, RunState
from explorer.program import Program
from explorer.tour.driver import Driver

IDLE_S, ALONE_S, TRAINING_S, OTHER_S = 20, 20, 60, 8
EPOCHS = "500"
IDLE_LIMITS_MS = {0.95: 6.0}
TRAINING_LIMITS_MS = {0.5: 3.0, 0.95: 4.5, 0.99: 6.0}
LEAST_SHARE = 95.0
"""Percent of its pace that training keeps while someone drags."""


class ImageCount(QObject):
    """Counts the images a run has trained on."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self._steps = 0
        self._batch_size = program.session.config.training.batch_size
        program.workers.training.reported.connect(self._on_reported)
        self._began = (0, 0.0)

    def begin(self) -> None:
        """Count from now."""
        self._began = (self._steps, time.monotonic())

    def per_second(self) -> float:
        """Return images a second since `begin`, the evaluations in between included."""
        steps, at = self._began
        return (self._steps - steps) * self._batch_size / (time.monotonic() - at)

    def _on_reported(self, report: RunReport) -> None:
        self._steps += sum(len(steps) for steps in report.steps)


def main() -> int:
    """Print the rows."""
    with open_program() as (program, driver):
        raise_dock(driver, program.views.hand)
        codes = program.session.latent.codes
        print(f"{0 if codes is None else len(codes):,} codes, mosaic, window 1440×900, 125 Hz mouse")
        drag(program, driver, IDLE_S, "idle", limits_ms=IDLE_LIMITS_MS)
        beside_matplotlib(program, driver)
        slide(program, driver)
        draw(program, driver)
        raise_dock(driver, program.views.hand)
        train(program, driver)
        images = ImageCount(program)
        driver.wait(2000)
        images.begin()
        driver.wait(1000 * ALONE_S)
        alone = images.per_second()
        images.begin()
        drag(program, driver, TRAINING_S, "while training", limits_ms=TRAINING_LIMITS_MS, with_heartbeat=True)
        dragging = images.per_second()
        row("training alone", alone, None, "images/s", "more")
        row("training while dragging", dragging, None, "images/s", "more")
        row("training while dragging, share of alone", 100.0 * dragging / max(alone, 1e-9), LEAST_SHARE, "%", "more")
        slide(program, driver, " while training")
        draw(program, driver, " while training")
    return 0


def drag(
    program: Program,
    driver: Driver,
    seconds: int,
    when: str,
    *,
    limits_ms: Mapping[float, float],
    with_heartbeat: bool = False,
) -> None:
    """Drag the handle over the map; print how soon its picture was painted."""
    canvas, hand = program.views.canvas, program.views.hand
    path = path_of_handle(program)
    driver.press(canvas, next(path))
    watch, heartbeat, neighbours = MouseWatch(canvas, path, hand.deterministic, canvas), Heartbeat(), Neighbours()
    neighbours.start()
    watch.start()
    heartbeat.start()
    driver.wait(1000 * seconds)
    beats = heartbeat.stop()
    watch.stop()
    neighbours.stop()
    driver.wait(50)
    driver.release(canvas, next(path))
    shown = neighbours.undisturbed(watch.moments, watch.from_event)
    moved = neighbours.undisturbed(watch.moments, watch.from_motion)
    late = neighbours.undisturbed(heartbeat.moments, beats)
    event = f"mouse event to decoded picture painted, {when}"
    for share in (0.5, 0.95, 0.99):
        row(f"{event}, p{100 * share:g}", quantile(shown, share), limits_ms.get(share), "ms")
    row(f"the same from the motion, p95, {when}", quantile(moved, 0.95), None, "ms")
    row(f"mouse events shown a second, {when}", len(watch.from_event) / seconds, None, "1/s", "more")
    limits = (10.0, 100.0) if with_heartbeat else (None, None)
    row(f"event-loop lateness, {when}, p99", quantile(late, 0.99), limits[0], "ms")
    row(f"longest gap of the event loop, {when}, {seconds} s", quantile(late, 1.0) + HEARTBEAT_MS, limits[1], "ms")
    row(f"the same, other programs' doing included, {when}", max(beats) + HEARTBEAT_MS, None, "ms")
    row(f"taken by other programs, {when}", 100.0 * neighbours.share, None, "% of a core")
    row(f"seconds without them, which the figures are of, {when}", 100.0 * neighbours.quiet_share, None, "%")


def slide(program: Program, driver: Driver, when: str = "") -> None:
    """Drag a slider; print how soon canvas and picture followed."""
    sliders, canvas = program.views.sliders, program.views.canvas
    track = sliders.row(sliders.specs[0].dimension).track
    path = distinct_pixels(to_and_fro(track.width(), track.height() / 2.0))
    driver.press(track, next(path))
    watch = MouseWatch(track, path, program.views.hand.deterministic, canvas)
    watch.start()
    driver.wait(1000 * OTHER_S)
    watch.stop()
    driver.wait(50)
    driver.release(track, next(path))
    row(f"slider moved to picture and canvas painted{when}, p95", quantile(watch.from_event, 0.95), None, "ms")


def draw(program: Program, driver: Driver, when: str = "") -> None:
    """Draw loops; print how soon both reconstructions of the drawing were painted."""
    pad = program.views.draw_pad
    raise_dock(driver, pad)
    times = []
    for _ in range(OTHER_S // 2):
        pad.clear()
        driver.wait(50)
        path = distinct_pixels(pad.surface.widget_from_ink(x, y) for x, y in loops())
        driver.press(pad.surface, next(path))
        watch = MouseWatch(pad.surface, path, pad.results.deterministic, pad.results.stochastic)
        watch.start()
        driver.wait(2000)
        watch.stop()
        driver.wait(50)
        driver.release(pad.surface, next(path))
        times += watch.from_event
    row(f"pen moved to encoding painted{when}, p95", quantile(times, 0.95), None, "ms")


def train(program: Program, driver: Driver) -> None:
    """Start to train a new model of the default kind, as a user would."""
    field = program.views.training.findChild(QLineEdit, "epochs")
    if field is None:
        raise RuntimeError("the training panel has no field for the epochs")
    field.setText(EPOCHS)
    field.editingFinished.emit()
    program.window.commands.trigger("model.start")
    driver.wait_for("the run to start", lambda: program.session.training.state is RunState.RUNNING)


def to_and_fro(width: float, y: float) -> Iterator[QPointF]:
    """Yield a path without end along a slider."""
    for step in itertools.count():
        yield QPointF(width * (0.5 + 0.42 * math.sin(0.03 * step)), y)


def loops() -> Iterator[tuple[float, float]]:
    """Yield a pen's path without end, in pixels of the sheet: loops that shrink and grow."""
    for step in itertools.count():
        reach = 60.0 + 30.0 * math.sin(0.013 * step)
        yield 140.0 + reach * math.cos(0.05 * step), 140.0 + 1.2 * reach * math.sin(0.05 * step)


if __name__ == "__main__":
    sys.exit(main())
