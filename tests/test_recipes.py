"""The recipes for published figures: their rows, their page, their estimates and a whole small one."""

import math
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.recipes import __main__ as runner
from benchmarks.recipes import measure
from benchmarks.recipes.definitions import IWAE, RECIPES, VAE, Recipe
from benchmarks.recipes.gaps import gap_means
from benchmarks.recipes.row import Figure, Mean, Row, keep_rows, read_rows
from benchmarks.recipes.surgery import surgical_terms
from benchmarks.recipes.table import page
from benchmarks.recipes.training import command_line, configured, train
from core.cli.arguments import changed_settings, make_parser
from core.compatibility import check_experiment
from core.config import DataConfig, ExperimentConfig
from core.data.dataset import Dataset
from core.data.sources import load_dataset
from core.inference import surgery
from core.snapshots import Split

ROW = Row(
    recipe="vae",
    title="VAE, k = 1",
    source="Burda et al. 2015",
    full=False,
    shipped=False,
    schedule="3 passes",
    seed=1,
    latent_dim=50,
    num_train=60_000,
    num_images=1000,
    split="held-out",
    binarisation="dynamic",
    estimator="a bound",
    figures=(Figure("ELBO", -90.123, 0.5, -86.76), Figure("log p(x)", -88.0, None, None)),
    command="./run train --data mnist",
    training_seconds=600.0,
    training_processor_seconds=400.0,
    measuring_seconds=12.0,
    torch="2.13",
    date="2026-01-01T00:00:00+00:00",
)


# ---- rows and page -------------------------------------------------------------------------------------------------


def test_a_newer_row_takes_the_place_of_an_older_one_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    full = replace(ROW, full=True)
    assert read_rows(path) == ()
    keep_rows([ROW, full], path)
    newer = replace(ROW, num_images=2000)
    assert keep_rows([newer], path) == (newer, full)
    assert read_rows(path) == (newer, full)


def test_the_page_says_what_was_reached_and_what_was_published() -> None:
    text = page([ROW])
    assert (
        "| **ELBO** | −90.12 ± 0.5 | −86.76 (Burda et al. 2015) | −3.36 | VAE, k = 1 | 1,000 held-out | shortened |"
    ) in text
    assert "| **log p(x)** | −88.00 | – | – |" in text
    assert "./run train --data mnist\n" in text
    assert "Training took 10.0 min, 6.7 min of one processor. Measuring took 12 s" in text
    assert "| long |" in page([replace(ROW, full=True)])
    assert "| as shipped |" in page([replace(ROW, shipped=True)])


def test_a_page_without_rows_claims_nothing() -> None:
    text = page([])
    assert "Nothing is measured yet" in text
    assert "±" not in text.partition("\n\n")[2].partition("Nothing")[2]


def test_the_page_that_is_shipped_is_that_of_the_rows_that_are_shipped() -> None:
    shipped = Path(__file__).parent.parent / "docs" / "recipes.md"
    assert shipped.read_text("utf-8") == page(read_rows())


# ---- settings ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_a_command_line_that_the_program_takes(name: str, *, full: bool) -> None:
    settings = RECIPES[name].all_settings(full=full)
    config = configured("mnist", settings)
    check_experiment(config)
    program, *arguments = shlex.split(command_line("mnist", settings, f"{name}.safetensors"))
    options = make_parser().parse_args(arguments)
    assert program == "./run"
    assert (options.data, options.out) == ("mnist", f"{name}.safetensors")
    assert changed_settings(ExperimentConfig(), options.settings) == config


def test_the_full_schedule_is_that_of_the_paper() -> None:
    training = configured("mnist", IWAE.all_settings(full=True)).training
    assert (training.epochs, training.batch_size, training.learning_rate) == (3280, 20, 1e-3)
    assert (training.schedule, training.adam_epsilon) == ("burda", 1e-4)


def test_an_unknown_recipe_lists_the_known_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["recipes", "vea"])
    assert runner.main() == 2
    assert "known: vae, iwae, made, surgery, gaps" in capsys.readouterr().err


