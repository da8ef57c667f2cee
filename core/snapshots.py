"""Frozen results that leave core: plain numbers and read-only numpy arrays, safe to hand to any thread."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from core.shapes import Code, CodeArray, Labels, PerDimension, Picture, Scale
from core.stored_pictures import Pictures


def frozen(array: npt.ArrayLike, dtype: npt.DTypeLike | None = None) -> np.ndarray[Any, Any]:
    """Return a contiguous, read-only array; copies only what could still be written through another name."""
    result = np.ascontiguousarray(array, dtype=dtype)
    if result.flags.writeable:
        result = result.copy() if result is array or result.base is not None else result
        result.flags.writeable = False
    return result


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Images of one half of a data set, grey levels 0..255, with labels where the data has them."""

    images: Pictures
    labels: Labels | None

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True, slots=True)
class ElboMeans:
    """Means over images, in nats per image.  `elbo` is the bound at beta = 1; None where the model defines none."""

    nll: float
    kl: float | None
    kl_per_dimension: tuple[float, ...]

    @property
    def elbo(self) -> float | None:
        """The evidence lower bound, larger is better."""
        return None if self.kl is None else -(self.nll + self.kl)


@dataclass(frozen=True, slots=True, eq=False)
class StepReports:
    """What some consecutive training steps cost: one row a step, nats per image; NaN where a step was skipped."""

    step: np.ndarray[Any, np.dtype[np.int64]]
    nll: np.ndarray[Any, np.dtype[np.float64]]
    kl: np.ndarray[Any, np.dtype[np.float64]]
    """NaN throughout for models without a KL term."""
    kl_per_dimension: np.ndarray[Any, np.dtype[np.float64]]
    """Shape (steps, latent_dim); zero columns for models without a KL term."""

    def __len__(self) -> int:
        return len(self.step)


@dataclass(frozen=True, slots=True)
class HeldOutReport:
    """Means over held-out images after `step` steps; `complete` when over all of them rather than a fixed subset."""

    step: int
    epoch: float
    means: ElboMeans
    num_images: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    step: int
    total_steps: int
    epoch: float
    """Epochs of the model, earlier runs included; its fraction is the position inside the epoch."""
    total_epochs: float
    images_per_second: float
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class RunNote:
    """Something a run's log and curves must show: a changed setting, a skipped step, a rollback."""

    step: int
    kind: str
    """`start`, `resumed`, `setting`, `non_finite`, `warning`, `rollback` or `memory`."""
    text: str


@dataclass(frozen=True, slots=True)
class ExecutionPlan:
    """What was chosen when a run started, beside its configuration; recorded with the model."""

    device: str
    precision: str
    path: str
    threads: int
    steps_per_chunk: int
    """As its first chunks had it; where the machine was busy then, there are more later."""
    torch_version: str
    images: str = "resident"
    """`resident` on the device, or `streamed` to it a chunk at a time."""

    @property
    def text(self) -> str:
        """The plan in one line."""
        threads = f"{self.threads} thread" + ("s" if self.threads != 1 else "")
        chunk = f"{self.steps_per_chunk} step{'s' if self.steps_per_chunk != 1 else ''} a chunk"
        how = f"{self.path} steps" + (", streamed images" if self.images == "streamed" else "")
        return f"{self.device}, {self.precision}, {how}, {threads}, {chunk}, torch {self.torch_version}"


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """A numbered copy of a model's weights."""

    version: int
    step: int
    arrays: Mapping[str, np.ndarray[Any, Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """Posterior means of some images; `log_var` is None for models whose code is deterministic."""

    mean: CodeArray
    log_var: CodeArray | None
    """Logarithm of the variance of each dimension by itself."""
    kl: CodeArray | None
    """Shares of KL(q(z|x) || N(0, I)) of each image and dimension, nats."""
    indices: np.ndarray[Any, np.dtype[np.int64]]
    """Index of each code's image in its split."""
    labels: Labels | None
    split: str
    """`train` or `held_out`."""
    total: int
    """How many images the split has; `len(indices)` of them are here."""
    version: int

    def __len__(self) -> int:
        return len(self.mean)


@dataclass(frozen=True, slots=True, eq=False)
class LatentStatistics:
    """What the codes say of each latent dimension."""

    kl: PerDimension | None
    """Mean KL per dimension in nats; None without a prior."""
    spread: PerDimension
    """Variance over the data of the code's mean, by which dimensions without a prior are ordered."""
    low: PerDimension
    """0.5 % quantile of the codes' means."""
    high: PerDimension
    """99.5 % quantile."""
    median: PerDimension
    active: tuple[bool, ...]
    """Whether Var_x E_q[z_j] > 0.01 (Burda et al. 2015)."""

    @property
    def order(self) -> tuple[int, ...]:
        """Dimensions by falling KL, or by falling spread without a prior."""
        key = self.spread if self.kl is None else self.kl
        return tuple(int(dimension) for dimension in np.argsort(-key, kind="stable"))


@dataclass(frozen=True, slots=True, eq=False)
class Mosaic:
    """Decoded pictures on a grid of codes, tiled, first row at the top (largest second axis)."""

    picture: Picture
    low: tuple[float, float]
    """Latent coordinates of the lower left corner of the lower left tile, on the two shown axes."""
    high: tuple[float, float]
    axes: tuple[int, int]
    version: int


@dataclass(frozen=True, slots=True, eq=False)
class PictureEncoding:
    """How one picture is encoded and reconstructed; costs in nats for this picture."""

    seen: Picture
    """What the model sees, 0..255."""
    mean: Code
    log_var: Code | None
    deterministic: Picture
    """E_{p(x|z)}[x] at the posterior mean."""
    stochastic: Picture
    """A draw x ~ p(x|z) at a sample z ~ q(z|x)."""
    nll: float
    kl: float | None
    num_samples: int
    """Samples of q(z|x) behind `nll`."""
    version: int
    scale: Scale
    """Lower triangular L of q's covariance L Lᵀ; zeros for a plain code."""
    corrupted: Picture | None = None
    """The x̃ that was encoded in place of `seen` by a denoising autoencoder, 0..255."""

    @property
    def elbo(self) -> float | None:
        """The evidence lower bound of this picture, an average over `num_samples` samples."""
        return None if self.kl is None else -(self.nll + self.kl)
