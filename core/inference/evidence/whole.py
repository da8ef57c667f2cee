"""From the whole table, computed exactly, to the blocks that are worth fresh codes."""

from typing import Any

import numpy as np
from jaxtyping import Float, Float64

from core.inference.evidence.blocks import Pairs
from core.inference.evidence.decoding import NodeCodes, NodeDecoder, ShouldStop
from core.inference.evidence.families import Statistics
from core.inference.evidence.lattice import BLOCK, Lattice
from core.inference.evidence.refinement import Integrals, Refinement

FIRST_REACH = 40.0
"""Nats below a picture's largest node of the table down to which the table's blocks are summed."""


def refined_integrals(
    decoder: NodeDecoder,
    lattice: Lattice,
    eta: Statistics,
    offset: Float64[np.ndarray, "nodes"],
    statistics: Statistics,
    seeds: NodeCodes,
    tolerance: float,
    should_stop: ShouldStop | None,
) -> Integrals:
    """Return the integral of the one picture with these statistics, with its cells."""
    values = (eta @ statistics[0]).numpy().astype(np.float64) + offset
    refinement = Refinement(decoder, lattice, statistics, seeds, tolerance, keep=True, should_stop=should_stop)
    image, keys = refinement.first(
        table_pairs(lattice, np.nan_to_num(values[None], nan=-np.inf, posinf=-np.inf), keep=True)
    )
    refinement.run(image, keys, 1)
    return refinement.integrals


def table_pairs(lattice: Lattice, values: Float[np.ndarray, "images nodes"], *, keep: bool) -> Pairs:
    """Return the blocks of the table that may hold mass of each picture, given the log-density at every node."""
    largest = _largest_of_blocks(lattice, values)
    image, block = np.nonzero(largest >= largest.max(axis=1, keepdims=True) - FIRST_REACH)
    inside = values[image[:, None], lattice.node_index()[block]]
    return Pairs.of(image, lattice.keys()[block], inside, keep=keep)


def _largest_of_blocks(lattice: Lattice, values: Float[np.ndarray, "images nodes"]) -> np.ndarray[Any, Any]:
    """Return the largest value of each block, (images, blocks); axis by axis, so that most of it runs along rows."""
    largest = values.reshape(len(values), *lattice.shape)
    for axis, count in enumerate(lattice.blocks):
        shape = (*largest.shape[: axis + 1], count, BLOCK, *largest.shape[axis + 2 :])
        largest = largest.reshape(shape).max(axis=axis + 2)
    return largest.reshape(len(values), -1)
