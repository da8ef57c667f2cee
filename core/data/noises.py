"""Noise on an image that is shown, of a kind and a size: what its code makes of it is another room's question."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.data.corruption import ARRAY_CORRUPTIONS
from core.registry import Registry
from core.shapes import PixelRow, Pixels

Size = tuple[int, int]
"""Height and width of the picture in pixels."""


@dataclass(frozen=True, slots=True)
class Noise:
    """A kind of noise: its names and the sizes it can have."""

    label: str
    help: str
    size_name: str
    """What the size is, with its unit in brackets where it has one."""
    largest: float
    usual: float
    step: float
    """The least difference between two sizes; 1 where only whole numbers make sense."""
    add: Callable[[Pixels, float, np.random.Generator, Size], Pixels]
    """Returns noisy pixels.  The same generator draws the same numbers whatever the size: more noise, not other."""


NOISES: Registry[Noise] = Registry("noise")


def noisy_copies(image: PixelRow, kind: str, level: float, num_copies: int, seed: int, size: Size) -> Pixels:
    """Return copies of an image, each with noise of its own; with Gaussian noise they may leave [0, 1].

    Raises KeyError for an unknown kind, naming the known ones, and ValueError for a size that it cannot have.
    """
    noise = NOISES[kind]
    if not 0.0 <= level <= noise.largest:
        raise ValueError(f"the size of {noise.label} must lie in [0, {noise.largest:g}], not {level:g}")
    if len(image) != size[0] * size[1]:
        raise ValueError(f"an image of {size[0]}×{size[1]} has {size[0] * size[1]} pixels, not {len(image)}")
    copies = np.repeat(image[None], num_copies, axis=0)
    return noise.add(copies, level, np.random.default_rng(seed), size)


def _add_gaussian(pixels: Pixels, level: float, generator: np.random.Generator, _size: Size) -> Pixels:
    return ARRAY_CORRUPTIONS["gaussian"](pixels, level, generator)


def _drop(pixels: Pixels, level: float, generator: np.random.Generator, _size: Size) -> Pixels:
    return ARRAY_CORRUPTIONS["dropout"](pixels, level, generator)


def _flip(pixels: Pixels, level: float, generator: np.random.Generator, _size: Size) -> Pixels:
    """Return pixels with each x turned into 1 - x with probability `level`."""
    flipped: Pixels = np.where(
        generator.random(pixels.shape, dtype=np.float32) < level, np.float32(1.0) - pixels, pixels
    )
    return flipped


def _shift(pixels: Pixels, level: float, generator: np.random.Generator, size: Size) -> Pixels:
    """Return each picture moved by whole pixels, drawn evenly from -level .. level on both axes.

    What comes in at a border repeats it.
    """
    most, (height, width) = int(level), size
    # Scaled draws rather than integers(): a larger size then moves each copy further, and not elsewhere.
    moves = np.floor(generator.random((len(pixels), 2)) * (2 * most + 1)).astype(np.intp) - most
    rows = np.clip(np.arange(height) - moves[:, :1], 0, height - 1)
    columns = np.clip(np.arange(width) - moves[:, 1:], 0, width - 1)
    pictures = pixels.reshape(-1, height, width)
    moved: Pixels = pictures[np.arange(len(pixels))[:, None, None], rows[:, :, None], columns[:, None, :]]
    return moved.reshape(pixels.shape)


for _name, _noise in {
    "gaussian": Noise(
        "Gaussian noise",
        "Adds normal noise of standard deviation σ to every pixel.",
        "σ",
        1.0,
        0.2,
        0.01,
        _add_gaussian,
    ),
    "dropout": Noise("dropped pixels", "Sets each pixel to black with a probability.", "rate", 1.0, 0.2, 0.01, _drop),
    "flip": Noise(
        "flipped pixels", "Turns each pixel x into 1 − x with a probability.", "rate", 0.5, 0.05, 0.01, _flip
    ),
    "shift": Noise(
        "shifts", "Moves the picture by whole pixels, across and down, up to a number.", "pixels", 8.0, 2.0, 1.0, _shift
    ),
}.items():
    NOISES.register(_name)(_noise)
