"""A picture that an autoregressive model makes pixel by pixel, as far as it is."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.shapes import Picture

Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class NextPixel:
    """The pixel whose turn it is, and what the model says of it given those before it."""

    row: int
    column: int
    mean: float
    """E[x_i | x_<i]; for Bernoulli pixels P(x_i = 1 | x_<i)."""
    probabilities: tuple[float, ...]
    """Probability of each grey level from black to white; empty for a density."""


@dataclass(frozen=True, slots=True, eq=False)
class PixelScore:
    """What an autoregressive model says of one whole picture."""

    seen: Picture
    """What the model sees, 0..255."""
    means: Picture
    """E[x_i | x_<i] of every pixel, 0..255."""
    log_prob: float
    """log p(x), exact, in nats."""
    version: int


@dataclass(frozen=True, slots=True, eq=False)
class PartialSample:
    """The pixels that are there, what the model said of each before it came, and what it costs so far."""

    picture: Picture
    """The pixels so far, 0..255; black where none is yet."""
    known: Mask
    """Where pixels are there, (height, width)."""
    means: Picture
    """E[x_i | x_<i] of every pixel that is there and of the next one, 0..255; black beyond, where it is not defined."""
    num_known: int
    num_given: int
    """So many of the first pixels were given rather than drawn."""
    log_prob: float
    """log p of the pixels so far, exact, in nats: the sum of log p(x_i | x_<i)."""
    log_prob_given: float
    """The part of `log_prob` that the given pixels have."""
    next_pixel: NextPixel | None
    """None when the picture is whole."""
    version: int

    @property
    def num_pixels(self) -> int:
        """Number of pixels of the whole picture."""
        return self.picture.size
