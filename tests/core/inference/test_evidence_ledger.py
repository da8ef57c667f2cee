import math

import numpy as np
import pytest
import torch

from core.compatibility import data_for
from core.data.binarisation import seen_by_model
from core.data.mnist import quick_look_at_mnist
from core.inference.coders import make_coder
from core.inference.evidence.decoding import NodeDecoder
from core.inference.evidence.expectations import even_nodes
from core.inference.evidence.importance import CellMixture, defensive_estimate
from core.inference.evidence.ledgers import estimated_ledger, evidence_of, ledger, ledger_of_split
from core.inference.evidence.table import EvidenceTable
from core.inference.quadrature import product_rule
from core.storage.model_file import load_model
from resources import resource
from tests.core.inference.evidence_models import (
    brute_force,
    exact_log_px,
    exact_posterior,
    linear_gaussian,
    pictures_of_model,
    table_of,
    with_narrow_q,
)
from tests.core.tiny_models import random_weights, tiny_config


@pytest.mark.parametrize("posterior", ["factorised", "full"])
@pytest.mark.parametrize("latent_dim", [1, 2])
def test_every_term_of_a_linear_gaussian_model_has_its_closed_form(latent_dim: int, posterior: str) -> None:
    config = tiny_config(hidden=(), likelihood="gaussian", pixel_std=0.5, latent_dim=latent_dim, posterior=posterior)
    weights = random_weights(config, seed=3)
    table = table_of(config, weights)
    pixels = pictures_of_model(config, weights, 4)
    for row, log_px in enumerate(exact_log_px(config, weights, pixels)):
        picture = pixels[row : row + 1]
        found = ledger(table, picture, tolerance=1e-6)
        encoded = table.coder.encode(picture)
        q = _normal(encoded.mean[0], encoded.scale[0] @ encoded.scale[0].T)
        p = _normal(*exact_posterior(config, weights, pixels[row]))
        prior = _normal(np.zeros(latent_dim), np.eye(latent_dim))
        kl_to_posterior = float(torch.distributions.kl_divergence(q, p))
        assert found.log_px == pytest.approx(log_px, abs=1e-6)
        assert found.kl_to_posterior == pytest.approx(kl_to_posterior, abs=1e-4, rel=3e-7)
        assert found.kl_to_prior == pytest.approx(
            float(torch.distributions.kl_divergence(q, prior)), abs=1e-4, rel=3e-7
        )
        assert found.elbo == pytest.approx(log_px - kl_to_posterior, abs=1e-4, rel=3e-7)
        assert found.residual == pytest.approx(0.0, abs=1e-4 + 3e-7 * abs(log_px - kl_to_posterior))
        assert not found.is_estimate
        assert not found.undefined_reason


def _normal(mean: np.ndarray, covariance: np.ndarray) -> torch.distributions.MultivariateNormal:
    return torch.distributions.MultivariateNormal(
        torch.from_numpy(np.asarray(mean, np.float64)), torch.from_numpy(np.asarray(covariance, np.float64))
    )


@pytest.mark.parametrize("likelihood", ["bernoulli", "categorical", "continuous_bernoulli"])
def test_the_identity_holds_for_one_picture_and_for_many(likelihood: str) -> None:
    config = tiny_config(likelihood=likelihood)
    weights = with_narrow_q(config, random_weights(config, seed=1, scale=2.0))
    table = table_of(config, weights)
    pixels = pictures_of_model(config, weights, 12)
    evidence = evidence_of(table, pixels)
    assert evidence is not None
    many = ledger_of_split(table, pixels, evidence)
    assert many is not None
    assert np.abs(many.residual).max() <= 1e-3
    assert (many.kl_to_posterior >= -1e-3).all()
    for row in range(3):
        one = ledger(table, pixels[row : row + 1])
        quick = ledger(table, pixels[row : row + 1], refined=False)
        assert one.residual is not None
        assert abs(one.residual) <= 1e-3
        assert one.elbo == pytest.approx(many.elbo[row], abs=1e-4)
        assert one.kl_to_posterior == pytest.approx(many.kl_to_posterior[row], abs=2e-3)
        assert quick.elbo == pytest.approx(many.elbo[row], abs=0.2)
        assert quick.log_px is not None
        assert quick.error_bar is not None
        assert abs(quick.log_px - many.log_px[row]) <= quick.error_bar + 1e-3


