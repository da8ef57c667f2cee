"""How a denoising autoencoder's input is corrupted, for the pictures that are shown; training has it in torch."""

from collections.abc import Callable

import numpy as np

from core.registry import Registry
from core.shapes import Pixels

Corruption = Callable[[Pixels, float, np.random.Generator], Pixels]

ARRAY_CORRUPTIONS: Registry[Corruption] = Registry("corruption")


@ARRAY_CORRUPTIONS.register("gaussian")
def with_noise(pixels: Pixels, level: float, generator: np.random.Generator) -> Pixels:
    """Return pixels plus normal noise of standard deviation `level`; they may leave [0, 1]."""
    noisy: Pixels = pixels + np.float32(level) * generator.standard_normal(pixels.shape, dtype=np.float32)
    return noisy


@ARRAY_CORRUPTIONS.register("dropout")
def with_dropped_pixels(pixels: Pixels, level: float, generator: np.random.Generator) -> Pixels:
    """Return pixels with each set to 0 with probability `level`."""
    kept: Pixels = np.where(generator.random(pixels.shape, dtype=np.float32) >= level, pixels, np.float32(0.0))
    return kept