# ---- a whole one ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def few_shapes() -> Dataset:
    """Return a few pictures of the procedural shapes."""
    whole = load_dataset(DataConfig(source="shapes"))
    assert whole.train.labels is not None
    assert whole.held_out.labels is not None
    train_half = Split(whole.train.images[:100], whole.train.labels[:100])
    held_out = Split(whole.held_out.images[:20], whole.held_out.labels[:20])
    return replace(whole, train=train_half, held_out=held_out)


def tiny(recipe: Recipe) -> Recipe:
    """Return a recipe that takes a moment."""
    settings = ("epochs=1", "hidden=8", "batch_size=50")
    return replace(recipe, short=replace(recipe.short, settings=settings, num_images=4))


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_trains_and_measures_what_was_published(
    name: str, few_shapes: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "NUM_SAMPLES", 50)
    monkeypatch.setattr(surgery, "HIGHEST_ORDER", surgery.LEAST_ORDER)
    recipe = tiny(RECIPES[name])
    rows = runner.run(recipe, few_shapes, full=False, models=tmp_path)
    assert {figure.name for row in rows for figure in row.figures} >= set(recipe.published)
    assert all(math.isfinite(figure.value) for row in rows for figure in row.figures)
    assert all(row.num_train == len(few_shapes.train) and row.seed == 1 and not row.full for row in rows)


def test_a_model_that_was_trained_is_kept_and_measured_again(few_shapes: Dataset, tmp_path: Path) -> None:
    first, again = (runner.run(tiny(RECIPES["made"]), few_shapes, full=False, models=tmp_path) for _ in range(2))
    assert again[0].figures == first[0].figures
    assert again[0].training_seconds == first[0].training_seconds
    other = replace(tiny(RECIPES["made"]), settings=("model=made", "binarisation=threshold"))
    (row,) = runner.run(other, few_shapes, full=False, models=tmp_path)
    assert row.training_seconds != first[0].training_seconds


def test_training_by_a_recipe_is_reproducible(few_shapes: Dataset) -> None:
    config = configured("shapes", tiny(VAE).all_settings(full=False))
    one, other = (train(config, few_shapes, print).saved.weights for _ in range(2))
    assert all(np.array_equal(one[name], other[name]) for name in one)


def test_mutual_information_and_marginal_kl_add_up_to_the_mean_kl(
    few_shapes: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surgery, "HIGHEST_ORDER", surgery.LEAST_ORDER)
    settings = tiny(RECIPES["surgery"]).all_settings(full=False)
    saved = train(configured("shapes", settings), few_shapes, print).saved
    found, told = surgical_terms(saved, few_shapes.held_out, 0)
    total = found["mutual information"].value + found["marginal KL"].value
    assert total == pytest.approx(found["mean KL"].value, abs=1e-4)
    assert "capped at ln N = 3.00" in told


def test_gaps_are_exact_in_a_plane_and_estimates_beyond(few_shapes: Dataset) -> None:
    for latent_dim, exact in ((2, True), (3, False)):
        settings = ("epochs=1", "hidden=8", "batch_size=50", f"latent_dim={latent_dim}")
        saved = train(configured("shapes", settings), few_shapes, print).saved
        found, told = gap_means(saved, few_shapes.held_out, "held-out", 4, 1)
        total = found["approximation gap"].value + found["amortisation gap"].value
        assert total == pytest.approx(found["log p(x)"].value - found["ELBO"].value, abs=1e-6)
        assert found["amortisation gap"].value >= 0.0
        assert ("integrated over the plane" in told) == exact


def test_a_mean_has_the_standard_error_of_a_mean() -> None:
    values = np.random.default_rng(0).normal(3.0, 2.0, 10_000)
    mean = Mean.of(values)
    assert mean.value == pytest.approx(3.0, abs=0.1)
    assert mean.standard_error == pytest.approx(0.02, rel=0.05)
    assert Mean.of(values[:1]).standard_error is None