def test_the_residual_tells_of_a_wrong_evidence() -> None:
    # The planted fault: had the quadrature missed a tenth of the mass, the identity would say so.
    config = tiny_config()
    weights = with_narrow_q(config, random_weights(config, seed=1, scale=2.0))
    table = table_of(config, weights)
    pixels = pictures_of_model(config, weights, 4)
    evidence = evidence_of(table, pixels)
    assert evidence is not None
    wrong = type(evidence)(
        evidence.log_px + math.log(0.9), evidence.second_log_px, evidence.error_bar, evidence.tolerance, 1
    )
    found = ledger_of_split(table, pixels, wrong)
    assert found is not None
    assert (np.abs(found.residual) > 0.1).all()


def test_a_wide_q_is_averaged_over_as_finely_as_it_needs() -> None:
    config = tiny_config(hidden=(9,))
    weights = random_weights(config, seed=1, scale=2.0)
    table = table_of(config, weights)
    pixels = pictures_of_model(config, weights, 2)
    assert (np.linalg.norm(table.coder.encode(pixels).scale, axis=2) > 1.0).any()
    for row in range(2):
        found = ledger(table, pixels[row : row + 1])
        assert found.residual is not None
        assert abs(found.residual) <= 2e-3


def test_both_rules_under_q_are_averages_of_a_standard_normal() -> None:
    for latent_dim in (1, 2):
        for nodes, shares in (product_rule(latent_dim, 12), even_nodes(latent_dim, 6.0, 0.6)):
            assert shares.sum() == pytest.approx(1.0)
            np.testing.assert_allclose(shares @ nodes, 0.0, atol=1e-12)
            np.testing.assert_allclose((nodes * shares[:, None]).T @ nodes, np.eye(latent_dim), atol=1e-6)
            np.testing.assert_allclose(shares @ nodes**4, 3.0, atol=1e-5)


def test_the_defensive_estimate_agrees_with_the_quadrature_and_with_brute_force() -> None:
    config = tiny_config()
    weights = random_weights(config, seed=1, scale=3.0)
    table = table_of(config, weights)
    pixels = pictures_of_model(config, weights, 20)
    integrals, cells = table.integrals(pixels, keep=True)
    exact = brute_force(config, weights, pixels, 512)
    for row in range(len(pixels)):
        found = defensive_estimate(table, pixels[row : row + 1], 10_000, seed=row, cells=cells, image=row)
        assert abs(found.log_px - integrals.log_z[row]) <= 4.0 * found.standard_error
        assert abs(found.log_px - exact[row]) <= 4.0 * found.standard_error
        assert found.standard_error < 0.05
        assert found.effective_sample_size > 2_000
    alone = defensive_estimate(table, pixels[:1])
    assert abs(alone.log_px - exact[0]) <= 4.0 * alone.standard_error


def test_a_mixture_of_cells_samples_from_its_density() -> None:
    config = tiny_config()
    weights = random_weights(config, seed=1, scale=3.0)
    table = table_of(config, weights)
    _, cells = table.integrals(pictures_of_model(config, weights, 1), keep=True)
    mixture = CellMixture(table.lattice, cells)
    codes = mixture.sample(4000, np.random.default_rng(0))
    # E_m[1 / m(z)] is the area of the cells, whatever the masses are.
    area = sum(
        part.pairs.values.size * table.lattice.step_at(part.level) ** 2
        for part in cells
        if part.pairs.values is not None
    )
    inverse = 1.0 / mixture.density(codes)
    assert np.isfinite(inverse).all()
    assert inverse.mean() <= area * 1.5
    assert (mixture.density(np.full((3, 2), 1e6)) == 0.0).all()


