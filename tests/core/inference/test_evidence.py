import math

import numpy as np
import pytest
import torch

from core.findings.evidence import PosteriorMap
from core.inference.array_likelihoods import ARRAY_LIKELIHOODS
from core.inference.evidence.decoding import NodeDecoder
from core.inference.evidence.families import FAMILIES
from core.inference.evidence.ledgers import evidence_of
from core.inference.evidence.table import MOST_BYTES, EvidenceTable
from tests.core.inference.evidence_models import (
    Array,
    brute_force,
    double_model,
    exact_log_px,
    exact_posterior,
    linear_gaussian,
    log_prob,
    pictures_of_model,
    table_of,
)
from tests.core.tiny_models import random_weights, tiny_config

LIKELIHOODS = [
    {"likelihood": "bernoulli"},
    {"likelihood": "categorical"},
    {"likelihood": "continuous_bernoulli"},
    {"likelihood": "gaussian", "pixel_std": 0.3},
    {"likelihood": "gaussian", "variance": "global"},
    {"likelihood": "gaussian", "variance": "per_pixel"},
]


def _name(values: dict[str, object]) -> str:
    return "-".join(str(value) for value in values.values())


@pytest.mark.parametrize("values", LIKELIHOODS, ids=_name)
def test_the_families_are_the_likelihoods(values: dict[str, object]) -> None:
    config = tiny_config(**values)
    weights = random_weights(config, scale=1.5)
    decoder = NodeDecoder(config, weights)
    pixels = pictures_of_model(config, weights, 6)
    codes = np.random.default_rng(4).standard_normal((6, 2))
    log_joint = decoder.log_joint(codes[:, None, :], decoder.statistics(pixels))[:, 0] + decoder.base(pixels)
    model = double_model(config, weights)
    parameters = model.generative(torch.from_numpy(codes))
    log_likelihood = model.likelihood.log_prob(torch.from_numpy(pixels).double(), parameters)
    log_prior = log_prob(torch.distributions.Normal(0.0, 1.0), torch.from_numpy(codes)).sum(dim=1)
    expected = (log_likelihood + log_prior).numpy()
    np.testing.assert_allclose(log_joint, expected, rtol=1e-6, atol=2e-5)


def test_every_likelihood_has_its_family() -> None:
    assert set(FAMILIES.names) == set(ARRAY_LIKELIHOODS.names)


@pytest.mark.parametrize("latent_dim", [1, 2])
@pytest.mark.parametrize("pixel_std", [0.5, 0.02])
def test_a_linear_gaussian_model_has_its_closed_form(latent_dim: int, pixel_std: float) -> None:
    config, weights = linear_gaussian(latent_dim, pixel_std)
    table = table_of(config, weights)
    pixels = pictures_of_model(config, weights, 5)
    for row, expected in enumerate(exact_log_px(config, weights, pixels)):
        evidence, _ = table.refined(pixels[row : row + 1], tolerance=1e-6)
        assert evidence.refined
        assert evidence.error_bar <= 1e-6
        assert evidence.log_px == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("values", LIKELIHOODS, ids=_name)
def test_refined_evidence_is_that_of_a_grid_of_1024_by_1024(values: dict[str, object]) -> None:
    config = tiny_config(**values)
    weights = random_weights(config, seed=1, scale=2.0)
    table = table_of(config, weights)
    pixels = pictures_of_model(config, weights, 1)
    for row, expected in enumerate(brute_force(config, weights, pixels)):
        evidence, _ = table.refined(pixels[row : row + 1])
        assert evidence.log_px == pytest.approx(expected, abs=1e-3)
        assert evidence.error_bar <= 1e-3


def test_one_latent_dimension_is_a_line() -> None:
    config = tiny_config(latent_dim=1)
    weights = random_weights(config, scale=3.0)
    table = table_of(config, weights)
    pixels = pictures_of_model(config, weights, 4)
    for row, expected in enumerate(brute_force(config, weights, pixels, 2**16)):
        for evidence, seen in (table.quick(pixels[row : row + 1]), table.refined(pixels[row : row + 1])):
            assert evidence.log_px == pytest.approx(expected, abs=1e-3)
            assert seen.density.shape[0] == len(seen.low) == len(seen.high) == 1
            assert float(seen.density.sum(dtype=np.float64)) * seen.step == pytest.approx(1.0, abs=1e-5)


