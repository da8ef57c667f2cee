"""A run that is interrupted at a random step and resumed ends with the weights of an unbroken one, bit for bit."""

import hashlib
import random
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.reliability.dose import dose
from benchmarks.report import row
from core.config import ExperimentConfig
from core.saved_model import SavedModel
from core.storage.model_file import from_bytes, to_bytes
from core.training.loop import TrainingRun
from tests.small_data import bar_data, small_config

DEFAULT, FULL = 50, 1000
"""Interruptions of each model."""

MODELS: dict[str, dict[str, object]] = {
    "vae": {"schedule": "cosine", "warm_up_epochs": 1.0, "threads": 2},
    "iwae": {"network": "conv", "channels": (4, 8), "num_samples": 3},
    "denoising_autoencoder": {"corruption": "gaussian"},
}
_EPOCHS = 4


def measure(count: int, seed: int) -> dict[str, int]:
    """Print the rows; return how many resumed runs of each model were equal."""
    numbers, data, equal = random.Random(seed), bar_data(), {}  # noqa: S311 - steps, not secrets
    for name, values in MODELS.items():
        config = small_config(**{"epochs": _EPOCHS, "model.model": name, **values})
        whole = finished(TrainingRun(config, data))
        steps = range(1, whole.history.last_step)
        places = [numbers.choice(steps) for _ in range(count)]
        print(f"{name}: {len(set(places))} different steps of {len(steps)}", file=sys.stderr)
        wanted = digest(whole)
        equal[name] = sum(digest(interrupted(config, place)) == wanted for place in places)
        row(f"{name}: of {count} interrupted runs equal to the unbroken one (SHA-256)", equal[name], count, "", "more")
    return equal


def interrupted(config: ExperimentConfig, step: int) -> SavedModel:
    """Return what becomes of a run that is interrupted at a step, kept in a file, and resumed."""
    data = bar_data()
    # One step a chunk up to there, as many as it likes afterwards: chunks leave no trace either.
    run = TrainingRun(config, data, steps_per_chunk=1)
    events = run.events()
    while run.step < step:
        next(events)
    events.close()
    kept = from_bytes(to_bytes(run.saved()))
    return finished(TrainingRun(ExperimentConfig(), data, start=kept, resume=True))


def finished(run: TrainingRun) -> SavedModel:
    """Return a run's model when it is done."""
    for _ in run.events():
        pass
    return run.saved()


def digest(saved: SavedModel) -> str:
    """Return the SHA-256 of weights, Adam's state and curves."""
    moments = {name: array for name, array in saved.optimiser.items() if name.startswith("adam.")}
    total = hashlib.sha256()
    for arrays in (saved.weights, moments, saved.history.to_arrays()):
        total.update(_bytes(arrays))
    return total.hexdigest()


def _bytes(arrays: Mapping[str, np.ndarray[Any, Any]]) -> bytes:
    return b"".join(name.encode() + np.ascontiguousarray(arrays[name]).tobytes() for name in sorted(arrays))


if __name__ == "__main__":
    wanted = dose(__doc__, DEFAULT, FULL)
    measure(wanted.count, wanted.seed)