def test_an_estimate_is_that_of_the_closed_form_within_its_error() -> None:
    config, weights = linear_gaussian(latent_dim=3, pixel_std=1.0, scale=0.5)
    coder = make_coder(config, weights)
    pixels = pictures_of_model(config, weights, 10)
    for row, expected in enumerate(exact_log_px(config, weights, pixels)):
        found = estimated_ledger(coder, pixels[row : row + 1], 4000, seed=row)
        assert found.is_estimate
        assert found.log_px is not None
        assert found.standard_error is not None
        assert abs(found.log_px - expected) <= 4.0 * found.standard_error + 1e-4
        assert found.effective_sample_size is not None
        assert 1.0 <= found.effective_sample_size <= found.num_samples == 4000
        assert found.residual is None
        assert found.error_bar is None


def test_importance_weighted_bounds_are_not_above_the_evidence_on_average() -> None:
    config = tiny_config()
    weights = random_weights(config, seed=1, scale=3.0)
    table = table_of(config, weights)
    pixels = pictures_of_model(config, weights, 60)
    evidence = evidence_of(table, pixels)
    assert evidence is not None
    for num_samples in (1, 5, 50):
        bounds = [estimated_ledger(table.coder, pixels[row : row + 1], num_samples, row).log_px for row in range(60)]
        gaps = np.array(bounds, np.float64) - evidence.log_px
        assert gaps.mean() <= 4.0 * gaps.std(ddof=1) / 60**0.5 * (num_samples > 1)


@pytest.mark.parametrize(
    ("model", "word"), [("autoencoder", "no distribution of codes"), ("sparse_autoencoder", "p\\(x\\)")]
)
def test_what_is_not_defined_says_why(model: str, word: str) -> None:
    config = tiny_config(model=model)
    coder = make_coder(config, random_weights(config))
    found = estimated_ledger(coder, np.zeros((1, config.num_pixels), np.float32))
    assert found.log_px is None
    assert found.elbo is None
    assert pytest.importorskip("re").search(word, found.undefined_reason)
    assert found.undefined_reason.endswith(".")


def test_log_joints_of_many_pictures_are_those_of_each() -> None:
    config = tiny_config(likelihood="gaussian")
    decoder = NodeDecoder(config, random_weights(config))
    generator = np.random.default_rng(0)
    codes = generator.standard_normal((5, 7, 2))
    statistics = decoder.statistics(generator.random((5, config.num_pixels), np.float32))
    together = decoder.log_joint(codes, statistics)
    for row in range(5):
        alone = decoder.log_joint(codes[row : row + 1], statistics[row : row + 1])
        np.testing.assert_allclose(together[row], alone[0], rtol=1e-12)


@pytest.mark.slow
def test_the_shipped_model_keeps_its_promises_on_digits() -> None:
    saved = load_model(resource("models", "mnist-2d.safetensors"))
    config, weights = saved.config.model, saved.as_weights(1)
    images = quick_look_at_mnist(saved.config.data).held_out.images[:50]
    pixels = seen_by_model(images, np.arange(50), data_for(saved.config.data, config))
    table = EvidenceTable.build(config, weights, make_coder(config, weights).encode(pixels).mean)
    assert table is not None
    assert table.memory_bytes <= 300e6
    integrals, cells = table.integrals(pixels, keep=True)
    evidence = evidence_of(table, pixels)
    assert evidence is not None
    split = ledger_of_split(table, pixels, evidence)
    assert split is not None
    assert (evidence.error_bar <= 1e-3).all()
    assert (np.abs(evidence.log_px - evidence.second_log_px) <= 1e-3).all()
    assert np.abs(split.residual).max() <= 1e-3
    assert (split.elbo <= evidence.log_px + 1e-3).all()
    held = within = 0
    for row in range(50):
        quick, _ = table.quick(pixels[row : row + 1])
        held += abs(quick.log_px - evidence.log_px[row]) <= quick.error_bar + 1e-3
        estimate = defensive_estimate(table, pixels[row : row + 1], 1000, row, cells=cells, image=row)
        within += abs(estimate.log_px - integrals.log_z[row]) <= 4.0 * estimate.standard_error
    assert held >= 49
    assert within >= 49
