"""Ways to take a step, where no card is needed: what becomes of a capture that fails."""

from contextlib import nullcontext
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch

from core.training.captured.choice import step_taker
from core.training.captured.cuda_graph import GraphedSteps
from core.training.taking import EagerSteps
from tests.core.training.runs import a_run, finished, same_weights


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
        patch.setattr(torch, "zeros", lambda *size, **_kinds: torch.empty(*size, dtype=torch.int64).fill_(0))
        patch.setattr(torch, "ones", lambda _size, **_kinds: torch.tensor(1.0))
        taker, problem = step_taker(run._place.stepper, run._place.images, run._place.generator, 8, capture=True)
    assert isinstance(taker, EagerSteps)
    assert "not permitted" in problem
    run._place.taker = taker
    finished(run)
    finished(eager)
    assert same_weights(run.weights(), eager.weights())