def test_a_narrow_posterior_is_found_where_a_fixed_grid_fails() -> None:
    config = tiny_config(hidden=(9,))
    weights = random_weights(config, seed=2, scale=8.0)
    table = table_of(config, weights)
    pixels = pictures_of_model(config, weights, 12)
    expected = brute_force(config, weights, pixels)
    fixed = brute_force(config, weights, pixels, 64)
    assert np.abs(fixed - expected).max() > 0.1
    for row in range(len(pixels)):
        evidence, _ = table.refined(pixels[row : row + 1])
        assert evidence.log_px == pytest.approx(float(expected[row]), abs=1e-3)


def test_error_bars_hold_what_they_promise() -> None:
    config = tiny_config()
    weights = random_weights(config, seed=5, scale=3.0)
    table = table_of(config, weights)
    likely = pictures_of_model(config, weights, 20)
    unlikely = (np.random.default_rng(0).random((20, config.num_pixels)) < 0.5).astype(np.float32)
    pixels = np.concatenate([likely, unlikely])
    for row, expected in enumerate(brute_force(config, weights, pixels)):
        quick, _ = table.quick(pixels[row : row + 1])
        refined, _ = table.refined(pixels[row : row + 1])
        assert abs(quick.log_px - expected) <= quick.error_bar + 1e-3
        assert abs(refined.log_px - expected) <= refined.error_bar + 1e-4
        assert refined.error_bar <= 1e-3
    assert not quick.refined


def test_screening_tells_what_it_leaves_out() -> None:
    # A posterior about as wide as the prior holds mass at far more nodes than are computed exactly.
    config = tiny_config()
    weights = random_weights(config, scale=0.3)
    table = table_of(config, weights, 2**16)
    pixels = pictures_of_model(config, weights, 3)
    for row, expected in enumerate(brute_force(config, weights, pixels, 512)):
        quick, _ = table.quick(pixels[row : row + 1])
        assert quick.num_nodes < table.lattice.num_nodes / 8
        assert abs(quick.log_px - expected) <= quick.error_bar + 1e-4
        assert quick.error_bar < 0.3


def test_mass_beyond_the_table_is_followed() -> None:
    config, weights = linear_gaussian(pixel_std=0.1)
    table = table_of(config, weights)
    codes = np.array([[9.0, -8.0], [6.05, 0.0]])
    model = double_model(config, weights)
    pixels = model.likelihood.mean(model.generative(torch.from_numpy(codes))).float().numpy()
    assert max(np.abs(table.lattice.nodes()).max(axis=0)) < 8.0
    for row, expected in enumerate(exact_log_px(config, weights, pixels)):
        evidence, seen = table.refined(pixels[row : row + 1], tolerance=1e-6)
        assert evidence.log_px == pytest.approx(expected, abs=1e-6)
        mean, _ = exact_posterior(config, weights, pixels[row])
        np.testing.assert_allclose(_moments(seen)[0], mean, atol=1e-3)


def test_the_map_is_the_posterior_with_the_second_axis_up() -> None:
    config, weights = linear_gaussian(pixel_std=0.2)
    table = table_of(config, weights)
    pixels = pictures_of_model(config, weights, 3)
    for row in range(3):
        mean, covariance = exact_posterior(config, weights, pixels[row])
        _, seen = table.refined(pixels[row : row + 1])
        found_mean, found_covariance = _moments(seen)
        np.testing.assert_allclose(found_mean, mean, atol=1e-3)
        np.testing.assert_allclose(found_covariance, covariance, rtol=0.02, atol=seen.step**2 / 6)
        assert float(seen.density.sum(dtype=np.float64)) * seen.step**2 == pytest.approx(1.0, abs=1e-5)
        _, quick = table.quick(pixels[row : row + 1])
        np.testing.assert_allclose(_moments(quick)[0], mean, atol=quick.step)
        assert not seen.density.flags.writeable


def _moments(seen: PosteriorMap) -> tuple[Array, Array]:
    """Return mean and covariance of a map, whose first row is at the top."""
    rows, columns = seen.density.shape
    first = seen.low[0] + seen.step * (np.arange(columns) + 0.5)
    second = seen.high[1] - seen.step * (np.arange(rows) + 0.5)
    codes = np.stack(np.broadcast_arrays(first[None, :], second[:, None]), axis=-1).reshape(-1, 2)
    weights = seen.density.ravel().astype(np.float64)
    return np.average(codes, axis=0, weights=weights), np.cov(codes.T, aweights=weights, bias=True)


