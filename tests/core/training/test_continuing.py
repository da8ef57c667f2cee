"""A saved model goes on as if it had never stopped."""

from dataclasses import replace

import numpy as np
import pytest

from core.config import ExperimentConfig
from tests.core.training.runs import (
    a_run,
    a_run_to_end,
    adam_of,
    finished,
    notes_of,
    same_arrays,
    same_weights,
    some_data,
    steps_of,
)


def test_a_model_goes_on_exactly_where_it_stood() -> None:
    unbroken = a_run_to_end(epochs=4)
    half = a_run_to_end(epochs=2)
    continued = a_run(start=half.saved(), epochs=2)
    events = finished(continued)
    assert steps_of(events) == list(range(9, 17))
    assert same_weights(unbroken.weights(), continued.weights())
    assert same_arrays(adam_of(unbroken), adam_of(continued))
    assert unbroken.history.held_out == continued.history.held_out
    assert np.array_equal(unbroken.history.steps().nll, continued.history.steps().nll)
    assert continued.total_epochs == 4.0


def test_a_model_stopped_within_an_epoch_goes_on_exactly_where_it_stood() -> None:
    unbroken, stopped = a_run(epochs=4, steps_per_chunk=1), a_run(epochs=4, steps_per_chunk=1)
    iterator = stopped.events()
    while stopped.step < 6:
        next(iterator)
    iterator.close()
    continued = a_run(start=stopped.saved(), epochs=2, steps_per_chunk=1)
    assert continued.total_epochs == 3.5
    finished(continued)
    unbroken_iterator = unbroken.events()
    while unbroken.step < 14:
        next(unbroken_iterator)
    assert same_weights(unbroken.weights(), continued.weights())


@pytest.mark.parametrize("network", ["mlp", "conv"])
def test_a_model_saved_before_its_first_step_goes_on_as_if_new(network: str) -> None:
    unbroken = a_run_to_end(network=network)
    continued = a_run(start=a_run(network=network).saved(), network=network)
    events = finished(continued)
    assert steps_of(events) == list(range(1, 9))
    assert same_weights(unbroken.weights(), continued.weights())
    assert np.array_equal(unbroken.history.steps().kl_per_dimension, continued.history.steps().kl_per_dimension)


def test_without_its_optimiser_a_model_stopped_within_an_epoch_goes_on_from_its_last_evaluation() -> None:
    stopped = a_run(epochs=4, steps_per_chunk=1)
    iterator = stopped.events()
    while stopped.step < 7 or stopped.history.epochs < 1.75:
        next(iterator)
    continued = a_run(start=replace(stopped.saved(), optimiser={}), epochs=1, steps_per_chunk=1)
    assert continued.total_epochs == 2.75
    finished(continued)
    epochs = [report.epoch for report in continued.history.held_out]
    assert epochs == sorted(epochs)


@pytest.mark.parametrize("fault", ["none", "shape", "nan", "negative", "position", "behind", "ahead"])
def test_an_optimiser_state_that_cannot_be_used_is_left_and_said_so(fault: str) -> None:
    saved = a_run_to_end().saved()
    optimiser = dict(saved.optimiser)
    name = "adam.exp_avg_sq.encoder.layers.0.bias"
    if fault == "none":
        optimiser = {}
    elif fault == "shape":
        optimiser[name] = optimiser[name][:3]
    elif fault in {"nan", "negative"}:
        optimiser[name] = np.full_like(optimiser[name], np.nan if fault == "nan" else -1.0)
    elif fault in {"behind", "ahead"}:
        optimiser["run.step"] = np.array(3 if fault == "behind" else 2**53)
    else:
        optimiser["run.batch"] = np.array(99)
    run = a_run(start=replace(saved, optimiser=optimiser))
    events = finished(run)
    assert "Adam starts afresh" in notes_of(events, "start")[0].text
    assert steps_of(events) == list(range(9, 17))
    assert run.total_epochs == 4.0


def test_a_model_may_go_on_with_other_images_and_another_batch_size() -> None:
    saved = a_run_to_end().saved()
    run = a_run(some_data(50, 5), start=saved, batch_size=25, epochs=1)
    assert steps_of(finished(run)) == [9, 10]
    assert run.history.epochs == 3.0


def test_a_saved_model_does_not_change_while_training_goes_on() -> None:
    run = a_run()
    iterator = run.events()
    while run.step < 4:
        next(iterator)
    saved = run.saved()
    weights = {name: array.copy() for name, array in saved.weights.items()}
    optimiser = {name: array.copy() for name, array in saved.optimiser.items()}
    list(iterator)
    assert same_arrays(saved.weights, weights)
    assert same_arrays(saved.optimiser, optimiser)
    assert saved.history.num_steps == 4
    assert isinstance(saved.config, ExperimentConfig)


def test_what_changes_when_a_model_is_trained_on_is_noted_with_its_step() -> None:
    first = a_run_to_end(epochs=1)
    other = replace(some_data(), name="other blobs", fingerprint="another")
    second = a_run(other, start=first.saved(), epochs=1, learning_rate=5e-4, beta=2.0, binarisation="fixed")
    notes = [note for note in second.history.notes if note.kind == "setting"]
    assert [note.text.split()[0] for note in notes] == ["data", "binarisation", "beta", "learning_rate"]
    assert notes[1].text == "binarisation dynamic → fixed"
    assert {note.step for note in notes} == {first.step}


def test_the_epochs_of_a_model_are_those_of_its_weights() -> None:
    run = a_run(epochs=3, steps_per_chunk=1)
    iterator = run.events()
    while run.step < 1:
        next(iterator)
    iterator.close()
    saved = run.saved()
    assert saved.history.epochs == 0.0
    assert saved.epochs == 1 / 4
