"""Steps that are captured: the same weights, moments and costs as eager ones, bit for bit, on the processor."""

import threading
import time
from typing import Any

import numpy as np
import pytest
import torch

from core.config import ObjectiveConfig
from core.models.picture_model import PictureModel
from core.objectives.registry import OBJECTIVES
from core.objectives.terms import Beta, ElboTerms, Objective, Scalar
from core.snapshots import StepReports
from core.tensors import Images
from core.training.captured.choice import step_taker
from core.training.captured.recording import CaptureError, record
from core.training.captured.script import ScriptedLoop
from core.training.captured.scripted import ScriptedSteps
from core.training.captured.scripted_sums import ScriptedSums
from core.training.captured.simplifying import simplified, written_at_once
from core.training.loop import TrainingRun
from core.training.taking import EagerSteps
from tests.core.training.runs import SMALL, a_run, finished, same_arrays, same_weights, some_data
from tests.core.training.test_combinations import COMBINATIONS, VARIATIONS


@pytest.mark.parametrize("values", COMBINATIONS + VARIATIONS, ids=lambda values: "-".join(map(str, values.values())))
def test_a_captured_step_is_the_eager_one_bit_for_bit(values: dict[str, Any]) -> None:
    """Over a learning rate and a beta that change, and the smaller batch at an epoch's end."""
    data = some_data(binarisation=values.get("binarisation", "dynamic"))
    warm_up = {"warm_up_epochs": 2.0} if values.get("model.model", "vae") == "vae" else {}
    changing: dict[str, Any] = {"schedule": "cosine", "epochs": 4, **warm_up, **values}
    captured, eager = a_run(data, **changing), a_run(data, capture=False, **changing)
    finished(captured)
    finished(eager)
    assert (captured.plan.path, eager.plan.path) == ("captured", "eager"), captured.history.notes
    assert same_weights(captured.weights(), eager.weights())
    assert same_arrays(captured.saved().optimiser, eager.saved().optimiser)
    assert isinstance(captured._place.evaluation(complete=True)._sums_of, ScriptedSums)
    assert captured.history.held_out == eager.history.held_out
    assert np.array_equal(captured.history.steps().nll, eager.history.steps().nll)
    assert np.array_equal(captured.history.steps().kl_per_dimension, eager.history.steps().kl_per_dimension)


@pytest.mark.parametrize("batch_size", [30, 7, 64])
def test_any_batch_size_is_captured(batch_size: int) -> None:
    captured, eager = (a_run(batch_size=batch_size, capture=capture) for capture in (True, False))
    finished(captured)
    finished(eager)
    assert captured.plan.path == "captured"
    assert same_weights(captured.weights(), eager.weights())


def test_weights_that_are_wide_enough_for_other_kernels_are_the_eager_ones_too() -> None:
    """Libraries choose their way by size and by alignment."""
    data = some_data(num_train=200, side=28)
    values: dict[str, Any] = {"hidden": (400,), "batch_size": 128, "epochs": 6}
    captured, eager = a_run(data, **values), a_run(data, capture=False, **values)
    finished(captured)
    finished(eager)
    assert same_weights(captured.weights(), eager.weights())


def test_steps_that_are_not_finite_are_skipped_and_undone() -> None:
    run = a_run(epochs=4, steps_per_chunk=1)
    for event in run.events():
        if isinstance(event, StepReports) and run.step == 2:
            with torch.no_grad():
                next(iter(run._place.stepper.parameters.values())).fill_(float("nan"))
    kinds = [note.kind for note in run.history.notes]
    assert (kinds.count("non_finite"), kinds.count("rollback")) == (3, 1)
    assert run.config.training.learning_rate == 0.5 * float(str(SMALL["learning_rate"]))
    assert all(np.isfinite(array).all() for array in run.weights().arrays.values())


def test_to_capture_changes_nothing() -> None:
    run, eager = a_run(), a_run(capture=False)
    assert same_weights(run.weights(), eager.weights())
    assert same_arrays(run.saved().optimiser, eager.saved().optimiser)


