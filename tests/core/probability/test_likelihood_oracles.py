"""Every likelihood against torch.distributions, quadrature and seeded Monte-Carlo means."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch.distributions import Bernoulli, Categorical, Distribution, Normal
from torch.distributions import ContinuousBernoulli as TorchContinuousBernoulli

from core.config import ModelConfig
from core.inference.array_likelihoods import ARRAY_LIKELIHOODS
from core.inference.array_likelihoods import log_normaliser as array_log_normaliser
from core.models.layout import parameters_per_pixel
from core.probability.likelihoods import LIKELIHOODS, ContinuousBernoulli, Likelihood, log_normaliser
from core.probability.limits import PIXEL_LOG_VAR_MAX, PIXEL_LOG_VAR_MIN

CONFIGS = [
    ModelConfig(likelihood="bernoulli"),
    ModelConfig(likelihood="categorical", grey_levels=4),
    ModelConfig(likelihood="categorical", grey_levels=2),
    ModelConfig(likelihood="categorical", grey_levels=16),
    ModelConfig(likelihood="gaussian", variance="per_pixel"),
    ModelConfig(likelihood="continuous_bernoulli"),
]
PIXELS = 7


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def name_of(config: ModelConfig) -> str:
    levels = f"-{config.grey_levels}" if config.likelihood == "categorical" else ""
    return config.likelihood + levels


def made(config: ModelConfig) -> Likelihood:
    return LIKELIHOODS[config.likelihood](config)


def some_parameters(config: ModelConfig, batch: int = 5) -> torch.Tensor:
    """Return parameters of moderate size; log-variances give standard deviations from about 0.1 to 1."""
    parameters = 2.0 * torch.randn(batch, PIXELS, parameters_per_pixel(config), generator=seeded(1)).double()
    if config.likelihood == "gaussian":
        parameters[:, :, 1] = 0.5 * parameters[:, :, 1] - 2.0
    return parameters.flatten(1)


def some_pixels(config: ModelConfig, batch: int = 5) -> torch.Tensor:
    """Return pixels that the likelihood describes: zeros and ones, levels, or greys."""
    uniform = torch.rand(batch, PIXELS, generator=seeded(2)).double()
    steps = {"bernoulli": 1, "categorical": config.grey_levels - 1}.get(config.likelihood)
    return uniform if steps is None else (uniform * steps).round() / steps


def oracle(config: ModelConfig, parameters: torch.Tensor) -> Distribution:
    """Return torch's own distribution of the pixels; a categorical one is over levels."""
    by_pixel = parameters.reshape(len(parameters), PIXELS, -1)
    if config.likelihood == "categorical":
        return Categorical(logits=by_pixel)
    if config.likelihood == "gaussian":
        return Normal(by_pixel[:, :, 0], (0.5 * by_pixel[:, :, 1]).exp())
    kind = {"bernoulli": Bernoulli, "continuous_bernoulli": TorchContinuousBernoulli}[config.likelihood]
    distribution: Distribution = kind(logits=by_pixel[:, :, 0])
    return distribution


