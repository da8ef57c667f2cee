"""The ledger of the bound: log p(x), ELBO and the divergences between them, as bars that add up."""

import math

import numpy as np
from PySide6.QtCore import QObject, QTimer

from core.compatibility import is_normalised
from core.config import ModelConfig
from core.shapes import Picture, PixelRow
from explorer.messages import LedgerAnswer, LedgerRequest, Subject, SubjectSource, TableReady, picture_of
from explorer.session.analyses.hub import AnalysisHub
from explorer.views.ledger import FOLLOWS, LedgerPanel, Remarks
from explorer.workers.ledgers import NO_CODE

BUILDING = "The tables of p(x|z) are being built…"
_MARKS = {SubjectSource.DATA: "posterior", SubjectSource.DRAWING: "drawing", SubjectSource.CODE: "draw"}
"""The mark of q on the canvas, by where the image comes from."""
DRAW = "Draw something to see its log p(x)."
TORCH = "torch is still being loaded; the numbers follow."
LATE = "The numbers of this image are being computed…"
LATE_MS = 400
"""So long images wait for the numbers of one of them; then the newest is shown without."""


class LedgerSession(QObject):
    """Asks for the bound of the image under the hand, and shows it: numbers in the panel, p(z|x) on the canvas."""

    def __init__(self, panel: LedgerPanel, hub: AnalysisHub, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panel = panel
        self._hub = hub
        self._subject: Subject | None = None
        self._shown: Subject | None = None
        """The image in the panel: the subject, or one from before whose numbers came last."""
        self._unanswered: list[Subject] = []
        """Images that were asked for since, the oldest first."""
        self._chosen: SubjectSource | None = None
        self._settled = False
        self._oldest: int | None = None
        """Least version of weights of the open model; None while its first are on their way."""
        self._serial = 0
        """Of images that the subject does not number; they count downward."""
        self._newest = -1
        self._started = self._table = -1
        """Version of the weights whose table was begun last, and of those whose table is there."""
        self._late = QTimer(self, singleShot=True, interval=LATE_MS)
        self._late.timeout.connect(self._show_alone)
        panel.source_chosen.connect(self._on_source_chosen)
        hub.subject.changed.connect(self._on_subject)
        hub.subject.cleared.connect(self._on_cleared)
        hub.model_opened.connect(self._on_model_opened)
        hub.weights_changed.connect(self._on_weights_changed)
        hub.data_changed.connect(self._on_data_changed)
        hub.live_changed.connect(hub.evidence.set_live)
        hub.evidence.building.connect(self._on_building)
        hub.evidence.table_ready.connect(self._on_table_ready)
        hub.evidence.answered.connect(self._on_answer)

    @property
    def settled(self) -> bool:
        """Whether what is shown is the last answer about the image under the hand: no better one follows."""
        return self._settled

    def stop(self) -> None:
        """Show no image any more that still waits for its numbers."""
        self._late.stop()
        self._unanswered.clear()

    def _on_source_chosen(self, name: str) -> None:
        self._chosen = None if name == FOLLOWS else SubjectSource[name]
        self._hub.subject.choose(self._chosen)

    def _on_model_opened(self) -> None:
        config = self._hub.config
        without_codes = config is not None and not config.model.has_codes
        # A model without codes has no hand to tell its version; it is newer than any that was seen.
        self._oldest = self._newest + 1 if without_codes else None
        self._subject = None
        self.stop()
        # Of a model without codes only a drawing can be asked for; what was chosen before waits for the next model.
        self._panel.set_choosable(not without_codes)
        self._panel.set_choice(SubjectSource.DRAWING if without_codes else self._chosen)
        self._forget(BUILDING)

    def _on_weights_changed(self) -> None:
        hand = self._hub.latent.hand
        if self._oldest is None and hand is not None:
            self._oldest = hand.version
        if hand is not None:
            self._newest = max(self._newest, hand.version)

    def _on_data_changed(self) -> None:
        dataset = self._hub.dataset
        self._hub.evidence.set_data(dataset if self._hub.fits else None)

    def _on_building(self, version: int) -> None:
        self._started, self._newest = version, max(version, self._newest)
        self._wait()

    def _on_table_ready(self, table: TableReady) -> None:
        self._table, self._settled = table.version, False
        self._ask()

    def _on_subject(self, subject: Subject) -> None:
        self._subject, self._settled = subject, False
        self._ask()
        self._wait()
        if not self._belongs(self._table):
            self._show_alone()
            return
        self._unanswered.append(subject)
        if not self._late.isActive():
            self._late.start()

    def _wait(self) -> None:
        """Say what the numbers of the subject are waiting for."""
        if self._subject is not None and not self._belongs(self._table):
            self._panel.set_reason(BUILDING if self._started >= 0 else TORCH)

    def _on_cleared(self, reason: str) -> None:
        config, seen = self._hub.latent.config, self._hub.drawing.seen
        if config is not None and not config.has_codes:
            # The canvas has nothing to touch: of such a model only a drawing can be asked for.
            if seen is not None and len(seen) == config.num_pixels:
                self._serial -= 1
                grey = bool(((seen > 0.0) & (seen < 1.0)).any())
                self._on_subject(Subject(self._serial, SubjectSource.DRAWING, seen, "the drawing", grey=grey))
                return
            reason = f"{NO_CODE}  {DRAW}"
        self._subject = None
        self.stop()
        self._panel.set_subject(None, "")
        self._forget(reason)

    def _forget(self, reason: str) -> None:
        self._panel.set_reason(reason)
        self._hub.canvas.set_posterior_map(None)
        self._hub.canvas.set_draw_posterior(None)

    def _ask(self) -> None:
        if self._subject is not None and self._belongs(self._table):
            self._hub.evidence.ask(LedgerRequest(self._subject.serial, self._subject.pixels))

    def _on_answer(self, answer: LedgerAnswer) -> None:
        config = self._hub.latent.config
        if self._subject is None or config is None or not self._belongs(answer.ledger.version):
            return
        subject = self._answered(answer.serial)
        if subject is None:
            return  # one that is older than what is shown: the hand has moved on
        self._panel.set_ledger(answer.ledger, remarks(answer.ledger.log_px, config, grey=subject.grey))
        if answer.posterior is None or len(answer.posterior.low) == config.latent_dim:
            self._hub.canvas.set_posterior_map(answer.posterior, _MARKS[subject.source])
        self._settled = answer.refined and subject is self._subject
        self._hub.canvas.paint_beside_hand()

    def _belongs(self, version: int) -> bool:
        return self._oldest is not None and version >= self._oldest

    def _answered(self, serial: int) -> Subject | None:
        """Return the image of an answer, shown from now on; None for one that is older than what is shown."""
        for place, subject in enumerate(self._unanswered):
            if subject.serial == serial:
                del self._unanswered[: place + 1]
                # What still waits began to do so later.
                if self._unanswered:
                    self._late.start()
                else:
                    self._late.stop()
                self._show_subject(subject)
                return subject
        return self._shown if self._shown is not None and self._shown.serial == serial else None

    def _show_alone(self) -> None:
        """Show the image before its numbers, which are not there yet."""
        self.stop()
        if self._subject is None:
            return
        self._show_subject(self._subject)
        if self._belongs(self._table):
            self._panel.set_reason(LATE)
            self._hub.canvas.set_posterior_map(None)
        self._hub.canvas.paint_beside_hand()

    def _show_subject(self, subject: Subject) -> None:
        hand, config = self._hub.latent.hand, self._hub.latent.config
        if config is None:
            return
        self._shown = subject
        self._panel.set_subject(shown(subject.pixels, config), subject.text)
        drawn = subject.source is SubjectSource.CODE and config.has_prior
        if drawn and hand is not None and hand.encodes_directly:
            self._hub.canvas.set_draw_posterior(*hand.posterior_of(subject.pixels))
        else:
            self._hub.canvas.set_draw_posterior(None)


def remarks(log_px: float | None, config: ModelConfig, *, grey: bool) -> Remarks:
    """Return what is said beside log p(x) of an image: bits/dim where it is a mass, and whether it is none at all."""
    unnormalised = not is_normalised(config, grey=grey)
    is_mass = config.is_mass and not unnormalised
    bits = -log_px / (config.num_pixels * math.log(2.0)) if log_px is not None and math.isfinite(log_px) else None
    return Remarks(bits if is_mass else None, unnormalised)


def shown(pixels: PixelRow, config: ModelConfig) -> Picture:
    """Return x as a picture; what a Gaussian draws beyond black and white is shown as those."""
    return picture_of(np.nan_to_num(pixels), config.image_height, config.image_width)
