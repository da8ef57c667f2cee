from typing import Any

import numpy as np
import pytest
import torch

from core.inference.coders import Coder, make_coder
from core.inference.pictures import encode_picture, pictures_of, posterior_nodes, stochastic_picture
from core.snapshots import Weights, frozen
from tests.core.tiny_models import random_weights, tiny_config

Array = np.ndarray[Any, np.dtype[np.float32]]


def _coder(**values: object) -> Coder:
    """Return a coder whose posteriors are narrower than the prior, as those of trained models are."""
    config = tiny_config(**values)
    arrays = dict(random_weights(config, seed=3).arrays)
    if config.has_prior:
        head = max(name for name in arrays if name.startswith("encoder.layers.") and name.endswith(".bias"))
        arrays[head] = frozen(np.repeat([0.0, -2.0], config.latent_dim), np.float32)
    return make_coder(config, Weights(7, 0, arrays))


def _seen(seed: int = 0) -> Array:
    return (np.random.default_rng(seed).random((1, 30)) < 0.4).astype(np.float32)


@pytest.mark.parametrize("latent_dim", [1, 2, 3, 8, 40])
@pytest.mark.parametrize("network", ["mlp", "conv"])
def test_costs_are_those_of_a_plain_monte_carlo_sum(latent_dim: int, network: str) -> None:
    coder = _coder(latent_dim=latent_dim, network=network)
    seen = _seen()
    encoding = encode_picture(coder, seen)
    encoded = coder.encode(seen)
    assert encoded.log_var is not None
    std = torch.from_numpy(encoded.log_var[0]).mul(0.5).exp()
    posterior = torch.distributions.Normal(torch.from_numpy(encoded.mean[0]), std)
    torch.manual_seed(1)
    num_samples = 20_000
    codes = posterior.sample((num_samples,))  # type: ignore[no-untyped-call]
    logits = torch.from_numpy(coder.parameters(codes.numpy()))
    likelihood = torch.distributions.Bernoulli(logits=logits)
    costs = -likelihood.log_prob(torch.from_numpy(seen)).sum(dim=1)  # type: ignore[no-untyped-call]
    error = float(costs.std()) / num_samples**0.5
    # Up to two dimensions a quadrature; above, what 64 well placed codes leave of the spread of the costs.
    own_error = 0.0 if latent_dim <= 2 else float(costs.std()) / 64**0.5
    assert abs(encoding.nll - float(costs.mean())) < 4.0 * (error + own_error)
    prior = torch.distributions.Normal(torch.zeros(latent_dim), torch.ones(latent_dim))
    kl = float(torch.distributions.kl_divergence(posterior, prior).sum())
    assert encoding.kl == pytest.approx(kl, rel=1e-5)
    assert encoding.elbo == pytest.approx(-(encoding.nll + kl), rel=1e-5)


@pytest.mark.parametrize("latent_dim", [1, 2])
def test_the_elbo_is_below_the_evidence_of_a_fine_grid_and_reaches_it_with_the_gap(latent_dim: int) -> None:
    coder, seen, cells, width = _coder(latent_dim=latent_dim), _seen(), 240, 12.0
    axis = (np.arange(cells) + 0.5) / cells * width - width / 2
    codes = np.stack(np.meshgrid(*[axis] * latent_dim), axis=-1).reshape(-1, latent_dim)
    z, volume = torch.from_numpy(codes), (width / cells) ** latent_dim
    logits = torch.from_numpy(coder.parameters(codes.astype(np.float32))).double()
    log_joint = torch.distributions.Bernoulli(logits=logits).log_prob(torch.from_numpy(seen).double()).sum(dim=1)  # type: ignore[no-untyped-call]
    log_joint += torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(dim=1)  # type: ignore[no-untyped-call]
    evidence = float(torch.logsumexp(log_joint, dim=0)) + np.log(volume)
    encoding = encode_picture(coder, seen)
    assert encoding.elbo is not None
    assert encoding.log_var is not None
    std = torch.from_numpy(encoding.log_var.copy()).double().mul(0.5).exp()
    log_q = torch.distributions.Normal(torch.from_numpy(encoding.mean.copy()).double(), std).log_prob(z).sum(dim=1)  # type: ignore[no-untyped-call]
    # KL(q || p(z|x)), integrated on its own; it is what the bound lacks.
    gap = float((log_q.exp() * (log_q - log_joint + evidence)).sum() * volume)
    assert gap > 0.01
    assert encoding.elbo + gap == pytest.approx(evidence, abs=1e-3)


