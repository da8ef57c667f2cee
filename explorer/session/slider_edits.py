"""What the sliders do: single values of the selected code, their order, pictures along one dimension."""

import numpy as np
from PySide6.QtCore import QObject

from core.shapes import Picture
from explorer.messages import FilmstripRequest
from explorer.session.latent import LatentSession
from explorer.views.sliders import SlidersPanel
from explorer.workers.inference import InferenceThread

_FILMSTRIP_TILES = 9


class SliderSession(QObject):
    """Carries the sliders' intents to the latent space, which shows them everywhere."""

    def __init__(
        self, sliders: SlidersPanel, latent: LatentSession, inference: InferenceThread, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._sliders = sliders
        self._latent = latent
        self._inference = inference
        self._random = np.random.default_rng(0)
        sliders.value_edited.connect(self._on_value_edited)
        sliders.reset_requested.connect(self.reset_code)
        sliders.dimension_reset_requested.connect(self._on_dimension_reset)
        sliders.sample_requested.connect(self.sample_code)
        sliders.order_requested.connect(latent.sort_dimensions)
        sliders.filmstrip_requested.connect(self._on_filmstrip_requested)
        inference.filmstrip_ready.connect(self._on_filmstrip_ready)

    def reset_code(self) -> None:
        """Put the selected code in the middle: the prior's mean, or the median of an autoencoder's codes."""
        self._latent.move_selected_to(self._latent.dimensions.centre)

    def sample_code(self) -> None:
        """Move the selected handle to a draw from the prior, or to a random image's code where there is no prior."""
        config, codes = self._latent.config, self._latent.codes
        if config is None:
            return
        if config.has_prior:
            self._latent.move_selected_to(self._random.standard_normal(config.latent_dim, dtype=np.float32))
        elif codes is not None and len(codes):
            self._latent.move_selected_to(codes.mean[int(self._random.integers(len(codes)))])

    def _on_value_edited(self, dimension: int, value: float) -> None:
        code = self._latent.selected_code
        if code is None or not 0 <= dimension < len(code) or not np.isfinite(value):
            return
        changed = code.copy()
        changed[dimension] = value
        by_hand = not self._sliders.is_animated(dimension)
        self._latent.move_selected_to(changed, keeps_image=True, by_hand=by_hand)

    def _on_dimension_reset(self, dimension: int) -> None:
        centre = self._latent.dimensions.centre
        if 0 <= dimension < len(centre):
            self._on_value_edited(dimension, float(centre[dimension]))

    def _on_filmstrip_requested(self, dimension: int) -> None:
        latent = self._latent
        for spec in latent.dimensions.specs:
            if spec.dimension == dimension and latent.hand is not None:
                self._inference.ask(
                    FilmstripRequest(dimension, latent.base_code, spec.low, spec.high, _FILMSTRIP_TILES)
                )

    def _on_filmstrip_ready(self, dimension: int, strip: Picture) -> None:
        self._sliders.set_filmstrip(dimension, strip, _FILMSTRIP_TILES)
