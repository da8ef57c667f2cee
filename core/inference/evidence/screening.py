"""The pen's speed: all nodes by a projection, the best of them exactly, and how far that can be trusted."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64, Int64
from torch import Tensor

from core.inference.evidence.blocks import spread
from core.inference.evidence.decoding import Eta, Offsets
from core.inference.evidence.families import Statistics
from core.inference.evidence.lattice import Lattice

EXACT_NODES = 2048
"""Nodes computed exactly: 0.8 ms of 784 statistics."""

Rows = Int64[np.ndarray, "exact"]

_NEAR = 50.0
"""Nats below the largest node within which the projection's error is measured."""
_NOTHING = 80.0
"""Nats below the largest node that stand for no mass at all; exp() of it is finite in float32."""


class Screen:
    """η of all nodes projected on a few directions, with the offset as one more."""

    def __init__(
        self,
        basis: Float32[Tensor, "rank statistics"],
        mean: Float32[Tensor, "statistics"],
        projected: Float32[Tensor, "nodes columns"],
    ) -> None:
        self._basis = basis
        self._basis_array = basis.numpy()
        self._mean = mean
        self._projected = projected
        self._projected_array = projected.numpy()

    @classmethod
    def empty(
        cls, num_nodes: int, basis: tuple[Float32[Tensor, "rank statistics"], Float32[Tensor, "statistics"]]
    ) -> Self:
        """Return a screen to be filled chunk by chunk."""
        directions, mean = basis
        return cls(directions, mean, torch.empty(num_nodes, len(directions) + 1))

    def fill(self, place: slice, eta: Eta, offset: Offsets) -> None:
        """Take in some nodes."""
        rows = self._projected[place]
        rows[:, :-1] = (eta.to(torch.float32) - self._mean) @ self._basis.T
        rows[:, -1] = offset

    @property
    def memory_bytes(self) -> int:
        """Bytes of the projection."""
        return self._projected_array.nbytes + self._basis_array.nbytes

    def scores(self, statistics: Float[np.ndarray, "statistics"]) -> Float32[np.ndarray, "nodes"]:
        """Return log p(x, z) of each node but for what the projection leaves out, and a number common to all."""
        weights = np.append(self._basis_array @ statistics.astype(np.float32), np.float32(1.0))
        scores: Float32[np.ndarray, nodes] = self._projected_array @ weights
        return scores


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What the table says of a picture."""

    log_z: float
    error_bar: float
    nodes: Rows
    log_joint: Float64[np.ndarray, "exact"]
    """log p(x|z) + log p(z) − c(x) of these nodes, nats."""


def look(
    screen: Screen, eta: Eta, offset: Float64[np.ndarray, "nodes"], statistics: Statistics, lattice: Lattice
) -> Look:
    """Return the sum over the table and its measured error.

    Nodes that are not computed count by their projected value, corrected by what the projection misses on average of
    those that are; a narrow peak's error is that of a Gaussian with the curvature measured at the largest node.
    """
    t = statistics.numpy()[0]
    scores = screen.scores(t)
    best = _best(scores)
    log_joint = (np.take(eta.numpy(), best, axis=0) @ t).astype(np.float64) + offset[best]
    np.nan_to_num(log_joint, copy=False, nan=-np.inf, posinf=-np.inf)
    top = float(log_joint.max())
    if not math.isfinite(top):
        return Look(-math.inf, math.inf, best, log_joint)
    weights = np.exp(log_joint - top)
    total = float(weights.sum())
    left_out, uncertain = _left_out(scores, best, log_joint, top)
    parity = _parity(lattice)[best]
    halves = np.bincount(parity, weights=weights, minlength=2**lattice.latent_dim)
    bar = float(spread(halves[None], np.array([total]))[0])
    # Their sum: of 3,000 digits it held the true error of 99.8 %, the larger of both that of 99.3 %.
    bar += _curvature_bar(lattice, eta, offset, t, int(best[weights.argmax()]))
    log_z = top + math.log(total + left_out) + lattice.latent_dim * math.log(lattice.step)
    return Look(log_z, bar + math.log1p(uncertain / (total + left_out)), best, log_joint)


def _best(scores: Float32[np.ndarray, "nodes"]) -> Rows:
    if len(scores) <= EXACT_NODES:
        return np.arange(len(scores))
    return np.argpartition(scores, len(scores) - EXACT_NODES)[-EXACT_NODES:]


def _left_out(
    scores: Float32[np.ndarray, "nodes"], best: Rows, log_joint: Float64[np.ndarray, "exact"], top: float
) -> tuple[float, float]:
    """Return the mass of the nodes that were not computed, in units of exp(top), and by how much it may be wrong."""
    if len(best) == len(scores):
        return 0.0, 0.0
    near = log_joint > top - _NEAR
    missed = log_joint[near] - scores[best[near]]
    rest = scores + np.float32(missed.mean() - top)
    rest[best] = -_NOTHING
    mass = float(np.exp(np.minimum(rest, _NOTHING)).sum(dtype=np.float64))
    # Three standard deviations of what the projection misses at the nodes that were computed.
    return mass, mass * math.expm1(min(3.0 * float(missed.std()), _NOTHING))


def _curvature_bar(
    lattice: Lattice,
    eta: Eta,
    offset: Float64[np.ndarray, "nodes"],
    statistics: Float[np.ndarray, "statistics"],
    largest: int,
) -> float:
    """Return the worst error, in nats, of this lattice on a Gaussian as narrow as the log-density bends at a node.

    The worst over where the peak lies between the nodes.  Lattices of twice the step may agree by chance on a peak
    that lies right in the middle of its nodes; the bend does not depend on where it lies.
    """
    place = np.array(np.unravel_index(largest, lattice.shape))
    place = np.clip(place, 1, np.array(lattice.shape) - 2)
    around = place + _stencil(lattice.latent_dim)
    nodes = np.ravel_multi_index(tuple(around.T), lattice.shape)
    values = (np.take(eta.numpy(), nodes, axis=0) @ statistics).astype(np.float64) + offset[nodes]
    if not np.isfinite(values).all():
        return math.inf
    bends = np.linalg.eigvalsh(_second_differences(values, lattice.latent_dim))
    widest = sum(_worst_error(float(bend)) for bend in -bends)
    return float(widest)


def _second_differences(values: Float64[np.ndarray, "stencil"], latent_dim: int) -> Float64[np.ndarray, "axes axes"]:
    """Return the Hessian in units of the step, from the values at a node and all its neighbours."""
    cube = values.reshape((3,) * latent_dim)
    middle = (1,) * latent_dim
    hessian = np.empty((latent_dim, latent_dim))
    for a in range(latent_dim):
        for b in range(latent_dim):
            if a == b:
                up, down = (tuple(1 + step * (axis == a) for axis in range(latent_dim)) for step in (1, -1))
                hessian[a, b] = cube[up] - 2.0 * cube[middle] + cube[down]
            else:
                # Only a plane has two different axes.
                hessian[a, b] = 0.25 * (cube[2, 2] - cube[2, 0] - cube[0, 2] + cube[0, 0])
    return hessian


def _worst_error(bend: float) -> float:
    """Return the largest |log (Σ exp(−bend (j + δ)² / 2) / ∫)| over shifts δ of the integers j; 0 for no peak."""
    if bend <= 0.0:
        return 0.0
    places = np.arange(-40.0, 41.0)
    constant = 0.5 * math.log(2.0 * math.pi / bend)
    errors = []
    for shift in (0.0, 0.5):
        exponents = -0.5 * bend * (places + shift) ** 2
        errors.append(abs(exponents.max() + math.log(np.exp(exponents - exponents.max()).sum()) - constant))
    return max(errors) if bend > 2e-3 else 0.0


@lru_cache(maxsize=8)
def _stencil(latent_dim: int) -> Int64[np.ndarray, "stencil latent_dim"]:
    return np.stack(np.unravel_index(np.arange(3**latent_dim), (3,) * latent_dim), axis=1) - 1


@lru_cache(maxsize=8)
def _parity(lattice: Lattice) -> Int64[np.ndarray, "nodes"]:
    """Return, for each node, which of the 2^K lattices of twice the step it belongs to."""
    places = np.stack(np.unravel_index(np.arange(lattice.num_nodes), lattice.shape), axis=1) % 2
    return places @ (2 ** np.arange(lattice.latent_dim))
