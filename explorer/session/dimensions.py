"""The latent dimensions as they are shown: the order of their sliders, and the two on the canvas."""

from core.config import ModelConfig
from core.shapes import Code
from core.snapshots import LatentStatistics
from explorer.messages import SliderSpec
from explorer.session.scene import centre_of, slider_specs


class Dimensions:
    """Stand by what they carry, once for a model and once more when its training is over; then only if asked."""

    def __init__(self) -> None:
        self._config: ModelConfig | None = None
        self._statistics: LatentStatistics | None = None
        self._order: tuple[int, ...] = ()
        self._settled = False
        self._axes_chosen = False
        self.axes = (0, 1)
        """The two on the canvas; (0, 0) where there is only one."""

    def open_model(self, config: ModelConfig, *, keeps_axes: bool) -> None:
        """Forget what was known of another model's dimensions."""
        self._config = config
        self._statistics = None
        self._order = ()
        self._settled = self._axes_chosen = False
        if not keeps_axes:
            self.axes = (0, min(1, config.latent_dim - 1))

    def learn(self, statistics: LatentStatistics, *, live: bool) -> bool:
        """Take newer statistics; return whether the dimensions were put in order by them.

        Those of a run in progress give a first order, which its end settles.
        """
        self._statistics = statistics
        if self._settled or (live and self._order):
            return False
        self._order = statistics.order
        self._settled = not live
        if len(self._order) > 2 and not self._axes_chosen:
            self.axes = (self._order[0], self._order[1])
        return True

    def sort(self) -> None:
        """Put the dimensions in order by the newest statistics."""
        if self._statistics is not None:
            self._order, self._settled = self._statistics.order, True

    def choose_axes(self, i: int, j: int) -> None:
        """Show these two on the canvas until another model is opened."""
        self.axes = (i, j)
        self._axes_chosen = True

    @property
    def specs(self) -> tuple[SliderSpec, ...]:
        """One slider a dimension, in order."""
        if self._config is None or not self._config.has_codes:
            return ()
        return slider_specs(self._config, self._statistics, self._order)

    @property
    def centre(self) -> Code:
        """The code in the middle of all sliders."""
        return centre_of(self.specs)
