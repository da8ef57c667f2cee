"""Values between session, workers and views: the latent space, pictures, requests and answers, files."""

from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Any

import numpy as np

from core.config import DataConfig, ExperimentConfig
from core.data.dataset import Dataset
from core.findings.evidence import PosteriorMap
from core.findings.ledger import Ledger
from core.findings.repair import Repair
from core.saved_model import SavedModel
from core.shapes import Code, Picture, PixelRow
from core.snapshots import (
    Codes,
    LatentStatistics,
    PictureEncoding,
)
from explorer.messages.runs import Failed


@dataclass(frozen=True, slots=True)
class Extent:
    """A rectangle of the latent plane, in latent units, second axis up."""

    left: float
    right: float
    bottom: float
    top: float

    @property
    def width(self) -> float:
        """Length along the first shown axis."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Length along the second shown axis."""
        return self.top - self.bottom


@dataclass(frozen=True, slots=True, eq=False)
class Handle:
    """A draggable code.  `anchor` is the row, among the shown codes, of the point it was dragged from."""

    id: int
    code: Code
    anchor: int | None = None
    pinned: bool = False
    """A pinned handle follows its anchor's code when the model changes; any other keeps its z."""


@dataclass(frozen=True, slots=True)
class SliderSpec:
    """One slider: a latent dimension with its range and what it is ordered by."""

    dimension: int
    low: float
    high: float
    centre: float
    weight: float
    """Mean KL in nats, or the variance of the codes for a model without a prior."""
    weight_is_kl: bool
    active: bool


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """What is on the draw pad."""

    raw: Picture
    """The ink as drawn, light on black, 280×280."""
    picture: Picture
    """The ink at the model's size, normalised or only scaled."""
    empty: bool
    finished: bool
    """False while the pen is down."""


class SubjectSource(Enum):
    """Where the image comes from whose bound and posterior are shown."""

    DATA = auto()
    """The selected data point, drawn once, seeded by its index."""
    DRAWING = auto()
    """What is on the pad, thresholded at one half."""
    CODE = auto()
    """The stochastic reconstruction of the selected code, always with the same noise."""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """The one image x, as the model sees it, behind every number of the ledger."""

    serial: int
    source: SubjectSource
    pixels: PixelRow
    """In [0, 1], but for draws of a Gaussian likelihood."""
    text: str
    """What it is, in a few words."""
    grey: bool
    """Whether some pixels are neither 0 nor 1."""


@dataclass(frozen=True, slots=True, eq=False)
class HandPictures:
    """The pictures beside the canvas for the selected handle."""

    code: Code
    deterministic: Picture
    stochastic: Picture | None
    version: int
    source: Picture | None = None
    """The data image the handle was dragged from, if any, as the model sees it."""
    repair: Repair | None = None
    """That image corrupted and restored, for a denoising autoencoder."""


@dataclass(frozen=True, slots=True, eq=False)
class ImportPreview:
    """The first pictures of a folder or array as they would be imported, and what was found."""

    config: DataConfig
    num_images: int
    num_broken: int
    label_names: tuple[str, ...]
    pictures: tuple[Picture, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """What the title bar and the model panel say of the open model."""

    name: str
    path: Path | None
    config: ExperimentConfig
    epochs: float
    modified: bool
    num_parameters: int = 0
    provenance: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DataInfo:
    """What the data panel says of the open data."""

    name: str
    config: DataConfig
    num_train: int
    num_held_out: int
    height: int
    width: int
    label_names: tuple[str, ...]
    note: str = ""


def picture_of(pixels: np.ndarray[Any, Any], height: int, width: int) -> Picture:
    """Return pixels in [0, 1] as a read-only 0..255 picture, always on the same grey scale."""
    picture: Picture = np.rint(np.clip(pixels.reshape(height, width), 0.0, 1.0) * 255.0).astype(np.uint8)
    picture.flags.writeable = False
    return picture


@dataclass(frozen=True, slots=True, eq=False)
class CodesRequest:
    """Encode at most `limit` images of a split."""

    split_name: str
    dataset: Dataset
    limit: int


@dataclass(frozen=True, slots=True, eq=False)
class CodesResult:
    """Codes of a split with what they say of each dimension, and what it took."""

    codes: Codes
    statistics: LatentStatistics
    elapsed_ms: float
    request: CodesRequest


@dataclass(frozen=True, slots=True, eq=False)
class MosaicRequest:
    """Decode a grid of codes between two corners on two axes, the rest of the code as in `base_code`."""

    low: tuple[float, float]
    high: tuple[float, float]
    axes: tuple[int, int]
    base_code: Code
    columns: int
    rows: int


@dataclass(frozen=True, slots=True, eq=False)
class FilmstripRequest:
    """Decode codes along one dimension through `base_code`."""

    dimension: int
    base_code: Code
    low: float
    high: float
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class HandRequest:
    """Decode the code of the selected handle."""

    serial: int
    code: Code
    source: Picture | None
    corrupted: PixelRow | None = None
    """The data image as a denoising autoencoder gets it in training."""


@dataclass(frozen=True, slots=True, eq=False)
class PictureRequest:
    """Encode one picture as the model sees it."""

    serial: int
    pixels: np.ndarray[Any, Any]
    """Shape (pixels,), float32 in [0, 1]."""
    corrupted: PixelRow | None = None
    """The x̃ that a denoising autoencoder encodes in its place."""


@dataclass(frozen=True, slots=True, eq=False)
class PictureResult:
    """The encoding of the picture with the same serial."""

    serial: int
    encoding: PictureEncoding


@dataclass(frozen=True, slots=True, eq=False)
class LedgerRequest:
    """Find log p(x), its bound and the true posterior of one image as the model sees it."""

    serial: int
    pixels: PixelRow


@dataclass(frozen=True, slots=True, eq=False)
class LedgerAnswer:
    """What was found of the image with the same serial."""

    serial: int
    ledger: Ledger
    posterior: PosteriorMap | None
    """None where the model has more than two latent dimensions, or no posterior."""
    refined: bool
    """Whether a better answer follows no more."""
    milliseconds: float


@dataclass(frozen=True, slots=True)
class TableReady:
    """From now on answers are about this version of the weights."""

    version: int
    milliseconds: float
    """What building took."""
    memory_bytes: int
    """What the table holds; 0 for a model that needs none."""


@dataclass(frozen=True, slots=True, eq=False)
class LoadedData:
    """A data set that was read; `partial` while its training images are still to come."""

    dataset: Dataset
    partial: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class LoadedModel:
    """A model file that was read.  `origin` says why it was opened."""

    path: Path
    saved: SavedModel
    origin: str
    """`shipped`, `restored` or `opened`; or the purpose for which it was laid beside the open model."""
    note: str = ""
    """What was taken for what in weights of another program; empty for a model file."""


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """A model file that can be put beside the open model."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True, eq=False)
class SavedFile:
    """A model file that was written for good."""

    path: Path
    saved: SavedModel


@dataclass(frozen=True, slots=True)
class JobFailed:
    """A load or save failed; `job` names it."""

    job: str
    path: str
    failure: Failed
    origin: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ImportedPicture:
    """One picture brought in from a file, at the model's size."""

    path: Path
    picture: Picture
