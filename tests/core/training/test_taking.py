"""Ways to take steps on a card, where no card is needed: in which portions, and what becomes of a failed capture."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch

from core.training.captured import graphed_steps, graphed_sums
from core.training.captured.choice import step_taker
from core.training.captured.cuda_graph import GraphedWork, Work
from core.training.captured.graphed_steps import GraphedSteps
from core.training.captured.graphed_sums import GraphedSums
from core.training.summing import EagerSums
from core.training.taking import EagerSteps
from tests.core.training.runs import a_run, finished, same_weights, some_data


@pytest.fixture
def failing_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for a card on which steps can be taken and nothing can be captured."""
    graph = MagicMock()
    graph.capture_begin.side_effect = RuntimeError("operation not permitted when stream is capturing")
    for name, stand_in in (
        ("CUDAGraph", lambda: graph),
        ("Stream", MagicMock),
        ("current_stream", MagicMock),
        ("stream", lambda _stream: nullcontext()),
        ("synchronize", lambda: None),
    ):
        monkeypatch.setattr(torch.cuda, name, stand_in)


@pytest.mark.usefixtures("failing_card")
def test_a_capture_that_fails_leaves_weights_and_moments_as_they_were() -> None:
    run = a_run()
    weights, moments = run.weights(), run._place.stepper.adam.to_arrays()
    with pytest.raises(RuntimeError, match="not permitted"):
        GraphedSteps(run._place.stepper, run._place.images, run._place.generator, 8)
    assert same_weights(weights, run.weights())
    for name, array in run._place.stepper.adam.to_arrays().items():
        np.testing.assert_array_equal(array, moments[name])


@pytest.mark.usefixtures("failing_card")
def test_the_run_then_goes_on_eagerly_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    run, eager = a_run(), a_run()
    with monkeypatch.context() as patch:
        patch.setattr(run._place.stepper, "device", torch.device("cuda"))
        zeros, generator = torch.zeros, torch.Generator
        patch.setattr(torch, "zeros", lambda *size, **kinds: zeros(*size, **kinds | {"device": "cpu"}))
        patch.setattr(torch, "Generator", lambda _device: generator())
        taker, problem = step_taker(run._place.stepper, run._place.images, run._place.generator, 8, capture=True)
    assert isinstance(taker, EagerSteps)
    assert "not permitted" in problem
    run._place.taker = taker
    finished(run)
    finished(eager)
    assert same_weights(run.weights(), eager.weights())


class _DoneAnew(GraphedWork):
    """Does the work where a graph would have it done, on the processor."""

    def __init__(self, work: Work, device: torch.device) -> None:
        self._work = work
        self._generator = torch.Generator(device)
        self.portions: list[int] = []

    def replay(self, seeds: Sequence[int]) -> torch.Tensor:
        self.portions.append(len(seeds))
        return torch.stack([self._work(number, self._generator.manual_seed(seed)) for number, seed in enumerate(seeds)])


def test_steps_are_taken_in_portions_that_there_are_graphs_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphed_steps, "GraphedWork", _DoneAnew)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    values: dict[str, Any] = {"schedule": "cosine", "warm_up_epochs": 2.0, "epochs": 2}
    run, eager = (a_run(some_data(766), steps_per_chunk=24, capture=capture, **values) for capture in (True, False))
    place = run._place
    taker = GraphedSteps(place.stepper, place.images, place.generator, 8)
    place.taker = taker
    finished(run)
    finished(eager)
    steps = taker._steps
    assert isinstance(steps, _DoneAnew)
    # Four evaluations an epoch; the last of its 96 batches has six images.
    assert steps.portions == [16, 4, 4, 16, 4, 4, 16, 4, 4, 16, 4, 1, 1, 1] * 2
    # Here, and not on a card, an eager step has its learning rate in double precision.
    np.testing.assert_allclose(run.history.steps().nll, eager.history.steps().nll, rtol=1e-5)
    for name, array in eager.weights().arrays.items():
        np.testing.assert_allclose(run.weights().arrays[name], array, rtol=1e-4, atol=1e-5)


def test_held_out_images_are_evaluated_in_such_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphed_sums, "GraphedWork", _DoneAnew)
    place = a_run(some_data(30, 2_890))._place
    images, model, objective = place.held_out, place.model, place._objective
    graphed, eager = GraphedSums(images, model, objective), EagerSums(images, model, objective)
    for pieces in (range(3), range(images.num_pieces), range(22, 24)):
        assert torch.equal(graphed.of(pieces), eager.of(pieces))
    assert isinstance(graphed._pieces, _DoneAnew)
    # The last of the 24 pieces has fifteen images.
    assert graphed._pieces.portions == [1, 1, 1, 16, 4, 1, 1, 1, 1]
