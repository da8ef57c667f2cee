"""An interrupted run goes on as if it had not been interrupted, at whatever step that was."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from core.config import ExperimentConfig
from core.storage.model_file import from_bytes, to_bytes
from core.training.errors import TrainingError
from core.training.loop import TrainingRun
from core.training.resuming import is_resumable
from tests.core.training.runs import a_run, adam_of, finished, notes_of, same_arrays, same_weights, some_data
from tests.core.training.test_divergence import AtSteps

UNLIKE = [
    {"model.model": "vae", "schedule": "cosine", "warm_up_epochs": 1.5, "binarisation": "dynamic"},
    {"model.model": "iwae", "num_samples": 3, "network": "conv"},
    {"model.model": "denoising_autoencoder", "corruption": "gaussian"},
    {"model.model": "made", "hidden": (20,)},
]


def stopped_at(run: TrainingRun, step: int) -> TrainingRun:
    """Return the run after the first chunk that reaches a step, its generator closed as by a kill."""
    events = run.events()
    while run.step < step:
        next(events)
    events.close()
    return run


def resumed_from(run: TrainingRun, **values: object) -> TrainingRun:
    """Return the run as another program finds it in a file."""
    saved = from_bytes(to_bytes(run.saved()))
    return TrainingRun(ExperimentConfig(), some_data(), start=saved, resume=True, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize("values", UNLIKE, ids=lambda values: values["model.model"])
@pytest.mark.parametrize("step", [1, 3, 4, 6, 9])
def test_a_run_goes_on_as_if_it_had_not_been_interrupted(step: int, values: dict[str, object]) -> None:
    unbroken = a_run(epochs=3, steps_per_chunk=5, **values)  # type: ignore[arg-type]
    finished(unbroken)
    resumed = resumed_from(stopped_at(a_run(epochs=3, steps_per_chunk=1, **values), step), steps_per_chunk=3)  # type: ignore[arg-type]
    assert resumed.total_steps == unbroken.total_steps
    assert resumed.total_epochs == unbroken.total_epochs
    events = finished(resumed)
    assert same_weights(unbroken.weights(), resumed.weights())
    assert same_arrays(adam_of(unbroken), adam_of(resumed))
    assert same_arrays(unbroken.history.to_arrays(), resumed.history.to_arrays())
    (note,) = notes_of(events, "resumed")
    assert note.step == step
    assert note.text.endswith("as if it had not been interrupted")


def test_a_run_that_was_interrupted_again_and_again_is_the_same_too() -> None:
    unbroken = a_run(epochs=3, schedule="cosine")
    finished(unbroken)
    run = stopped_at(a_run(epochs=3, schedule="cosine", steps_per_chunk=1), 1)
    for step in range(2, 12):
        run = stopped_at(resumed_from(run, steps_per_chunk=1), step)
    finished(run)
    assert same_weights(unbroken.weights(), run.weights())
    assert same_arrays(unbroken.history.to_arrays(), run.history.to_arrays())


def test_a_run_that_trains_a_model_further_is_resumed_to_its_own_end() -> None:
    first = a_run(epochs=1)
    finished(first)
    further = {"epochs": 2, "schedule": "cosine", "start": first.saved()}
    unbroken = a_run(**further)  # type: ignore[arg-type]
    finished(unbroken)
    resumed = resumed_from(stopped_at(a_run(**further, steps_per_chunk=1), 7))  # type: ignore[arg-type]
    finished(resumed)
    assert resumed.total_epochs == 3.0
    assert same_weights(unbroken.weights(), resumed.weights())


def test_faults_before_the_interruption_count_on() -> None:
    unbroken, broken = a_run(epochs=3), a_run(epochs=3, steps_per_chunk=1)
    AtSteps(unbroken, {5, 6, 8})
    AtSteps(broken, {5, 6, 8})
    finished(unbroken)
    resumed = resumed_from(stopped_at(broken, 6), steps_per_chunk=1)
    AtSteps(resumed, {8})
    finished(resumed)
    assert same_weights(unbroken.weights(), resumed.weights())
    halted = resumed_from(stopped_at(broken, 6), steps_per_chunk=1)
    AtSteps(halted, {7})
    assert [note.step for note in notes_of(finished(halted), "rollback")] == [7]


def test_a_rate_that_was_changed_stays_changed() -> None:
    def changed_at_3(run: TrainingRun) -> TrainingRun:
        stopped_at(run, 3).set_learning_rate(0.002)
        return run

    unbroken = changed_at_3(a_run(epochs=2, steps_per_chunk=1))
    finished(unbroken)
    resumed = resumed_from(stopped_at(changed_at_3(a_run(epochs=2, steps_per_chunk=1)), 5))
    finished(resumed)
    assert resumed.config.training.learning_rate == 0.002
    assert same_weights(unbroken.weights(), resumed.weights())


def test_what_is_computed_otherwise_is_said() -> None:
    saved = stopped_at(a_run(), 4).saved()
    foreign = replace(saved, provenance={**saved.provenance, "torch": "2.6.0"})
    run = TrainingRun(ExperimentConfig(), some_data(), start=foreign, resume=True)
    (note,) = notes_of(finished(run), "resumed")
    assert f"torch 2.6.0 → {torch.__version__}" in note.text
    assert "not bit for bit" in note.text


def test_a_run_takes_as_many_threads_as_it_had() -> None:
    saved = stopped_at(a_run(threads=0), 4).saved()
    run = TrainingRun(
        ExperimentConfig(),
        some_data(),
        start=replace(saved, provenance={**saved.provenance, "threads": "2"}),
        resume=True,
    )
    assert run.plan.threads == 2


def test_other_data_is_refused_with_what_can_be_done() -> None:
    saved = stopped_at(a_run(), 4).saved()
    other = replace(some_data(), fingerprint="another")
    with pytest.raises(TrainingError, match="not what the run was trained on: blobs has another fingerprint"):
        TrainingRun(ExperimentConfig(), other, start=saved, resume=True)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("run.last_step", np.array(3, np.int64)),
        ("run.first_step", np.array(5, np.int64)),
        ("run.total_epochs", np.array(np.nan)),
        ("run.total_epochs", np.array(0.1)),
        ("run.last_step", np.array([8, 9], np.int64)),
        ("run.last_step", None),
    ],
)
def test_a_model_that_stands_in_no_run_cannot_be_resumed(name: str, value: np.ndarray | None) -> None:
    saved = stopped_at(a_run(steps_per_chunk=1), 4).saved()
    assert is_resumable(saved)
    spoilt = {**saved.optimiser, name: value}
    if value is None:
        del spoilt[name]
    broken = replace(saved, optimiser=spoilt)  # type: ignore[arg-type]
    assert not is_resumable(broken)
    with pytest.raises(TrainingError, match="cannot be resumed"):
        TrainingRun(ExperimentConfig(), some_data(), start=broken, resume=True)


def test_a_run_that_is_done_has_nothing_to_resume() -> None:
    run = a_run()
    finished(run)
    assert not is_resumable(run.saved())
