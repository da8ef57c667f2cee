"""The ladder of bounds: ELBO with L samples, IWAE-k and log p(x) on one plot."""

from PySide6.QtCore import QObject, QTimer

from core.findings.sampling import Ladder
from explorer.session.analyses.bounds import BoundSubject
from explorer.session.analyses.hub import AnalysisHub
from explorer.views.ladder import LadderPanel
from explorer.workers.analysis import AnalysisEnded, Found
from explorer.workers.variational import ClimbLadder

REST_MS = 150
"""Without another image for so long, the ladder that follows the hand is worth its time."""


class LadderSession(QObject):
    """Asks for the ladder of the image under the hand, when told to or whenever the hand rests."""

    def __init__(self, panel: LadderPanel, hub: AnalysisHub, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panel = panel
        self._hub = hub
        self._subject = BoundSubject(hub, self)
        self._asked: ClimbLadder | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(REST_MS)
        self._timer.timeout.connect(self.compute)
        panel.compute_requested.connect(self.compute)
        panel.follow_changed.connect(self._follow)
        panel.sight_changed.connect(self._follow)
        self._subject.changed.connect(self._on_subject)
        self._subject.known_changed.connect(self._on_known)
        hub.analysis.found.connect(self._on_found)
        hub.analysis.ended.connect(self._on_ended)
        self._on_subject()

    def compute(self) -> None:
        """Draw the samples of the image under the hand."""
        self._hub.subject.tell_now()
        config, pixels = self._subject.config, self._subject.pixels
        if config is not None and pixels is not None:
            self._asked = ClimbLadder(config, pixels)
            self._panel.set_busy(True)
            self._hub.analysis.ask(self._asked)

    def _follow(self) -> None:
        stale = self._asked is None
        if stale and self._panel.follow.isChecked() and self._panel.in_sight and self._subject.pixels is not None:
            self._timer.start()

    def _on_subject(self) -> None:
        self._timer.stop()
        if self._asked is not None:
            self._hub.analysis.give_up(ClimbLadder)
            self._asked = None
        self._panel.set_reason(self._subject.reason)
        self._panel.set_subject(self._subject.text)
        self._panel.set_ladder(None)
        self._panel.set_log_px(None, exact=True)
        self._follow()

    def _on_known(self) -> None:
        answer = self._subject.answer
        if answer is not None:
            self._panel.set_log_px(answer.ledger.log_px, exact=not answer.ledger.is_estimate)

    def _on_found(self, found: Found) -> None:
        if found.analysis is self._asked and isinstance(found.finding, Ladder):
            self._panel.set_ladder(found.finding)

    def _on_ended(self, ended: AnalysisEnded) -> None:
        if ended.analysis is self._asked:
            self._panel.set_busy(False)
            if ended.failure is not None:
                self._panel.set_ladder(None, f"It failed: {ended.failure.reason}")
