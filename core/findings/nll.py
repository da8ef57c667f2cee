"""-log p(x) of a model over held-out images, with how far it can be trusted."""

from dataclasses import dataclass

import numpy as np

from core.array_types import Float64
from core.findings import Finding

Nats = Float64[np.ndarray, "images"]


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutNll(Finding):
    """The mean of -log p(x) over some images of a split, nats per image, smaller is better."""

    nll: float
    standard_error: float | None
    """Of the mean over images; None for a single one."""
    per_image: Nats
    num_images: int
    of_images: int
    """How many images the split has."""
    split: str
    """`train` or `held_out`."""
    method: str
    """`quadrature`, `product` or `importance`."""
    error_bar: float | None
    """Of a quadrature: the largest difference between two resolutions on any image, nats."""
    num_samples: int | None
    """Samples of an importance-weighted estimate for each image."""
    effective_samples: float | None
    """The median over images of (Σ w)² / Σ w² of those samples; near 1, single codes carry the estimates."""
    likelihood_normalised: bool
    """Whether these nats are those of a distribution; Bernoulli nats of grey pixels are not."""
    version: int

    @property
    def is_estimate(self) -> bool:
        """Whether it is an estimate that is too large in expectation, rather than exact."""
        return self.method == "importance"

    @property
    def how(self) -> str:
        """How it was found, in a few words."""
        if self.method == "quadrature":
            return "exact (quadrature)"
        if self.method == "product":
            return "exact (product)"
        return f"IWAE-{self.num_samples:,} estimate"

    @property
    def sentence(self) -> str:
        """How far it can be trusted, in a sentence."""
        if self.method == "quadrature":
            return (
                f"log p(x) integrated over the latent space; the largest difference of two resolutions on any of "
                f"{self.num_images:,} images is {self.error_bar:.1g} nats."
            )
        if self.method == "product":
            return "log p(x) is the sum of the pixels' conditionals, which the model gives: nothing is estimated."
        return (
            f"log of the mean weight of {self.num_samples:,} samples of q(z|x), a lower bound of log p(x) in "
            f"expectation, so that the true figure is smaller; the median effective sample size is "
            f"{self.effective_samples:.3g}."
        )
