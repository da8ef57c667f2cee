"""The true posterior p(z|x) as a density on a lattice, for a heat map."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int64

from core.findings.evidence import PosteriorMap
from core.inference.evidence.lattice import BLOCK, Lattice, block_offsets
from core.inference.evidence.refinement import Cells
from core.snapshots import frozen

SHOWN_NATS = 14.0
"""A map reaches to where the density has fallen to 1e-6 of its largest."""
MOST_CELLS = 512
"""Along each axis; beyond them neighbouring cells are joined."""

Places = Int64[np.ndarray, "nodes latent_dim"]


def map_of_nodes(
    lattice: Lattice, nodes: Int64[np.ndarray, "nodes"], log_joint: Float64[np.ndarray, "nodes"], version: int
) -> PosteriorMap:
    """Return the map of some nodes of the table; all others are taken to be empty."""
    places = np.stack(np.unravel_index(nodes, lattice.shape), axis=1)
    return _map(lattice, places, log_joint, 0, version)


def map_of_cells(lattice: Lattice, cells: Sequence[Cells], version: int) -> PosteriorMap:
    """Return the map of the one picture whose cells these are, at the step at which it ended."""
    if not cells or cells[-1].pairs.values is None:
        empty = np.zeros(1)
        return _map(lattice, np.zeros((1, lattice.latent_dim), np.int64), empty, 0, version)
    level, pairs = cells[-1].level, cells[-1].pairs
    assert pairs.values is not None  # noqa: S101
    inner = block_offsets(lattice.latent_dim).astype(np.int64)
    places = (BLOCK * pairs.keys[:, None, :] + inner).reshape(-1, lattice.latent_dim)
    return _map(lattice, places, pairs.values.astype(np.float64).ravel(), level, version)


def _map(
    lattice: Lattice, places: Places, log_joint: Float64[np.ndarray, "nodes"], level: int, version: int
) -> PosteriorMap:
    """Return the density of nodes at these places of a level, in the smallest box that holds what can be seen."""
    top = log_joint.max()
    seen = log_joint > top - SHOWN_NATS if np.isfinite(top) else np.zeros(len(log_joint), np.bool_)
    seen[log_joint.argmax()] = True
    places = places[seen]
    mass = np.exp(log_joint[seen] - top) if np.isfinite(top) else np.ones(1)
    # One empty cell on each side, so that a smoothed picture of the map fades out inside of it.
    low, high = places.min(axis=0) - 1, places.max(axis=0) + 2
    joined = int(2 ** np.ceil(np.log2(np.maximum((high - low).max() / MOST_CELLS, 1.0))))
    shape = -(-(high - low) // joined)
    flat = np.ravel_multi_index(tuple(((places - low) // joined).T), tuple(shape.tolist()))
    summed = np.bincount(flat, weights=mass, minlength=int(shape.prod())).reshape(shape)
    step = lattice.step_at(level) * joined
    density = summed / (summed.sum() * step**lattice.latent_dim)
    # Axes (first, second) -> rows from the top, columns: the second axis points up.
    rows = density[None, :] if lattice.latent_dim == 1 else density.T[::-1]
    # A cell lies around its node; joined cells begin half a step of the level before their first.
    corner = np.array(lattice.low) + lattice.step_at(level) * (low - 0.5)
    return PosteriorMap(
        density=frozen(rows, np.float32),
        low=tuple(corner.tolist()),
        high=tuple((corner + step * shape).tolist()),
        step=step,
        version=version,
    )
