"""Training on a CUDA card: the same promises as on the processor.  Run only where there is a card."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.data.binarisation import seen_by_model
from core.inference.coders import make_coder
from core.snapshots import StepReports
from core.storage.model_file import load_model, save_model
from core.training import streamed
from core.training.captured.graphed_sums import GraphedSums
from core.training.taking import PlannedSteps
from tests.core.training.runs import (
    MODELS_AND_NETWORKS,
    SMALL,
    a_run,
    a_run_to_end,
    adam_of,
    finished,
    held_out_of,
    same_arrays,
    same_weights,
    some_data,
)
from tests.core.training.test_combinations import COMBINATIONS, VARIATIONS
from tests.core.training.test_divergence import Faulty

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA card")

CUDA: dict[str, Any] = {"device": "cuda"}


@pytest.mark.parametrize("values", COMBINATIONS + VARIATIONS, ids=lambda values: "-".join(map(str, values.values())))
def test_every_model_is_trained_saved_read_and_encoded_with(values: dict[str, Any], tmp_path: Path) -> None:
    data = some_data(binarisation=values.get("binarisation", "dynamic"))
    run = a_run(data, **{"epochs": 2, **values}, **CUDA)
    before = run.weights().arrays
    events = finished(run)
    for event in events:
        if isinstance(event, StepReports):
            assert np.isfinite(event.nll).all()
    assert all(not np.array_equal(before[name], after) for name, after in run.weights().arrays.items())
    assert held_out_of(events, complete=True)
    assert run.plan.device == torch.cuda.get_device_name()
    assert run.plan.path == "captured", run.history.notes
    path = tmp_path / "model.safetensors"
    save_model(path, run.saved())
    saved = load_model(path)
    assert same_arrays(dict(sorted(saved.weights.items())), dict(sorted(run.weights().arrays.items())))
    if run.config.model.has_codes:
        pictures = seen_by_model(data.held_out.images, np.arange(len(data.held_out.images)), run.config.data)
        assert np.isfinite(make_coder(run.config.model, run.weights()).encode(pictures).mean).all()


@pytest.mark.parametrize(("model", "network"), MODELS_AND_NETWORKS)
def test_a_run_is_repeated_bit_for_bit_and_goes_on_exactly_where_it_stood(model: str, network: str) -> None:
    values = {"model.model": model, "network": network, **CUDA}
    unbroken, again = a_run_to_end(epochs=4, **values), a_run_to_end(epochs=4, **values)
    assert same_weights(unbroken.weights(), again.weights())
    half = a_run_to_end(epochs=2, **values)
    continued = a_run(start=half.saved(), epochs=2, **values)
    finished(continued)
    assert same_weights(unbroken.weights(), continued.weights())
    assert same_arrays(adam_of(unbroken), adam_of(continued))


@pytest.mark.parametrize("values", COMBINATIONS + VARIATIONS, ids=lambda values: "-".join(map(str, values.values())))
def test_a_captured_step_is_the_eager_one_bit_for_bit(values: dict[str, Any]) -> None:
    """Over a learning rate and a beta that change, and the smaller batch at an epoch's end; held-out costs likewise."""
    data = some_data(766, 2_140, binarisation=values.get("binarisation", "dynamic"))
    warm_up = {"warm_up_epochs": 2.0} if values.get("model.model", "vae") == "vae" else {}
    changing: dict[str, Any] = {"schedule": "cosine", "epochs": 2, **warm_up, **values, **CUDA}
    captured, eager = (a_run(data, steps_per_chunk=24, capture=capture, **changing) for capture in (True, False))
    assert isinstance(captured._place.evaluation(complete=True)._sums_of, GraphedSums)
    finished(captured)
    finished(eager)
    assert (captured.plan.path, eager.plan.path) == ("captured", "eager")
    assert same_weights(captured.weights(), eager.weights())
    assert same_arrays(captured.saved().optimiser, eager.saved().optimiser)
    assert np.array_equal(captured.history.steps().nll, eager.history.steps().nll)
    assert captured.history.held_out == eager.history.held_out