def oracle_log_prob(config: ModelConfig, x: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
    value = x * (config.grey_levels - 1) if config.likelihood == "categorical" else x
    result: torch.Tensor = oracle(config, parameters).log_prob(value).sum(dim=1)
    return result


@pytest.mark.parametrize("config", CONFIGS, ids=name_of)
def test_log_densities_are_those_of_torch_distributions(config: ModelConfig) -> None:
    parameters, x = some_parameters(config), some_pixels(config)
    ours = made(config).log_prob(x, parameters)
    torch.testing.assert_close(ours, oracle_log_prob(config, x, parameters), atol=1e-5, rtol=0.0)


@pytest.mark.parametrize("config", CONFIGS, ids=name_of)
def test_gradients_are_those_of_torch_distributions(config: ModelConfig) -> None:
    parameters, x = some_parameters(config).requires_grad_(), some_pixels(config)
    (ours,) = torch.autograd.grad(made(config).log_prob(x, parameters).sum(), parameters)
    (theirs,) = torch.autograd.grad(oracle_log_prob(config, x, parameters).sum(), parameters)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("config", CONFIGS, ids=name_of)
def test_mean_pictures_are_those_of_torch_distributions(config: ModelConfig) -> None:
    parameters = some_parameters(config)
    distribution = oracle(config, parameters)
    if isinstance(distribution, Categorical):
        greys = torch.linspace(0.0, 1.0, config.grey_levels, dtype=torch.float64)
        expected = (distribution.probs * greys).sum(dim=2)
    else:
        expected = distribution.mean
    torch.testing.assert_close(made(config).mean(parameters), expected, atol=1e-5, rtol=0.0)


@pytest.mark.parametrize("config", CONFIGS, ids=name_of)
def test_mean_pictures_are_those_of_seeded_samples_of_torch_and_of_numpy(config: ModelConfig) -> None:
    num_samples = 40_000
    parameters = some_parameters(config, batch=1).float()
    mean = made(config).mean(parameters)[0]
    array = ARRAY_LIKELIHOODS[config.likelihood](config)
    repeated = parameters.expand(num_samples, -1)
    for x in (
        made(config).sample(repeated, seeded(5)),
        torch.from_numpy(array.sample(repeated.numpy(), np.random.default_rng(5))),
    ):
        error = 4.0 * x.std(dim=0) / math.sqrt(num_samples) + 1e-6
        assert ((x.mean(dim=0) - mean).abs() < error).all()


@pytest.mark.parametrize("config", CONFIGS, ids=name_of)
def test_samples_have_the_entropy_of_their_own_density(config: ModelConfig) -> None:
    """E_x[-log p(x)] by samples is the entropy that torch knows in closed form, or by samples of its own."""
    num_samples = 40_000
    parameters = some_parameters(config, batch=1).float().expand(num_samples, -1)
    costs = -made(config).log_prob(made(config).sample(parameters, seeded(6)), parameters)
    entropy = float(oracle(config, parameters[:1].double()).entropy().sum())
    assert float(costs.mean()) == pytest.approx(entropy, abs=4.0 * float(costs.std()) / math.sqrt(num_samples))


@pytest.mark.parametrize("config", CONFIGS, ids=name_of)
def test_torch_and_numpy_say_the_same(config: ModelConfig) -> None:
    parameters, x = some_parameters(config).float(), some_pixels(config).float()
    array = ARRAY_LIKELIHOODS[config.likelihood](config)
    log_prob = made(config).log_prob(x.double(), parameters.double()).numpy()
    np.testing.assert_allclose(array.nll(parameters.numpy(), x.numpy()), -log_prob, rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(array.mean(parameters.numpy()), made(config).mean(parameters).numpy(), atol=1e-6)


@pytest.mark.parametrize("config", CONFIGS, ids=name_of)
def test_the_exponential_family_s_form_is_the_log_likelihood(config: ModelConfig) -> None:
    """t(x) · η − A + c(x) for every image with every row of parameters: one matrix product."""
    parameters, x = some_parameters(config).float().numpy(), some_pixels(config).float().numpy()
    array = ARRAY_LIKELIHOODS[config.likelihood](config)
    natural, log_partition = array.natural(parameters.astype(np.float64))
    table = array.statistics(x) @ natural.T - log_partition + array.base(x)[:, None]
    for row in range(len(parameters)):
        expected = -array.nll(np.repeat(parameters[row : row + 1], len(x), axis=0), x)
        np.testing.assert_allclose(table[:, row], expected, atol=1e-4)


@pytest.mark.parametrize("grey_levels", [2, 3])
def test_categorical_probabilities_of_all_pictures_sum_to_one(grey_levels: int) -> None:
    config = ModelConfig(likelihood="categorical", grey_levels=grey_levels)
    greys = np.linspace(0.0, 1.0, grey_levels)
    pictures = torch.tensor(list(itertools.product(greys, repeat=PIXELS)))
    parameters = some_parameters(config, batch=1).expand(len(pictures), -1)
    assert float(made(config).log_prob(pictures, parameters).exp().sum()) == pytest.approx(1.0, abs=1e-9)


def test_two_levels_are_a_bernoulli_pixel() -> None:
    config = ModelConfig(likelihood="categorical", grey_levels=2)
    logits, x = some_parameters(ModelConfig()), some_pixels(ModelConfig())
    parameters = torch.stack([torch.zeros_like(logits), logits], dim=2).flatten(1)
    torch.testing.assert_close(made(config).log_prob(x, parameters), made(ModelConfig()).log_prob(x, logits))


@pytest.mark.parametrize(
    "logit", [-300.0, -30.0, -3.0, -0.5001, -0.4999, -1e-2, -1e-5, 0.0, 1e-7, 1e-3, 0.49, 0.51, 8.0]
)
def test_the_continuous_bernoulli_integrates_to_one(logit: float) -> None:
    nodes, weights = np.polynomial.legendre.leggauss(40)
    # Panels that halve toward both ends, where a large logit has all its mass.
    edges = np.concatenate([[0.0], 2.0 ** np.arange(-14, 0), 1.0 - 2.0 ** np.arange(-2.0, -15.0, -1.0), [1.0]])
    middle, half = 0.5 * (edges[1:] + edges[:-1]), 0.5 * np.diff(edges)
    x = torch.from_numpy((middle[:, None] + half[:, None] * nodes).reshape(-1, 1))
    density = ContinuousBernoulli().log_prob(x, torch.full_like(x, logit)).exp().numpy()
    mass = (half[:, None] * weights).ravel()
    assert density @ mass == pytest.approx(1.0, abs=1e-6)
    mean = float(ContinuousBernoulli().mean(torch.tensor([[logit]], dtype=torch.float64)))
    assert (density * x.numpy()[:, 0]) @ mass == pytest.approx(mean, abs=1e-6)


def test_the_normaliser_is_that_of_the_paper_and_smooth_where_the_series_takes_over() -> None:
    lam = torch.tensor([1e-6, 1e-3, 0.1, 0.3, 0.37, 0.38, 0.45, 0.49, 0.62, 0.63, 0.9, 1.0 - 1e-6], dtype=torch.float64)
    expected = torch.log(2.0 * torch.atanh(1.0 - 2.0 * lam) / (1.0 - 2.0 * lam))
    logits = torch.logit(lam).reshape(1, -1)
    torch.testing.assert_close(log_normaliser(logits)[0], expected, atol=1e-8, rtol=0.0)
    np.testing.assert_allclose(array_log_normaliser(logits.numpy())[0], expected.numpy(), atol=1e-8)
    at_half = log_normaliser(torch.zeros(1, 1, dtype=torch.float64))
    assert float(at_half) == pytest.approx(math.log(2.0), abs=1e-15)


@pytest.mark.parametrize("logit", [0.0, -30.0, 3e6, -1e20])
def test_a_continuous_bernoulli_s_gradient_is_finite_at_every_logit(logit: float) -> None:
    logits = torch.full((1, 2), logit, requires_grad=True)
    likelihood = ContinuousBernoulli()
    (likelihood.log_prob(torch.tensor([[0.2, 0.9]]), logits).sum() + likelihood.mean(logits).sum()).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("extreme", [-1e20, -100.0, 100.0, 1e20])
def test_an_extreme_pixel_variance_is_limited_and_pulled_back(extreme: float) -> None:
    config = ModelConfig(likelihood="gaussian", variance="per_pixel")
    parameters = torch.tensor([[0.5, extreme]], requires_grad=True)
    # Far from the mean a small variance costs, near it a large one does.
    x = torch.tensor([[0.5]]) if extreme > 0 else torch.tensor([[20.0]])
    log_prob = made(config).log_prob(x, parameters)
    bound = PIXEL_LOG_VAR_MAX if extreme > 0 else PIXEL_LOG_VAR_MIN
    expected = Normal(0.5, math.exp(0.5 * bound)).log_prob(x)  # type: ignore[no-untyped-call]
    torch.testing.assert_close(log_prob, expected[:, 0])
    (-log_prob).sum().backward()  # type: ignore[no-untyped-call]
    assert parameters.grad is not None
    assert float(parameters.grad[0, 1]) * extreme > 0.0, "descent must lead back into the range"


@pytest.mark.parametrize("config", CONFIGS, ids=name_of)
def test_wild_parameters_show_a_picture_and_no_warning(config: ModelConfig) -> None:
    array = ARRAY_LIKELIHOODS[config.likelihood](config)
    width = parameters_per_pixel(config)
    wild = np.repeat(np.array([np.nan, np.inf, -np.inf, 3e38, -3e38], np.float32), width)[None]
    mean = array.mean(wild)
    assert mean.shape == (1, 5)
    assert np.isfinite(mean).all()