def test_the_brute_force_sum_would_notice_a_cost_at_the_mean_only() -> None:
    coder = _coder(latent_dim=2)
    seen = _seen()
    at_mean = float(coder.nll(seen, coder.encode(seen).mean)[0])
    assert abs(encode_picture(coder, seen).nll - at_mean) > 0.02


def test_an_autoencoder_has_a_cost_at_its_code_and_no_kl() -> None:
    coder = _coder(model="autoencoder", latent_dim=3)
    seen = _seen()
    encoding = encode_picture(coder, seen)
    code = coder.encode(seen).mean
    assert encoding.nll == pytest.approx(float(coder.nll(seen, code)[0]))
    assert encoding.kl is None
    assert encoding.elbo is None
    assert encoding.log_var is None
    assert encoding.num_samples == 1


def test_an_encoding_holds_both_reconstructions_and_what_was_seen() -> None:
    coder = _coder(latent_dim=2)
    seen = _seen()
    encoding = encode_picture(coder, seen)
    np.testing.assert_array_equal(encoding.seen.ravel(), 255 * seen[0])
    expected = np.rint(255 * coder.decode(encoding.mean.reshape(1, -1)))
    np.testing.assert_array_equal(encoding.deterministic.ravel(), expected[0])
    assert set(np.unique(encoding.stochastic)) <= {0, 255}
    assert encoding.version == coder.version
    assert encoding.seen.shape == encoding.deterministic.shape == encoding.stochastic.shape == (6, 5)
    arrays = [encoding.seen, encoding.mean, encoding.log_var, encoding.deterministic, encoding.stochastic]
    assert not any(array.flags.writeable for array in arrays if array is not None)


def test_the_same_picture_gives_the_same_numbers() -> None:
    coder = _coder(latent_dim=3)
    first, again = encode_picture(coder, _seen(), 5), encode_picture(coder, _seen(), 5)
    assert (first.nll, first.kl) == (again.nll, again.kl)
    np.testing.assert_array_equal(first.stochastic, again.stochastic)
    other = encode_picture(coder, _seen(), 6)
    assert not np.array_equal(first.stochastic, other.stochastic)


def test_the_noise_of_a_dragged_code_stays_the_same() -> None:
    coder = _coder(latent_dim=2)
    code = np.array([0.3, -0.2], np.float32)
    first = stochastic_picture(coder, code, 4)
    np.testing.assert_array_equal(first, stochastic_picture(coder, code, 4))
    assert (first != stochastic_picture(coder, code + np.float32(1e-4), 4)).sum() <= 1
    draws = np.stack([stochastic_picture(coder, code, seed) for seed in range(2000)]) / 255.0
    mean = coder.decode(code.reshape(1, -1)).reshape(6, 5)
    assert (np.abs(draws.mean(axis=0) - mean) < 4.0 * np.sqrt(mean * (1 - mean) / 2000) + 1e-3).all()


@pytest.mark.parametrize("latent_dim", [1, 2, 3, 8, 32, 100])
def test_nodes_have_mean_zero_and_the_prior_s_variance(latent_dim: int) -> None:
    codes, shares = posterior_nodes(latent_dim, 64)
    assert len(codes) <= 64
    assert shares.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(shares @ codes, 0.0, atol=1e-6)
    covariance = (codes * shares[:, None]).T @ codes
    if latent_dim <= 32:
        np.testing.assert_allclose(covariance, np.eye(latent_dim), atol=1e-5)
    else:
        assert np.trace(covariance) == pytest.approx(latent_dim, rel=1e-5)


def test_pictures_keep_one_grey_scale() -> None:
    config = tiny_config()
    pixels = np.full((1, 30), 0.25, np.float32)
    pixels[0, 0], pixels[0, 1] = -1.0, 2.0
    picture = pictures_of(pixels, config)[0]
    assert picture[0, 0] == 0
    assert picture[0, 1] == 255
    assert set(np.unique(picture)) == {0, 64, 255}
