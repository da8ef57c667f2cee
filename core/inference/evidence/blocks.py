"""Sums over blocks of a lattice, and over the lattices of twice its step that each block holds."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np
from jaxtyping import Float, Float64, Int64

from core.inference.evidence.lattice import BLOCK, Keys

Values = Float[np.ndarray, "pairs nodes"]
Images = Int64[np.ndarray, "pairs"]
PerPair = Float64[np.ndarray, "pairs"]
PerImage = Float64[np.ndarray, "images"]
PerClass = Float64[np.ndarray, "pairs classes"]

Found = tuple[Int64[np.ndarray, "found"], Int64[np.ndarray, "found latent_dim"]]
"""Pictures and blocks that are still to be computed."""

_TINY = 1e-300
_KEY_BITS = 20
_OFFSET = 1 << (_KEY_BITS - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Blocks of one level, each with the picture it was computed for; log-densities in nats."""

    image: Images
    keys: Keys
    top: PerPair
    """Largest log-density of the block."""
    classes: PerClass
    """Sums of exp(log-density − top) over the nodes of each of the 2^K lattices of twice the step."""
    children: Float[np.ndarray, "pairs children"]
    """Largest log-density in each of the 2^K halves of half the width."""
    faces: Float[np.ndarray, "pairs faces"]
    """Largest log-density along the lower and the upper face of each axis."""
    bend: PerPair
    """Nats by which a peak in the middle between nodes rises over them, as the log-density bends in the block."""
    values: Values | None

    @classmethod
    def of(cls, image: Images, keys: Keys, values: Values, *, keep: bool) -> Self:
        """Return the sums of blocks whose nodes have these log-densities."""
        latent_dim = keys.shape[1]
        top = values.max(axis=1).astype(np.float64)
        shift = np.where(np.isfinite(top), top, 0.0).astype(values.dtype)
        weights = np.exp(values - shift[:, None])
        classes = np.add.reduceat(weights[:, _class_order(latent_dim)], _class_starts(latent_dim), axis=1)
        children = np.maximum.reduceat(values[:, _child_order(latent_dim)], _child_starts(latent_dim), axis=1)
        faces = np.stack([values[:, face].max(axis=1) for face in _faces(latent_dim)], axis=1)
        bend = _bend(values, latent_dim)
        return cls(image, keys, top, classes.astype(np.float64), children, faces, bend, values if keep else None)

    def __len__(self) -> int:
        return len(self.image)

    def joined(self, other: Self) -> Self:
        """Return both together."""
        values = None if self.values is None or other.values is None else np.concatenate([self.values, other.values])
        return type(self)(
            np.concatenate([self.image, other.image]),
            np.concatenate([self.keys, other.keys]),
            np.concatenate([self.top, other.top]),
            np.concatenate([self.classes, other.classes]),
            np.concatenate([self.children, other.children]),
            np.concatenate([self.faces, other.faces]),
            np.concatenate([self.bend, other.bend]),
            values,
        )

    def chosen(self, rows: np.ndarray[Any, Any]) -> Self:
        """Return some of the pairs."""
        values = None if self.values is None else self.values[rows]
        return type(self)(
            self.image[rows],
            self.keys[rows],
            self.top[rows],
            self.classes[rows],
            self.children[rows],
            self.faces[rows],
            self.bend[rows],
            values,
        )

    def tops(self, num_images: int) -> PerImage:
        """Return the largest log-density of each picture; minus infinity for a picture without pairs."""
        tops = np.full(num_images, -np.inf)
        np.maximum.at(tops, self.image, self.top)
        return tops

    def open_faces(self, threshold: PerImage) -> tuple[Found, Float64[np.ndarray, "found"]]:
        """Return picture, missing neighbour and log-density of faces above their picture's threshold."""
        rows, faces = np.nonzero(self.faces > threshold[self.image][:, None])
        image, keys = self.image[rows], self.keys[rows].copy()
        keys[np.arange(len(rows)), faces // 2] += np.where(faces % 2, 1, -1)
        missing = ~np.isin(codes_of(image, keys), codes_of(self.image, self.keys))
        return (image[missing], keys[missing]), self.faces[rows, faces][missing].astype(np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """What some pairs sum to, for each picture."""

    top: PerImage
    log_sum: PerImage
    """log of the sum over nodes of exp(log-density)."""
    coarse_bar: PerImage
    """Largest difference, in nats, of the lattices of twice the step from the whole."""
    beyond: PerImage
    """Nats that the mass beyond open faces may be worth."""

    @classmethod
    def of(cls, pairs: Pairs, num_images: int) -> Self:
        """Return the sums of each picture."""
        latent_dim = pairs.keys.shape[1]
        top = pairs.tops(num_images)
        shift = np.where(np.isfinite(top), top, 0.0)
        with np.errstate(invalid="ignore"):
            scaled = pairs.classes * np.exp(pairs.top - shift[pairs.image])[:, None]
        classes = np.stack(
            [np.bincount(pairs.image, weights=column, minlength=num_images) for column in scaled.T], axis=1
        )
        total = np.maximum(classes.sum(axis=1), _TINY)
        (beyond, _), nats = pairs.open_faces(np.full(num_images, -np.inf))
        # As if the face's largest density went on for a whole block.
        missing = np.bincount(beyond, weights=np.exp(nats - shift[beyond]), minlength=num_images)
        neglected = np.log1p(missing * BLOCK**latent_dim / total)
        return cls(
            top,
            shift + np.log(total) + np.where(np.isfinite(top), 0.0, -np.inf),
            spread(classes, total),
            neglected,
        )


def spread(classes: Float64[np.ndarray, "images classes"], total: PerImage) -> PerImage:
    """Return the largest |log(n · part / whole)| of n lattices that together are the whole, nats."""
    ratios = np.maximum(classes, _TINY) * classes.shape[1] / np.maximum(total, _TINY)[:, None]
    largest: PerImage = np.abs(np.log(ratios)).max(axis=1)
    return largest


def codes_of(image: Images, keys: Keys) -> Images:
    """Return one number for each pair of a picture and a block."""
    codes = image.copy()
    for axis in range(keys.shape[1]):
        codes = (codes << _KEY_BITS) | (keys[:, axis] + _OFFSET)
    return codes


def inside(keys: Keys) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which places `codes_of` can number."""
    within: np.ndarray[Any, np.dtype[np.bool_]] = (np.abs(keys) < _OFFSET - 1).all(axis=1)
    return within


def _bend(values: Values, latent_dim: int) -> PerPair:
    """Return the sum over the axes of −f'' h² / 8, each the largest in its block: how far a parabola's top can rise."""
    cube = values.reshape(-1, *[BLOCK] * latent_dim)
    bend = np.zeros(len(values))
    for axis in range(1, latent_dim + 1):
        with np.errstate(invalid="ignore"):
            second = np.diff(cube, n=2, axis=axis).reshape(len(values), -1)
        # Minus infinity, where weights have gone wild, bends nothing.
        bend += np.nan_to_num(-second.min(axis=1), nan=0.0, posinf=0.0, neginf=0.0).clip(min=0.0) / 8.0
    return bend


def _places(latent_dim: int) -> Int64[np.ndarray, "nodes latent_dim"]:
    return np.stack(np.unravel_index(np.arange(BLOCK**latent_dim), (BLOCK,) * latent_dim), axis=1)


def _ordered(groups: np.ndarray[Any, Any], base: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return nodes sorted by their group, and where each group begins."""
    number = np.zeros(len(groups), np.int64)
    for axis in range(groups.shape[1]):
        number = number * base + groups[:, axis]
    order = np.argsort(number, kind="stable")
    return order, np.searchsorted(number[order], np.arange(base ** groups.shape[1]))


@lru_cache(maxsize=8)
def _class_order(latent_dim: int) -> np.ndarray[Any, Any]:
    return _ordered(_places(latent_dim) % 2, 2)[0]


@lru_cache(maxsize=8)
def _class_starts(latent_dim: int) -> np.ndarray[Any, Any]:
    return _ordered(_places(latent_dim) % 2, 2)[1]


@lru_cache(maxsize=8)
def _child_order(latent_dim: int) -> np.ndarray[Any, Any]:
    return _ordered(_places(latent_dim) // (BLOCK // 2), 2)[0]


@lru_cache(maxsize=8)
def _child_starts(latent_dim: int) -> np.ndarray[Any, Any]:
    return _ordered(_places(latent_dim) // (BLOCK // 2), 2)[1]


@lru_cache(maxsize=8)
def _faces(latent_dim: int) -> tuple[np.ndarray[Any, Any], ...]:
    places = _places(latent_dim)
    return tuple(np.flatnonzero(places[:, axis] == end) for axis in range(latent_dim) for end in (0, BLOCK - 1))
