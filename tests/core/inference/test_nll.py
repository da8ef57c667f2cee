import math
from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from torch.distributions import Normal

from core.config import DataConfig, ModelConfig
from core.data.binarisation import seen_by_model
from core.findings.nll import HeldOutNll
from core.inference import nll as nll_module
from core.inference.coders import make_coder
from core.inference.nll import held_out_nll, importance_weighted
from core.inference.steps import completed
from core.models.build import build_model, load_weights
from core.models.made import Made
from core.models.vae import Vae
from core.shapes import Pixels
from core.snapshots import Split, Weights, frozen
from tests.core.tiny_models import random_weights, tiny_config

DATA = DataConfig(binarisation="dynamic", data_seed=3)


@pytest.fixture(scope="module")
def split() -> Split:
    generator = np.random.default_rng(0)
    return Split(frozen(generator.integers(0, 256, (40, 6, 5)), np.uint8), None)


def _found(config: ModelConfig, weights: Weights, split: Split, data: DataConfig = DATA, **options: Any) -> HeldOutNll:
    shares: list[float] = []
    found = completed(held_out_nll(config, weights, split, data, **options), shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    return found


def _vae(config: ModelConfig, weights: Weights) -> Vae:
    model = build_model(config, None)
    load_weights(model, weights.arrays)
    assert isinstance(model, Vae)
    return model


def _integrated(config: ModelConfig, weights: Weights, x: Pixels) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return log p(x) by a sum over a fixed fine grid, decoder and densities by torch in float64."""
    model = _vae(config, weights).double()
    axis = torch.linspace(-8.0, 8.0, {1: 4001, 2: 401}[config.latent_dim], dtype=torch.float64)
    step = float(axis[1] - axis[0])
    codes = torch.cartesian_prod(*[axis] * config.latent_dim).reshape(-1, config.latent_dim)
    prior = Normal(0.0, 1.0).log_prob(codes).sum(dim=1)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        parameters = model.generative(codes)
        rows = []
        for image in torch.from_numpy(x).double():
            log_likelihood = model.likelihood.log_prob(image.expand(len(codes), -1), parameters)
            rows.append(float((log_likelihood + prior).logsumexp(dim=0)) + config.latent_dim * math.log(step))
    return np.array(rows)


@pytest.mark.parametrize("latent_dim", [1, 2])
@pytest.mark.parametrize("posterior", ["factorised", "full"])
def test_up_to_two_dimensions_are_integrated(split: Split, latent_dim: int, posterior: str) -> None:
    config = tiny_config(latent_dim=latent_dim, posterior=posterior)
    weights = random_weights(config, 1, scale=1.5)
    found = _found(config, weights, split)
    exact = _integrated(config, weights, seen_by_model(split.images, np.arange(40), DATA))
    np.testing.assert_allclose(-found.per_image, exact, atol=1e-3)
    assert found.nll == pytest.approx(-exact.mean(), abs=1e-3)
    assert found.standard_error == pytest.approx(exact.std(ddof=1) / 40**0.5, rel=1e-3)
    assert found.error_bar is not None
    assert found.error_bar <= 2e-3
    assert found.how == "exact (quadrature)"
    assert "difference of two resolutions" in found.sentence
    assert (found.num_images, found.of_images, found.split, found.version) == (40, 40, "held_out", 7)


def test_an_autoregressive_model_s_probabilities_of_all_pictures_sum_to_one() -> None:
    config = tiny_config(model="made", image_height=3, image_width=3)
    every = np.array(list(product([0, 255], repeat=9)), np.uint8).reshape(-1, 3, 3)
    data = DataConfig(binarisation="threshold")
    found = _found(config, random_weights(config), Split(frozen(every), None), data)
    assert np.exp(-found.per_image).sum() == pytest.approx(1.0, abs=1e-5)
    assert (found.how, found.is_estimate, found.error_bar) == ("exact (product)", False, None)
    model = build_model(config, None)
    load_weights(model, random_weights(config).arrays)
    assert isinstance(model, Made)


@pytest.mark.parametrize("posterior", ["factorised", "full"])
def test_importance_weights_come_to_the_integral(split: Split, posterior: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nll_module, "CHUNK_SAMPLES", 700)
    config = tiny_config(posterior=posterior)
    weights = random_weights(config, 1, scale=0.7)
    x = seen_by_model(split.images[:4], np.arange(4), DATA)
    log_px, sizes = completed(importance_weighted(make_coder(config, weights), x, 20_000))
    # The standard error of a mean of weights is at most the root of 1 / their effective number.
    assert (sizes > 1600).all()
    np.testing.assert_allclose(log_px, _integrated(config, weights, x), atol=0.1)


def test_one_sample_is_the_bound_and_more_raise_it(split: Split) -> None:
    config = tiny_config(latent_dim=4)
    weights = random_weights(config, 1, scale=1.5)
    vae = _vae(config, weights)
    x = torch.from_numpy(seen_by_model(split.images, np.arange(40), DATA))
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        posterior = vae.inference(x)
        bounds = torch.stack(
            [
                vae.likelihood.log_prob(x, vae.generative(z)) + vae.prior.log_prob(z) - posterior.log_prob(z)
                for z in (posterior.rsample(generator) for _ in range(200))
            ]
        )
    one = np.mean([_found(config, weights, split, num_samples=1, seed=seed).nll for seed in range(20)])
    error = float(bounds.mean(dim=1).std()) * (1 / 200 + 1 / 20) ** 0.5
    assert one == pytest.approx(-float(bounds.mean()), abs=4.0 * error)
    nats = [_found(config, weights, split, num_samples=count).nll for count in (1, 10, 1000)]
    assert nats == sorted(nats, reverse=True)
    found = _found(config, weights, split, num_samples=1000)
    assert found.is_estimate
    assert found.how == "IWAE-1,000 estimate"
    assert "lower bound" in found.sentence
    assert found.effective_samples is not None
    assert 1.0 <= found.effective_samples <= 1000.0


def test_a_subset_is_stated_and_is_the_same_for_every_model(split: Split) -> None:
    config = tiny_config(latent_dim=3)
    found = _found(config, random_weights(config), split, limit=10, num_samples=5)
    assert (found.num_images, found.of_images, len(found.per_image)) == (10, 40, 10)
    again = _found(config, random_weights(config), split, limit=10, num_samples=5)
    np.testing.assert_array_equal(found.per_image, again.per_image)


def test_greys_under_a_bernoulli_likelihood_are_marked(split: Split) -> None:
    config = tiny_config(latent_dim=3)
    grey = DataConfig(binarisation="none")
    assert not _found(config, random_weights(config), split, grey, num_samples=2).likelihood_normalised
    assert _found(config, random_weights(config), split, num_samples=2).likelihood_normalised


def test_what_has_no_log_p_is_refused_with_the_reason(split: Split) -> None:
    config = tiny_config(model="autoencoder")
    with pytest.raises(ValueError, match="no prior"):
        next(held_out_nll(config, random_weights(config), split, DATA))
    config = tiny_config()
    with pytest.raises(ValueError, match="no images"):
        next(held_out_nll(config, random_weights(config), split, DATA, limit=0))
    with pytest.raises(ValueError, match="at least 1, not 0"):
        next(importance_weighted(make_coder(config, random_weights(config)), np.zeros((1, 30), np.float32), 0))
