"""Going on with a run that was interrupted, as if it had not been."""

from dataclasses import replace

import torch

from core.config import ExperimentConfig
from core.data.dataset import Dataset
from core.saved_model import SavedModel
from core.snapshots import ExecutionPlan
from core.training.errors import TrainingError
from core.training.position import Position
from core.training.timetable import Timetable


def is_resumable(saved: SavedModel) -> bool:
    """Whether a saved model stands within a run that has steps left to take."""
    try:
        position, timetable = _kept(saved)
    except ValueError:
        return False
    return position.step < timetable.last_step


def resumed(saved: SavedModel | None, dataset: Dataset) -> tuple[ExperimentConfig, Timetable]:
    """Return configuration and timetable of the interrupted run, with as many threads as it had.

    Raises TrainingError where the run cannot go on exactly where it stood: then its model can still be trained on.
    """
    if saved is None:
        raise TrainingError("there is nothing to resume")
    before = saved.provenance.get("data_fingerprint")
    if before is not None and before != dataset.fingerprint:
        raise TrainingError(
            f"the data is not what the run was trained on: {dataset.name} has another fingerprint than the "
            f"{saved.provenance.get('data', 'data')} of the run; its model can be trained on with the new data"
        )
    try:
        _, timetable = _kept(saved)
    except ValueError as error:
        raise TrainingError(f"the run cannot be resumed: {error}; its model can be trained on") from None
    threads = saved.provenance.get("threads", "")
    training = saved.config.training
    if threads.isascii() and threads.isdigit() and 0 < int(threads) <= 256:
        training = replace(training, threads=int(threads))
    return replace(saved.config, training=training), timetable


def inexact_because(saved: SavedModel, plan: ExecutionPlan) -> str:
    """Return what is computed otherwise than before, so that the weights may differ in their last bits; or nothing."""
    now = {"torch": torch.__version__, "device": plan.device, "path": plan.path, "threads": str(plan.threads)}
    changed = [
        f"{name} {saved.provenance[name]} → {value}"
        for name, value in now.items()
        if saved.provenance.get(name, value) != value
    ]
    return ", ".join(changed)


def _kept(saved: SavedModel) -> tuple[Position, Timetable]:
    steps = saved.history.steps().step
    position = Position.from_arrays(saved.optimiser, int(steps[-1]) if len(steps) else 0)
    return position, Timetable.from_arrays(saved.optimiser, position)
