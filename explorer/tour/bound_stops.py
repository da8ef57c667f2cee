"""Stops of the tour at what finds the bound's best q, its ladder and gaps, the read-outs, and a model without codes."""

from collections.abc import Callable

from PySide6.QtCore import Qt

from explorer.tour.driver import TourError
from explorer.tour.lecture_stops import LectureStops

_GAP_IMAGES = 40
_LONG_S = 120.0


class BoundStops(LectureStops):
    """The ledger's stops, and those of the panels beside it."""

    @property
    def stops(self) -> tuple[Callable[[], None], ...]:
        """What the tour makes, between drawing and training."""
        further = (self._fit_q, self._reparameterise, self._climb_the_ladder, self._measure_gaps, self._read_out)
        return (*super().stops, *further)

    @property
    def last_stops(self) -> tuple[Callable[[], None], ...]:
        """What the tour makes at its end."""
        return (*super().last_stops, self._sample_pixel_by_pixel)

    def _fit_q(self) -> None:
        """Click a point and let its q climb from the encoder's to the best."""
        page = self._program.views.fit.inference
        self._raise_dock(self._program.views.fit)
        self._click_a_point(-1.2, 0.4)
        self._driver.wait_for("something to fit", page.begin.isEnabled)
        self._driver.click(page.begin)
        self._driver.wait_for("a few iterations", lambda: page.last is not None, _LONG_S)
        self._driver.picture("q climbs")
        self._driver.wait_for("the end of the fit", lambda: page.last is not None and page.last.finished, _LONG_S)
        self._driver.picture("q fitted")
        if page.last is None:
            raise TourError("nothing was fitted")
        self.measured["fit"] = {"iterations": page.last.iteration, "elbo": page.last.elbo}

    def _reparameterise(self) -> None:
        """Carry noise to codes, and measure what gradients it gives."""
        panel = self._program.views.fit
        panel.tabs.setCurrentIndex(1)
        self._driver.wait(100)
        self._driver.click(panel.noise.draw)
        self._driver.click(panel.noise.measure)
        self._driver.wait_for("the measurement to begin", lambda: not panel.noise.measure.isEnabled(), 5.0)
        self._driver.wait_for("the gradients' noise", panel.noise.measure.isEnabled, _LONG_S)
        self._driver.picture("noise carried to codes")
        self._driver.click(panel.noise.clear)
        panel.tabs.setCurrentIndex(0)
        self._driver.click(panel.inference.reset)
        self._raise_dock(self._program.views.ledger)

    def _climb_the_ladder(self) -> None:
        """Set L, k and log p(x) on one plot."""
        panel = self._program.views.ladder
        self._raise_dock(panel)
        self._driver.wait_for("something to compute", panel.compute.isEnabled)
        self._driver.click(panel.compute)
        self._driver.wait_for("the ladder", lambda: panel.ladder is not None and panel.compute.isEnabled(), _LONG_S)
        self._driver.wait(200)
        self._driver.picture("ladder of bounds")

    def _measure_gaps(self) -> None:
        """Measure a few images, and click the worst."""
        panel = self._program.views.gaps
        self._raise_dock(panel)
        panel.count.setFocus()
        panel.count.selectAll()
        self._driver.type(panel.count, str(_GAP_IMAGES))
        self._driver.key(panel.count, Qt.Key.Key_Return)
        self._driver.click(panel.measure)
        self._driver.wait_for("the measurement to begin", panel.cancel.isVisible, 10.0)
        self._driver.wait_for("the gaps", lambda: not panel.cancel.isVisible(), _LONG_S)
        self._driver.wait(200)
        self._driver.picture("gaps")

    def _read_out(self) -> None:
        """Look at what the codes say of the data."""
        panel = self._program.views.read_outs
        self._raise_dock(panel)
        self._driver.click(panel.measure)
        self._driver.wait_for("the measurement to begin", panel.cancel.isVisible, 10.0)
        self._driver.wait_for("the read-outs", lambda: not panel.cancel.isVisible(), _LONG_S)
        self._driver.wait(200)
        self._driver.picture("read-outs")
        self._raise_dock(self._program.views.curves)

    def _sample_pixel_by_pixel(self) -> None:
        """Train an autoregressive model and watch it sample."""
        before = self._program.settings.last_document
        made = self._train_for_an_epoch("MADE", "made")
        view = self._program.views.sampling
        self._driver.wait_for("a sample", lambda: view.state is not None)
        self._driver.click(view.controls.sample)
        self._driver.wait(700)
        self._driver.picture("sampled pixel by pixel")
        self._driver.wait_for("a whole picture", lambda: view.state is not None and view.state.next_pixel is None, 60.0)
        self._driver.picture("a whole sample")
        self._open_again(before, made)
