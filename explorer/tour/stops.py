"""The stops of the tour, in the order a newcomer would make them."""

import math
import statistics
import time
from collections.abc import Callable

from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QLineEdit

from explorer.messages import Failed, RunState
from explorer.program import Program
from explorer.tour.autoencoder_stops import AutoencoderStops
from explorer.tour.bound_stops import BoundStops
from explorer.tour.driver import Driver, TourError, line
from explorer.tour.hands import Hands
from explorer.tour.similar_stops import SimilarStops

# Where the hand goes on the map of the shipped model, in latent units: from one kind of digit to the next.
_DRAG_STOPS = ((-1.2, 1.1), (-0.3, 1.6), (1.3, 0.6), (0.8, -1.6), (-0.6, -0.6))
_PRIOR_REACH = 1.5
_MOVES_A_STOP = 24
# A three, as a hand draws it on the 280×280 sheet: two arcs.
THREE = [
    (140 + 52 * math.cos(angle), 92 + 46 * math.sin(angle)) for angle in (math.radians(a) for a in range(-150, 95, 7))
] + [
    (140 + 60 * math.cos(angle), 188 + 52 * math.sin(angle)) for angle in (math.radians(a) for a in range(-90, 155, 7))
]


class Tour(Hands):
    """Walks through the program and keeps what it measured."""

    def __init__(self, program: Program, driver: Driver, *, epochs: int, say: Callable[[float, str], None]) -> None:
        super().__init__(program, driver)
        self._epochs = epochs
        self._say = say
        self._lecture = BoundStops(program, driver)
        self._autoencoders = AutoencoderStops(program, driver)
        self.problem = ""
        self._ended: bool | None = None
        self._painted_at = 0.0
        self._refreshes = 0
        program.session.latent.refreshed.connect(self._on_refreshed)
        program.session.failed.connect(self._on_failed)
        program.ended.connect(self._on_ended)
        program.views.hand.deterministic.painted.connect(self._on_painted)

    def walk(self) -> None:
        """Make every stop.  Raises TourError where the program does not do what it should."""
        before = (self._open, self._drag, self._grab_a_point, self._slide, self._draw)
        after = (self._train, self._similar, *self._autoencoders.stops, self._change_theme)
        stops = (*before, *self._lecture.stops, *after, *self._lecture.last_stops)
        for number, stop in enumerate(stops):
            self._say(number / len(stops), stop.__name__.strip("_").replace("_", " "))
            stop()
            if self.problem:
                raise TourError(self.problem)
        self.measured |= self._lecture.measured | self._autoencoders.measured
        self._say(1.0, "done")

    def leave(self) -> bool:
        """Close the window as a person would; return whether every thread ended by itself."""
        self._program.window.close()
        seconds = self._driver.wait_for("the window to close", self._has_ended, timeout_s=10.0)
        self.measured["close_s"] = round(seconds, 3)
        return bool(self._ended)

    # Stops

    def _open(self) -> None:
        start = time.monotonic()
        self._program.start()
        views, latent = self._program.views, self._program.session.latent
        self._driver.wait_for("codes on the canvas", lambda: latent.codes is not None)
        self._driver.wait_for("a digit under the hand", lambda: views.hand.deterministic.picture is not None)
        self.measured["draggable_s"] = round(time.monotonic() - start, 3)
        self._driver.wait_for("the training images", lambda: self._program.session.documents.data_complete)
        self._driver.wait_for("the first mosaic", lambda: self._refreshes > 0)
        self.measured["codes"] = len(latent.codes) if latent.codes is not None else 0
        self._driver.picture("opened")

    def _drag(self) -> None:
        canvas = self._program.views.canvas
        seen: list[str] = []
        latencies: list[float] = []
        here = self._handle_position()
        self._driver.press(canvas, here)
        for number, stop in enumerate(_DRAG_STOPS, 1):
            there = self._pixel(*stop)
            latencies += [self._move_until_painted(point) for point in line(here, there, _MOVES_A_STOP)[1:]]
            here = there
            self._driver.wait(60)
            seen.append(self._picture_hash())
            self._driver.picture(f"dragged {number}")
        self._driver.release(canvas, here)
        if len(set(seen)) != len(seen):
            raise TourError("the dragged picture is the same at two stops")
        self.measured["drag_ms"] = _quantiles(latencies)
        self.measured["drag_pictures"] = seen

    def _grab_a_point(self) -> None:
        latent, canvas = self._program.session.latent, self._program.views.canvas
        codes = latent.codes
        if codes is None:
            raise TourError("there are no codes to grab")
        row = int((codes.mean[:, 0] ** 2 + (codes.mean[:, 1] + 2.0) ** 2).argmin())
        point = self._pixel(*codes.mean[row][list(latent.axes)])
        self._driver.move(canvas, line(point - QPointF(30, 30), point, 10))
        self._driver.wait(300)
        self._driver.picture("hovered")
        self._driver.drag(canvas, line(point, point + QPointF(90, -70), 20))
        self._driver.picture("dragged a data point")

    def _slide(self) -> None:
        row = self._program.views.sliders.row(self._program.views.sliders.specs[0].dimension)
        before, code = self._picture_hash(), self._code()
        row.track.setFocus()
        for _ in range(12):
            self._driver.key(row.track, Qt.Key.Key_Right)
            self._driver.wait(15)
        if self._picture_hash() == before or self._code() == code:
            raise TourError("the slider moved and the picture did not")
        self._driver.picture("slid")

    def _draw(self) -> None:
        pad = self._program.views.draw_pad
        self._raise_dock(pad)
        path = [pad.surface.widget_from_ink(x, y) for x, y in THREE]
        self._driver.drag(pad.surface, path, gap_ms=6)
        self._driver.wait_for("the drawing's encoding", lambda: pad.results.encoding is not None)
        encoding = pad.results.encoding
        if encoding is not None:
            self.measured["drawing"] = {
                "mean": [round(float(value), 3) for value in encoding.mean],
                "elbo": encoding.elbo,
                "nll": encoding.nll,
                "kl": encoding.kl,
            }
        self._driver.picture("drawn")

    def _train(self) -> None:
        views, training = self._program.views, self._program.session.training
        self._raise_dock(views.hand)
        field = views.training.findChild(QLineEdit, "epochs")
        if field is None:
            raise TourError("the training panel has no field for the epochs")
        field.setFocus()
        field.selectAll()
        self._driver.type(field, str(self._epochs))
        self._driver.key(field, Qt.Key.Key_Return)
        self._driver.key(self._program.window, Qt.Key.Key_F5)
        self._driver.wait_for("the run to start", lambda: training.state is RunState.RUNNING, timeout_s=30)
        self._driver.wait_for("the first held-out figure", lambda: bool(training.history.held_out), timeout_s=120)
        self._driver.picture("training begins")
        latencies = self._drag_while_training()
        self.measured["drag_while_training_ms"] = _quantiles(latencies)
        self._driver.wait_for("the run to end", lambda: not training.active, timeout_s=900)
        self._driver.wait(1500)
        last = training.history.held_out[-1]
        self.measured["training"] = {"epochs": last.epoch, "held_out_elbo": last.means.elbo, "images": last.num_images}
        self._driver.picture("trained")

    def _drag_while_training(self) -> list[float]:
        training, canvas = self._program.session.training, self._program.views.canvas
        latencies: list[float] = []
        seen: list[str] = []
        here = self._handle_position()
        self._driver.press(canvas, here)
        for number in range(1, 5):
            if not training.active:
                break  # over sooner than the hand: what follows would be no drag during training
            angle = number * math.tau / 4.0
            there = self._pixel(_PRIOR_REACH * math.cos(angle), _PRIOR_REACH * math.sin(angle))
            latencies += [self._move_until_painted(point) for point in line(here, there, 60)[1:] if training.active]
            here = there
            seen.append(self._picture_hash())
        self._driver.picture("dragged while training")
        self._driver.release(canvas, here)
        if len(set(seen)) != len(seen):
            raise TourError("the picture dragged during training is the same at two stops")
        return latencies

    def _change_theme(self) -> None:
        window = self._program.window
        other = "light" if window.commands.is_checked("view.theme_dark") else "dark"
        window.commands.trigger(f"view.theme_{other}")
        self._driver.wait(400)
        self._driver.picture(f"{other} theme")
        self._raise_dock(self._program.views.draw_pad)
        self._driver.wait(200)
        self._driver.picture(f"drawing, {other} theme")

    def _similar(self) -> None:
        beside = SimilarStops(self._program, self._driver)
        beside.walk()
        self.measured.update(beside.measured)

    # Hands and eyes

    def _move_until_painted(self, point: QPointF) -> float:
        """Return the milliseconds from a mouse event to the decoded picture on the screen."""
        started = time.perf_counter()
        self._painted_at = 0.0
        self._driver.move(self._program.views.canvas, [point], gap_ms=0)
        self._driver.wait_for("the dragged picture", lambda: self._painted_at > 0.0, timeout_s=5.0)
        latency = 1e3 * (self._painted_at - started)
        self._driver.wait(4)
        return latency

    def _on_refreshed(self) -> None:
        self._refreshes += 1

    def _on_painted(self) -> None:
        self._painted_at = time.perf_counter()

    def _on_failed(self, failed: Failed) -> None:
        self.problem = failed.reason

    def _on_ended(self, clean: bool) -> None:  # noqa: FBT001 - a signal's value
        self._ended = clean

    def _has_ended(self) -> bool:
        return self._ended is not None


def _quantiles(values: list[float]) -> dict[str, float]:
    """Return median, 95th and 99th percentile and the largest of some milliseconds."""
    if len(values) < 2:
        return {}
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {
        "count": len(values),
        "p50": round(cuts[49], 2),
        "p95": round(cuts[94], 2),
        "p99": round(cuts[98], 2),
        "max": round(max(values), 2),
    }
