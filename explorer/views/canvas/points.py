"""The codes as the canvas shows them: where each stands, in which order they are drawn, which is under the mouse."""

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from core.quantiles import quantiles
from core.shapes import Code, CodeArray, Labels
from explorer.messages import Extent
from explorer.views.canvas.coordinates import MAX_COORDINATE, View

FADE_LEVELS = 12
FAINTEST = 0.12

Column = np.ndarray[Any, np.dtype[np.float32]]
Rows = np.ndarray[Any, np.dtype[np.intp]]


@lru_cache(maxsize=2)
def _shuffled(count: int) -> Rows:
    """Return a fixed order of `count` rows, so that no label always covers another and nothing flickers."""
    order: Rows = np.random.default_rng(20_240_229).permutation(count).astype(np.intp)
    order.flags.writeable = False
    return order


def drawable(values: npt.ArrayLike) -> Column:
    """Return coordinates as float32 inside +-1e6; NaN stays NaN (and is never drawn)."""
    with np.errstate(over="ignore"):
        column = np.asarray(values, dtype=np.float32)
    return np.clip(column, -MAX_COORDINATE, MAX_COORDINATE)


def slice_opacity(mean: CodeArray, axes: tuple[int, int], code: Code) -> Column:
    """Return each point's opacity in (0, 1], falling with its distance from the plane through `code` on `axes`.

    The distance is measured in root-mean-square spreads of the codes off the plane, so dead dimensions do not count.
    """
    hidden = [dimension for dimension in range(mean.shape[1]) if dimension not in axes]
    offset = drawable(mean[:, hidden]) - drawable(code[hidden])
    with np.errstate(invalid="ignore"):
        squared = np.einsum("ij,ij->i", offset, offset)
    finite = np.isfinite(squared)
    spread = float(drawable(mean[:, hidden])[finite].var(axis=0, dtype=np.float64).sum()) if finite.any() else 0.0
    relative = np.where(finite, squared, np.float32(np.inf)) / np.float32(max(spread, 1e-12))
    opacity: Column = (FAINTEST + (1.0 - FAINTEST) * np.exp(-relative)).astype(np.float32)
    return opacity


class PointCloud:
    """Points of the plane, immutable: `a`, `b` as placed, and the same in the order in which they are drawn."""

    def __init__(
        self,
        a: npt.ArrayLike,
        b: npt.ArrayLike,
        labels: Labels | None = None,
        opacity: Column | None = None,
        shown: frozenset[int] | None = None,
    ) -> None:
        self.a = drawable(a)
        self.b = drawable(b)
        self.labelled = labels is not None
        visible = ~(np.isnan(self.a) | np.isnan(self.b))
        if labels is not None and shown is not None:
            # Negative labels mean "none" and are not in the legend, so nothing can hide them.
            visible &= np.isin(labels, list(shown)) | (labels < 0)
        order = _shuffled(len(self.a))
        order = order if visible.all() else order[visible[order]]
        level = None
        if opacity is not None:
            level = np.rint(opacity * (FADE_LEVELS - 1)).astype(np.intp)
            order = order[np.argsort(level[order], kind="stable")]
        self.order = order
        self.drawn_a = self.a[order]
        self.drawn_b = self.b[order]
        self.drawn_label = np.full(len(order), -1, dtype=np.int64) if labels is None else labels[order]
        self.drawn_level = np.full(len(order), FADE_LEVELS - 1, dtype=np.intp) if level is None else level[order]
        self._by_a: tuple[Rows, Column] | None = None
        self.area = self._area()

    def __len__(self) -> int:
        return len(self.a)

    @property
    def num_drawn(self) -> int:
        """How many points are visible."""
        return len(self.order)

    def position(self, row: int) -> tuple[float, float] | None:
        """Return where a row stands, or None if there is no such row or it is not a number."""
        if not 0 <= row < len(self.a):
            return None
        a, b = float(self.a[row]), float(self.b[row])
        return None if np.isnan(a) or np.isnan(b) else (a, b)

    def nearest(self, view: View, x: float, y: float, radius: float) -> int | None:
        """Return the row of the visible point nearest to a pixel, or None beyond `radius` pixels."""
        if self._by_a is None:
            order = np.argsort(self.drawn_a, kind="stable")
            self._by_a = order, self.drawn_a[order]
        order, sorted_a = self._by_a
        left, _ = view.to_latent(x - radius, y)
        right, _ = view.to_latent(x + radius, y)
        # The key must be float32: a float64 one makes searchsorted convert the whole column.
        first = int(np.searchsorted(sorted_a, np.float32(left)))
        last = int(np.searchsorted(sorted_a, np.float32(right), side="right"))
        near = order[first:last]
        if not len(near):
            return None
        near_x, near_y = view.to_pixels(self.drawn_a[near], self.drawn_b[near])
        squared = (near_x - x) ** 2 + (near_y - y) ** 2
        best = int(np.argmin(squared))
        return int(self.order[near[best]]) if squared[best] <= radius**2 else None

    def robust_extent(self) -> Extent | None:
        """Return the rectangle between the 0.2 % and 99.8 % quantiles of the visible points, or None without any."""
        if not self.num_drawn:
            return None
        # Of a million points some are enough, and take 20 ms instead of 100.
        sample = slice(None, None, max(self.num_drawn // 200_000, 1))
        left, right = (float(value) for value in quantiles(self.drawn_a[sample].astype(np.float64), (0.002, 0.998)))
        bottom, top = (float(value) for value in quantiles(self.drawn_b[sample].astype(np.float64), (0.002, 0.998)))
        return Extent(left, right, bottom, top)

    def _area(self) -> float:
        """Return the area that most visible points fill, in latent units squared."""
        if self.num_drawn < 2:
            return 0.0
        sample = slice(None, None, max(self.num_drawn // 20_000, 1))
        quartiles = quantiles(np.stack((self.drawn_a[sample], self.drawn_b[sample]), axis=1), (0.1, 0.9))
        # 10 % to 90 % of a Gaussian spans 2.56 standard deviations; most of it stands within four.
        sides = (quartiles[1] - quartiles[0]) * (4.0 / 2.56)
        return float(sides[0]) * float(sides[1])
