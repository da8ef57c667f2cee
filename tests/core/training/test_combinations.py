"""Every model with every likelihood and posterior: trained, saved, read, continued, evaluated."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import cli
from core.choices import LIKELIHOODS, MODELS, POSTERIORS, VARIANCES
from core.inference.coders import make_coder
from core.saved_model import SavedModel
from core.snapshots import StepReports
from core.storage.model_file import load_model, save_model
from core.training.loop import TrainingRun
from tests.core.training.runs import a_run, finished, held_out_of, same_arrays, some_data

COMBINATIONS: list[dict[str, Any]] = [
    {
        "model.model": model.name,
        "likelihood": likelihood.name,
        "posterior": posterior.name,
        "binarisation": "dynamic" if likelihood.name == "bernoulli" else "none",
    }
    for model in MODELS
    for likelihood in LIKELIHOODS
    for posterior in POSTERIORS
    if posterior.name == "factorised" or model.name in {"vae", "iwae"}
]
VARIATIONS: list[dict[str, Any]] = [
    *({"likelihood": "gaussian", "binarisation": "none", "variance": variance.name} for variance in VARIANCES),
    {"likelihood": "categorical", "binarisation": "none", "grey_levels": 3, "network": "conv"},
    {"likelihood": "gaussian", "binarisation": "none", "variance": "per_pixel", "network": "conv", "posterior": "full"},
    {"num_samples": 3, "beta": 2.0, "warm_up_epochs": 1.0, "free_bits": 0.5},
    {"model.model": "iwae", "num_samples": 4},
    {"model.model": "denoising_autoencoder", "corruption": "dropout", "corruption_level": 0.25},
    {"model.model": "sparse_autoencoder", "sparsity": "l1"},
    {"model.model": "made", "ordering": "random", "ordering_seed": 3},
    {"hidden": ()},
    {"precision": "bfloat16"},
    {"precision": "bfloat16", "network": "conv"},
]


def same_weights(saved: SavedModel, run: TrainingRun) -> bool:
    """Return whether a model's weights are a run's, bit for bit; a file keeps them in another order."""
    return same_arrays(dict(sorted(saved.weights.items())), dict(sorted(run.weights().arrays.items())))


@pytest.mark.parametrize("values", COMBINATIONS + VARIATIONS, ids=lambda values: "-".join(map(str, values.values())))
def test_it_is_trained_saved_read_and_continued(values: dict[str, Any], tmp_path: Path) -> None:
    data = some_data(binarisation=values.get("binarisation", "dynamic"))
    run = a_run(data, **{"epochs": 2, **values})
    before = run.weights().arrays
    events = finished(run)
    for event in events:
        if isinstance(event, StepReports):
            assert np.isfinite(event.nll).all()
    assert all(not np.array_equal(before[name], after) for name, after in run.weights().arrays.items())
    complete = held_out_of(events, complete=True)[-1].means
    assert (complete.elbo is not None) == run.config.model.has_prior

    path = tmp_path / "model.safetensors"
    save_model(path, run.saved())
    saved = load_model(path)
    assert saved.config == run.config
    assert same_weights(saved, run)

    # Warm-up and learning rate go on, so that two epochs in one go are the same as twice one.
    first = a_run(data, **{**values, "epochs": 1})
    finished(first)
    save_model(path, first.saved())
    second = a_run(data, start=load_model(path), **{**values, "epochs": 1})
    finished(second)
    assert same_weights(second.saved(), run)


@pytest.mark.parametrize("values", COMBINATIONS, ids=lambda values: "-".join(map(str, values.values())))
def test_the_command_line_trains_and_evaluates_it(
    values: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = np.stack([*some_data(40).train.images])
    np.save(tmp_path / "images.npy", np.pad(images, ((0, 0), (1, 1), (1, 1))))
    out = tmp_path / "model.safetensors"
    settings = [f"{key}={value}" for key, value in values.items()]
    settings += ["hidden=7,5", "epochs=1", "batch_size=16", "threads=1", "image_size=8", "latent_dim=2"]
    arguments = [part for setting in settings for part in ("--set", setting)]
    data = str(tmp_path / "images.npy")
    assert cli.main(["train", "--data", data, "--out", str(out), "--quiet", *arguments]) == 0
    config = load_model(out).config
    assert (config.model.model, config.model.likelihood) == (values["model.model"], values["likelihood"])
    capsys.readouterr()
    # log p(x) by quadrature has tests of its own; a product costs nothing.
    without = [] if config.model.model == "made" else ["--log-px-images", "0"]
    assert cli.main(["evaluate", str(out), "--quiet", *without]) == 0
    result = json.loads(capsys.readouterr().out)
    assert np.isfinite(result["nll"])
    assert (result["elbo"] is None) == (not config.model.has_prior)
    assert ("elbo_reason" in result) == (not config.model.has_prior)


def test_a_model_without_codes_has_no_coder() -> None:
    run = a_run(**{"model.model": "made"})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="autoregressive model has no codes"):
        make_coder(run.config.model, run.weights())
