"""What a denoising autoencoder makes of a corrupted image."""

from dataclasses import dataclass

from core.shapes import Picture


@dataclass(frozen=True, slots=True, eq=False)
class Repair:
    """A data image as a denoising autoencoder gets it in training, and what it makes of it."""

    corrupted: Picture
    """x̃, clipped to what can be shown."""
    restored: Picture
    """E[x | f(x̃)]."""
