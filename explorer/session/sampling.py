"""The picture that an autoregressive model draws, pixel by pixel, as fast as is chosen."""

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from core.config import ModelConfig
from core.shapes import PixelRow
from explorer.session.drawing import DrawingSession
from explorer.session.latent import LatentSession
from explorer.session.shown_data import SPLIT_NAMES
from explorer.views.later import Later
from explorer.views.sampling import SamplingView, StartOfSample
from explorer.workers.inference import InferenceThread
from explorer.workers.pixel_hand import PixelHand, Sampling

_TICK_MS = 16


class SamplingSession(QObject):
    """Draws the next pixels on the GUI thread: each takes a fifth of a millisecond."""

    hand_changed = Signal(PixelHand)
    """Newer weights of the open autoregressive model are there."""
    refreshed = Signal(float)
    """The view follows the newest weights; milliseconds that took."""

    def __init__(
        self,
        view: Later[SamplingView],
        latent: LatentSession,
        drawing: DrawingSession,
        inference: InferenceThread,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._later = view
        self._latent = latent
        self._drawing = drawing
        self._config: ModelConfig | None = None
        self._hand: PixelHand | None = None
        self._sampling: Sampling | None = None
        self._running = True
        self._seed = 0
        self._image: int | None = None
        self._random = np.random.default_rng()
        # Pixels that are due, of which a slow drawing has a part at each tick.
        self._due = 0.0
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._on_tick)
        view.then(self._connect)
        inference.pixel_hand_ready.connect(self._on_hand_ready)
        drawing.seen_changed.connect(self._on_drawn)

    @property
    def _view(self) -> SamplingView:
        return self._later()

    def _connect(self, view: SamplingView) -> None:
        view.destroyed.connect(self._timer.stop)
        controls = view.controls
        controls.sample_requested.connect(self._on_sample)
        controls.running_chosen.connect(self._on_running)
        controls.step_requested.connect(self._on_step)
        controls.start_chosen.connect(self._begin)
        controls.count_chosen.connect(self._begin)
        controls.other_image_requested.connect(self._on_other_image)

    def open_model(self, config: ModelConfig) -> None:
        """Prepare for the weights of another model; one with codes is none of this view's."""
        self._config = None if config.has_codes else config
        self._hand = self._sampling = None
        self._timer.stop()
        if self._later.is_made:
            self._view.set_state(None)
        if self._config is not None:
            self._view.set_model(config)
            self._view.set_origin("")
            self.follow_data()

    def follow_data(self) -> None:
        """Offer what a picture could begin with now."""
        self._image = None
        if self._config is not None:
            controls = self._view.controls
            controls.set_available(StartOfSample.IMAGE, self._latent.num_images > 0)
            controls.set_available(StartOfSample.DRAWING, self._drawing.seen is not None)
            if self._hand is not None and controls.chosen_start is StartOfSample.IMAGE:
                self._begin()

    def _on_hand_ready(self, hand: PixelHand) -> None:
        if hand.config != self._config:
            return  # the answer of a model that has been closed since
        self._hand = hand
        self.hand_changed.emit(hand)
        # A picture in the making is finished by the weights that began it, which its line names.
        if self._sampling is None or self._sampling.is_done:
            self._begin()
        self.refreshed.emit(0.0)

    def _begin(self) -> None:
        """Draw another picture from the start, with the same random numbers."""
        hand = self._hand
        if hand is None:
            return
        given, origin = self._given()
        count = 0 if given is None else self._view.controls.count.value()
        self._sampling = hand.begin(self._seed, given, count)
        self._due = 0.0
        self._view.set_origin(origin)
        self._show()

    def _given(self) -> tuple[PixelRow | None, str]:
        match self._view.controls.chosen_start:
            case StartOfSample.DRAWING:
                seen = self._drawing.seen
                missing = "Nothing is drawn on the pad, so every pixel comes from the model."
                return seen, missing if seen is None else "It begins with the drawing, as the model sees it."
            case StartOfSample.IMAGE:
                if self._image is None:
                    self._image = self._chosen_image()
                if self._image is None:
                    return None, "No data is open that fits the model, so every pixel comes from the model."
                seen, name = (
                    self._latent.seen(self._image),
                    f"{SPLIT_NAMES[self._latent.split_name]} image {self._image:,}",
                )
                missing = f"The pixels of {name} cannot be read, so every pixel comes from the model."
                return seen, missing if seen is None else f"It begins with {name}."
        return None, ""

    def _chosen_image(self) -> int | None:
        number = self._latent.num_images
        return int(self._random.integers(number)) if number else None

    def _on_sample(self) -> None:
        self._seed += 1
        self._begin()

    def _on_other_image(self) -> None:
        self._image = self._chosen_image()
        self._begin()

    def _on_drawn(self) -> None:
        if self._config is not None:
            controls = self._view.controls
            controls.set_available(StartOfSample.DRAWING, self._drawing.seen is not None)
            if controls.chosen_start is StartOfSample.DRAWING:
                self._begin()

    def _on_running(self, running: bool) -> None:  # noqa: FBT001 - a signal's value
        self._running = running
        self._follow_timer()

    def _on_step(self) -> None:
        self._running = False
        self._view.controls.set_running(False)
        if self._sampling is not None:
            self._sampling.step(1)
            self._show()

    def _on_tick(self) -> None:
        if self._sampling is None:
            self._timer.stop()
            return
        self._due += self._view.controls.pixels_per_second * _TICK_MS / 1e3
        count = int(self._due)
        self._due -= count
        if count:
            self._sampling.step(count)
            self._show()

    def _show(self) -> None:
        if self._sampling is not None:
            self._view.set_state(self._sampling.state())
        self._follow_timer()

    def _follow_timer(self) -> None:
        wanted = self._running and self._sampling is not None and not self._sampling.is_done
        if wanted and not self._timer.isActive():
            self._timer.start()
        elif not wanted:
            self._timer.stop()
