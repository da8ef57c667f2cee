"""Grey pictures of any size become square pictures of the chosen size."""

from typing import TYPE_CHECKING

import numpy as np

from core.array_types import UInt8
from core.config import DataConfig
from core.data.dataset import ProgressCallback
from core.shapes import Picture, PictureStack

if TYPE_CHECKING:
    from PIL.Image import Image

# Other names than those of Picture: within one call a name stands for one number.
FittedPicture = UInt8[np.ndarray, "fitted_height fitted_width"]
FittedStack = UInt8[np.ndarray, "num_images fitted_height fitted_width"]


def fitted(picture: Picture, size: tuple[int, int], fit: str) -> FittedPicture:
    """Return the picture at `size` (height, width).

    `fit` shows all of it on a ground of its border's median grey, `crop` the middle part of the wanted shape.
    """
    height, width = size
    if picture.shape == size:
        return picture
    from PIL import Image  # noqa: PLC0415  half the time of importing core.data, for a program that opens MNIST

    have_height, have_width = picture.shape
    image = Image.fromarray(np.ascontiguousarray(picture))
    if fit == "crop":
        scale = min(have_height / height, have_width / width)
        left, top = (have_width - width * scale) / 2, (have_height - height * scale) / 2
        # Rounding may not lead out of the picture.
        right, bottom = min(left + width * scale, have_width), min(top + height * scale, have_height)
        return np.asarray(_resized(image, size, (max(left, 0.0), max(top, 0.0), right, bottom)))
    scale = min(height / have_height, width / have_width)
    inner = (max(round(have_height * scale), 1), max(round(have_width * scale), 1))
    result = np.full(size, _border_grey(picture), np.uint8)
    top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
    whole = (0.0, 0.0, float(have_width), float(have_height))
    result[top : top + inner[0], left : left + inner[1]] = np.asarray(_resized(image, inner, whole))
    return result


def fitted_stack(pictures: PictureStack, config: DataConfig, progress: ProgressCallback | None) -> FittedStack:
    """Return the pictures at the config's size, inverted if it says so."""
    size = (config.image_size, config.image_size)
    if pictures.shape[1:] == size:
        return 255 - pictures if config.invert else pictures
    result = np.empty((len(pictures), *size), np.uint8)
    for row, picture in enumerate(pictures):
        result[row] = fitted(picture, size, config.fit)
        if progress is not None and row % 1000 == 0:
            progress(row / len(pictures), "scaling pictures")
    return 255 - result if config.invert else result


def _resized(image: "Image", size: tuple[int, int], box: tuple[float, float, float, float]) -> "Image":
    from PIL.Image import Resampling  # noqa: PLC0415  as above

    # Bicubic rings less than Lanczos: strokes on black keep a black ground.
    return image.resize((size[1], size[0]), Resampling.BICUBIC, box=box, reducing_gap=3.0)


def _border_grey(picture: Picture) -> int:
    border = np.concatenate([picture[0], picture[-1], picture[1:-1, 0], picture[1:-1, -1]])
    # A value that occurs, not a mean of the middle two, so that a black border is black.
    return int(np.partition(border, len(border) // 2)[len(border) // 2])
