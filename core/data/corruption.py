"""How a denoising autoencoder's input is corrupted, for the pictures that are shown; training has it in torch."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.config import ModelConfig, ObjectiveConfig
from core.registry import Registry
from core.shapes import PixelRow, Pixels

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


@dataclass(frozen=True, slots=True)
class Corruptor:
    """What a denoising autoencoder's training does to an image, done to one that is shown."""

    kind: str
    level: float

    def corrupted(self, pixels: PixelRow, seed: int) -> PixelRow:
        """Return the x̃ of one image; the same seed gives the same noise, so that it does not flicker."""
        corrupt = ARRAY_CORRUPTIONS[self.kind]
        row: PixelRow = corrupt(pixels[None], self.level, np.random.default_rng(seed))[0]
        return row


def corruptor_for(model: ModelConfig, objective: ObjectiveConfig) -> Corruptor | None:
    """Return what the model's input was corrupted by in training; None for any but a denoising autoencoder."""
    if model.model != "denoising_autoencoder":
        return None
    return Corruptor(objective.corruption, objective.corruption_level)
