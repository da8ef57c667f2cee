"""Codes stamped as small anti-aliased discs into one cached image with numpy."""

import math
from functools import lru_cache
from typing import Any

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from explorer.theme import Palette
from explorer.views.canvas.coordinates import View
from explorer.views.canvas.points import FADE_LEVELS, PointCloud

# Above this many points each is one pixel, thickened over the whole image: five to nine writes a point cost more.
THICKEN_ABOVE = 150_000
SMALLEST_RADIUS = 0.9
LARGEST_RADIUS = 4.0
MAX_DEVICE_PIXELS = 64_000_000
PAN_PX = 64
"""So far points are stamped around what is shown."""
_WHOLE_PIXEL = 0.01

Inks = np.ndarray[Any, np.dtype[np.uint32]]
Indices = np.ndarray[Any, np.dtype[np.intp]]
Offsets = tuple[tuple[int, int], ...]


def disc_radius(cloud: PointCloud, view: View) -> float:
    """Return the radius of a point in (device independent) pixels: smaller where points are dense.

    It depends on the zoom but not on the pan, so that points do not change size while the plane is moved.
    """
    if cloud.area == 0.0:
        return LARGEST_RADIUS
    spacing = math.sqrt(max(cloud.area * view.scale * view.vertical_scale, 1.0) / max(cloud.num_drawn, 1))
    return min(max(1.2 * math.pow(spacing, 0.28), SMALLEST_RADIUS), LARGEST_RADIUS)


@lru_cache(maxsize=64)
def disc(radius: float) -> tuple[tuple[float, Offsets], ...]:
    """Return the pixels (dx, dy) of a disc grouped by coverage, faintest first; radius in device pixels."""
    reach = math.ceil(radius + 0.5)
    groups: dict[float, list[tuple[int, int]]] = {}
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            coverage = round(min(max(radius + 0.5 - math.hypot(dx, dy), 0.0), 1.0), 2)
            if coverage >= 0.08:
                groups.setdefault(1.0 if coverage >= 0.92 else coverage, []).append((dx, dy))
    return tuple((coverage, tuple(groups[coverage])) for coverage in sorted(groups))


def ink_table(colours: Palette, coverage: float, *, labelled: bool, opacity: float) -> Inks:
    """Return premultiplied ARGB32 inks, indexed by colour * FADE_LEVELS + level; the last colour is for no label."""
    names = (*colours.labels, colours.muted_text if labelled else colours.accent)
    levels = np.linspace(0.0, 1.0, FADE_LEVELS) * coverage * opacity
    table = np.empty((len(names), FADE_LEVELS), dtype=np.uint32)
    for index, name in enumerate(names):
        colour = QColor(name)
        channels = [
            np.rint(levels * value).astype(np.uint32) for value in (colour.red(), colour.green(), colour.blue())
        ]
        alpha = np.rint(levels * 255.0).astype(np.uint32)
        table[index] = (alpha << 24) | (channels[0] << 16) | (channels[1] << 8) | channels[2]
    return table.ravel()


