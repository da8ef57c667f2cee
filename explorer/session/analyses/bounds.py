"""What the analyses of one image's bound have in common: the image, the model it is seen by, and log p(x)."""

import numpy as np
from PySide6.QtCore import QObject, Signal

from core.config import ModelConfig
from core.shapes import PixelRow
from explorer.messages import LedgerAnswer, Subject
from explorer.session.analyses.hub import AnalysisHub

NO_CODES = "An autoregressive model has no latent code: there is no q(z|x) to fit, and its log p(x) is exact."
NO_PRIOR = "An autoencoder has no prior p(z): it defines neither a posterior nor a bound on log p(x)."
WAITING = "The model's weights are on their way."


class BoundSubject(QObject):
    """Follows the image under the hand as long as a bound on its log p(x) is defined."""

    changed = Signal()
    """Another image, or the same seen by other weights: what was found of the former is stale."""
    known_changed = Signal()
    """More is known of log p(x) of the image."""

    def __init__(self, hub: AnalysisHub, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._hub = hub
        self._serial = -1
        self._seen: tuple[PixelRow, int] | None = None
        self.pixels: PixelRow | None = None
        self.text = ""
        self.reason = "No model is open yet." if hub.config is None else why_undefined(self.config) or WAITING
        """Why there is no image, in a sentence; empty where there is one."""
        self.answer: LedgerAnswer | None = None
        hub.subject.changed.connect(self._on_subject)
        hub.subject.cleared.connect(self._on_cleared)
        hub.model_opened.connect(self._on_model_opened)
        hub.evidence.answered.connect(self._on_answer)

    @property
    def config(self) -> ModelConfig | None:
        """The open model."""
        return self._hub.latent.config

    def _on_model_opened(self) -> None:
        self._clear(why_undefined(self.config) or WAITING)

    def _on_cleared(self, reason: str) -> None:
        self._clear(why_undefined(self.config) or reason)

    def _clear(self, reason: str) -> None:
        self.pixels = self.answer = self._seen = None
        self.text, self.reason = "", reason
        self.changed.emit()

    def _on_subject(self, subject: Subject) -> None:
        hand, config = self._hub.latent.hand, self.config
        if hand is None or config is None or len(subject.pixels) != config.num_pixels:
            self._clear(why_undefined(config) or WAITING)
            return
        if why_undefined(config):
            self._clear(why_undefined(config))
            return
        self._serial = subject.serial
        seen = self._seen
        if seen is not None and seen[1] == hand.version and np.array_equal(seen[0], subject.pixels):
            return
        self._seen = (subject.pixels, hand.version)
        self.pixels, self.text, self.reason = subject.pixels, subject.text, ""
        self.answer = None
        self.changed.emit()

    def _on_answer(self, answer: LedgerAnswer) -> None:
        if self.pixels is not None and answer.serial == self._serial:
            self.answer = answer
            self.known_changed.emit()


def why_undefined(config: ModelConfig | None) -> str:
    """Return, in a sentence, why the model has no bound on log p(x); nothing where it has."""
    if config is None or config.has_prior:
        return ""
    return NO_PRIOR if config.has_codes else NO_CODES
