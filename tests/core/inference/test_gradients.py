from typing import Any

import numpy as np
import pytest
import torch

from core.findings.sampling import GradientNoise
from core.inference.array_posteriors import Factorised, Full
from core.inference.fixed_decoder import frozen_vae
from core.inference.gaussians import product_rule
from core.inference.gradients import gradient_noise_steps, parameter_names, reparameterised
from core.models.vae import Vae
from tests.core.tiny_models import random_weights, tiny_config


def _model(posterior: str, latent_dim: int = 2) -> tuple[Vae, np.ndarray[Any, np.dtype[np.float32]]]:
    config = tiny_config(latent_dim=latent_dim, posterior=posterior)
    weights = random_weights(config, seed=4)
    pixels = (np.random.default_rng(5).random((1, config.num_pixels)) < 0.4).astype(np.float32)
    return frozen_vae(config, weights).double(), pixels


def _noise(posterior: str, latent_dim: int = 2) -> GradientNoise:
    model, pixels = _model(posterior, latent_dim)
    return [found for found in gradient_noise_steps(model, pixels, num_samples=20_000) if found is not None][-1]


def _gradient_by_quadrature(posterior: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the gradient of the ELBO in (μ, log L_jj, L below), by autograd through a rule of 150² nodes."""
    model, pixels = _model(posterior)
    x = torch.from_numpy(pixels).double()
    encoded = model.inference(x)
    mean = encoded.mean[0].clone().requires_grad_()
    log_diagonal = torch.diagonal(encoded.scale[0]).log().requires_grad_()
    below = encoded.scale[0, 1, 0].clone().requires_grad_()
    scale = torch.diag_embed(log_diagonal.exp()) + torch.tensor([[0.0, 0.0], [1.0, 0.0]]).double() * below
    nodes, shares = product_rule(2, 150)
    normal = torch.distributions.MultivariateNormal(mean, scale_tril=scale)
    prior = torch.distributions.MultivariateNormal(torch.zeros(2).double(), torch.eye(2).double())
    likelihood = torch.distributions.Bernoulli(logits=model.generative(mean + nodes @ scale.T))
    nats = likelihood.log_prob(x).sum(dim=1) @ shares  # type: ignore[no-untyped-call]
    elbo = nats - torch.distributions.kl_divergence(normal, prior)
    wanted = [mean, log_diagonal, below] if posterior == "full" else [mean, log_diagonal]
    gradients = torch.autograd.grad(elbo, wanted)
    result: np.ndarray[Any, np.dtype[np.float64]] = torch.cat([part.reshape(-1) for part in gradients]).numpy()
    return result


@pytest.mark.parametrize("posterior", ["factorised", "full"])
def test_both_estimators_have_the_gradient_of_the_elbo_as_their_mean(posterior: str) -> None:
    noise, exact = _noise(posterior), _gradient_by_quadrature(posterior)
    for mean, variance in (
        (noise.pathwise_mean, noise.pathwise_variance),
        (noise.score_mean, noise.score_variance),
        (noise.baseline_mean, noise.baseline_variance),
    ):
        assert (np.abs(mean - exact) < 4.0 * np.sqrt(variance / noise.num_samples)).all()


def test_the_pathwise_estimator_is_the_quieter_and_a_baseline_helps_the_other() -> None:
    noise = _noise("factorised")
    assert noise.ratio == pytest.approx(noise.score_variance.sum() / noise.pathwise_variance.sum())
    assert noise.baseline_ratio == pytest.approx(noise.baseline_variance.sum() / noise.pathwise_variance.sum())
    assert noise.ratio > noise.baseline_ratio > 1.0
    assert 0.0 < noise.ratio_error < 0.2 * noise.ratio


def test_the_errors_of_the_ratios_are_those_of_repeats() -> None:
    model, pixels = _model("factorised")
    repeats = []
    for seed in range(30):
        *_, noise = (found for found in gradient_noise_steps(model, pixels, num_samples=2000, seed=seed) if found)
        repeats.append((noise.baseline_ratio, noise.baseline_ratio_error))
    ratios, errors = np.transpose(repeats)
    assert 0.5 < ratios.std(ddof=1) / errors.mean() < 2.0


def test_the_names_count_the_parameters() -> None:
    assert parameter_names(2, full=False) == ("μ₁", "μ₂", "log σ₁", "log σ₂")
    assert parameter_names(2, full=True) == ("μ₁", "μ₂", "log L₁₁", "log L₂₂", "L₂₁")
    assert len(_noise("full", 3).names) == len(_noise("full", 3).pathwise_mean) == 9


def test_noise_is_carried_to_mean_plus_scale_times_noise() -> None:
    scale = np.array([[[0.5, 0.0], [0.3, 2.0]]], np.float32)
    mean = np.array([[1.0, -2.0]], np.float32)
    draws = reparameterised(Full(mean, scale), 5000, seed=3)
    np.testing.assert_allclose(draws.codes, mean + draws.noise @ scale[0].T, rtol=1e-5)
    np.testing.assert_allclose(np.cov(draws.codes.T), scale[0] @ scale[0].T, atol=0.2)
    again = reparameterised(Factorised(mean, np.zeros((1, 2), np.float32)), 5000, seed=3)
    np.testing.assert_array_equal(again.noise, draws.noise)
    np.testing.assert_allclose(again.codes, mean + again.noise, rtol=1e-5, atol=1e-6)
    assert not np.array_equal(reparameterised(Full(mean, scale), 5000, seed=4).noise, draws.noise)
    assert not draws.codes.flags.writeable
