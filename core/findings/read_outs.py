"""What the codes of some images of a data set say of a model, as the read-outs show it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from core.findings import Finding
from core.findings.surgery import Surgery
from core.snapshots import ElboMeans

COLLAPSED_BELOW = 0.01
"""Nats of mean KL below which a dimension is called collapsed."""
ACTIVE_ABOVE = 0.01
"""A unit is active when Var_x E_q[z_j] exceeds this.  Burda et al. 2015, section 5."""


@dataclass(frozen=True, slots=True, eq=False)
class Measuring(Finding):
    """How much of some work is done."""

    share: float
    """0..1."""


@dataclass(frozen=True, slots=True, eq=False)
class ReadOuts(Finding):
    """Figures of one version of a model over images of a split, nats per image; None where one is not defined."""

    means: ElboMeans
    """NLL and KL; their sum is minus the ELBO at β = 1.  For an autoregressive model the NLL is -log p(x) itself."""
    standard_error: float | None
    """Of the ELBO over images, or of the NLL where there is no ELBO."""
    method: str
    """How the NLL was found, in words."""
    spread: tuple[float, ...]
    """Var_x E_q[z_j] of each dimension; empty without codes."""
    surgery: Surgery | None
    num_images: int
    of_images: int
    """How many images the split has."""
    split: str
    """`train` or `held_out`."""
    likelihood_normalised: bool
    """Whether the nats are those of a distribution; Bernoulli nats of grey pixels are not."""
    undefined_reason: str
    """Why bound, KL and information are not defined, in a sentence; empty where they are."""
    version: int

    @property
    def rate(self) -> float | None:
        """The mean KL: nats that telling the code costs.  Alemi et al. 2018."""
        return self.means.kl

    @property
    def distortion(self) -> float | None:
        """The mean of E_q[-log p(x|z)]; None without codes."""
        return self.means.nll if self.spread else None

    @property
    def active_units(self) -> int | None:
        """Number of dimensions whose code differs from image to image; None without codes."""
        return active_units(self.spread) if self.spread else None

    @property
    def collapse(self) -> str:
        """What carries nothing, in a sentence; empty without KL."""
        return collapse_sentence(self.means.kl_per_dimension)


def active_units(spread: Sequence[float]) -> int:
    """Return for how many dimensions Var_x E_q[z_j] exceeds `ACTIVE_ABOVE`.  Burda et al. 2015, section 5."""
    return sum(variance > ACTIVE_ABOVE for variance in spread)


def collapse_sentence(kl_per_dimension: Sequence[float]) -> str:
    """Return how many dimensions carry less than 0.01 nats, in a sentence; empty where there is no KL."""
    total = len(kl_per_dimension)
    if not total:
        return ""
    collapsed = sum(kl < COLLAPSED_BELOW for kl in kl_per_dimension)
    if collapsed == total:
        return f"Every dimension carries less than {COLLAPSED_BELOW:g} nats: the posterior has collapsed to the prior."
    if not collapsed:
        least = min(kl_per_dimension)
        # Rounded down, or the sentence would not be true.  A hair upwards: 100 × 0.29 is 28.999….
        floor = math.floor(100.0 * least + 1e-9) / 100.0 if math.isfinite(least) else least
        return f"No dimension has collapsed: each carries at least {floor:g} nats."
    carry = "carries" if collapsed == 1 else "carry"
    return f"{collapsed} of {total} dimensions {carry} less than {COLLAPSED_BELOW:g} nats: collapsed."
