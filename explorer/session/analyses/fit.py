"""Variational inference by hand: fit q to one image, and the reparameterisation it stands on."""

import numpy as np
from PySide6.QtCore import QObject, QTimer

from core.findings.fitting import FitStep
from core.findings.sampling import GradientNoise, ReparameterisedDraws
from explorer.session.analyses.bounds import BoundSubject
from explorer.session.analyses.hub import AnalysisHub
from explorer.views.fit import FitPanel, Known
from explorer.workers.analysis import AnalysisEnded, Found
from explorer.workers.variational import DrawNoise, FitQ, MeasureGradients

ITERATION_MS = 40
"""Between two iterations of a fit: each one can be seen."""


class FitSession(QObject):
    """Fits q iteration by iteration, moving its ellipse on the canvas; draws ε and measures gradients."""

    def __init__(self, panel: FitPanel, hub: AnalysisHub, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panel = panel
        self._hub = hub
        self._subject = BoundSubject(hub, self)
        self._fit: FitQ | None = None
        self._draws: DrawNoise | None = None
        self._gradients: MeasureGradients | None = None
        self._num_points = 0
        self._seed = 0
        self._shown: ReparameterisedDraws | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(ITERATION_MS)
        self._timer.timeout.connect(self._pull)
        page, noise = panel.inference, panel.noise
        page.begin_requested.connect(self.begin)
        page.pause_requested.connect(self.pause)
        page.step_requested.connect(self.step)
        page.reset_requested.connect(self.reset)
        page.choice_changed.connect(self.reset)
        noise.draw_requested.connect(self.draw)
        noise.redraw_requested.connect(self.redraw)
        noise.clear_requested.connect(self.clear_draws)
        noise.origins_toggled.connect(self._show_draws)
        noise.measure_requested.connect(self.measure)
        self._subject.changed.connect(self._on_subject)
        self._subject.known_changed.connect(self._on_known)
        hub.model_opened.connect(self._on_model_opened)
        hub.analysis.found.connect(self._on_found)
        hub.analysis.ended.connect(self._on_ended)
        self._on_model_opened()
        self._on_subject()

    # The fit

    def begin(self, family: str, start: str) -> None:
        """Fit q from its start, or go on with a fit that was paused."""
        self._hub.subject.tell_now()
        last = self._panel.inference.last
        if self._fit is None or (last is not None and last.finished):
            self._ask(family, start)
        if self._fit is not None:
            self._timer.start()
            self._panel.inference.set_running(True)
            self._pull()

    def pause(self) -> None:
        """Stop pulling: the fit stands where it is."""
        self._timer.stop()
        self._panel.inference.set_running(False)

    def step(self, family: str, start: str) -> None:
        """Take a single iteration."""
        self._hub.subject.tell_now()
        if self._fit is None:
            self._ask(family, start)
        self._pull()

    def reset(self) -> None:
        """Take the fitted q away."""
        self.pause()
        if self._fit is not None:
            self._hub.analysis.give_up(FitQ)
            self._fit = None
        self._panel.inference.clear()
        self._panel.inference.set_note("")
        self._hub.canvas.set_fitted(None)

    def _ask(self, family: str, start: str) -> None:
        self.reset()
        config, pixels = self._subject.config, self._subject.pixels
        if config is not None and pixels is not None:
            self._fit = FitQ(config, pixels, family, start)
            self._hub.analysis.ask(self._fit)
            self._hub.analysis.hold(FitQ)

    def _pull(self) -> None:
        if self._fit is not None:
            self._hub.analysis.pull_once(FitQ)

    def _show_step(self, step: FitStep) -> None:
        self._panel.inference.add_step(step)
        if self._subject.config is not None and self._subject.config.latent_dim == len(step.mean):
            self._hub.canvas.set_fitted(step.mean, step.scale)
        if step.finished:
            self.pause()

    # The draws

    def draw(self, count: int) -> None:
        """Show so many draws of the encoder's q."""
        self._hub.subject.tell_now()
        self._num_points = count
        self._ask_draws()

    def redraw(self) -> None:
        """Draw other noise, if points are shown."""
        if self._num_points:
            self._seed += 1
            self._ask_draws()

    def clear_draws(self) -> None:
        """Take the points away."""
        self._num_points = 0
        self._draws = None
        if self._shown is not None:
            self._shown = None
            self._hub.canvas.set_points(None)
        self._panel.noise.set_drawn(0, self._seed)

    def _ask_draws(self) -> None:
        config, pixels = self._subject.config, self._subject.pixels
        if config is not None and pixels is not None and self._num_points:
            self._draws = DrawNoise(config, pixels, self._num_points, self._seed)
            self._hub.analysis.ask(self._draws)

    def _show_draws(self) -> None:
        draws, config = self._shown, self._subject.config
        if draws is None or config is None or config.latent_dim != draws.codes.shape[1]:
            return
        if self._panel.noise.origins.isChecked():
            # ε are points of their own, each the beginning of the line to its z.
            points = np.concatenate([draws.codes, draws.noise])
            groups = np.repeat(np.arange(2), len(draws.codes))
            self._hub.canvas.set_points(points, np.concatenate([draws.noise, draws.noise]), groups)
        else:
            self._hub.canvas.set_points(draws.codes)
        self._panel.noise.set_drawn(len(draws.codes), draws.seed)

    # The gradients

    def measure(self) -> None:
        """Measure the variance of both gradient estimators."""
        self._hub.subject.tell_now()
        config, pixels = self._subject.config, self._subject.pixels
        if config is not None and pixels is not None:
            self._gradients = MeasureGradients(config, pixels)
            self._panel.noise.set_measuring(True)
            self._hub.analysis.ask(self._gradients)

    # What comes

    def _on_model_opened(self) -> None:
        config = self._subject.config
        if config is not None:
            self._panel.inference.set_family(config.posterior)

    def _on_subject(self) -> None:
        self.reset()
        self._panel.set_reason(self._subject.reason)
        self._panel.set_subject(self._subject.text)
        self._panel.inference.set_known(None)
        self._gradients = None
        self._hub.analysis.give_up(MeasureGradients)
        self._panel.noise.set_measuring(False)
        self._panel.noise.set_noise(None)
        if self._subject.pixels is None:
            self.clear_draws()
        else:
            self._ask_draws()

    def _on_known(self) -> None:
        ledger = None if self._subject.answer is None else self._subject.answer.ledger
        known = None
        if ledger is not None and ledger.log_px is not None:
            doubt = ledger.standard_error if ledger.is_estimate else ledger.error_bar
            known = Known(ledger.log_px, doubt or 0.0, exact=not ledger.is_estimate)
        self._panel.inference.set_known(known)

    def _on_found(self, found: Found) -> None:
        finding = found.finding
        if found.analysis is self._fit and isinstance(finding, FitStep):
            self._show_step(finding)
        elif found.analysis is self._draws and isinstance(finding, ReparameterisedDraws):
            self._shown = finding
            self._show_draws()
        elif found.analysis is self._gradients and isinstance(finding, GradientNoise):
            self._panel.noise.set_noise(finding)

    def _on_ended(self, ended: AnalysisEnded) -> None:
        reason = "" if ended.failure is None else f"It failed: {ended.failure.reason}"
        if ended.analysis is self._fit:
            self.pause()
            self._panel.inference.set_note(reason)
        elif ended.analysis is self._gradients:
            self._panel.noise.set_measuring(False)
            if reason:
                self._panel.noise.show_failure(reason)