class Scatter:
    """The image of a cloud for a view and a little around it; a pan shows another part of it as long as that suffices.

    It is made anew when the cloud, the scale, the theme or the pixel ratio changed.
    """

    def __init__(self) -> None:
        self._key: tuple[object, ...] = ()
        self._view = View(1, 1)
        self._cloud: PointCloud | None = None
        self._ink_key: tuple[object, ...] = ()
        self._inks: list[Inks] = []
        self._buffer: Inks = np.zeros((1, 1), dtype=np.uint32)
        self._margin = self._spare = 0
        """Device pixels around what is shown, and how many of them a pan may use."""

    def paint(
        self, painter: QPainter, cloud: PointCloud, view: View, ratio: float, colours: Palette, opacity: float = 1.0
    ) -> None:
        """Draw the cloud over the whole widget; `ratio` is the number of device pixels for a pixel."""
        key = (view.width, view.height, view.scale, view.strip, ratio, colours, opacity)
        shift = self._shift_to(view, ratio) if cloud is self._cloud and key == self._key else None
        if shift is None:
            self._stamp(cloud, view, ratio, colours, opacity)
            self._cloud, self._key, self._view, shift = cloud, key, view, (0, 0)
        height, width = self._buffer.shape
        image = QImage(self._buffer.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
        margin = self._margin
        source = QRectF(margin - shift[0], margin - shift[1], width - 2 * margin, height - 2 * margin)
        painter.drawImage(QRectF(0.0, 0.0, source.width() / ratio, source.height() / ratio), image, source)

    def _shift_to(self, view: View, ratio: float) -> tuple[int, int] | None:
        """Return by how many device pixels the points have moved since they were stamped.

        None where the image does not reach that far, or where they would fall on other pixels.
        """
        before, now = self._view.to_pixels(*view.centre), view.to_pixels(*view.centre)
        moved = [(new - old) * ratio for old, new in zip(before, now, strict=True)]
        shift = [round(distance) for distance in moved]
        exact = all(abs(distance - whole) < _WHOLE_PIXEL for distance, whole in zip(moved, shift, strict=True))
        return (shift[0], shift[1]) if exact and max(map(abs, shift)) <= self._spare else None

    def _stamp(self, cloud: PointCloud, view: View, ratio: float, colours: Palette, opacity: float) -> None:
        thicken = cloud.num_drawn > THICKEN_ABOVE
        radius = 1.0 if thicken else max(round(disc_radius(cloud, view) * ratio * 4.0) / 4.0, 0.75)
        stamp = disc(radius)
        reach = math.ceil(radius + 0.5)
        self._spare = round(PAN_PX * ratio)
        self._clear(view, ratio, self._spare + 2 * reach + 1)
        self._mix_inks(cloud, colours, opacity, (1.0,) if thicken else tuple(coverage for coverage, _ in stamp))
        if not cloud.num_drawn:
            return
        place, inks = self._placed(cloud, view, ratio, reach)
        flat, width = self._buffer.reshape(-1), self._buffer.shape[1]
        if thicken:
            flat[place] = inks[0]
            self._thicken()
            return
        shifted = np.empty_like(place)
        for ink, (_, offsets) in zip(inks, stamp, strict=True):
            for dx, dy in offsets:
                np.add(place, dy * width + dx, out=shifted)
                flat[shifted] = ink

    def _placed(self, cloud: PointCloud, view: View, ratio: float, reach: int) -> tuple[Indices, list[Inks]]:
        """Return where in the flat image each point's middle is, and its inks; points out of it may be left out."""
        height, width = self._buffer.shape
        x, y = view.to_pixels(cloud.drawn_a, cloud.drawn_b)
        x *= ratio
        x += self._margin
        y *= ratio
        y += self._margin
        # Tested before the cast: a float beyond int64 has no integer, and a warning is an error in the tests.
        inside = (x >= reach) & (x < width - reach) & (y >= reach) & (y < height - reach)
        inks = self._inks
        num_inside = int(np.count_nonzero(inside))
        if 2 * num_inside < len(x):
            kept = np.flatnonzero(inside)
            x, y = x[kept], y[kept]
            inks = [ink[kept] for ink in inks]
        elif num_inside < len(x):
            # Leaving few out costs more than stamping them into the margin, which is never shown.
            np.clip(x, reach, width - 1 - reach, out=x)
            np.clip(y, reach, height - 1 - reach, out=y)
        place = y.astype(np.intp)
        place *= width
        place += x.astype(np.intp)
        return place, inks

    def _clear(self, view: View, ratio: float, margin: int) -> None:
        self._margin = margin
        width, height = math.ceil(view.width * ratio), math.ceil(view.height * ratio)
        if width * height > MAX_DEVICE_PIXELS:
            width, height = 1, 1
        shape = (height + 2 * margin, width + 2 * margin)
        if self._buffer.shape == shape:
            self._buffer.fill(0)
        else:
            self._buffer = np.zeros(shape, dtype=np.uint32)

    def _mix_inks(self, cloud: PointCloud, colours: Palette, opacity: float, coverages: tuple[float, ...]) -> None:
        key = (colours, opacity, coverages)
        if cloud is self._cloud and key == self._ink_key:
            return
        self._ink_key = key
        number = len(colours.labels)
        entry = np.where(cloud.drawn_label < 0, number, cloud.drawn_label % number) * FADE_LEVELS + cloud.drawn_level
        self._inks = [
            ink_table(colours, coverage, labelled=cloud.labelled, opacity=opacity)[entry] for coverage in coverages
        ]

    def _thicken(self) -> None:
        """Give every stamped pixel four half covered neighbours, where these are still free."""
        centres = self._buffer
        half = (centres >> 1) & np.uint32(0x7F7F7F7F)
        # Alpha is the highest byte, so the larger number is the more opaque ink.
        result = np.maximum(centres[1:-1, 1:-1], half[:-2, 1:-1])
        np.maximum(result, half[2:, 1:-1], out=result)
        np.maximum(result, half[1:-1, :-2], out=result)
        np.maximum(result, half[1:-1, 2:], out=result)
        self._buffer[1:-1, 1:-1] = result
