"""Frozen values that pass between session, workers and views.  No widgets, no torch."""

from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Any

import numpy as np

from core.config import DataConfig, ExperimentConfig
from core.shapes import Code, Picture


class RunState(Enum):
    """What the training thread is doing, as the window shows it."""

    IDLE = auto()
    STARTING = auto()
    RUNNING = auto()
    PAUSED = auto()
    STOPPING = auto()


@dataclass(frozen=True, slots=True)
class Completed:
    """A run did all its epochs."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """A run ended because the user said so."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Something ended with an error; `reason` is for the user, `details` for the log."""

    reason: str
    details: str = ""


Ending = Completed | Stopped | Failed


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


@dataclass(frozen=True, slots=True, eq=False)
class HandPictures:
    """The pictures beside the canvas for the selected handle."""

    code: Code
    deterministic: Picture
    stochastic: Picture | None
    version: int
    source: Picture | None = None
    """The data image the handle was dragged from, if any, as the model sees it."""


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