def test_captured_steps_that_are_not_finite_are_skipped_and_undone() -> None:
    run = a_run(epochs=4, steps_per_chunk=1, **CUDA)
    for event in run.events():
        if isinstance(event, StepReports) and run.step == 2:
            with torch.no_grad():
                next(iter(run._place.stepper.parameters.values())).fill_(float("nan"))
    assert run.plan.path == "captured"
    kinds = [note.kind for note in run.history.notes]
    assert (kinds.count("non_finite"), kinds.count("rollback")) == (3, 1)
    assert run.config.training.learning_rate == 0.5 * float(str(SMALL["learning_rate"]))
    assert all(np.isfinite(array).all() for array in run.weights().arrays.values())


@pytest.mark.parametrize("network", ["mlp", "conv"])
def test_the_card_computes_what_the_processor_does(network: str) -> None:
    """Without anything random the runs part only by rounding, which a few steps cannot make much of."""
    values: dict[str, Any] = {"model.model": "autoencoder", "network": network, "epochs": 1, "learning_rate": 1e-3}
    values["binarisation"] = "none"
    on_card, on_processor = (a_run(**values, device=device) for device in ("cuda", "cpu"))
    finished(on_card)
    finished(on_processor)
    for first, second in zip(on_card.history.steps().nll, on_processor.history.steps().nll, strict=True):
        assert first == pytest.approx(second, rel=1e-5)
    weights = on_processor.weights().arrays
    for name, array in on_card.weights().arrays.items():
        np.testing.assert_allclose(array, weights[name], atol=2e-4)


@pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype")
@pytest.mark.parametrize("capture", [False, True])
@pytest.mark.parametrize(("model", "network"), MODELS_AND_NETWORKS)
def test_no_step_waits_for_the_card(model: str, network: str, *, capture: bool) -> None:
    values: dict[str, Any] = {"model.model": model, "network": network, **CUDA}
    run = a_run(epochs=3, capture=capture, **values)
    take, steps_watched = run._place.taker.take, 0

    def watched(planned: PlannedSteps) -> None:
        nonlocal steps_watched
        try:
            torch.cuda.set_sync_debug_mode("error")
            take(planned)
        finally:
            torch.cuda.set_sync_debug_mode("default")
            steps_watched += len(planned)

    run._place.taker.take = watched  # type: ignore[method-assign]
    finished(run)
    assert steps_watched == 12


@pytest.mark.parametrize("in_gradient", [False, True])
def test_a_step_that_is_not_finite_changes_nothing(*, in_gradient: bool) -> None:
    run = a_run(epochs=1, steps_per_chunk=1, capture=False, **CUDA)
    run._place.stepper.objective = Faulty({3}, in_gradient=in_gradient)
    weights = [run.weights(), *(run.weights() for event in run.events() if isinstance(event, StepReports))]
    assert [note.step for note in run.history.notes if note.kind == "non_finite"] == [3]
    assert [same_weights(a, b) for a, b in itertools.pairwise(weights)] == [False, False, True, False]


@pytest.mark.parametrize("binarisation", ["dynamic", "fixed"])
@pytest.mark.parametrize("capture", [False, True])
def test_images_that_are_streamed_to_the_card_give_the_weights_of_resident_ones(
    monkeypatch: pytest.MonkeyPatch, binarisation: str, *, capture: bool
) -> None:
    values: dict[str, Any] = {"binarisation": binarisation, "capture": capture, **CUDA}
    resident = a_run(**values)
    with monkeypatch.context() as patch:
        patch.setattr(torch.cuda, "mem_get_info", lambda _device: (100, 100))
        patch.setattr(streamed, "STAGED_BYTES", 28 * 36)
        streaming = a_run(**values)
    assert (resident.plan.images, streaming.plan.images) == ("resident", "streamed")
    finished(resident)
    finished(streaming)
    assert same_weights(resident.weights(), streaming.weights())
    assert same_arrays(adam_of(resident), adam_of(streaming))
    assert resident.history.held_out == streaming.history.held_out
