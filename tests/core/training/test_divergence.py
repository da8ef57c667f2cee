"""Steps whose loss or gradient is not finite, planted at chosen steps."""

import contextlib
from collections.abc import Collection

import numpy as np
import pytest
import torch

from core.config import ObjectiveConfig
from core.models.picture_model import PictureModel
from core.objectives.registry import OBJECTIVES
from core.objectives.terms import Beta, ElboTerms, Objective, Scalar
from core.snapshots import StepReports
from core.tensors import Images
from core.training import divergence, timetable
from core.training.errors import TrainingError
from core.training.loop import Event, TrainingRun
from core.training.taking import EagerSteps, PlannedSteps
from tests.core.training.runs import MODELS_AND_NETWORKS, a_run, finished, notes_of, same_arrays, same_weights, steps_of


class Faulty:
    """An objective that goes wrong in chosen calls, in the loss itself or in its gradient alone."""

    def __init__(self, calls: Collection[int], *, in_gradient: bool, value: float = float("nan")) -> None:
        self.inner: Objective = OBJECTIVES["vae"](ObjectiveConfig())
        self.calls, self.in_gradient, self.value, self.call = calls, in_gradient, value, 0

    def terms(self, model: PictureModel, x: Images, generator: torch.Generator) -> ElboTerms:
        return self.inner.terms(model, x, generator)

    def loss(self, terms: ElboTerms, beta: Beta) -> Scalar:
        loss = self.inner.loss(terms, beta)
        self.call += 1
        if self.call not in self.calls:
            return loss
        if not self.in_gradient:
            # Added, not multiplied: the gradient stays finite.
            return loss + self.value
        loss.register_hook(lambda gradient: gradient * self.value)  # type: ignore[no-untyped-call]
        return loss


class AtSteps:
    """An objective that goes wrong whenever the run takes one of some steps, as data would do it."""

    def __init__(self, run: TrainingRun, steps: Collection[int]) -> None:
        self.inner: Objective = OBJECTIVES["vae"](ObjectiveConfig())
        self.steps, self.now = steps, 0
        place = run._place
        self._run, self._eager, self.name = run, EagerSteps(place.stepper, place.images, place.generator), "eager"
        run._place.taker = self
        run._place.stepper.objective = self

    def take(self, planned: PlannedSteps) -> None:
        for number in range(len(planned)):
            self.now = self._run.step + number + 1
            self._eager.take(planned.part(number, number + 1))

    def terms(self, model: PictureModel, x: Images, generator: torch.Generator) -> ElboTerms:
        return self.inner.terms(model, x, generator)

    def loss(self, terms: ElboTerms, beta: Beta) -> Scalar:
        loss = self.inner.loss(terms, beta)
        return loss * float("inf") if self.now in self.steps else loss


def eager_run(**values: object) -> TrainingRun:
    """Return a run whose objective can be exchanged: what is captured is captured for good."""
    return a_run(capture=False, **values)  # type: ignore[arg-type]


def state(run: TrainingRun) -> list[torch.Tensor]:
    return [tensor.detach().clone() for tensor in run._place.stepper.adam.state()]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("in_gradient", [False, True])
@pytest.mark.parametrize("call", [1, 4])
def test_a_step_that_is_not_finite_changes_no_weight_and_no_moment(
    call: int, value: float, *, in_gradient: bool
) -> None:
    run = eager_run(steps_per_chunk=1)
    run._place.stepper.objective = Faulty({call}, in_gradient=in_gradient, value=value)
    iterator = run.events()
    events: list[Event] = []
    before = state(run)
    while run.step < call:
        before = state(run)
        step = run.step
        while run.step == step:
            events.append(next(iterator))
    assert all(torch.equal(one, other) for one, other in zip(before, state(run), strict=True))
    events.extend(iterator)
    assert [note.step for note in notes_of(events, "non_finite")] == [call]
    assert steps_of(events) == list(range(1, 9))
    nll = run.history.steps().nll
    assert np.flatnonzero(np.isnan(nll)).tolist() == [call - 1]
    assert np.isnan(run.history.steps().kl_per_dimension[call - 1]).all()


@pytest.mark.parametrize(("model", "network"), MODELS_AND_NETWORKS)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e30])
def test_the_gradient_of_any_one_weight_that_is_not_finite_is_enough(model: str, network: str, value: float) -> None:
    run = eager_run(network=network, model=model, steps_per_chunk=1)
    finished(run)
    before = state(run)
    further = eager_run(start=run.saved(), network=network, model=model, steps_per_chunk=1)
    for row, parameter in enumerate(further._place.stepper._tensors):
        spoilt = torch.zeros_like(parameter)
        spoilt.view(-1)[-1] = value
        handle = parameter.register_hook(lambda gradient, spoilt=spoilt: gradient + spoilt)  # type: ignore[no-untyped-call]
        further._place.stepper.step(torch.ones(4, 36), 1.0, torch.Generator())
        handle.remove()
        assert further._place.stepper.take_costs().skipped.all(), list(further._place.stepper.parameters)[row]
        assert all(torch.equal(one, other) for one, other in zip(before, state(further), strict=True))


