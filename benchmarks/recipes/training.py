"""Training by the same settings that `train --set` takes, and the command line that says so."""

import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.cli.arguments import changed_settings
from core.config import ExperimentConfig
from core.data.dataset import Dataset
from core.data.importing import suggested_config
from core.saved_model import SavedModel
from core.snapshots import HeldOutReport, Progress
from core.storage.model_file import load_model, save_model
from core.training.loop import TrainingRun

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A model and what it took to train it."""

    saved: SavedModel
    seconds: float
    processor_seconds: float


def configured(source: str, settings: Sequence[str]) -> ExperimentConfig:
    """Return what `train --data SOURCE --set ...` trains, on one thread.  Raises ConfigError."""
    return changed_settings(replace(ExperimentConfig(), data=suggested_config(source)), [*settings, "threads=1"])


def command_line(source: str, settings: Sequence[str], out: str) -> str:
    """Return the command that trains the same model."""
    sets = " ".join(f"--set {shlex.quote(text)}" for text in (*settings, "threads=1"))
    return f"./run train --data {shlex.quote(source)} --out {shlex.quote(out)} {sets}"


def train(config: ExperimentConfig, dataset: Dataset, say: Say) -> Trained:
    """Return the trained model; `say` is told the held-out bound now and then."""
    begun, processor_begun = time.perf_counter(), time.process_time()
    run = TrainingRun(config, dataset)
    spoken = begun
    for event in run.events():
        now = time.perf_counter()
        if isinstance(event, HeldOutReport) and event.complete and now - spoken > 30.0:
            spoken = now
            cost = event.means.nll if event.means.elbo is None else -event.means.elbo
            say(f"pass {event.epoch:g} of {config.training.epochs}: held-out bound {cost:.2f}, {now - begun:.0f} s")
    return Trained(run.saved(), time.perf_counter() - begun, time.process_time() - processor_begun)


def keep(trained: Trained, path: Path) -> None:
    """Write the model, with what it took, to a file that `kept` reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    took = {"seconds": repr(trained.seconds), "processor_seconds": repr(trained.processor_seconds)}
    provenance = {**trained.saved.provenance, **took}
    save_model(path, replace(trained.saved, provenance=provenance, optimiser={}))


def kept(path: Path, config: ExperimentConfig) -> Trained | None:
    """Return the model that an earlier recipe kept, None unless it was trained by just these settings."""
    if not path.exists():
        return None
    saved = load_model(path)
    if saved.config != config or saved.epochs < config.training.epochs:
        return None
    return Trained(
        saved, float(saved.provenance.get("seconds", "nan")), float(saved.provenance.get("processor_seconds", "nan"))
    )


def seconds_for(config: ExperimentConfig, dataset: Dataset, measured: float = 5.0) -> float:
    """Return how long the training would take here, from its first `measured` seconds of steps."""
    run = TrainingRun(config, dataset)
    begun = time.perf_counter()
    for event in run.events():
        elapsed = time.perf_counter() - begun
        if isinstance(event, Progress) and elapsed > measured:
            return elapsed / run.step * run.total_steps
    return time.perf_counter() - begun
