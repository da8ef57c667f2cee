"""Quadrature of many pictures at once: blocks that hold mass are computed at half the step, again and again.

Every picture is summed over one uniform lattice: on it an equal-weight sum of a smooth density that dies out
converges faster than any power of the step, with an error near 2 exp(−2π² s²/h²) per axis for a Gaussian of width s.
A picture is done when a second lattice, of 4/3 the step and other nodes, agrees with the first to half the tolerance,
and what the next halving would change is below it too, by the rate at which the last one did.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int64

from core.inference.evidence.blocks import Found, Images, Pairs, Totals, Values, codes_of, inside
from core.inference.evidence.decoding import CHUNK_NODES, NodeDecoder, ShouldStop, Stopped, products, summed
from core.inference.evidence.families import Statistics
from core.inference.evidence.lattice import BLOCK, Keys, Lattice, second_cell, second_offsets

Chosen = Bool[np.ndarray, "pictures"]
Levels = Int64[np.ndarray, "pictures"]
PerPicture = Float64[np.ndarray, "pictures"]

SLACK = (4.0, 2.0)
"""Further nats at the first halving of the step, and at the others."""
BEND_FACTOR = 2.0
"""How many times further than its bend says a peak may rise between the nodes, when the step is halved."""
SECOND_SHARE = 0.5
"""Of the tolerance, that two lattices may differ by: the identity's residual holds this difference, and more."""
SECOND_REACH_LESS = 3.0
"""Nats by which the second lattice reaches less far than the first: down to 2e-5 of the largest density for 1e-3."""
RATE_FACTOR = 2.0
"""Times the expected change of another halving that the error may be."""
NEAR_TOP = 8.0
"""Nats below the largest node within which blocks hold what the table's step is judged by."""
FIRST_SHARE = 0.3
"""Share of the time that the table itself takes, about."""
MOST_HALVINGS = 10
MOST_NODES = 2**17
"""Nodes of one picture at one level; beyond them its error bar says how far it came."""