def test_without_a_fault_the_same_comparison_finds_a_change() -> None:
    run = eager_run(steps_per_chunk=1)
    before = state(run)
    finished(run)
    assert not any(torch.equal(one, other) for one, other in zip(before, state(run), strict=True))


def test_a_skipped_step_is_reported_with_its_chunk() -> None:
    run = eager_run(steps_per_chunk=4, epochs=1)
    run._place.stepper.objective = Faulty({1}, in_gradient=True)
    events = finished(run)
    note = events.index(notes_of(events, "non_finite")[0])
    reports = [index for index, event in enumerate(events) if isinstance(event, StepReports)]
    assert reports[0] < note < reports[1]


def test_two_in_a_row_and_one_more_later_roll_nothing_back() -> None:
    run = eager_run()
    run._place.stepper.objective = Faulty({2, 3, 5}, in_gradient=False)
    events = finished(run)
    assert len(notes_of(events, "non_finite")) == 3
    assert not notes_of(events, "rollback")
    assert run.config.training.learning_rate == 0.01


@pytest.mark.parametrize("chunk", [1, 4])
def test_three_in_a_row_restore_the_last_good_state_with_half_the_learning_rate(chunk: int) -> None:
    run = eager_run(steps_per_chunk=chunk)
    good = run.saved()
    AtSteps(run, {4, 5, 6})
    iterator = run.events()
    events: list[Event] = []
    while not notes_of(events, "rollback"):
        events.append(next(iterator))
    assert run.step == 6
    assert same_arrays(good.weights, run.saved().weights)
    moments = {name: array for name, array in run.saved().optimiser.items() if name.startswith("adam")}
    assert same_arrays(moments, {name: good.optimiser[name] for name in moments})
    assert run.config.training.learning_rate == 0.005
    events.extend(iterator)
    assert steps_of(events) == list(range(1, 9))
    assert "back to the weights of step 0" in notes_of(events, "rollback")[0].text
    assert not same_arrays(good.weights, run.saved().weights)


def test_the_chunk_changes_no_weight_even_through_a_rollback() -> None:
    runs = []
    for chunk in (1, 2, 5, 16):
        run = eager_run(steps_per_chunk=chunk, epochs=4)
        AtSteps(run, {3, 6, 7, 8, 11})
        finished(run)
        runs.append(run)
    for other in runs[1:]:
        assert same_weights(runs[0].weights(), other.weights())
        assert np.array_equal(runs[0].history.steps().nll, other.history.steps().nll, equal_nan=True)


@pytest.fixture
def kept_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a good state every eight steps."""
    monkeypatch.setattr(divergence, "SNAPSHOT_STEPS", 8)
    monkeypatch.setattr(timetable, "SNAPSHOT_STEPS", 8)


@pytest.mark.usefixtures("kept_often")
def test_a_late_fault_goes_back_to_a_late_state() -> None:
    run = eager_run(epochs=4)
    AtSteps(run, {10, 11, 12})
    events = finished(run)
    assert "back to the weights of step 8" in notes_of(events, "rollback")[0].text


@pytest.mark.usefixtures("kept_often")
def test_a_second_fault_soon_after_goes_further_back() -> None:
    run = eager_run(epochs=6)
    AtSteps(run, {17, 18, 19, 21, 22, 23})
    texts = [note.text for note in notes_of(finished(run), "rollback")]
    assert "back to the weights of step 16" in texts[0]
    assert "back to the weights of step 8" in texts[1]


@pytest.mark.usefixtures("kept_often")
def test_a_state_that_was_gone_back_to_is_not_kept_as_a_later_one() -> None:
    run = eager_run(epochs=6)
    AtSteps(run, {14, 15, 16, 18, 19, 20})
    texts = [note.text for note in notes_of(finished(run), "rollback")]
    assert "back to the weights of step 8" in texts[0]
    assert "back to the weights of step 0" in texts[1]


def test_a_run_that_always_diverges_ends_with_a_clear_sentence_and_a_good_state() -> None:
    run = eager_run(epochs=10)
    good = run.saved()
    run._place.stepper.objective = Faulty(range(1000), in_gradient=True)
    with pytest.raises(TrainingError, match=r"diverges.*smaller learning rate"):
        finished(run)
    assert same_arrays(good.weights, run.saved().weights)
    assert len([note for note in run.history.notes if note.kind == "rollback"]) == 3
    assert run.config.training.learning_rate == 0.01 / 8


def test_an_absurd_learning_rate_never_leaves_weights_that_are_not_finite() -> None:
    run = a_run(learning_rate=100.0, epochs=15)
    with contextlib.suppress(TrainingError):
        finished(run)
    assert all(np.isfinite(array).all() for array in run.saved().weights.values())
