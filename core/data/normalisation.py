"""MNIST's own normalisation, for drawings: a 20×20 box, then the centre of mass in the middle of 28×28."""

from typing import Any

import numpy as np

from core.data.dataset import Rows
from core.data.fitting import FittedPicture, fitted
from core.shapes import Picture, PictureStack

# LeCun, Bottou, Bengio & Haffner 1998, section III.A: 20 of 28 pixels, whole-pixel shifts (the digits' centres of mass
# lie evenly in [13.5, 14.5], counting pixel centres from 0).
_BOX_SHARE = 20 / 28


def normalise_drawing(ink: Picture, size: tuple[int, int], *, centre: bool) -> FittedPicture:
    """Return the ink (light on black) at `size` (height, width).

    With `centre` as the digits of MNIST were made: the ink's bounding box scaled, anti-aliased, until its long side
    fills 20/28 of the side, and moved by whole pixels until its centre of mass is in the middle.  Else only scaled,
    all of the canvas.  No ink gives a black picture.
    """
    height, width = size
    if not centre:
        return fitted(ink, size, "fit")
    from PIL import Image  # noqa: PLC0415  see fitting

    image = Image.fromarray(np.ascontiguousarray(ink))
    box = image.getbbox()
    result: FittedPicture = np.zeros(size, np.uint8)
    if box is None:
        return result
    left, top, right, bottom = box
    longest = max(right - left, bottom - top)
    side = max(round(min(size) * _BOX_SHARE), 1)
    scale = side / longest
    box_width, box_height = max(round((right - left) * scale), 1), max(round((bottom - top) * scale), 1)
    # A box filter is the area under each pixel, which is what anti-aliasing means; enlarging, it would show blocks.
    resampling = Image.Resampling.BOX if scale <= 1.0 else Image.Resampling.BILINEAR
    scaled = np.asarray(image.resize((box_width, box_height), resampling, box=box))
    row = _first_pixel(scaled.sum(axis=1, dtype=np.float64), height)
    column = _first_pixel(scaled.sum(axis=0, dtype=np.float64), width)
    result[row : row + box_height, column : column + box_width] = scaled
    return result


def _first_pixel(mass: np.ndarray[Any, Any], room: int) -> int:
    """Return where to put a line of pixels in `room` pixels so that its centre of mass is in the middle and all fit."""
    length = len(mass)
    total = mass.sum()
    # Ink too faint to survive the scaling has no centre of mass; its box has.
    centre = (length - 1) / 2 if total == 0 else float(mass @ np.arange(length)) / float(total)
    return min(max(round(room / 2 - centre), 0), room - length)


def is_normalised(images: PictureStack) -> bool:
    """Whether pictures were made as MNIST's were: nearly all in the box and centred by mass.  A few hundred suffice."""
    count, height, width = images.shape
    if height != width or count == 0:
        return False
    mass = images.reshape(count, -1).sum(axis=1, dtype=np.float64)
    with_ink = images[mass > 0]
    if len(with_ink) < 0.9 * count:
        return False
    mass = mass[mass > 0]
    off_centre = [
        np.abs(with_ink.sum(axis=axis, dtype=np.float64) @ np.arange(height) / mass - height / 2) for axis in (1, 2)
    ]
    spans = [_span(with_ink.any(axis=axis)) for axis in (1, 2)]
    fits = np.maximum(*spans) <= round(height * _BOX_SHARE) + 1
    return bool(np.mean(fits & (np.maximum(*off_centre) <= 0.75)) >= 0.9)


def _span(inked: np.ndarray[Any, Any]) -> Rows:
    """Return how many pixels lie between the first and the last that is inked, both included, of each row."""
    length = inked.shape[1]
    spans: Rows = length - inked.argmax(axis=1) - inked[:, ::-1].argmax(axis=1)
    return spans