def reach_of(tolerance: float) -> float:
    """Return how far below its largest density a picture's blocks are followed, nats: to 1e-3 of the tolerance."""
    return math.log(1e3 / tolerance)


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The nodes of pictures at the level at which they ended, with their log-densities."""

    level: int
    pairs: Pairs


@dataclass(slots=True, eq=False)
class Integrals:
    """∫ exp(t · η(z) − A(z)) p(z) dz of each picture, nats; filled level by level."""

    log_z: PerPicture
    second: PerPicture
    """The same on the second lattice; of the most different lattice of twice the step where there is no second."""
    error_bar: PerPicture
    level: Levels
    num_nodes: Levels
    done: Chosen

    @classmethod
    def empty(cls, num_images: int) -> Self:
        """Return integrals of which nothing is known."""
        zeros = np.zeros(num_images)
        return cls(
            zeros - np.inf,
            zeros - np.inf,
            zeros + np.inf,
            np.zeros(num_images, np.int64),
            np.zeros(num_images, np.int64),
            np.zeros(num_images, np.bool_),
        )


class Refinement:
    """Takes integrals from one level to the next; the first level is the table's."""

    def __init__(
        self,
        decoder: NodeDecoder,
        lattice: Lattice,
        statistics: Statistics,
        seeds: Float64[np.ndarray, "batch latent_dim"],
        tolerance: float,
        *,
        keep: bool,
        should_stop: ShouldStop | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> None:
        self._decoder = decoder
        self._lattice = lattice
        self._statistics = statistics
        self._seeds = seeds
        self._tolerance = tolerance
        self._reach = reach_of(tolerance)
        self._cells: list[Cells] = []
        self._coarse_before = np.ones(len(statistics))
        self._after_second = np.zeros(len(statistics))
        self._keep = keep
        self._should_stop = should_stop
        self._progress = progress
        self.integrals = Integrals.empty(len(statistics))

    def first(self, pairs: Pairs) -> Found:
        """Record what the table's own blocks sum to; return the blocks of the next level to be computed."""
        self.integrals.num_nodes[np.unique(pairs.image)] += self._lattice.num_nodes
        totals = self.take(pairs, 0)
        return self._affordable(*self.children(pairs, 0, totals.top))

    def take(self, pairs: Pairs, level: int) -> Totals:
        """Record what the pairs of one level sum to, and which pictures that settles, but for a second look."""
        integrals = self.integrals
        totals = Totals.of(pairs, len(integrals.log_z))
        here = np.zeros(len(integrals.log_z), np.bool_)
        here[pairs.image] = True
        log_z = totals.log_sum + self._lattice.latent_dim * np.log(self._lattice.step_at(level))
        # Until a second lattice is there: as far away as the most different lattice of twice the step.
        bar = totals.coarse_bar + totals.beyond
        if level == 0:
            # Lattices of twice the step agree by chance on a peak in the middle between nodes, or on two mirrored ones.
            bar = np.maximum(bar, _error_of_bend(pairs, totals.top))
        for known, found in ((integrals.log_z, log_z), (integrals.error_bar, bar), (integrals.second, log_z - bar)):
            known[here] = found[here]
        integrals.level[here] = level
        if self._keep:
            self._cells.append(Cells(level, pairs))
        # The lattices of twice the step differed by so much more a level ago: so far may the whole be off at most, were
        # the rate to stay; it rises fast where the density is smooth, and stays where it has cliffs.
        rate = totals.coarse_bar / np.clip(self._coarse_before, 1e-12, 1.0)
        self._after_second = np.maximum(RATE_FACTOR * totals.coarse_bar * np.minimum(rate, 1.0), totals.beyond)
        self._coarse_before[here] = totals.coarse_bar[here]
        settled = bar / SECOND_SHARE if level == 0 else self._after_second
        integrals.done[here] = (settled <= self._tolerance)[here]
        return totals

    def children(self, pairs: Pairs, level: int, tops: PerPicture) -> Found:
        """Return the blocks of the next level that may hold mass, for pictures that are not done."""
        slack = SLACK[min(level, len(SLACK) - 1)]
        open_pairs = ~self.integrals.done[pairs.image]
        least = tops[pairs.image] - self._reach - slack - BEND_FACTOR * pairs.bend
        wanted = (pairs.children > least[:, None]) & open_pairs[:, None]
        rows, child = np.nonzero(wanted)
        halves = np.stack(np.unravel_index(child, (2,) * self._lattice.latent_dim), axis=1)
        image, keys = pairs.image[rows], 2 * pairs.keys[rows] + halves
        # The encoder may know of a peak that lies between the nodes of all levels so far.
        present = np.unique(pairs.image)
        unsettled = present[~self.integrals.done[present]]
        image = np.concatenate([image, unsettled])
        keys = np.concatenate([keys, self._lattice.keys_of(self._seeds[unsettled], level + 1)])
        return _distinct(image, keys)

    def run(self, image: Images, keys: Keys, level: int) -> None:
        """Compute level after level from these blocks on, until every picture is done or nothing more may be done."""
        try:
            while len(image):
                pairs = self._flooded(self.pairs(image, keys, level), level)
                totals = self.take(pairs, level)
                self._look_again(pairs, level)
                if self._progress is not None:
                    self._progress(FIRST_SHARE + (1.0 - FIRST_SHARE) * float(self.integrals.done.mean()))
                if level >= MOST_HALVINGS:
                    return
                image, keys = self._affordable(*self.children(pairs, level, totals.top))
                level += 1
        except Stopped:
            return

    def cells(self) -> list[Cells]:
        """Return the nodes of every picture at the level at which it ended; nothing unless they are kept."""
        levels = self.integrals.level
        ended = [
            Cells(cells.level, cells.pairs.chosen(levels[cells.pairs.image] == cells.level)) for cells in self._cells
        ]
        return [cells for cells in ended if len(cells.pairs)]

    def pairs(self, image: Images, keys: Keys, level: int) -> Pairs:
        """Return the sums of some blocks.  Raises Stopped."""
        image, keys, values = self._values(image, keys, level, None)
        self.integrals.num_nodes += BLOCK**self._lattice.latent_dim * np.bincount(
            image, minlength=len(self.integrals.num_nodes)
        )
        return Pairs.of(image, keys, values, keep=self._keep)

    def _flooded(self, pairs: Pairs, level: int) -> Pairs:
        """Return the pairs with every neighbour that mass reaches across a face."""
        while True:
            tops = pairs.tops(len(self.integrals.log_z))
            found, _ = pairs.open_faces(tops - self._reach)
            image, keys = _distinct(*found)
            if not len(image):
                return pairs
            counts = np.bincount(pairs.image, minlength=len(tops)) * BLOCK**self._lattice.latent_dim
            affordable = counts[image] < MOST_NODES
            if not affordable.any():
                return pairs
            pairs = pairs.joined(self.pairs(image[affordable], keys[affordable], level))

    def _look_again(self, pairs: Pairs, level: int) -> None:
        """Sum the pictures that seem done over the second lattice; those that differ are not done."""
        integrals = self.integrals
        pairs = pairs.chosen(integrals.done[pairs.image])
        if not len(pairs):
            return
        tops = pairs.tops(len(integrals.log_z))
        # Blocks of the rim weigh too little to be looked at twice; the second sum takes them from the first.
        inner = pairs.top > (tops - self._reach + SECOND_REACH_LESS)[pairs.image]
        offsets = second_offsets(self._lattice.latent_dim)
        image, _, values = self._values(pairs.image[inner], pairs.keys[inner], level, offsets)
        integrals.num_nodes += len(offsets) * np.bincount(image, minlength=len(tops))
        np.maximum.at(tops, image, values.max(axis=1))
        cell = second_cell(self._lattice.latent_dim)
        sums = cell * np.exp(values - tops[image][:, None]).sum(axis=1, dtype=np.float64)
        rim = pairs.chosen(~inner)
        rim_sums = rim.classes.sum(axis=1) * np.exp(rim.top - tops[rim.image])
        seen = np.unique(image)
        total = np.bincount(image, weights=sums, minlength=len(tops))
        total += np.bincount(rim.image, weights=rim_sums, minlength=len(tops))
        volume = self._lattice.latent_dim * np.log(self._lattice.step_at(level))
        integrals.second[seen] = tops[seen] + np.log(total[seen]) + volume
        difference = np.abs(integrals.second[seen] - integrals.log_z[seen])
        integrals.error_bar[seen] = np.maximum(self._after_second[seen], difference)
        agreed = difference <= SECOND_SHARE * self._tolerance
        integrals.done[seen] = agreed & (integrals.error_bar[seen] <= self._tolerance)

    def _affordable(self, image: Images, keys: Keys) -> Found:
        counts = np.bincount(image, minlength=len(self.integrals.log_z)) * BLOCK**self._lattice.latent_dim
        few = counts[image] <= MOST_NODES
        return image[few], keys[few]

    def _values(
        self, image: Images, keys: Keys, level: int, offsets: Float64[np.ndarray, "inner latent_dim"] | None
    ) -> tuple[Images, Keys, Values]:
        """Return the pairs in the order of their blocks, each decoded once, with the log-densities at their nodes."""
        block_codes = codes_of(np.zeros_like(image), keys)
        order = np.argsort(block_codes, kind="stable")
        image, keys, block_codes = image[order], keys[order], block_codes[order]
        firsts = np.flatnonzero(np.concatenate([[True], block_codes[1:] != block_codes[:-1]])) if len(image) else order
        ends = np.append(firsts[1:], len(image))
        nodes = self._lattice.nodes_of(keys[firsts], level, offsets)
        per_block = len(nodes) // max(len(firsts), 1)
        rows = max(CHUNK_NODES // max(per_block, 1), 1) * per_block
        values = np.empty(
            (len(image), per_block), np.float64 if self._decoder.family.dtype.itemsize > 4 else np.float32
        )
        for place, eta, offset in self._decoder.chunks(nodes, self._should_stop, max(rows, 1)):
            blocks = slice(place.start // per_block, place.stop // per_block)
            if len(self._statistics) == 1:
                product = (eta @ self._statistics[0]).reshape(-1, per_block)
                values[blocks] = summed(product, offset.reshape(-1, per_block))
                continue
            for block, (first, end) in enumerate(zip(firsts[blocks], ends[blocks], strict=True)):
                of_block = slice(block * per_block, (block + 1) * per_block)
                of_images = self._statistics[torch.from_numpy(image[first:end])]
                values[first:end] = products(of_images, eta[of_block], offset[of_block])
        return image, keys, values


def _error_of_bend(pairs: Pairs, tops: PerPicture) -> PerPicture:
    """Return 2 exp(−2π² s²/h²) of each picture, s the width of a Gaussian that bends as its density does near the top.

    The bend is Σ h²/8s² over the axes: as if all of it were one axis', which is the worst.
    """
    near = pairs.top > tops[pairs.image] - NEAR_TOP
    bend = np.zeros(len(tops))
    np.maximum.at(bend, pairs.image[near], pairs.bend[near])
    error: PerPicture = 2.0 * np.exp(-(math.pi**2) / (4.0 * np.maximum(bend, 1e-3)))
    return error


def _distinct(image: Images, keys: Keys) -> Found:
    within = inside(keys)
    image, keys = image[within], keys[within]
    _, rows = np.unique(codes_of(image, keys), return_index=True)
    return image[rows], keys[rows]