def test_a_chunk_holds_no_lock_of_python_s() -> None:
    run = a_run(some_data(num_train=512, side=28), hidden=(400,), batch_size=128, steps_per_chunk=4, epochs=100)
    ticks, done = 0, threading.Event()

    def tick() -> None:
        nonlocal ticks
        while not done.wait(0.0005):
            ticks += 1

    thread = threading.Thread(target=tick)
    events, longest = run.events(), 0.0
    thread.start()
    try:
        began = time.perf_counter()
        while time.perf_counter() - began < 1.0:
            next(events)
        longest = time.perf_counter() - began
    finally:
        done.set()
        thread.join()
    # A thread that has to wait for the switch interval of 5 ms each time would come to 200 a second.
    assert ticks / longest > 300.0


class Looks:
    """An objective that decides by a number."""

    def __init__(self) -> None:
        self.inner: Objective = OBJECTIVES["vae"](ObjectiveConfig())

    def terms(self, model: PictureModel, x: Images, generator: torch.Generator) -> ElboTerms:
        return self.inner.terms(model, x, generator)

    def loss(self, terms: ElboTerms, beta: Beta) -> Scalar:
        return self.inner.loss(terms, beta) if float(terms.nll.detach().sum()) > 0.0 else terms.nll.sum()


def taker_of(run: TrainingRun, objective: Objective) -> tuple[object, str]:
    run._place.stepper.objective = objective
    return step_taker(run._place.stepper, run._place.images, run._place.generator, 8, capture=True)


def test_an_objective_that_looks_at_a_number_is_taken_eagerly_and_it_is_said_why() -> None:
    run = a_run()
    before = run.weights()
    taker, problem = taker_of(run, Looks())
    assert isinstance(taker, EagerSteps)
    assert problem == "it looks at a number in a tensor (aten::_local_scalar_dense)"
    assert same_weights(before, run.weights())


def test_another_generator_cannot_be_captured() -> None:
    generator, other = torch.Generator(), torch.Generator()
    with pytest.raises(CaptureError, match="a generator of its own"):
        record(lambda x: [x + torch.rand(3, generator=other)], [torch.zeros(3)], generator)


def test_what_is_recorded_shrinks_and_stays_what_it_was() -> None:
    run = a_run()
    stepper, images, generator = run._place.stepper, run._place.images, run._place.generator
    inputs = [torch.arange(8), torch.ones(()), stepper.adam.rate]
    whole = record(
        lambda indices, beta, _rate: [stepper.costs_of_step(images.batch(indices, generator), beta, generator)],
        inputs,
        generator,
    )
    shorter = written_at_once(simplified(whole))
    assert len(shorter.operations) < 0.75 * len(whole.operations)
    begun = stepper.snapshot(0)
    ends = []
    for program in (whole, shorter):
        stepper.restore(begun)
        costs, done = torch.zeros(3, 4), torch.zeros((), dtype=torch.int64)
        indices, betas = torch.arange(24).view(3, 8), torch.tensor([0.5, 1.0, 2.0])
        rate = stepper.adam.rate
        ScriptedLoop(program).run(indices, [1, 2, 1 << 63], betas, [0.01, 0.1, 0.01], rate, costs, done, generator)
        assert int(done) == 3
        ends.append([costs, *(tensor.clone() for tensor in stepper.adam.state())])
    assert all(torch.equal(one, other) for one, other in zip(*ends, strict=True))


def test_the_text_of_a_program_has_no_operation_twice() -> None:
    run = a_run()
    taker = run._place.taker
    assert isinstance(taker, ScriptedSteps)
    (text,) = {loop.text.split("for i in")[1] for size, loop in taker._loops.items() if size == 8}
    lines = [line for line in text.splitlines() if " = torch.ops" in line and "generator" not in line]
    calls = [line.split(" = ", 1)[1] for line in lines]
    assert len(calls) == len(set(calls)) > 30
