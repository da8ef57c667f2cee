"""The images of a split as the model sees them, drawn once and kept, for searches that look at all of them again."""

from typing import Any

import numpy as np

from core.config import DataConfig
from core.data.binarisation import seen_by_model
from core.shapes import Pixels
from core.stored_pictures import Pictures, StoredPictures

Rows = np.ndarray[Any, np.dtype[np.integer[Any]]]


class SeenImages:
    """Zeros and ones are kept as bytes (47 MB for 60,000 images of 784 pixels); greys are quick to make again.

    Of images that stay in their file nothing is kept.  It fills itself as it is asked, so only one thread may ask.
    """

    def __init__(self, images: Pictures, config: DataConfig) -> None:
        self._images = images
        self._config = config
        self._drawn: np.ndarray[Any, np.dtype[np.uint8]] | None = None
        self._known = np.zeros(len(images), np.bool_)

    def __len__(self) -> int:
        return len(self._images)

    @property
    def num_pixels(self) -> int:
        """Pixels of each image."""
        return int(np.prod(self._images.shape[1:]))

    def rows(self, indices: Rows) -> Pixels:
        """Return the x of these images, float32 in [0, 1], as `seen_by_model` defines it."""
        if self._config.binarisation not in {"dynamic", "fixed"} or isinstance(self._images, StoredPictures):
            return seen_by_model(self._images[indices], indices, self._config)
        if self._drawn is None:
            self._drawn = np.empty((len(self._images), self.num_pixels), np.uint8)
        new = indices[~self._known[indices]]
        if len(new):
            self._drawn[new] = seen_by_model(self._images[new], new, self._config)
            self._known[new] = True
        return self._drawn[indices].astype(np.float32)
