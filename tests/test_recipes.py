"""The recipes for published figures: their rows, their page, their estimates and a whole small one."""

import math
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.recipes import __main__ as runner
from benchmarks.recipes.definitions import IWAE, RECIPES, VAE, Recipe
from benchmarks.recipes.evidence import encoded, log_evidence
from benchmarks.recipes.local import elbo, fit
from benchmarks.recipes.planar import elbo as hermite_elbo
from benchmarks.recipes.planar import integrate, planar_gaps
from benchmarks.recipes.row import Figure, Row, keep_rows, read_rows
from benchmarks.recipes.surgery import surgical_terms
from benchmarks.recipes.table import page
from benchmarks.recipes.training import command_line, configured, train
from core.cli.arguments import changed_settings, make_parser
from core.compatibility import check_experiment
from core.config import DataConfig, ExperimentConfig, ModelConfig
from core.data.dataset import Dataset
from core.data.sources import load_dataset
from core.models.build import build_model
from core.models.vae import Vae
from core.probability.posteriors import FactorisedGaussian
from core.snapshots import Split

ROW = Row(
    recipe="vae",
    title="VAE, k = 1",
    source="Burda et al. 2015",
    full=False,
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
    assert "| as published |" in page([replace(ROW, full=True)])


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


# ---- estimates -----------------------------------------------------------------------------------------------------


@pytest.fixture
def one_dimension() -> tuple[Vae, torch.Tensor]:
    """Return a model with one latent dimension and some x, small enough for brute force."""
    config = ModelConfig(latent_dim=1, hidden=(6,), image_height=3, image_width=3, activation="tanh")
    model = build_model(config, torch.Generator().manual_seed(0)).requires_grad_(requires_grad=False)
    assert isinstance(model, Vae)
    for parameter in model.decoder.parameters():
        parameter.mul_(2.0)
    x = torch.bernoulli(torch.full((4, 9), 0.5), generator=torch.Generator().manual_seed(1))
    return model, x


GRID = torch.linspace(-8.0, 8.0, 4_001)


def joint_on_grid(model: Vae, x: torch.Tensor) -> torch.Tensor:
    """Return log p(x, z) of each image at each node."""
    logits = model.generative(GRID[:, None])
    likelihood: torch.Tensor = torch.distributions.Bernoulli(logits=logits[None]).log_prob(x[:, None, :])  # type: ignore[no-untyped-call]
    prior: torch.Tensor = torch.distributions.Normal(0.0, 1.0).log_prob(GRID)  # type: ignore[no-untyped-call]
    return likelihood.sum(dim=2) + prior


def elbo_on_grid(joint: torch.Tensor, mean: torch.Tensor, log_var: torch.Tensor) -> torch.Tensor:
    """Return E_q[log p(x, z) - log q(z)] by the trapezium rule."""
    q = torch.distributions.Normal(mean[:, None], (0.5 * log_var[:, None]).exp())
    log_q: torch.Tensor = q.log_prob(GRID)  # type: ignore[no-untyped-call]
    return torch.trapezoid(log_q.exp() * (joint - log_q), GRID)


def test_the_bound_of_many_samples_is_the_integral(one_dimension: tuple[Vae, torch.Tensor]) -> None:
    model, x = one_dimension
    exact = torch.trapezoid(joint_on_grid(model, x).exp(), GRID).log()
    found = log_evidence(model, x, encoded(model, x), 20_000, torch.Generator().manual_seed(2))
    torch.testing.assert_close(found, exact, atol=0.02, rtol=0.0)


def test_the_elbo_of_a_given_posterior_is_its_integral(one_dimension: tuple[Vae, torch.Tensor]) -> None:
    model, x = one_dimension
    q = encoded(model, x)
    expected = elbo_on_grid(joint_on_grid(model, x), q.mean[:, 0], q.log_var[:, 0])
    found = elbo(model, x, q, torch.Generator().manual_seed(3), 20_000)
    torch.testing.assert_close(found, expected, atol=0.03, rtol=0.0)


def test_no_posterior_of_the_family_is_better_than_the_fitted_one(one_dimension: tuple[Vae, torch.Tensor]) -> None:
    model, x = one_dimension
    joint = joint_on_grid(model, x)
    fitted = fit(model, x, encoded(model, x), torch.Generator().manual_seed(4), 500)
    reached = elbo_on_grid(joint, fitted.mean[:, 0], fitted.log_var[:, 0])
    best = torch.full((len(x),), -math.inf)
    for mean in torch.linspace(-2.0, 2.0, 21):
        for log_var in torch.linspace(-2.5, 0.5, 16):
            best = torch.maximum(best, elbo_on_grid(joint, mean.expand(len(x)), log_var.expand(len(x))))
    assert bool((reached > best - 0.02).all())
    assert bool((reached < torch.trapezoid(joint.exp(), GRID).log()).all())


@pytest.fixture
def plane() -> tuple[Vae, torch.Tensor]:
    """Return a model with two latent dimensions and some x."""
    config = ModelConfig(latent_dim=2, hidden=(5,), image_height=2, image_width=2, activation="tanh")
    model = build_model(config, torch.Generator().manual_seed(8)).requires_grad_(requires_grad=False)
    assert isinstance(model, Vae)
    for parameter in model.decoder.parameters():
        parameter.mul_(3.0)
    return model, torch.tensor([[0.0, 1.0, 1.0, 0.0], [1.0, 1.0, 1.0, 1.0]])


def test_all_pictures_together_have_probability_one(plane: tuple[Vae, torch.Tensor]) -> None:
    model, _ = plane
    every = torch.tensor([[float(number >> pixel & 1) for pixel in range(4)] for number in range(16)])
    found = integrate(model, every, 256)
    assert float(found.log_evidence.exp().sum()) == pytest.approx(1.0, abs=1e-5)
    assert found.resolution_error < 1e-4


def test_the_gaps_of_a_plane_are_those_of_brute_force(plane: tuple[Vae, torch.Tensor]) -> None:
    model, x = plane
    found, _ = planar_gaps(model, x, torch.Generator().manual_seed(9), 256)
    exact = integrate(model, x, 256).log_evidence
    many = torch.Generator().manual_seed(10)
    start = encoded(model, x)
    assert found.elbo.value == pytest.approx(float(elbo(model, x, start, many, 40_000).mean()), abs=0.02)
    best = torch.full((len(x),), -math.inf)
    noise = torch.Generator().manual_seed(11)
    for _ in range(200):
        mean = torch.randn(len(x), 2, generator=noise)
        log_var = torch.rand(len(x), 2, generator=noise) * 2.0 - 2.0
        best = torch.maximum(best, hermite_elbo(model, x, FactorisedGaussian(mean, log_var), 8))
    assert 0.0 <= found.approximation.value <= float((exact - best).mean()) + 1e-3
    assert found.approximation.value + found.amortisation.value == pytest.approx(
        found.log_evidence.value - found.elbo.value, abs=1e-4
    )


def test_mutual_information_and_marginal_kl_add_up_to_the_mean_kl(few_shapes: Dataset) -> None:
    settings = tiny(RECIPES["surgery"]).all_settings(full=False)
    saved = train(configured("shapes", settings), few_shapes, print).saved
    found, told = surgical_terms(saved, few_shapes.held_out, 0)
    total = found["mutual information"].value + found["marginal KL"].value
    assert total == pytest.approx(found["mean KL"].value, abs=1e-4)
    assert "capped at ln N = 3.00" in told


# ---- a whole one ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def few_shapes() -> Dataset:
    """Return a few pictures of the procedural shapes."""
    whole = load_dataset(DataConfig(source="shapes"))
    assert whole.train.labels is not None
    assert whole.held_out.labels is not None
    train_half = Split(whole.train.images[:300], whole.train.labels[:300])
    held_out = Split(whole.held_out.images[:20], whole.held_out.labels[:20])
    return replace(whole, train=train_half, held_out=held_out)


def tiny(recipe: Recipe) -> Recipe:
    """Return a recipe that takes a moment."""
    settings = ("epochs=1", "hidden=8", "batch_size=50")
    return replace(recipe, short=replace(recipe.short, settings=settings, num_images=4))


@pytest.mark.parametrize("name", ["vae", "iwae", "made", "surgery"])
def test_a_recipe_trains_measures_and_keeps_its_model(name: str, few_shapes: Dataset, tmp_path: Path) -> None:
    recipe = tiny(RECIPES[name])
    rows = runner.run(recipe, few_shapes, full=False, models=tmp_path)
    assert {figure.name for row in rows for figure in row.figures} >= set(recipe.published)
    assert all(math.isfinite(figure.value) for row in rows for figure in row.figures)
    assert all(row.num_train == 300 and row.seed == 1 and not row.full for row in rows)
    again = runner.run(recipe, few_shapes, full=False, models=tmp_path)
    assert [row.figures for row in again] == [row.figures for row in rows]
    assert [row.training_seconds for row in again] == [row.training_seconds for row in rows]


def test_training_by_a_recipe_is_reproducible(few_shapes: Dataset) -> None:
    config = configured("shapes", tiny(VAE).all_settings(full=False))
    one, other = (train(config, few_shapes, print).saved.weights for _ in range(2))
    assert all(np.array_equal(one[name], other[name]) for name in one)
