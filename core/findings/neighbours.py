"""The nearest images of the data to one image: in pixels, and in codes."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.findings import Finding


@dataclass(frozen=True, slots=True, eq=False)
class NearestImages:
    """Images of a split by rising distance."""

    images: np.ndarray[Any, np.dtype[np.int64]]
    """Indices in the split."""
    distances: np.ndarray[Any, np.dtype[np.float64]]
    """Euclidean: between pixels as the model sees them, or between codes."""
    labels: np.ndarray[Any, np.dtype[np.int64]] | None
    same_label: int | None
    """How many of them have the image's label, or where it has none the commonest; None without labels."""


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours(Finding):
    """Both lists for one image, and what they share."""

    in_pixels: NearestImages
    in_codes: NearestImages
    overlap: int
    """How many images are in both lists."""
    num_images: int
    """How many images were searched."""
    label: int | None
    """The image's label, if it is known."""
    version: int
