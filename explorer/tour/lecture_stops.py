"""The stops of the lecture: the bound with nothing hidden, and what else its views show."""

import math
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from core.findings.ledger import Ledger
from explorer.messages import SubjectSource
from explorer.tour.driver import TourError, line
from explorer.tour.hands import Hands

# A seven, as a hand draws it on the 280×280 sheet.
SEVEN = [(70.0, 70.0), (205.0, 70.0), (120.0, 225.0)]
_MOST_NOTCHES = 20
_RESIDUAL_NATS = 1e-3


class LectureStops(Hands):
    """One method a stop, in the order of `stops`; each leaves the window so that the next can begin."""

    @property
    def stops(self) -> tuple[Callable[[], None], ...]:
        """What the tour makes, between drawing and training."""
        return self._ledger_of_a_data_point, self._true_posterior, self._ledger_while_drawing

    @property
    def last_stops(self) -> tuple[Callable[[], None], ...]:
        """What the tour makes at its end, in the other theme, with the model it has trained."""
        return (self._ledger_in_the_other_theme,)

    # The ledger

    def _ledger_of_a_data_point(self) -> None:
        """Click a point of the map: its bound, exact, and its posterior in the glass."""
        self._raise_dock(self._program.views.ledger)
        self._click_a_point(1.3, 0.6)
        ledger = self._exact_ledger()
        self.measured["ledger"] = {
            name: getattr(ledger, name)
            for name in ("log_px", "elbo", "expected_log_likelihood", "kl_to_prior", "kl_to_posterior", "residual")
        }
        self._driver.picture("ledger of a data point")

    def _true_posterior(self) -> None:
        """Zoom in on the posterior until it needs no glass."""
        canvas = self._program.views.canvas
        place = self._handle_position()
        for _ in range(_MOST_NOTCHES):
            self._wheel(place, 240)
            self._driver.wait(30)
            if not canvas.lens.isVisible():
                break
        else:
            raise TourError("the posterior fills the canvas and the lens is still there")
        self._wheel(place, 360)
        self._driver.wait(400)
        self._driver.picture("true posterior under q")
        self._program.window.commands.trigger("view.fit")
        self._driver.wait(200)

    def _ledger_while_drawing(self) -> None:
        """Draw, and look at the ledger while the pen is down: its numbers follow."""
        views = self._program.views
        self._raise_dock(views.draw_pad)
        self._raise_dock(views.ledger)
        views.draw_pad.clear()
        surface = views.draw_pad.surface
        corners = [surface.widget_from_ink(x, y) for x, y in SEVEN]
        path = [*line(corners[0], corners[1], 18), *line(corners[1], corners[2], 20)[1:]]
        self._driver.press(surface, path[0])
        seen: list[str] = []
        for number, point in enumerate(path[1:]):
            before = views.ledger.ledger
            self._driver.move(surface, [point], gap_ms=8)
            if number % 4 == 0:
                self._driver.wait_for("the ledger to follow the pen", self._other_than(before), 10.0)
                seen.append(views.ledger.identities.numbers["log_px"])
            if number in {16, 28}:
                self._driver.picture(f"ledger while drawing {1 if number == 16 else 2}")
        self._driver.release(surface, path[-1])
        self._exact_ledger()
        self._driver.picture("ledger of the drawing")
        self.measured["ledger_while_drawing"] = {"moves": len(path) - 1, "different_numbers": len(set(seen))}
        if len(set(seen)) < 5:
            raise TourError("the ledger does not follow the pen")

    def _ledger_in_the_other_theme(self) -> None:
        """Choose the data point by the box above the ledger, and look at it."""
        panel = self._program.views.ledger
        self._raise_dock(self._program.views.hand)
        self._driver.wait_for("the table of the trained model", lambda: panel.ledger is not None)
        panel.sources.setFocus()
        self._click_a_point(1.3, 0.6)
        while panel.sources.currentText() != "data point":
            self._driver.key(panel.sources, Qt.Key.Key_Down)
        self._driver.wait(200)
        self._exact_ledger()
        self._driver.picture("ledger in the other theme")

    def _click_a_point(self, a: float, b: float) -> None:
        """Click the data point nearest to a place of the map that nothing covers."""
        latent, canvas, subject = (
            self._program.session.latent,
            self._program.views.canvas,
            self._program.session.subject,
        )
        codes = latent.codes
        if codes is None:
            raise TourError("there are no codes to click")
        shown = codes.mean[:, list(latent.axes)]
        for row in np.argsort(((shown - [a, b]) ** 2).sum(axis=1)):
            place = self._pixel(*shown[row])
            if canvas.rect().contains(place.toPoint()) and canvas.childAt(place.toPoint()) is None:
                self._driver.drag(canvas, [place, place])
                self._driver.wait(100)
                if subject.source is SubjectSource.DATA or latent.selected_image is not None:
                    return
        raise TourError("no data point can be clicked")

    def _exact_ledger(self) -> Ledger:
        """Return the ledger once its badge is green."""
        panel = self._program.views.ledger
        self._driver.wait_for("a ledger", lambda: panel.ledger is not None)
        session = self._program.session.analyses.ledger
        self._driver.wait_for("the last answer", lambda: session.settled)
        if panel.trust.tone != "good":
            raise TourError(f"the ledger is not exact: {panel.trust.text}")
        ledger = panel.ledger
        if ledger is None or ledger.residual is None or not abs(ledger.residual) <= _RESIDUAL_NATS:
            raise TourError("the ledger does not add up")
        if ledger.log_px is None or not math.isfinite(ledger.log_px):
            raise TourError("log p(x) is no number")
        return ledger

    def _other_than(self, before: Ledger | None) -> Callable[[], bool]:
        """Return whether the ledger shown is another one, as a condition to wait for."""
        panel = self._program.views.ledger
        return lambda: panel.ledger is not None and panel.ledger is not before

    def _wheel(self, place: QPointF, angle: int) -> None:
        """Turn the wheel over the canvas."""
        canvas = self._program.views.canvas
        QTest.wheelEvent(canvas.window().windowHandle(), canvas.mapTo(canvas.window(), place), QPoint(0, angle))
