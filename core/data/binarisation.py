"""What the model sees of a picture: the zeros and ones that a Bernoulli likelihood describes, or its greys."""

import math
from typing import Any

import numpy as np

from core.config import DataConfig
from core.data.draws import BINARISATION_STREAM, random_bits
from core.shapes import Picture, Pixels
from core.stored_pictures import Pictures

_CHUNK = 1024
# P(draw < threshold) = grey / 255 within 2^-17; white is drawn as 1 always, by itself, since 65,536 does not fit.
_THRESHOLDS = np.minimum(np.rint(np.arange(256) * (65536 / 255)), 65535).astype(np.uint16)


def seen_by_model(images: Pictures, indices: np.ndarray[Any, Any], config: DataConfig) -> Pixels:
    """Return the x of each image, float32 (N, H·W) in [0, 1], behind every number that is shown of it.

    `dynamic` and `fixed` binarisation: one Bernoulli draw per pixel with its grey level as probability, decided by the
    data seed and the image's index in its split, so that any subset in any order sees the same x.  Raises ValueError
    when images and indices differ in number.
    """
    if len(images) != len(indices):
        raise ValueError(f"{len(images)} images need as many indices, not {len(indices)}")
    # Not -1: no images have no pixels to count.
    grey = images[:].reshape(len(images), math.prod(images.shape[1:]))
    if config.binarisation == "none":
        return grey_pixels(grey, config)
    if config.binarisation == "threshold":
        return (grey >= 128).astype(np.float32)
    seen: Pixels = np.empty(grey.shape, np.float32)
    for start in range(0, len(grey), _CHUNK):
        rows = slice(start, start + _CHUNK)
        seen[rows] = _drawn(grey[rows], np.asarray(indices)[rows], config.data_seed)
    return seen


def drawing_seen(picture: Picture, config: DataConfig) -> Pixels:
    """Return the x of a drawing, float32 (1, H·W): thresholded at one half, or grey for a model of greys."""
    grey = picture.reshape(1, -1)
    if config.binarisation == "none":
        return grey_pixels(grey, config)
    return (grey >= 128).astype(np.float32)


def grey_pixels(grey: np.ndarray[Any, np.dtype[np.uint8]], config: DataConfig) -> Pixels:
    """Return grey levels 0..255 as float32 in [0, 1], rounded to as many levels as the data has."""
    pixels: Pixels = grey.astype(np.float32) / np.float32(255.0)
    if config.num_levels < 256:
        steps = np.float32(config.num_levels - 1)
        pixels = np.rint(pixels * steps) / steps
    return pixels


def _drawn(
    grey: np.ndarray[Any, np.dtype[np.uint8]], indices: np.ndarray[Any, Any], seed: int
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    num_pixels = grey.shape[1]
    words = random_bits(seed, BINARISATION_STREAM, indices, -(-num_pixels // 4))
    # Sixteen bits a pixel: little-endian on every machine, so that the draws are the same.
    draws = words.astype("<u8", copy=False).view("<u2")[:, :num_pixels]
    drawn: np.ndarray[Any, np.dtype[np.bool_]] = (draws < _THRESHOLDS[grey]) | (grey == 255)
    return drawn
