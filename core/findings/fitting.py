"""q fitted to images by themselves, without an encoder, and the two gaps between the encoder's ELBO and log p(x)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.findings import Finding
from core.shapes import Code, Scale

PerImage = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class FitStep(Finding):
    """q after so many iterations of gradient ascent on the ELBO of one image."""

    iteration: int
    mean: Code
    scale: Scale
    """Lower triangular L of q's covariance L Lᵀ."""
    elbo: float
    """Nats, by a quadrature other than the nodes of the ascent."""
    elbo_error: float
    """Of `elbo`: the difference of two quadratures, or the standard error above two dimensions."""
    gradient_norm: float
    """Nats for a step of one standard deviation of q."""
    start_elbo: float
    encoder_elbo: float
    """Of the encoder's own q(z|x)."""
    family: str
    finished: bool
    """Whether no step promises a gain any more, or the last one allowed was taken."""
    version: int


@dataclass(frozen=True, slots=True, eq=False)
class Gaps(Finding):
    """log p(x), the best ELBO of a family and the encoder's ELBO of some images of a split; nats, one row an image."""

    indices: np.ndarray[Any, np.dtype[np.int64]]
    """Index of each image in its split."""
    log_px: PerImage
    log_px_error: PerImage
    """Error bar of the quadrature, or the standard error of the estimate."""
    elbo: PerImage
    """Of the encoder's q(z|x)."""
    best_elbo: PerImage
    """Of the best q found in the family."""
    mean: np.ndarray[Any, np.dtype[np.float32]]
    """Of the best q found, one row an image."""
    scale: np.ndarray[Any, np.dtype[np.float32]]
    """Lower triangular L of its covariance, one an image."""
    family: str
    exact: bool
    """Whether log p(x) is an integral; else it is an estimate that lies below log p(x) in expectation."""
    wanted: int
    """How many images are measured in all."""
    split: str
    total: int
    """How many images the split has."""
    version: int

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def approximation(self) -> PerImage:
        """What the family of q costs: log p(x) − max ELBO."""
        return self.log_px - self.best_elbo

    @property
    def amortisation(self) -> PerImage:
        """What it costs that one network serves all images: max ELBO − ELBO of the encoder's q."""
        return self.best_elbo - self.elbo
