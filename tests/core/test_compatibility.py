"""Which settings can be trained together; the rest is refused with the reason."""

from pathlib import Path

import numpy as np
import pytest

from core import cli
from core.compatibility import check_experiment, data_for, needs_grey, settled
from core.config import DataConfig, ExperimentConfig, ModelConfig
from core.data.binarisation import seen_by_model
from core.settings import ConfigError
from core.snapshots import frozen
from tests.core.training.runs import a_run

IMPOSSIBLE = [
    ({"model": "made", "network": "conv"}, "MADE.*network must be mlp"),
    ({"model": "made", "hidden": ()}, "MADE.*hidden must name at least one"),
    ({"posterior": "full", "latent_dim": 65}, r"full covariance of 65 dimensions has 2,145.*at most 64"),
    ({"likelihood": "categorical"}, "4 grey levels.*binarisation must be none, not dynamic"),
    ({"likelihood": "gaussian", "binarisation": "threshold"}, "gaussian density.*binarisation must be none"),
    ({"likelihood": "continuous_bernoulli", "binarisation": "fixed"}, "continuous bernoulli density.*must be none"),
    ({"model": "iwae", "beta": 2.0}, "importance-weighted.*beta must be 1"),
    ({"model": "iwae", "warm_up_epochs": 1.0}, "importance-weighted.*warm_up_epochs"),
    ({"model": "iwae", "free_bits": 0.1}, "importance-weighted.*free_bits"),
]
POSSIBLE: list[dict[str, object]] = [
    {},
    {"model": "autoencoder", "posterior": "full", "latent_dim": 100},
    {"posterior": "full", "latent_dim": 64},
    {"likelihood": "gaussian", "binarisation": "none"},
    {"likelihood": "bernoulli", "binarisation": "none"},
    {"model": "autoencoder", "beta": 3.0},
    {"model": "iwae", "num_samples": 5},
]


def keyed(values: dict[str, object]) -> dict[str, object]:
    return {("model.model" if key == "model" else key): value for key, value in values.items()}


@pytest.mark.parametrize(("values", "reason"), IMPOSSIBLE, ids=lambda part: str(part)[:40])
def test_what_cannot_be_trained_together_is_refused_with_the_reason(values: dict[str, object], reason: str) -> None:
    config = ExperimentConfig().with_values(keyed(values))
    with pytest.raises(ConfigError, match=reason):
        check_experiment(config)
    with pytest.raises(ConfigError, match=reason):
        a_run(**keyed(values))  # type: ignore[arg-type]


@pytest.mark.parametrize("values", POSSIBLE, ids=str)
def test_what_can_be_trained_together_is_not_refused(values: dict[str, object]) -> None:
    check_experiment(ExperimentConfig().with_values(keyed(values)))


@pytest.mark.parametrize(("values", "reason"), IMPOSSIBLE, ids=lambda part: str(part)[:40])
def test_the_command_line_refuses_it_before_it_reads_any_data(
    values: dict[str, object], reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = []
    for key, value in keyed(values).items():
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        settings += ["--set", f"{key}={text}"]
    out = tmp_path / "model.safetensors"
    assert cli.main(["train", "--data", "shapes", "--out", str(out), "--quiet", *settings]) == 2
    said = capsys.readouterr().err
    assert any(words in said for words in ("MADE", "covariance", "binarisation", "importance-weighted")), said
    assert reason.rsplit(".*", maxsplit=1)[-1].replace("\\", "").split(",")[0] in said
    assert not out.exists()


def test_a_likelihood_of_greys_says_so() -> None:
    grey = {name: needs_grey(ModelConfig(likelihood=name)) for name in ("bernoulli", "categorical", "gaussian")}
    assert grey == {"bernoulli": False, "categorical": True, "gaussian": True}


@pytest.mark.parametrize("levels", [2, 3, 4, 16])
def test_a_categorical_model_sees_its_own_levels(levels: int) -> None:
    model = ModelConfig(likelihood="categorical", grey_levels=levels)
    data = data_for(DataConfig(binarisation="none"), model)
    images = frozen(np.arange(256).reshape(1, 16, 16), np.uint8)
    seen = seen_by_model(images, np.arange(1), data)
    np.testing.assert_allclose(np.unique(seen), np.linspace(0.0, 1.0, levels), atol=1e-6)
    assert data_for(data, ModelConfig()).num_levels == 256


@pytest.mark.parametrize(
    ("before", "choice", "changed", "said"),
    [
        ({}, {"likelihood": "gaussian"}, {"binarisation": "none"}, "none: a Gaussian likelihood describes grey pixels"),
        ({}, {"likelihood": "categorical"}, {"binarisation": "none"}, "a categorical likelihood"),
        (
            {"likelihood": "gaussian", "binarisation": "none"},
            {"likelihood": "categorical"},
            {"binarisation": "none"},
            "a categorical likelihood",
        ),
        ({}, {"likelihood": "continuous_bernoulli"}, {"binarisation": "none"}, "a Continuous Bernoulli likelihood"),
        (
            {"likelihood": "gaussian", "binarisation": "none"},
            {"likelihood": "bernoulli"},
            {"binarisation": "dynamic"},
            "dynamic: a Bernoulli likelihood describes pixels that are 0 or 1",
        ),
        (
            {"beta": 4.0, "warm_up_epochs": 2.0, "free_bits": 1.0},
            {"model.model": "iwae"},
            {"beta": 1.0, "warm_up_epochs": 0.0, "free_bits": 0.0},
            "no KL to weigh",
        ),
        ({"network": "conv"}, {"model.model": "made"}, {"network": "mlp"}, "Network is set to MLP"),
        ({"hidden": ()}, {"model.model": "made"}, {"hidden": (512, 256, 128)}, "Network is set to MLP"),
    ],
)
def test_a_choice_that_makes_another_impossible_puts_it_right_and_says_so(
    before: dict[str, object], choice: dict[str, object], changed: dict[str, object], said: str
) -> None:
    start = ExperimentConfig().with_values(before)
    chosen = start.with_values(choice)
    result, note = settled(start, chosen)
    assert result == chosen.with_values(changed)
    assert said in note
    check_experiment(result)


@pytest.mark.parametrize(
    ("before", "choice"),
    [
        ({}, {"likelihood": "bernoulli"}),
        ({"likelihood": "gaussian", "binarisation": "none"}, {"binarisation": "dynamic"}),
        ({}, {"model.model": "iwae"}),
        ({"beta": 4.0}, {"model.model": "autoencoder"}),
        ({"binarisation": "none"}, {"model.model": "made"}),
    ],
)
def test_a_choice_that_makes_nothing_impossible_changes_nothing_else(
    before: dict[str, object], choice: dict[str, object]
) -> None:
    start = ExperimentConfig().with_values(before)
    assert settled(start, start.with_values(choice)) == (start.with_values(choice), "")
