"""The hand: a frozen decoder and encoder that answers within a frame, so the GUI thread may call it directly."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.config import ModelConfig
from core.findings.repair import Repair
from core.inference.pictures import encode_picture, pictures_at
from core.shapes import Code, Picture, PixelRow, Scale
from core.snapshots import PictureEncoding
from explorer.messages import HandPictures, picture_of

if TYPE_CHECKING:
    from core.inference.coders import Coder

# Above this a call belongs to the inference thread: the frame would show it.
DIRECT_LIMIT_MS = 4.0
# What a call costs, not how long this thread, which gives way to all others, waited for a core or the interpreter
# meanwhile: by the clock on the wall a model of 0.1 ms was at times taken for one of 5 ms, and stayed slow to drag.
# Some systems count a thread's time in steps of 16 ms, though.
_CLOCK = time.thread_time if time.get_clock_info("thread_time").resolution < 1e-4 else time.perf_counter
_NOISE_SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class Hand:
    """One version of a model, ready to decode a code or encode a picture; `*_ms` were measured when it was made."""

    coder: "Coder"
    config: ModelConfig
    version: int
    decode_ms: float
    encode_ms: float

    @property
    def decodes_directly(self) -> bool:
        """Whether decoding is quick enough for the GUI thread."""
        return self.decode_ms <= DIRECT_LIMIT_MS

    @property
    def encodes_directly(self) -> bool:
        """Whether encoding a picture, with its costs, is quick enough for the GUI thread."""
        return self.encode_ms <= DIRECT_LIMIT_MS

    def pictures(self, code: Code, source: Picture | None = None, corrupted: PixelRow | None = None) -> HandPictures:
        """Return the deterministic and the stochastic picture of a code; the noise is the same for every code."""
        deterministic, stochastic = pictures_at(self.coder, code, _NOISE_SEED)
        repair = None if corrupted is None else self._repair(corrupted)
        return HandPictures(code, deterministic, stochastic, self.version, source, repair)

    def _repair(self, corrupted: PixelRow) -> Repair:
        code = self.coder.encode(corrupted[None]).mean[0]
        picture = picture_of(corrupted, self.config.image_height, self.config.image_width)
        return Repair(picture, self.decode(code))

    def decode(self, code: Code) -> Picture:
        """Return E_{p(x|z)}[x] at a code."""
        return picture_of(self.coder.decode(code[None])[0], self.config.image_height, self.config.image_width)

    def draw_at(self, code: Code) -> PixelRow:
        """Return one draw x ~ p(x|z) at a code, as the model would see it; the noise is the same for every code."""
        row: PixelRow = self.coder.draw(code[None], np.random.default_rng(_NOISE_SEED))[0]
        return row

    def encode(self, pixels: PixelRow, corrupted: PixelRow | None = None) -> PictureEncoding:
        """Return how pixels in [0, 1], shape (pixels,), are encoded and reconstructed, from x̃ where it is given."""
        seen = None if corrupted is None else corrupted[None]
        return encode_picture(self.coder, pixels[None], _NOISE_SEED, corrupted=seen)

    def posterior_of(self, pixels: PixelRow) -> tuple[Code, Scale | None]:
        """Return mean and L of q(z|x) = N(mean, L Lᵀ), for pixels in [0, 1]; of a plain code the mean alone."""
        posterior = self.coder.encode(pixels[None])
        return posterior.mean[0], None if posterior.log_var is None else posterior.scale[0]

    def mean_of(self, pixels: PixelRow) -> tuple[Code, Code | None]:
        """Return mean and standard deviation of q(z|x) for pixels in [0, 1], shape (pixels,)."""
        posterior = self.coder.encode(pixels[None])
        return posterior.mean[0], None if posterior.log_var is None else np.exp(0.5 * posterior.log_var[0])


def make_hand(coder: "Coder", config: ModelConfig) -> Hand:
    """Return a hand whose costs, in processor time, were measured here and now (the best of three calls)."""
    code = np.zeros(config.latent_dim, np.float32)
    pixels = np.zeros(config.num_pixels, np.float32)
    probe = Hand(coder, config, coder.version, 0.0, 0.0)
    decode_ms = best_ms(lambda: probe.pictures(code))
    encode_ms = best_ms(lambda: probe.encode(pixels))
    return Hand(coder, config, coder.version, decode_ms, encode_ms)


def best_ms(call: Callable[[], object]) -> float:
    """Return the least processor time of three calls, after one that warms up, in milliseconds."""
    call()
    best = float("inf")
    for _ in range(3):
        start = _CLOCK()
        call()
        best = min(best, 1e3 * (_CLOCK() - start))
    return best