def test_many_pictures_together_have_what_each_has_alone() -> None:
    config = tiny_config()
    weights = random_weights(config, seed=5, scale=4.0)
    table = table_of(config, weights)
    pixels = pictures_of_model(config, weights, 150)
    shares: list[float] = []
    together = evidence_of(table, pixels, progress=shares.append)
    assert together is not None
    assert (together.error_bar <= 1e-3).all()
    assert (np.abs(together.log_px - together.second_log_px) <= 1e-3).all()
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    for row in range(0, 150, 10):
        alone, _ = table.refined(pixels[row : row + 1])
        assert together.log_px[row] == pytest.approx(alone.log_px, abs=2e-4)
    np.testing.assert_allclose(together.log_px[:4], brute_force(config, weights, pixels[:4]), atol=1e-3)


def test_the_two_lattices_of_a_picture_share_no_node() -> None:
    from core.inference.evidence.lattice import block_offsets, second_offsets  # noqa: PLC0415

    for latent_dim in (1, 2):
        distance = np.abs(block_offsets(latent_dim)[:, None] - second_offsets(latent_dim)).max(axis=2)
        assert distance.min() > 0.05


def test_a_stop_ends_the_building_and_the_refinement() -> None:
    config = tiny_config()
    weights = random_weights(config, seed=5, scale=6.0)
    assert EvidenceTable.build(config, weights, None, lambda: True, most_nodes=2**12) is None
    table = table_of(config, weights, 2**10)
    pixels = pictures_of_model(config, weights, 3)
    stopped, seen = table.refined(pixels[:1], should_stop=lambda: True)
    refined, _ = table.refined(pixels[:1])
    assert stopped.error_bar > refined.error_bar
    assert math.isfinite(stopped.log_px)
    assert np.isfinite(seen.density).all()
    assert evidence_of(table, pixels, should_stop=lambda: True) is None


@pytest.mark.parametrize(
    "values",
    [
        {"image_height": 64, "image_width": 64, "hidden": (4,)},
        {"image_height": 40, "image_width": 40, "hidden": (4,), "likelihood": "categorical", "grey_levels": 16},
        {"image_height": 40, "image_width": 40, "hidden": (4,), "likelihood": "gaussian"},
    ],
    ids=lambda values: values.get("likelihood", "bernoulli"),
)
def test_large_pictures_get_fewer_nodes_rather_than_more_memory(values: dict[str, object]) -> None:
    config = tiny_config(**values)
    table = EvidenceTable.build(config, random_weights(config), None)
    assert table is not None
    assert table.eta.element_size() * table.eta.nelement() <= MOST_BYTES <= 210e6
    assert 0.5 * MOST_BYTES < table.memory_bytes <= 300e6


def test_the_lattice_covers_the_prior_and_the_data() -> None:
    config = tiny_config()
    codes = np.array([[12.0, 0.0], [np.nan, 500.0]], np.float32)
    table = EvidenceTable.build(config, random_weights(config), codes, most_nodes=2**12)
    assert table is not None
    nodes = table.lattice.nodes()
    half = 0.5 * table.lattice.step
    assert (nodes.min(axis=0) - half <= -6.0).all()
    assert (nodes.max(axis=0) + half >= [12.0, 6.0]).all()
    assert nodes.max() < 14.0
    assert table.lattice.num_nodes <= 2**12


@pytest.mark.parametrize("scale", [1e6, 1e18])
@pytest.mark.parametrize("likelihood", FAMILIES.names)
def test_weights_gone_wild_give_a_number_or_none_but_no_warning(likelihood: str, scale: float) -> None:
    config = tiny_config(likelihood=likelihood)
    table = table_of(config, random_weights(config, scale=scale), 2**8)
    pixels = np.round(np.random.default_rng(0).random((2, config.num_pixels))).astype(np.float32)
    for evidence, seen in (table.quick(pixels[:1]), table.refined(pixels[:1])):
        assert not math.isnan(evidence.log_px)
        assert not math.isnan(evidence.error_bar)
        assert np.isfinite(seen.density).all()
    assert evidence_of(table, pixels) is not None


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"latent_dim": 3}, "at most 2 latent dimensions"),
        ({"model": "autoencoder"}, "no distribution of codes"),
        ({"model": "made"}, "no latent code"),
    ],
)
def test_what_cannot_be_integrated_is_refused_with_the_reason(values: dict[str, object], reason: str) -> None:
    config = tiny_config(**values)
    with pytest.raises(ValueError, match=reason):
        EvidenceTable.build(config, random_weights(config), None)
