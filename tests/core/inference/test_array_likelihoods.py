import numpy as np
import pytest
import torch

from core.choices import LIKELIHOODS as CHOICES
from core.config import ModelConfig
from core.inference.array_divergences import kl_per_dimension
from core.inference.array_likelihoods import ARRAY_LIKELIHOODS, softplus
from core.models.layout import parameters_per_pixel
from core.probability.divergences import kl_to_standard_normal
from core.probability.likelihoods import LIKELIHOODS

EXTREMES = np.array([[-1e4, -100.0, -20.0, -1e-6, 0.0, 1e-6, 20.0, 100.0, 1e4]], np.float32)


def _parameters(name: str) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    width = 12 * parameters_per_pixel(ModelConfig(likelihood=name))
    return (3.0 * np.random.default_rng(0).standard_normal((40, width))).astype(np.float32)


def test_every_likelihood_of_the_settings_is_there_in_numpy_and_in_torch() -> None:
    assert set(ARRAY_LIKELIHOODS.names) == set(LIKELIHOODS.names) == {choice.name for choice in CHOICES}


@pytest.mark.parametrize("name", ARRAY_LIKELIHOODS.names)
def test_nll_and_mean_are_those_of_torch(name: str) -> None:
    parameters = _parameters(name)
    pixels = (np.random.default_rng(1).random((40, 12)) < 0.5).astype(np.float32)
    config = ModelConfig(likelihood=name)
    array, reference = ARRAY_LIKELIHOODS[name](config), LIKELIHOODS[name](config)
    log_prob = reference.log_prob(torch.from_numpy(pixels), torch.from_numpy(parameters)).numpy()
    np.testing.assert_allclose(array.nll(parameters, pixels), -log_prob, rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(array.mean(parameters), reference.mean(torch.from_numpy(parameters)).numpy(), atol=1e-6)


@pytest.mark.parametrize("name", ARRAY_LIKELIHOODS.names)
def test_samples_have_the_mean_picture_as_their_mean(name: str) -> None:
    parameters = np.repeat(_parameters(name)[:1], 4000, axis=0)
    drawn = ARRAY_LIKELIHOODS[name](ModelConfig(likelihood=name)).sample(parameters, np.random.default_rng(2))
    error = drawn.std(axis=0) / np.sqrt(len(drawn))
    mean = ARRAY_LIKELIHOODS[name](ModelConfig(likelihood=name)).mean(parameters[:1])[0]
    assert (np.abs(drawn.mean(axis=0) - mean) <= 4.0 * error + 1e-3).all()


def test_bernoulli_nats_are_exact_where_the_probability_has_rounded_to_zero_or_one() -> None:
    bernoulli = ARRAY_LIKELIHOODS["bernoulli"](ModelConfig())
    ones, zeros = np.ones_like(EXTREMES), np.zeros_like(EXTREMES)
    with np.errstate(all="raise", under="ignore"):
        for pixels, sign in ((ones, -1.0), (zeros, 1.0)):
            expected = np.logaddexp(0.0, sign * EXTREMES.astype(np.float64)).sum(axis=1)
            np.testing.assert_allclose(bernoulli.nll(EXTREMES, pixels), expected, rtol=1e-6)
        np.testing.assert_allclose(softplus(EXTREMES), np.logaddexp(0.0, EXTREMES.astype(np.float64)), 1e-6, 1e-40)
        mean = bernoulli.mean(EXTREMES)
    assert ((mean >= 0.0) & (mean <= 1.0)).all()
    np.testing.assert_allclose(mean, torch.sigmoid(torch.from_numpy(EXTREMES)).numpy(), atol=1e-7)


def test_the_mean_is_finite_whatever_the_outputs_are() -> None:
    wild = np.array([[np.nan, np.inf, -np.inf, 3e38, -3e38]], np.float32)
    mean = ARRAY_LIKELIHOODS["bernoulli"](ModelConfig()).mean(wild)
    np.testing.assert_allclose(mean, [[0.0, 1.0, 0.0, 1.0, 0.0]], atol=1e-30)


def test_only_greys_make_bernoulli_nats_other_than_a_likelihood() -> None:
    bernoulli = ARRAY_LIKELIHOODS["bernoulli"](ModelConfig())
    assert [bernoulli.is_normalised(name) for name in ("dynamic", "fixed", "threshold", "none")] == [True] * 3 + [False]


def test_the_divergence_is_that_of_torch_and_of_torch_distributions() -> None:
    generator = np.random.default_rng(3)
    mean = (2.0 * generator.standard_normal((50, 3))).astype(np.float32)
    log_var = (3.0 * generator.standard_normal((50, 3))).astype(np.float32)
    ours = kl_per_dimension(mean, log_var)
    theirs = kl_to_standard_normal(torch.from_numpy(mean), torch.from_numpy(log_var)).numpy()
    normal = torch.distributions.Normal(torch.from_numpy(mean), torch.from_numpy(log_var).mul(0.5).exp())
    outside = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0)).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(ours, outside, rtol=1e-5, atol=1e-5)
