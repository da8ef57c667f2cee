"""The whole view: the picture so far, what the model expected of each pixel, the numbers, the controls."""

import math

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from core.config import ModelConfig
from core.findings.pixel_sampling import Mask, NextPixel, PartialSample
from explorer.views.readouts import StatusLine, number
from explorer.views.sampling.bar import LevelBar
from explorer.views.sampling.controls import SamplingControls
from explorer.views.sampling.picture import PixelPicture

NO_PLANE = "MADE has no latent code: log p(x) is a product over pixels, and there is no plane to drag on."
_UNITS = 1.0 / math.log(2.0)


class SamplingView(QWidget):
    """Shows a picture that an autoregressive model draws pixel by pixel; setters emit nothing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Sampling")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._config = ModelConfig()
        self._state: PartialSample | None = None
        self.sentence = QLabel(NO_PLANE)
        self.sentence.setWordWrap(True)
        self.picture = PixelPicture("x, pixel by pixel", "The pixels so far; the next one is framed.")
        self.means = PixelPicture(
            "E[xᵢ | x₁ … xᵢ₋₁]", "What the model expected of each pixel when its turn came, given those before it."
        )
        self.bar = LevelBar()
        self.next_text = StatusLine("The next pixel")
        self.log_prob_text = StatusLine("log p of the pixels so far")
        self.origin_text = StatusLine("What the picture begins with")
        self.controls = SamplingControls()
        pictures = QHBoxLayout()
        pictures.setSpacing(16)
        pictures.addWidget(self.picture, 1)
        pictures.addWidget(self.means, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.setSpacing(8)
        layout.addWidget(self.sentence)
        layout.addLayout(pictures, 1)
        for widget in (self.next_text, self.bar, self.log_prob_text, self.origin_text, self.controls):
            layout.addWidget(widget)
        self.set_state(None)

    @property
    def state(self) -> PartialSample | None:
        """How far the shown picture is."""
        return self._state

    def set_model(self, config: ModelConfig) -> None:
        """Prepare for a model's pictures."""
        self._config = config
        self.controls.set_num_pixels(config.num_pixels)
        self.set_state(None)

    def set_origin(self, text: str) -> None:
        """Say in a sentence what the picture begins with, or why it cannot."""
        self.origin_text.set_text(text)

    def set_state(self, state: PartialSample | None) -> None:
        """Show how far a picture is; None where no model is there yet."""
        self._state = state
        if state is None:
            self.picture.set_picture(None, None, None)
            self.means.set_picture(None, None, None)
            self.bar.set_probabilities(())
            self.next_text.set_text("The model is being prepared.")
            self.log_prob_text.set_text("")
            return
        upcoming = state.next_pixel
        mark = None if upcoming is None else (upcoming.row, upcoming.column)
        self.picture.set_picture(state.picture, state.known, mark)
        self.means.set_picture(state.means, _with(state.known, mark), mark)
        self.bar.set_probabilities(() if upcoming is None else upcoming.probabilities)
        self.next_text.set_text(self._next_line(state))
        self.log_prob_text.set_text(self._log_prob_line(state))
        self.controls.step.setEnabled(upcoming is not None)
        self.controls.run.setEnabled(upcoming is not None)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Pause or go on with space, one pixel with the right arrow, another sample with N."""
        buttons = {
            Qt.Key.Key_Space: self.controls.run,
            Qt.Key.Key_Right: self.controls.step,
            Qt.Key.Key_N: self.controls.sample,
        }
        button = buttons.get(Qt.Key(event.key()))
        if button is None or event.modifiers() != Qt.KeyboardModifier.NoModifier:
            super().keyPressEvent(event)
        elif button.isEnabled():
            button.click()

    def _next_line(self, state: PartialSample) -> str:
        upcoming = state.next_pixel
        if upcoming is None:
            return f"All {state.num_pixels:,} pixels are there."
        place = f"row {upcoming.row + 1}, column {upcoming.column + 1}"
        which = f"Pixel {state.num_known + 1:,} of {state.num_pixels:,} ({place})"
        return f"{which}: {self._expected(upcoming)}"

    def _expected(self, upcoming: NextPixel) -> str:
        if self._config.likelihood == "bernoulli":
            return f"p(xᵢ = 1 | x₁ … xᵢ₋₁) = {upcoming.mean:.3f}"
        if upcoming.probabilities:
            levels = len(upcoming.probabilities)
            likely = max(range(levels), key=lambda level: upcoming.probabilities[level])
            share = upcoming.probabilities[likely]
            return f"likeliest of {levels} levels: {likely} with p = {share:.3f}; mean {upcoming.mean:.3f}"
        return f"a density, with mean E[xᵢ | x₁ … xᵢ₋₁] = {upcoming.mean:.3f}"

    def _log_prob_line(self, state: PartialSample) -> str:
        whole = state.next_pixel is None
        parts = [f"log p(x) = {number(state.log_prob)} nats, exact"]
        if not whole:
            parts = [f"log p of the {state.num_known:,} pixels so far: {number(state.log_prob)} nats"]
        if state.num_given:
            parts.append(f"{number(state.log_prob_given)} of it for the {state.num_given:,} given ones")
        if not self._config.is_mass:
            parts.append("nats of a density")
        elif whole:
            parts.append(f"{number(-state.log_prob * _UNITS / state.num_pixels, 3)} bits per pixel")
        parts.append(f"weights version {state.version}")
        return " · ".join(parts)


def _with(known: Mask, mark: tuple[int, int] | None) -> Mask:
    if mark is None:
        return known
    result = known.copy()
    result[mark] = True
    return result
