"""A training run as it passes between session, worker and views: what it is asked, what it reports, how it ends."""

from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from core.config import ExperimentConfig, ModelConfig
from core.data.dataset import Dataset
from core.history import History
from core.saved_model import SavedModel
from core.snapshots import HeldOutReport, Progress, RunNote, StepReports, Weights


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
class RunKeeping:
    """Where a run is kept while it lasts."""

    folder: Path
    """To be made, with a number behind its name where there is one already, or with `resume` to be taken up."""
    name: str
    """Of the document that the run makes."""
    resume: bool = False
    """Whether the run goes on where an interrupted one stood, to its end."""


@dataclass(frozen=True, slots=True, eq=False)
class RunRequest:
    """Train a new model, or `start` further, on `dataset`."""

    run_id: int
    config: ExperimentConfig
    dataset: Dataset
    start: SavedModel | None
    autosave: Path
    keeping: RunKeeping


@dataclass(frozen=True, slots=True)
class InterruptedRun:
    """A run that ended without saying so, as it can be offered."""

    path: Path
    name: str
    step: int
    epochs: float
    total_epochs: float
    written: str
    """When its last checkpoint was, an ISO date with its time zone."""


@dataclass(frozen=True, slots=True, eq=False)
class LoadedRun:
    """What was read from a run's folder."""

    path: Path
    name: str
    config: ExperimentConfig
    history: History
    saved: SavedModel | None
    """Its newest checkpoint that is whole; None where there is none."""
    problems: tuple[str, ...]
    can_resume: bool
    """Whether it was interrupted, and nobody writes it."""
    why_read_only: str
    """Who writes it, or why nobody can; empty where it can be written."""
    to_resume: bool
    """Whether it was read to be resumed at once."""


@dataclass(frozen=True, slots=True, eq=False)
class RunReport:
    """What a run did since its last report; nothing is left out."""

    run_id: int
    steps: tuple[StepReports, ...]
    held_out: tuple[HeldOutReport, ...]
    notes: tuple[RunNote, ...]
    progress: Progress | None


@dataclass(frozen=True, slots=True, eq=False)
class RunWeights:
    """A version of the weights of a run in progress."""

    run_id: int
    config: ModelConfig
    weights: Weights


@dataclass(frozen=True, slots=True, eq=False)
class RunResult:
    """How a run ended and what it left; `saved` is None when it never took a step."""

    run_id: int
    ending: Ending
    saved: SavedModel | None
    autosave: Path | None
    """Where the model lies, or None when it could not be written: `save_error` says why."""
    save_error: str = ""
