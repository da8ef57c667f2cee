"""log p(x) of one picture and its true posterior p(z|x), each with how far it can be trusted."""

from dataclasses import dataclass

import numpy as np

from core.array_types import Float64
from core.findings import Finding
from core.shapes import Density

NatsOfImages = Float64[np.ndarray, "images"]


@dataclass(frozen=True, slots=True)
class Evidence(Finding):
    """log p(x) of one picture by quadrature, nats."""

    log_px: float
    error_bar: float
    """Measured, nats: quick, the largest difference from the lattices of twice the step, what the bend of the peak
    allows, and what screening may have missed; refined, as of `SplitEvidence`."""
    num_nodes: int
    """Codes whose likelihood was computed exactly."""
    refined: bool
    """Whether fresh codes were decoded where the mass lies, rather than only those of the table looked up."""
    version: int


@dataclass(frozen=True, slots=True, eq=False)
class PosteriorMap(Finding):
    """p(z|x) on a lattice of codes, one number a cell; with one latent dimension a single row."""

    density: Density
    """Integrates to one over the map; first row at the top (largest second axis)."""
    low: tuple[float, ...]
    """Latent coordinates of the lower left corner of the lower left cell, one for each dimension."""
    high: tuple[float, ...]
    """Latent coordinates of the upper right corner of the upper right cell."""
    step: float
    """Side of a cell in latent units."""
    version: int


@dataclass(frozen=True, slots=True, eq=False)
class SplitEvidence(Finding):
    """log p(x) of many pictures by quadrature, nats."""

    log_px: NatsOfImages
    second_log_px: NatsOfImages
    """On a second lattice, which shares no node with the first but in the rim: blocks below some 2e-5 of the largest
    density, whose mass it takes from the first."""
    error_bar: NatsOfImages
    """Measured: the difference of both, or what lattices of twice the step allow if that is more."""
    tolerance: float
    """Nats to which each picture was taken, where its error bar is not larger."""
    version: int


@dataclass(frozen=True, slots=True)
class ImportanceEstimate(Finding):
    """log p(x) of one picture by importance sampling, nats."""

    log_px: float
    standard_error: float
    effective_sample_size: float
    """(Σ w)² / Σ w² of the importance weights."""
    num_samples: int
    version: int
