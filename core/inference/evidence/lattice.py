"""A lattice of codes in blocks, at any step that is the table's divided by a power of two."""

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Self

import numpy as np
from jaxtyping import Float64, Int64

from core.inference.evidence.decoding import NodeCodes
from core.shapes import CodeArray

BLOCK = 4
"""Nodes of a block along each axis; a block of one level is half as wide as one of the level before."""
PRIOR_REACH = 6.0
"""The table covers the prior to six standard deviations: 2e-9 of its mass lies outside, in each dimension."""
_CODES_MARGIN = 0.5
_SECOND = 3

Keys = Int64[np.ndarray, "blocks latent_dim"]
"""Places of blocks, counted along each axis from the lattice's lower corner; below zero outside of the table."""


@dataclass(frozen=True, slots=True)
class Lattice:
    """The table's lattice: node i of an axis lies at low + step · i."""

    low: tuple[float, ...]
    step: float
    blocks: tuple[int, ...]
    """Blocks along each axis."""

    @classmethod
    def over(cls, latent_dim: int, data_codes: CodeArray | None, most_nodes: int) -> Self:
        """Return a lattice of at most `most_nodes` nodes over the prior and the data's codes."""
        low, high = np.full(latent_dim, -PRIOR_REACH), np.full(latent_dim, PRIOR_REACH)
        if data_codes is not None and len(data_codes):
            finite = data_codes[np.isfinite(data_codes).all(axis=1)].astype(np.float64)
            if len(finite):
                low = np.minimum(low, finite.min(axis=0) - _CODES_MARGIN)
                high = np.maximum(high, finite.max(axis=0) + _CODES_MARGIN)
        extent = high - low
        step = float(np.prod(extent) / most_nodes) ** (1.0 / latent_dim)
        blocks = np.ceil(extent / (BLOCK * step)).astype(np.int64)
        while math.prod(blocks.tolist()) * BLOCK**latent_dim > most_nodes and blocks.max() > 1:
            step *= 1.001
            blocks = np.ceil(extent / (BLOCK * step)).astype(np.int64)
        # Centred: what the whole blocks reach beyond the extent lies on both sides.
        middle, width = 0.5 * (low + high), (blocks * BLOCK - 1) * step
        return cls(tuple((middle - 0.5 * width).tolist()), step, tuple(int(count) for count in blocks))

    @property
    def latent_dim(self) -> int:
        """Number of axes."""
        return len(self.low)

    @property
    def shape(self) -> tuple[int, ...]:
        """Nodes along each axis."""
        return tuple(BLOCK * count for count in self.blocks)

    @property
    def num_nodes(self) -> int:
        """Number of nodes."""
        return math.prod(self.shape)

    def step_at(self, level: int) -> float:
        """Return the step after `level` halvings."""
        return self.step / 2.0**level

    def nodes(self) -> NodeCodes:
        """Return the codes of all nodes, the last axis running fastest."""
        axes = [low + self.step * np.arange(count) for low, count in zip(self.low, self.shape, strict=True)]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, self.latent_dim)

    def keys(self) -> Keys:
        """Return the places of the table's own blocks, the last axis running fastest."""
        axes = [np.arange(count) for count in self.blocks]
        keys: Keys = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, self.latent_dim)
        return keys

    def keys_of(self, codes: NodeCodes, level: int) -> Keys:
        """Return the blocks of a level in which codes lie; a node belongs to the block that begins with it."""
        side = BLOCK * self.step_at(level)
        keys: Keys = np.floor((codes - np.array(self.low)) / side).astype(np.int64)
        return keys

    def nodes_of(
        self, keys: Keys, level: int, offsets: Float64[np.ndarray, "inner latent_dim"] | None = None
    ) -> NodeCodes:
        """Return the nodes of some blocks, block after block; `offsets` within a block, in steps of the level."""
        step = self.step_at(level)
        offsets = block_offsets(self.latent_dim) if offsets is None else offsets
        corners = np.array(self.low) + BLOCK * step * keys
        return (corners[:, None, :] + step * offsets).reshape(-1, self.latent_dim)

    def node_index(self) -> Int64[np.ndarray, "blocks nodes"]:
        """Return the places of each block's nodes among those of the table."""
        return _node_index(self.blocks)


@lru_cache(maxsize=8)
def _node_index(blocks: tuple[int, ...]) -> Int64[np.ndarray, "blocks nodes"]:
    axes = len(blocks)
    split = [size for count in blocks for size in (count, BLOCK)]
    nodes = np.arange(math.prod(split)).reshape(split)
    return nodes.transpose([*range(0, 2 * axes, 2), *range(1, 2 * axes, 2)]).reshape(-1, BLOCK**axes)


@lru_cache(maxsize=8)
def block_offsets(latent_dim: int) -> NodeCodes:
    """Return the places of a block's nodes in steps, the last axis running fastest."""
    return np.array(list(product(range(BLOCK), repeat=latent_dim)), np.float64)


@lru_cache(maxsize=8)
def second_offsets(latent_dim: int) -> NodeCodes:
    """Return the places, in steps of the first, of a second lattice that shares no node with the first.

    Its step is 4/3 of the first's, so that three of it fill a block, and it is shifted by 0.4.
    """
    return np.array(list(product((BLOCK / _SECOND) * np.arange(_SECOND) + 0.4, repeat=latent_dim)))


def second_cell(latent_dim: int) -> float:
    """Return the volume of the second lattice's cell in cells of the first."""
    return (BLOCK / _SECOND) ** latent_dim
