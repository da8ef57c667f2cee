"""log p(x) of one picture and its true posterior p(z|x), each with how far it can be trusted."""

from dataclasses import dataclass

from core.shapes import Density


@dataclass(frozen=True, slots=True)
class Evidence:
    """log p(x) of one picture by quadrature, nats."""

    log_px: float
    error_bar: float
    """Measured: the largest difference from the four lattices of twice the step, and the mass that may be missing."""
    num_nodes: int
    """Codes whose likelihood was computed exactly."""
    refined: bool
    """Whether fresh codes were decoded where the mass lies, rather than only those of the table looked up."""
    version: int


@dataclass(frozen=True, slots=True, eq=False)
class PosteriorMap:
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
