"""From the whole table, computed exactly, to the blocks that are worth fresh codes: one picture, or thousands."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float, Float64

from core.inference.evidence.blocks import Pairs, PerImage
from core.inference.evidence.decoding import Eta, NodeDecoder, Offsets, ShouldStop, products, summed
from core.inference.evidence.families import Statistics
from core.inference.evidence.lattice import BLOCK, Lattice
from core.inference.evidence.refinement import (
    BEND_FACTOR,
    FIRST_SHARE,
    SLACK,
    Cells,
    Integrals,
    Refinement,
    reach_of,
)

FIRST_REACH = 60.0
"""Nats below a picture's largest node of the table down to which the table's blocks are looked at."""
FIRST_REACH_OF_ONE = 300.0
"""The same for a picture by itself, which has the time."""
_CHUNK_IMAGES = 128
_CHUNK_NARROW = 16
"""Pictures whose blocks are all looked at: fewer at once, as each has thousands."""


def refined(
    decoder: NodeDecoder,
    lattice: Lattice,
    eta: Eta,
    offset: Offsets,
    statistics: Statistics,
    seeds: Float64[np.ndarray, "batch latent_dim"],
    tolerance: float,
    *,
    keep: bool,
    progress: Callable[[float], None] | None = None,
    should_stop: ShouldStop | None = None,
) -> tuple[Integrals, list[Cells]]:
    """Return the integral of each picture with these statistics, and its cells where they are to be kept.

    When `should_stop` says so, what is known by then: infinite error bars where that is nothing.
    """
    refinement = Refinement(
        decoder, lattice, statistics, seeds, tolerance, keep=keep, should_stop=should_stop, progress=progress
    )
    found = []
    reach = FIRST_REACH_OF_ONE if len(statistics) == 1 else FIRST_REACH
    for start in range(0, len(statistics), _CHUNK_IMAGES):
        if start and should_stop is not None and should_stop():
            break
        some = statistics[start : start + _CHUNK_IMAGES]
        # One picture: a product of matrix and vector, in half the time.
        values = summed(eta @ some[0], offset)[None] if len(some) == 1 else products(some, eta, offset)
        pairs = table_pairs(lattice, values, start, reach, keep=keep)
        narrow = np.flatnonzero(_wanted_reach(pairs, start, len(values), tolerance) > reach)
        if len(narrow):
            pairs = pairs.chosen(~np.isin(pairs.image - start, narrow))
        if len(pairs):
            found.append(refinement.first(pairs))
        for first in range(0, len(narrow), _CHUNK_NARROW):
            rows = narrow[first : first + _CHUNK_NARROW]
            wider = table_pairs(lattice, values[rows], 0, math.inf, keep=keep)
            found.append(refinement.first(replace(wider, image=start + rows[wider.image])))
        if progress is not None:
            progress(FIRST_SHARE * min(start + _CHUNK_IMAGES, len(statistics)) / len(statistics))
    if found:
        refinement.run(np.concatenate([image for image, _ in found]), np.concatenate([keys for _, keys in found]), 1)
    return refinement.integrals, refinement.cells()


def _wanted_reach(pairs: Pairs, first: int, num_images: int, tolerance: float) -> PerImage:
    """Return how far below its largest node a block of each picture may lie and still hold mass, nats.

    Another mode may rise over the table's nodes by as much as the largest one's bend says of that.
    """
    image = pairs.image - first
    near = pairs.top >= pairs.tops(first + num_images)[pairs.image] - reach_of(tolerance)
    bend = np.zeros(num_images)
    np.maximum.at(bend, image[near], pairs.bend[near])
    wanted: PerImage = reach_of(tolerance) + SLACK[0] + BEND_FACTOR * bend
    return wanted


def table_pairs(
    lattice: Lattice,
    values: Float[np.ndarray, "images nodes"],
    first: int,
    reach: float,
    *,
    keep: bool,
) -> Pairs:
    """Return the table's blocks that may hold mass of each picture, numbered from `first`, given all log-densities."""
    largest = _largest_of_blocks(lattice, values)
    image, block = np.nonzero(largest >= largest.max(axis=1, keepdims=True) - reach)
    inside = values[image[:, None], lattice.node_index()[block]]
    return Pairs.of(image + first, lattice.keys()[block], inside, keep=keep)


def _largest_of_blocks(lattice: Lattice, values: Float[np.ndarray, "images nodes"]) -> np.ndarray[Any, Any]:
    """Return the largest value of each block, (images, blocks); axis by axis, so that most of it runs along rows."""
    largest = values.reshape(len(values), *lattice.shape)
    for axis, count in enumerate(lattice.blocks):
        shape = (*largest.shape[: axis + 1], count, BLOCK, *largest.shape[axis + 2 :])
        largest = largest.reshape(shape).max(axis=axis + 2)
    return largest.reshape(len(values), -1)
