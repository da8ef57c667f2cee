"""Likelihoods against torch.distributions; what every registered one must offer."""

import itertools
import math

import pytest
import torch
from torch.distributions import Bernoulli as Oracle

from core import choices
from core.config import ModelConfig
from core.models.layout import parameters_per_pixel
from core.probability.likelihoods import LIKELIHOODS, Likelihood


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def made(name: str) -> Likelihood:
    return LIKELIHOODS[name](ModelConfig(likelihood=name))


def some_parameters(name: str, batch: int = 4, pixels: int = 6) -> torch.Tensor:
    return 2.0 * torch.randn(batch, pixels * made(name).parameters_per_pixel, generator=seeded(1))


def test_every_likelihood_that_can_be_chosen_is_registered() -> None:
    assert LIKELIHOODS.names == tuple(choice.name for choice in choices.LIKELIHOODS)
    for name in LIKELIHOODS:
        assert made(name).parameters_per_pixel == parameters_per_pixel(ModelConfig(likelihood=name))


@pytest.mark.parametrize("name", LIKELIHOODS.names)
def test_every_likelihood_gives_nats_per_image_and_pictures_in_range(name: str) -> None:
    likelihood, parameters = made(name), some_parameters(name)
    x = likelihood.sample(parameters, seeded())
    mean = likelihood.mean(parameters)
    assert likelihood.log_prob(x, parameters).shape == (4,)
    assert x.shape == mean.shape == (4, 6)
    # Only a normal density reaches beyond black and white.
    for picture in () if name == "gaussian" else (x, mean):
        assert float(picture.min()) >= 0.0
        assert float(picture.max()) <= 1.0
    assert torch.equal(x, likelihood.sample(parameters, seeded()))


@pytest.mark.parametrize("name", LIKELIHOODS.names)
def test_every_likelihood_has_samples_whose_mean_is_its_mean(name: str) -> None:
    likelihood, num_samples = made(name), 40_000
    parameters = some_parameters(name, batch=1)
    x = likelihood.sample(parameters.expand(num_samples, -1), seeded(5))
    error = 4.0 * x.std(dim=0) / math.sqrt(num_samples) + 1e-6
    assert ((x.mean(dim=0) - likelihood.mean(parameters)[0]).abs() < error).all()


@pytest.mark.parametrize("name", LIKELIHOODS.names)
def test_every_likelihood_can_start_at_a_mean_picture(name: str) -> None:
    picture = torch.tensor([[0.02, 0.3, 0.5, 0.98]])
    likelihood = made(name)
    torch.testing.assert_close(likelihood.mean(likelihood.parameters_of_mean(picture)), picture)
    assert torch.isfinite(likelihood.parameters_of_mean(torch.tensor([[0.0, 1.0]]))).all()


def test_bernoulli_is_that_of_torch_distributions() -> None:
    logits = some_parameters("bernoulli")
    x = (torch.rand(logits.shape, generator=seeded(2)) < 0.4).float()
    expected = Oracle(logits=logits).log_prob(x).sum(dim=1)  # type: ignore[no-untyped-call]
    torch.testing.assert_close(made("bernoulli").log_prob(x, logits), expected)


def test_bernoulli_probabilities_of_all_pictures_sum_to_one() -> None:
    pictures = torch.tensor(list(itertools.product([0.0, 1.0], repeat=6)))
    logits = some_parameters("bernoulli", batch=1).expand(len(pictures), -1)
    assert float(made("bernoulli").log_prob(pictures, logits).exp().sum()) == pytest.approx(1.0, abs=1e-5)


def test_bernoulli_is_finite_at_logits_that_round_to_certainty() -> None:
    logits = torch.tensor([[-2000.0, 2000.0]])
    likelihood = made("bernoulli")
    assert float(likelihood.log_prob(torch.tensor([[0.0, 1.0]]), logits)) == 0.0
    assert float(likelihood.log_prob(torch.tensor([[1.0, 0.0]]), logits)) == -4000.0
