"""Shapes: squares, ellipses and hearts whose position, scale and rotation are known."""

from typing import Any

import numpy as np

from core.config import DataConfig
from core.data.dataset import Dataset, ProgressCallback
from core.data.draws import SHAPES_STREAM, uniforms
from core.data.held_out import split_dataset
from core.shapes import PictureStack

SHAPES = ("square", "ellipse", "heart")
FACTORS = ("shape", "x (px)", "y (px)", "scale (px)", "rotation (degrees)")
NUM_IMAGES = 12_000
SIDE = 28

# Centre and radius leave every shape whole inside the picture: 4.5 + 9 < 14.
_REACH = 4.5
_SCALES = (5.0, 9.0)
# A turn by its period changes nothing, so rotation is drawn from one period and is well defined.
_PERIODS = np.array([90.0, 180.0, 360.0])
_CHUNK = 500

MINOR_AXIS = 0.55
"""Shorter half axis of the ellipse, the longer being 1."""
HEART_RADIUS = np.float32(0.6308)
"""Radius of the heart's circumscribed circle where the square inside it has the side ½√2."""

Grid = np.ndarray[Any, np.dtype[np.float32]]


def load_shapes(config: DataConfig, progress: ProgressCallback | None = None) -> Dataset:
    """Return 12,000 pictures of 28×28 pixels, 4,000 of each shape, decided by the data seed; a share is held out."""
    factors = shape_factors(config.data_seed, NUM_IMAGES)
    images = draw_shapes(factors, progress)
    labels = factors[:, 0].astype(np.int64)
    note = "Position, scale and rotation are uniform and independent; rotation is within the period of its shape."
    pictures = 255 - images if config.invert else images
    return split_dataset("Shapes", config, pictures, labels, SHAPES, note, factors=(FACTORS, factors))


def shape_factors(seed: int, num_images: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return (N, 5) factors in the order of FACTORS: x to the right and y up from the middle, scale a radius."""
    draws = uniforms(seed, SHAPES_STREAM, np.arange(num_images), 4)
    shape = np.arange(num_images) % len(SHAPES)
    x, y = (2.0 * draws[:, :2] - 1.0).T * _REACH
    scale = _SCALES[0] + (_SCALES[1] - _SCALES[0]) * draws[:, 2]
    return np.column_stack([shape, x, y, scale, draws[:, 3] * _PERIODS[shape]])


def draw_shapes(factors: np.ndarray[Any, Any], progress: ProgressCallback | None = None) -> PictureStack:
    """Return the anti-aliased pictures of given factors (see shape_factors), white on black."""
    images = np.zeros((len(factors), SIDE, SIDE), np.uint8)
    for shape, cover in enumerate((_square, _ellipse, _heart)):
        rows = np.flatnonzero(factors[:, 0] == shape)
        for start in range(0, len(rows), _CHUNK):
            chunk = rows[start : start + _CHUNK]
            u, v, scale = _own_coordinates(factors[chunk])
            images[chunk] = np.rint(cover(u, v, scale) * 255.0).astype(np.uint8)
            if progress is not None:
                progress((shape * NUM_IMAGES / 3 + start) / NUM_IMAGES, "drawing shapes")
    return images


def _own_coordinates(factors: np.ndarray[Any, Any]) -> tuple[Grid, Grid, Grid]:
    """Return each pixel's coordinates, rotated and scaled to the shape's circumscribed unit circle, and the scale."""
    _, x, y, scale, rotation = (column.astype(np.float32)[:, None, None] for column in factors.T)
    middle = (np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2).astype(np.float32)
    right = middle[None, None, :] - x
    up = -middle[None, :, None] - y
    angle = np.deg2rad(rotation)
    cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
    return cos * right + sin * up, cos * up - sin * right, scale


def _covered(distance_px: Grid) -> Grid:
    """Return the share of each pixel on the inner side of an outline, from the signed distance of its middle."""
    result: Grid = np.clip(np.float32(0.5) - distance_px, 0.0, 1.0)
    return result


def _square(u: Grid, v: Grid, scale: Grid) -> Grid:
    """Cover of a square inscribed in the unit circle, as the product of two strips: exact when it is upright."""
    half = np.float32(np.sqrt(0.5))
    result: Grid = _covered((np.abs(u) - half) * scale) * _covered((np.abs(v) - half) * scale)
    return result


def _ellipse(u: Grid, v: Grid, scale: Grid) -> Grid:
    """Cover of an ellipse of half axes 1 and 0.55; the distance is that of first order at the outline."""
    minor = np.float32(MINOR_AXIS)
    radius = np.hypot(u, v / minor)
    gradient = np.hypot(u, v / minor**2)
    # At the very middle both vanish; any negative distance will do there.
    distance = radius * (radius - 1) / np.maximum(gradient, 1e-6) - (gradient < 1e-6)
    return _covered(distance * scale)


def _heart(u: Grid, v: Grid, scale: Grid) -> Grid:
    """Cover of a heart, point down: a square standing on its corner with two semicircles (distance: I. Quilez)."""
    # The heart of the formula has its point at the origin; its circumscribed circle is about (0, 0.6305).
    u, v = np.abs(u) * HEART_RADIUS, v * HEART_RADIUS + np.float32(0.6305)
    lobe = np.hypot(u - 0.25, v - 0.75) - np.sqrt(2.0) / 4
    fold = 0.5 * np.maximum(u + v, 0)
    flank = np.minimum(u**2 + (v - 1) ** 2, (u - fold) ** 2 + (v - fold) ** 2)
    inner = np.sqrt(flank) * np.sign(u - v)
    distance = np.where(u + v > 1, lobe, inner).astype(np.float32) / HEART_RADIUS
    return _covered(distance * scale)
