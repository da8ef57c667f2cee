"""From the whole table, computed exactly, to the blocks that are worth fresh codes: one picture, or thousands."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float, Float64

from core.inference.evidence.blocks import Pairs
from core.inference.evidence.decoding import Eta, NodeDecoder, Offsets, ShouldStop, products, summed
from core.inference.evidence.families import Statistics
from core.inference.evidence.lattice import BLOCK, Lattice
from core.inference.evidence.refinement import FIRST_SHARE, Cells, Integrals, Refinement

FIRST_REACH = 60.0
"""Nats below a picture's largest node of the table down to which the table's blocks are looked at."""
FIRST_REACH_OF_ONE = 300.0
"""The same for a picture by itself, which has the time."""
_CHUNK_IMAGES = 128


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
        found.append(refinement.first(pairs))
        if progress is not None:
            progress(FIRST_SHARE * min(start + _CHUNK_IMAGES, len(statistics)) / len(statistics))
    if found:
        refinement.run(np.concatenate([image for image, _ in found]), np.concatenate([keys for _, keys in found]), 1)
    return refinement.integrals, refinement.cells()


def table_pairs(
    lattice: Lattice, values: Float[np.ndarray, "images nodes"], first: int, reach: float, *, keep: bool
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
