"""The full-covariance posterior against MultivariateNormal, in torch and in numpy."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal, kl_divergence

from core.choices import POSTERIORS as CHOICES
from core.config import ModelConfig
from core.inference.array_posteriors import ARRAY_POSTERIORS, array_posterior
from core.models.layout import head_width
from core.probability.limits import LOG_VAR_MAX, LOG_VAR_MIN
from core.probability.posteriors import POSTERIORS, FullGaussian
from core.probability.priors import StandardNormal

DIMENSIONS = [1, 2, 3, 6]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def some_head(latent_dim: int, batch: int = 5, posterior: str = "full") -> torch.Tensor:
    width = head_width(ModelConfig(posterior=posterior, latent_dim=latent_dim))
    return 0.8 * torch.randn(batch, width, generator=seeded(3)).double()


def oracle(head: torch.Tensor, latent_dim: int) -> MultivariateNormal:
    """Return torch's own normal, its L put together entry by entry."""
    scale = torch.zeros(len(head), latent_dim, latent_dim, dtype=head.dtype)
    entry = 2 * latent_dim
    for row in range(latent_dim):
        scale[:, row, row] = (0.5 * head[:, latent_dim + row]).exp()
        for column in range(row):
            scale[:, row, column] = head[:, entry]
            entry += 1
    return MultivariateNormal(head[:, :latent_dim], scale_tril=scale)


def test_the_families_are_those_that_can_be_chosen() -> None:
    assert POSTERIORS.names == ARRAY_POSTERIORS.names == tuple(choice.name for choice in CHOICES)


@pytest.mark.parametrize("latent_dim", DIMENSIONS)
def test_density_covariance_and_kl_are_those_of_torch_distributions(latent_dim: int) -> None:
    head, z = some_head(latent_dim), torch.randn(5, latent_dim, generator=seeded(1)).double()
    posterior, expected = FullGaussian.from_head(head, latent_dim), oracle(head, latent_dim)
    torch.testing.assert_close(posterior.scale, expected.scale_tril)
    torch.testing.assert_close(posterior.log_prob(z), expected.log_prob(z))  # type: ignore[no-untyped-call]
    torch.testing.assert_close(posterior.log_var.exp(), expected.variance)
    prior = MultivariateNormal(torch.zeros(latent_dim).double(), torch.eye(latent_dim).double())
    torch.testing.assert_close(posterior.kl_per_dimension().sum(dim=1), kl_divergence(expected, prior))
    assert (posterior.kl_per_dimension() >= 0.0).all()


@pytest.mark.parametrize("latent_dim", DIMENSIONS)
def test_gradients_are_those_of_torch_distributions(latent_dim: int) -> None:
    noise = torch.randn(5, latent_dim, generator=seeded(2)).double()
    gradients = []
    for ours in (True, False):
        head = some_head(latent_dim).requires_grad_()
        expected = oracle(head, latent_dim)
        if ours:
            posterior = FullGaussian.from_head(head, latent_dim)
            z, log_prob, kl = posterior.at(noise), posterior.log_prob(noise), posterior.kl_per_dimension().sum()
        else:
            prior = MultivariateNormal(torch.zeros(latent_dim).double(), torch.eye(latent_dim).double())
            z = expected.loc + (expected.scale_tril @ noise.unsqueeze(2)).squeeze(2)
            log_prob, kl = expected.log_prob(noise), kl_divergence(expected, prior).sum()  # type: ignore[no-untyped-call]
        cost = z.square().sum() + log_prob.sum() + kl
        gradients.append(torch.autograd.grad(cost, head)[0])
    torch.testing.assert_close(gradients[0], gradients[1])


def test_samples_have_the_mean_and_covariance_they_should() -> None:
    num_samples = 200_000
    head = some_head(3, batch=1)
    z = FullGaussian.from_head(head.expand(num_samples, -1), 3).rsample(seeded(4))
    expected = oracle(head, 3)
    covariance = expected.covariance_matrix[0]
    assert ((z.mean(dim=0) - expected.mean[0]).abs() < 4.0 * (covariance.diagonal() / num_samples).sqrt()).all()
    # Var of a sample covariance: (s_ii s_jj + s_ij²) / n.
    spread = (torch.outer(covariance.diagonal(), covariance.diagonal()) + covariance.square()) / num_samples
    assert ((torch.cov(z.T) - covariance).abs() < 4.0 * spread.sqrt()).all()


