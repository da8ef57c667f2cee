"""Small data sets and runs for tests of training."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from core.choices import MODELS, NETWORKS
from core.config import DataConfig, ExperimentConfig
from core.data.dataset import Dataset
from core.saved_model import SavedModel
from core.snapshots import HeldOutReport, RunNote, Split, StepReports, Weights, frozen
from core.training.loop import Event, TrainingRun
from core.training.taking import PlannedSteps

SMALL = {
    "hidden": (12,),
    "channels": (4, 6),
    "epochs": 2,
    "batch_size": 8,
    "learning_rate": 0.01,
    "training.seed": 3,
    "threads": 1,
    "device": "cpu",
    "schedule": "constant",
}

MODELS_AND_NETWORKS = [
    (model.name, network.name)
    for model in MODELS
    for network in NETWORKS
    if (model.name, network.name) != ("made", "conv")
]


def some_data(
    num_train: int = 30, num_held_out: int = 10, *, side: int = 6, grey: int | None = None, **config: object
) -> Dataset:
    """Return blobs of light at random places, or pictures of one constant grey."""
    generator = np.random.default_rng(1)
    halves = []
    for num_images in (num_train, num_held_out):
        if grey is None:
            centres = generator.uniform(1, side - 2, (num_images, 2, 1))
            axis = np.arange(side)
            square = (axis - centres) ** 2
            images = 255.0 * np.exp(-0.5 * (square[:, 0, :, None] + square[:, 1, None, :]))
        else:
            images = np.full((num_images, side, side), float(grey))
        labels = np.arange(num_images) % 3
        halves.append(Split(frozen(images, np.uint8), frozen(labels, np.int64)))
    return Dataset("blobs", DataConfig.from_mapping(config), halves[0], halves[1], ("a", "b", "c"), "fingerprint")


def a_run(
    data: Dataset | None = None,
    *,
    start: SavedModel | None = None,
    steps_per_chunk: int | None = 4,
    capture: bool = True,
    **values: object,
) -> TrainingRun:
    """Return a run of a small model, changed by settings."""
    config = ExperimentConfig().with_values({**SMALL, **values})
    return TrainingRun(config, data or some_data(), start=start, steps_per_chunk=steps_per_chunk, capture=capture)


def a_run_to_end(**values: object) -> TrainingRun:
    """Return a run of a small model, changed by settings, that is done."""
    run = a_run(**values)  # type: ignore[arg-type]
    finished(run)
    return run


def watch_steps(run: TrainingRun, look: Callable[[PlannedSteps], None]) -> None:
    """Have a look at steps just before they are taken, however that is."""
    take = run._place.taker.take

    def looked_at(planned: PlannedSteps) -> None:
        look(planned)
        take(planned)

    run._place.taker.take = looked_at  # type: ignore[method-assign]


def finished(run: TrainingRun) -> list[Event]:
    """Return all events of a run, which is then done."""
    return list(run.events())


def steps_of(events: Sequence[Event]) -> list[int]:
    """Return the steps that were reported."""
    return [int(step) for event in events if isinstance(event, StepReports) for step in event.step]


def notes_of(events: Sequence[Event], kind: str) -> list[RunNote]:
    """Return the notes of one kind."""
    return [event for event in events if isinstance(event, RunNote) and event.kind == kind]


def held_out_of(events: Sequence[Event], *, complete: bool) -> list[HeldOutReport]:
    """Return the held-out reports, over all images or over the subset."""
    return [event for event in events if isinstance(event, HeldOutReport) and event.complete == complete]


def same_arrays(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> bool:
    """Return whether names and values are equal, bit for bit."""
    return list(one) == list(other) and all(one[name].tobytes() == other[name].tobytes() for name in one)


def same_weights(one: Weights, other: Weights) -> bool:
    """Return whether two copies of weights are equal, bit for bit."""
    return same_arrays(one.arrays, other.arrays)


def adam_of(run: TrainingRun) -> dict[str, np.ndarray]:
    """Return Adam's state as it would be saved."""
    return {name: array for name, array in run.saved().optimiser.items() if name.startswith("adam.")}
