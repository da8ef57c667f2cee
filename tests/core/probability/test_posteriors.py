"""Posteriors, priors and divergences against torch.distributions and Monte-Carlo means."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from core import choices
from core.config import ModelConfig
from core.models.layout import head_width
from core.probability.clamp import clamp_keeping_gradient
from core.probability.divergences import kl_to_standard_normal
from core.probability.limits import LOG_VAR_MAX, LOG_VAR_MIN
from core.probability.posteriors import POSTERIORS, FactorisedGaussian, PointMass
from core.probability.priors import StandardNormal


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def some_posterior(batch: int = 5, latent_dim: int = 3) -> FactorisedGaussian:
    head = torch.randn(batch, 2 * latent_dim, generator=seeded(3))
    return FactorisedGaussian.from_head(head, latent_dim)


def log_prob(distribution: Normal, value: torch.Tensor) -> torch.Tensor:
    result: torch.Tensor = distribution.log_prob(value).sum(dim=-1)  # type: ignore[no-untyped-call]
    return result


def oracle(posterior: FactorisedGaussian) -> Normal:
    return Normal(posterior.mean, (0.5 * posterior.log_var).exp())


def test_every_posterior_that_can_be_chosen_is_registered() -> None:
    assert POSTERIORS.names == tuple(choice.name for choice in choices.POSTERIORS)


@pytest.mark.parametrize("name", POSTERIORS.names)
def test_every_posterior_has_the_kl_that_its_own_densities_give(name: str) -> None:
    family, generator, num_samples = POSTERIORS[name], seeded(), 40_000
    head = 0.7 * torch.randn(1, head_width(ModelConfig(posterior=name, latent_dim=2)), generator=seeded(1))
    posterior = family.from_head(head.expand(num_samples, -1), 2)
    z = posterior.rsample(generator)
    log_ratio = posterior.log_prob(z) - StandardNormal(2).log_prob(z)
    error = 4.0 * float(log_ratio.std()) / math.sqrt(num_samples)
    assert float(log_ratio.mean()) == pytest.approx(float(posterior.kl_per_dimension()[0].sum()), abs=error)


def test_the_log_density_is_that_of_torch_distributions() -> None:
    posterior = some_posterior()
    z = torch.randn(5, 3, generator=seeded(7))
    torch.testing.assert_close(posterior.log_prob(z), log_prob(oracle(posterior), z))


def test_the_kl_is_that_of_torch_distributions_for_each_dimension() -> None:
    posterior = some_posterior()
    expected = kl_divergence(oracle(posterior), Normal(torch.zeros(3), torch.ones(3)))
    torch.testing.assert_close(posterior.kl_per_dimension(), expected)


def test_the_kl_of_the_prior_to_itself_is_zero() -> None:
    zero = torch.zeros(2, 4)
    assert torch.equal(kl_to_standard_normal(zero, zero), zero)


def test_samples_have_the_mean_and_variance_they_should() -> None:
    num_samples = 100_000
    mean, log_var = torch.tensor([[1.5, -0.5]]), torch.tensor([[-2.0, 1.0]])
    z = FactorisedGaussian(mean.expand(num_samples, 2), log_var.expand(num_samples, 2)).rsample(seeded())
    variance = log_var[0].exp()
    mean_error = 4.0 * (variance / num_samples).sqrt()
    variance_error = 4.0 * variance * math.sqrt(2.0 / num_samples)
    assert ((z.mean(dim=0) - mean[0]).abs() < mean_error).all()
    assert ((z.var(dim=0) - variance).abs() < variance_error).all()


def test_samples_depend_on_the_generator_alone() -> None:
    posterior = some_posterior()
    torch.manual_seed(1)
    first = posterior.rsample(seeded(4))
    torch.manual_seed(2)
    assert torch.equal(first, posterior.rsample(seeded(4)))
    assert not torch.equal(first, posterior.rsample(seeded(5)))


def test_the_gradient_flows_through_a_sample_into_mean_and_log_variance() -> None:
    head = torch.zeros(2, 4, requires_grad=True)
    FactorisedGaussian.from_head(head, 2).rsample(seeded()).sum().backward()  # type: ignore[no-untyped-call]
    assert head.grad is not None
    assert torch.equal(head.grad[:, :2], torch.ones(2, 2))
    assert (head.grad[:, 2:] != 0.0).all()


@pytest.mark.parametrize("extreme", [-1e30, -1000.0, 1000.0, 1e30])
def test_an_extreme_log_variance_leaves_everything_finite_and_is_pulled_back(extreme: float) -> None:
    head = torch.tensor([[0.0, extreme]], requires_grad=True)
    posterior = FactorisedGaussian.from_head(head, 1)
    kl = posterior.kl_per_dimension().sum()
    assert LOG_VAR_MIN <= float(posterior.log_var.detach()) <= LOG_VAR_MAX
    assert torch.isfinite(kl)
    assert torch.isfinite(posterior.rsample(seeded())).all()
    assert torch.isfinite(posterior.log_prob(torch.ones(1, 1))).all()
    kl.backward()  # type: ignore[no-untyped-call]
    assert head.grad is not None
    pull = float(head.grad[0, 1])
    assert math.isfinite(pull)
    assert pull * extreme > 0.0, "descent must lead back into the range"


def test_the_clamp_stops_a_gradient_that_leads_further_out() -> None:
    value = torch.tensor([-3.0, -3.0, 0.0, 0.0, 3.0, 3.0], requires_grad=True)
    slope = torch.tensor([1.0, -1.0, 1.0, -1.0, 1.0, -1.0])
    (clamp_keeping_gradient(value, -2.0, 2.0) * slope).sum().backward()  # type: ignore[no-untyped-call]
    assert value.grad is not None
    assert value.grad.tolist() == [0.0, -1.0, 1.0, -1.0, 1.0, 0.0]


def test_a_plain_clamp_would_fail_the_test_above() -> None:
    value = torch.tensor([3.0], requires_grad=True)
    value.clamp(-2.0, 2.0).sum().backward()  # type: ignore[no-untyped-call]
    assert value.grad is not None
    assert value.grad.tolist() == [0.0]


def test_a_nan_is_not_hidden_by_the_clamp() -> None:
    assert torch.isnan(clamp_keeping_gradient(torch.tensor([math.nan]), -1.0, 1.0)).all()


def test_the_prior_has_the_density_of_torch_distributions_and_seeded_samples() -> None:
    prior, z = StandardNormal(3), torch.randn(6, 3, generator=seeded(2))
    torch.testing.assert_close(prior.log_prob(z), log_prob(Normal(0.0, 1.0), z))
    assert torch.equal(prior.sample(4, seeded(9)), prior.sample(4, seeded(9)))
    assert prior.sample(4, seeded(9)).shape == (4, 3)


def test_a_point_mass_samples_its_code_and_has_no_variance() -> None:
    code = torch.randn(2, 3)
    assert PointMass(code).rsample(seeded()) is code
    assert PointMass(code).log_var is None