def test_the_kl_is_that_of_its_own_densities() -> None:
    num_samples = 50_000
    posterior = FullGaussian.from_head(some_head(2, batch=1).expand(num_samples, -1), 2)
    z = posterior.rsample(seeded(5))
    ratio = posterior.log_prob(z) - StandardNormal(2).log_prob(z.float()).double()
    error = 4.0 * float(ratio.std()) / math.sqrt(num_samples)
    assert float(ratio.mean()) == pytest.approx(float(posterior.kl_per_dimension()[0].sum()), abs=error)


@pytest.mark.parametrize("family", POSTERIORS.names)
def test_a_repeated_batch_is_the_batch_again_and_again(family: str) -> None:
    posterior = POSTERIORS[family].from_head(some_head(2, 3, family), 2)
    repeated, z = posterior.repeated(4), torch.randn(12, 2, generator=seeded(6)).double()
    for start in range(0, 12, 3):
        rows = slice(start, start + 3)
        torch.testing.assert_close(repeated.log_prob(z)[rows], posterior.log_prob(z[rows]))
        torch.testing.assert_close(repeated.at(z)[rows], posterior.at(z[rows]))


@pytest.mark.parametrize("family", POSTERIORS.names)
@pytest.mark.parametrize("latent_dim", DIMENSIONS)
def test_torch_and_numpy_say_the_same(family: str, latent_dim: int) -> None:
    config = ModelConfig(posterior=family, latent_dim=latent_dim)
    head, z = some_head(latent_dim, 5, family).float(), torch.randn(5, latent_dim, generator=seeded(1))
    ours, theirs = array_posterior(config, head.numpy()), POSTERIORS[family].from_head(head, latent_dim)
    assert ours.log_var is not None
    np.testing.assert_allclose(ours.mean, theirs.mean.numpy())
    np.testing.assert_allclose(ours.log_var, theirs.log_var.numpy(), atol=1e-5)
    np.testing.assert_allclose(ours.scale, theirs.scale.numpy(), atol=1e-6)
    np.testing.assert_allclose(ours.at(z.numpy()), theirs.at(z).numpy(), atol=1e-5)
    np.testing.assert_allclose(ours.log_prob(z.numpy()), theirs.log_prob(z).numpy(), rtol=1e-5, atol=1e-4)
    kl = ours.kl_per_dimension()
    assert kl is not None
    np.testing.assert_allclose(kl, theirs.kl_per_dimension().numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("family", POSTERIORS.names)
def test_many_codes_can_be_asked_of_one_image_in_numpy(family: str) -> None:
    config = ModelConfig(posterior=family, latent_dim=2)
    head, z = some_head(2, 1, family).float(), torch.randn(7, 2, generator=seeded(1))
    ours, theirs = array_posterior(config, head.numpy()), POSTERIORS[family].from_head(head.expand(7, -1), 2)
    np.testing.assert_allclose(ours.at(z.numpy()), theirs.at(z).numpy(), atol=1e-5)
    np.testing.assert_allclose(ours.log_prob(z.numpy()), theirs.log_prob(z).numpy(), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("extreme", [-1e20, 1e20])
def test_an_extreme_variance_is_limited_and_pulled_back(extreme: float) -> None:
    head = torch.tensor([[0.0, 0.0, extreme, 0.0, 0.1]], requires_grad=True)
    posterior = FullGaussian.from_head(head, 2)
    assert LOG_VAR_MIN <= float(posterior.conditional_log_var.detach()[0, 0]) <= LOG_VAR_MAX
    posterior.kl_per_dimension().sum().backward()  # type: ignore[no-untyped-call]
    assert head.grad is not None
    assert float(head.grad[0, 2]) * extreme > 0.0


def test_without_what_is_below_the_diagonal_it_is_the_factorised_one() -> None:
    head, z = some_head(3, 4, "factorised"), torch.randn(4, 3, generator=seeded(1)).double()
    full = FullGaussian.from_head(torch.cat([head, torch.zeros(4, 3).double()], dim=1), 3)
    factorised = POSTERIORS["factorised"].from_head(head, 3)
    torch.testing.assert_close(full.log_prob(z), factorised.log_prob(z))
    torch.testing.assert_close(full.kl_per_dimension(), factorised.kl_per_dimension())
