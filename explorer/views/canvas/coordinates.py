"""Pixels (y down) and latent units (z2 up): one function, its inverse, and the ways a view moves."""

import math
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from explorer.messages import Extent

MIN_SCALE = 1e-4
MAX_SCALE = 1e6
MAX_COORDINATE = 1e6

# In one dimension the height of the widget is no latent axis; the strip keeps its place whatever the zoom.
STRIP_CENTRE = 0.42
STRIP_HEIGHT = 0.62

Coordinate = TypeVar("Coordinate", float, np.ndarray[Any, np.dtype[np.float32]])


def clamped(value: float, low: float, high: float, fallback: float) -> float:
    """Return the value inside [low, high], or `fallback` for NaN."""
    return fallback if math.isnan(value) else min(max(value, low), high)


@dataclass(frozen=True, slots=True)
class View:
    """What part of the latent plane a widget shows; the same scale on both axes, so that circles are circles."""

    width: int
    height: int
    """Size of the widget in (device independent) pixels."""
    centre: tuple[float, float] = (0.0, 0.0)
    """Latent coordinates of the middle of the widget."""
    scale: float = 80.0
    """Pixels for one latent unit."""
    strip: bool = False
    """One latent dimension: the second coordinate is the place inside the strip, -0.5 to 0.5, and does not move."""

    def __post_init__(self) -> None:
        a, b = (clamped(value, -MAX_COORDINATE, MAX_COORDINATE, 0.0) for value in self.centre)
        object.__setattr__(self, "centre", (a, 0.0 if self.strip else b))
        object.__setattr__(self, "scale", clamped(self.scale, MIN_SCALE, MAX_SCALE, 80.0))
        object.__setattr__(self, "width", max(int(self.width), 1))
        object.__setattr__(self, "height", max(int(self.height), 1))

    @property
    def vertical_scale(self) -> float:
        """Pixels for one unit of the second coordinate."""
        return STRIP_HEIGHT * self.height if self.strip else self.scale

    @property
    def middle(self) -> tuple[float, float]:
        """Pixel at which `centre` is shown."""
        return 0.5 * self.width, (STRIP_CENTRE if self.strip else 0.5) * self.height

    def to_pixels(self, a: Coordinate, b: Coordinate) -> tuple[Coordinate, Coordinate]:
        """Return the pixel (x, y) of latent coordinates; numbers or float32 arrays."""
        x, y = self.middle
        return (a - self.centre[0]) * self.scale + x, y - (b - self.centre[1]) * self.vertical_scale

    def to_latent(self, x: Coordinate, y: Coordinate) -> tuple[Coordinate, Coordinate]:
        """Return the latent coordinates shown at a pixel: the inverse of to_pixels."""
        middle_x, middle_y = self.middle
        return (x - middle_x) / self.scale + self.centre[0], (middle_y - y) / self.vertical_scale + self.centre[1]

    @property
    def extent(self) -> Extent:
        """The rectangle of the latent plane that the widget shows."""
        left, top = self.to_latent(0.0, 0.0)
        right, bottom = self.to_latent(float(self.width), float(self.height))
        return Extent(left, right, bottom, top)

    def zoomed(self, factor: float, x: float, y: float) -> "View":
        """Return the view scaled by `factor`, with the latent point under pixel (x, y) kept where it is."""
        if not (math.isfinite(factor) and factor > 0.0 and math.isfinite(x) and math.isfinite(y)):
            return self
        a, b = self.to_latent(x, y)
        scaled = replace(self, scale=self.scale * factor)
        shifted_a, shifted_b = scaled.to_latent(x, y)
        return replace(scaled, centre=(self.centre[0] + a - shifted_a, self.centre[1] + b - shifted_b))

    def panned(self, dx: float, dy: float) -> "View":
        """Return the view after its content was moved by (dx, dy) pixels."""
        if not (math.isfinite(dx) and math.isfinite(dy)):
            return self
        return replace(self, centre=(self.centre[0] - dx / self.scale, self.centre[1] + dy / self.vertical_scale))

    def fitted(self, extent: Extent, margin: float = 0.05) -> "View":
        """Return the view that shows all of `extent`, with a share of the widget left free on each side."""
        spans = [extent.width] if self.strip else [extent.width, extent.height]
        sides = [self.width, self.height]
        scales = [
            side * (1.0 - 2.0 * margin) / span
            for side, span in zip(sides, spans, strict=False)
            if 0.0 < span < math.inf
        ]
        centre = (0.5 * (extent.left + extent.right), 0.5 * (extent.bottom + extent.top))
        return replace(self, centre=centre, scale=min(scales, default=self.scale))
