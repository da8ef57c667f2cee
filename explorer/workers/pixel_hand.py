"""The hand of an autoregressive model: it has no codes to drag, but pixels to be drawn one after the other."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.config import ModelConfig
from core.findings.pixel_sampling import PartialSample, PixelScore
from core.inference.pictures import pictures_of
from core.shapes import PixelRow
from explorer.workers.hand import DIRECT_LIMIT_MS, best_ms

if TYPE_CHECKING:
    from core.inference.autoregressive import AutoregressiveCoder, PixelSampler


@dataclass(frozen=True, slots=True, eq=False)
class PixelHand:
    """One version of an autoregressive model; `score_ms` was measured when it was made."""

    coder: "AutoregressiveCoder"
    config: ModelConfig
    version: int
    score_ms: float

    @property
    def scores_directly(self) -> bool:
        """Whether one picture's log p(x) is quick enough for the GUI thread."""
        return self.score_ms <= DIRECT_LIMIT_MS

    def score(self, pixels: PixelRow) -> PixelScore:
        """Return the exact log p(x) of pixels, shape (pixels,), and what each was expected to be."""
        seen = pixels[None]
        means = self.coder.conditionals(seen)
        pictures = pictures_of(np.concatenate([seen, means]), self.config)
        return PixelScore(pictures[0], pictures[1], float(self.coder.log_prob(seen)[0]), self.version)

    def begin(self, seed: int, given: PixelRow | None = None, num_given: int = 0) -> "Sampling":
        """Return a picture to be drawn, its first pixels in the ordering taken from `given`."""
        return Sampling(self.coder.sampler(seed, given, num_given))


class Sampling:
    """A picture that is being drawn; it belongs to the thread that began it."""

    def __init__(self, sampler: "PixelSampler") -> None:
        self._sampler = sampler

    @property
    def is_done(self) -> bool:
        """Whether every pixel is there."""
        return self._sampler.is_done

    def step(self, count: int) -> None:
        """Draw so many pixels, or as many as are missing."""
        for _ in range(count):
            if self._sampler.is_done:
                return
            self._sampler.step()

    def state(self) -> PartialSample:
        """Return how far the picture is."""
        return self._sampler.state()


def make_pixel_hand(coder: "AutoregressiveCoder") -> PixelHand:
    """Return a hand whose cost, in processor time, was measured here and now (the best of three calls)."""
    pixels = np.zeros(coder.config.num_pixels, np.float32)
    probe = PixelHand(coder, coder.config, coder.version, 0.0)
    return PixelHand(coder, coder.config, coder.version, best_ms(lambda: probe.score(pixels)))
