"""Nearest neighbours of one image among those of a split: in pixels, and in codes."""

from collections.abc import Generator
from typing import Any

import numpy as np

from core.array_types import Float32
from core.data.seen import SeenImages
from core.findings.neighbours import NearestImages, Neighbours
from core.inference.network_coder import bounded
from core.shapes import Code, CodeArray, PixelRow
from core.snapshots import Codes, frozen

PIECE_IMAGES = 1024
"""Images compared between two steps: some 5 ms where they are drawn already, 20 ms where not."""
# 1 MB of products at once, which stays in the processor's cache.
_PIECE_FLOATS = 2**17

CodeRows = Float32[np.ndarray, "num_codes latent_dim"]
Rows = np.ndarray[Any, np.dtype[np.int64]]
Distances = np.ndarray[Any, np.dtype[np.float64]]


def find_neighbours(
    query: PixelRow, code: Code, seen: SeenImages, codes: Codes, num: int = 8, *, image: int | None, label: int | None
) -> Generator[None, None, Neighbours]:
    """Return, after some steps, the `num` nearest of the images behind `codes` by Euclidean distance, both ways.

    `image` is the query's own index in the split, which is no neighbour of itself; None for a drawing.
    """
    candidates = codes.indices if image is None else codes.indices[codes.indices != image]
    squared = np.empty(len(candidates))
    for start in range(0, len(candidates), PIECE_IMAGES):
        piece = candidates[start : start + PIECE_IMAGES]
        offset = seen.rows(piece) - query
        squared[start : start + PIECE_IMAGES] = np.einsum("ij,ij->i", offset, offset)
        yield
    in_pixels = _smallest(candidates, np.sqrt(squared), num)
    kept = slice(None) if image is None else codes.indices != image
    in_codes = _smallest(candidates, code_distances(codes.mean[kept], code), num)
    labels = None if codes.labels is None else dict(zip(codes.indices.tolist(), codes.labels.tolist(), strict=True))
    return Neighbours(
        in_pixels=_named(*in_pixels, labels, label),
        in_codes=_named(*in_codes, labels, label),
        overlap=len(np.intersect1d(in_pixels[0], in_codes[0])),
        num_images=len(candidates),
        label=label,
        version=codes.version,
    )


def code_distances(codes: CodeArray, code: Code) -> Distances:
    """Return the Euclidean distance of each code from one, in latent units."""
    offset = bounded(codes).astype(np.float64) - bounded(code[None]).astype(np.float64)
    distances: Distances = np.sqrt(np.einsum("ij,ij->i", offset, offset))
    return distances


def nearest_codes(codes: CodeRows, queries: CodeArray, exclude: int | None = None) -> Rows:
    """Return the row of the nearest code for each query, never that of `exclude`.  One product for many queries."""
    # About the codes' own middle, in double precision: |c - q|² by a product loses what c² and q² share.
    middle = bounded(codes).mean(axis=0, dtype=np.float64)
    centred = bounded(codes) - middle
    closeness = -0.5 * np.einsum("ij,ij->i", centred, centred)
    if exclude is not None:
        closeness[exclude] = -np.inf
    # The greatest q·c - |c|²/2 is the least distance.  As one product: 1 ms for 200 among 10,000, 20 with a sum.
    columns = np.ascontiguousarray(np.column_stack((centred, closeness)).T)
    around = np.column_stack((bounded(queries) - middle, np.ones(len(queries))))
    rows = max(1, _PIECE_FLOATS // max(len(codes), 1))
    nearest = np.empty(len(queries), np.int64)
    for start in range(0, len(queries), rows):
        nearest[start : start + rows] = (around[start : start + rows] @ columns).argmax(axis=1)
    return nearest


def _smallest(images: Rows, distances: Distances, num: int) -> tuple[Rows, Distances]:
    """Return the nearest images and their distances, the nearest first; of equal ones the lower index."""
    num = min(num, len(images))
    if num == 0:
        return images[:0], distances[:0]
    near = np.flatnonzero(distances <= np.partition(distances, num - 1)[num - 1])
    order = near[np.lexsort((images[near], distances[near]))][:num]
    return images[order], distances[order]


def _named(images: Rows, distances: Distances, labels: dict[int, int] | None, label: int | None) -> NearestImages:
    found = None if labels is None else np.array([labels[image] for image in images.tolist()], np.int64)
    same = None
    if found is not None and len(found):
        same = int((found == label).sum() if label is not None else np.bincount(found - found.min()).max())
    return NearestImages(
        images=frozen(images, np.int64),
        distances=frozen(distances, np.float64),
        labels=None if found is None else frozen(found, np.int64),
        same_label=same,
    )
