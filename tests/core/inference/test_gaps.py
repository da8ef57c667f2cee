from typing import Any

import numpy as np
import pytest
import torch

from core.config import DataConfig, ModelConfig
from core.data.binarisation import seen_by_model
from core.findings.fitting import Gaps
from core.inference.fixed_decoder import FixedDecoder, frozen_vae
from core.inference.gaps import PIECE_IMAGES, gap_steps
from core.inference.gaussians import Gaussians
from core.inference.importance import importance_estimate
from core.snapshots import Split, Weights, frozen
from tests.core.inference.linear_gaussian import LinearGaussian
from tests.core.tiny_models import random_weights, tiny_config

Array = np.ndarray[Any, np.dtype[np.float64]]
DATA = DataConfig(source="shapes", binarisation="fixed")


def _split(count: int = 20) -> Split:
    pictures = np.random.default_rng(1).integers(0, 256, (count, 6, 5)).astype(np.uint8)
    return Split(frozen(pictures), None)


def _measured(config: ModelConfig, weights: Weights, count: int | None = None) -> tuple[Gaps, list[int]]:
    found = [gaps for gaps in gap_steps(config, weights, _split(), DATA, count) if gaps is not None]
    return found[-1], [len(gaps) for gaps in found]


def _brute_force(config: ModelConfig, weights: Weights, indices: np.ndarray[Any, Any]) -> Array:
    """Return log p(x) of each image as a sum over 240² codes."""
    model = frozen_vae(config, weights).double()
    axis = (torch.arange(240, dtype=torch.float64) + 0.5) / 240 * 14.0 - 7.0
    codes = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), dim=-1).reshape(-1, 2)
    log_prior = torch.distributions.Normal(0.0, 1.0).log_prob(codes).sum(dim=1)  # type: ignore[no-untyped-call]
    x = torch.from_numpy(seen_by_model(_split().images[indices], indices, DATA)).double()
    logits = model.generative(codes)
    likelihood = torch.distributions.Bernoulli(logits=logits)
    nats = torch.stack([likelihood.log_prob(row).sum(dim=1) for row in x])  # type: ignore[no-untyped-call]
    result: Array = ((nats + log_prior).logsumexp(dim=1) + 2.0 * np.log(14.0 / 240)).numpy()
    return result


@pytest.mark.parametrize("posterior", ["factorised", "full"])
def test_both_gaps_are_what_lies_between_the_brute_force_evidence_and_the_encoder(posterior: str) -> None:
    config = tiny_config(posterior=posterior)
    weights = random_weights(config, seed=4, scale=1.4)
    gaps, sizes = _measured(config, weights)
    assert sizes == [PIECE_IMAGES, 2 * PIECE_IMAGES, 20]
    assert sorted(gaps.indices) == list(range(20))
    np.testing.assert_allclose(gaps.log_px, _brute_force(config, weights, gaps.indices), atol=1e-3)
    assert (gaps.approximation >= -1e-3).all()
    assert (gaps.amortisation >= 0.0).all()
    assert gaps.amortisation.mean() > 0.1
    np.testing.assert_allclose(gaps.elbo + gaps.amortisation + gaps.approximation, gaps.log_px)
    assert gaps.exact
    assert (gaps.family, gaps.wanted, gaps.total, gaps.version) == (posterior, 20, 20, 7)


def test_some_images_are_a_seeded_subset_in_random_order() -> None:
    config = tiny_config()
    gaps, _ = _measured(config, random_weights(config), 9)
    again, _ = _measured(config, random_weights(config), 9)
    assert len(gaps) == gaps.wanted == 9
    assert len(set(gaps.indices.tolist())) == 9
    assert list(gaps.indices) != sorted(gaps.indices)
    np.testing.assert_array_equal(gaps.indices, again.indices)
    np.testing.assert_array_equal(gaps.best_elbo, again.best_elbo)


def test_a_measurement_can_be_given_up_between_any_two_steps() -> None:
    config = tiny_config()
    steps = gap_steps(config, random_weights(config), _split(), DATA)
    assert next(steps) is None
    steps.close()  # type: ignore[attr-defined]
    assert list(steps) == []


def test_above_two_dimensions_log_px_is_an_estimate_with_a_standard_error() -> None:
    config = tiny_config(latent_dim=3, likelihood="gaussian", hidden=(), pixel_std=0.5)
    weights = random_weights(config, seed=4)
    data = DataConfig(source="shapes", binarisation="none")
    *_, gaps = (gaps for gaps in gap_steps(config, weights, _split(8), data) if gaps is not None)
    assert not gaps.exact
    x = seen_by_model(_split(8).images[gaps.indices], gaps.indices, data)
    slope, bias = (weights.arrays[f"decoder.layers.0.{name}"].astype(np.float64) for name in ("weight", "bias"))
    normal = torch.distributions.MultivariateNormal(
        torch.from_numpy(bias), torch.from_numpy(slope @ slope.T + 0.25 * np.eye(30))
    )
    expected = normal.log_prob(torch.from_numpy(x).double()).numpy()  # type: ignore[no-untyped-call]
    assert (np.abs(gaps.log_px - expected) < 4.0 * gaps.log_px_error + 1e-3).all()
    assert (gaps.log_px_error > 0.0).all()


def test_an_importance_estimate_from_the_posterior_itself_is_exact() -> None:
    oracle = LinearGaussian.of(3)
    decoder = FixedDecoder.of(oracle.model, oracle.pixels)
    scale = np.linalg.cholesky(np.linalg.inv(oracle.precision))
    q = Gaussians(torch.from_numpy(oracle.mean), torch.from_numpy(scale).repeat(len(oracle.pixels), 1, 1))
    generator = torch.Generator().manual_seed(0)
    log_px, error, effective = importance_estimate(decoder, (q,), 50, generator)
    np.testing.assert_allclose(log_px, oracle.log_px, atol=1e-8)
    np.testing.assert_allclose(effective, 50.0)
    assert float(error.max()) < 1e-8


def test_an_importance_estimate_from_elsewhere_lies_within_its_error() -> None:
    oracle = LinearGaussian.of(3)
    decoder = FixedDecoder.of(oracle.model, oracle.pixels)
    scale = 1.3 * np.linalg.cholesky(np.linalg.inv(oracle.precision))
    near = Gaussians(torch.from_numpy(oracle.mean), torch.from_numpy(scale).repeat(len(oracle.pixels), 1, 1))
    far = Gaussians(near.mean + 3.0, near.scale)
    log_px, error, effective = importance_estimate(decoder, (near, far), 4000, torch.Generator().manual_seed(0))
    assert (np.abs(log_px.numpy() - oracle.log_px) < 4.0 * error.numpy()).all()
    assert float(effective.max()) < 2500.0


def test_a_model_without_a_prior_has_no_gaps() -> None:
    config = tiny_config(model="autoencoder")
    with pytest.raises(ValueError, match="needs a prior over codes"):
        next(iter(gap_steps(config, random_weights(config), _split(), DATA)))
