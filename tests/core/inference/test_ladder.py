import numpy as np
import pytest
import torch

from core.findings.sampling import Ladder
from core.inference.fixed_decoder import FixedDecoder, frozen_vae
from core.inference.gaussians import Gaussians
from core.inference.ladder import COUNTS, ladder_steps
from core.inference.variational import elbo_of
from tests.core.inference.linear_gaussian import LinearGaussian
from tests.core.tiny_models import random_weights, tiny_config


def _ladder(num_samples: int = 40_000, latent_dim: int = 2) -> tuple[Ladder, LinearGaussian]:
    # The encoder's weights are random: its q is far enough from the posterior for k to matter.
    oracle = LinearGaussian.of(latent_dim, pixel_std=2.0)
    known = (float(oracle.log_px[0]), 1e-6)
    steps = ladder_steps(oracle.model, oracle.pixels[:1], known, num_samples=num_samples, version=3)
    return [ladder for ladder in steps if ladder is not None][-1], oracle


def test_the_mean_of_the_elbo_does_not_move_with_l_and_its_spread_shrinks() -> None:
    ladder, oracle = _ladder()
    decoder = FixedDecoder.of(oracle.model, oracle.pixels[:1])
    elbo = float(elbo_of(decoder, Gaussians.of(oracle.model.inference(decoder.x)))[0])
    assert ladder.elbo == pytest.approx(elbo)
    error = ladder.elbo_spread / ladder.num_groups**0.5
    assert (np.abs(ladder.elbo_mean - elbo) < 4.0 * error).all()
    expected = ladder.elbo_spread[0] / ladder.counts**0.5
    doubt = expected / (2.0 * (ladder.num_groups - 1)) ** 0.5
    assert (np.abs(ladder.elbo_spread - expected) < 4.0 * doubt + 0.02 * expected).all()


def test_one_sample_of_iwae_is_the_elbo_and_more_do_not_lower_it() -> None:
    ladder, oracle = _ladder()
    assert tuple(ladder.counts) == COUNTS
    assert abs(ladder.iwae_mean[0] - ladder.elbo) < 4.0 * ladder.iwae_error[0]
    assert (np.diff(ladder.iwae_mean) > -4.0 * ladder.iwae_error[1:]).all()
    assert ladder.iwae_mean[-1] > ladder.iwae_mean[0] + 0.1
    assert ladder.log_px == float(oracle.log_px[0])
    assert (ladder.iwae_mean < oracle.log_px[0] + 4.0 * ladder.iwae_error).all()


def test_iwae_of_k_samples_is_that_of_a_plain_loop_over_torch_distributions() -> None:
    config = tiny_config(latent_dim=3)
    model = frozen_vae(config, random_weights(config, seed=4)).double()
    pixels = (np.random.default_rng(5).random((1, 30)) < 0.4).astype(np.float32)
    *_, ladder = (found for found in ladder_steps(model, pixels, num_samples=20_000) if found is not None)
    posterior = model.inference(torch.from_numpy(pixels).double())
    normal = torch.distributions.MultivariateNormal(posterior.mean[0], scale_tril=posterior.scale[0])
    torch.manual_seed(2)
    bounds = []
    for _ in range(400):
        z = normal.sample((50,))
        likelihood = torch.distributions.Bernoulli(logits=model.generative(z))
        nats = likelihood.log_prob(torch.from_numpy(pixels).double()).sum(dim=1)  # type: ignore[no-untyped-call]
        weight = nats + torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(dim=1) - normal.log_prob(z)  # type: ignore[no-untyped-call]
        bounds.append(float(weight.logsumexp(dim=0)) - np.log(50))
    rung = list(ladder.counts).index(50)
    error = np.hypot(np.std(bounds) / 400**0.5, ladder.iwae_error[rung])
    assert abs(np.mean(bounds) - ladder.iwae_mean[rung]) < 4.0 * error
    assert ladder.log_px is None


def test_a_ladder_grows_while_its_pool_is_drawn() -> None:
    oracle = LinearGaussian.of(2)
    found = [ladder for ladder in ladder_steps(oracle.model, oracle.pixels[:1], num_samples=12_000) if ladder]
    assert [ladder.complete for ladder in found] == [False] * (len(found) - 1) + [True]
    assert len(found) > 3
    assert tuple(found[0].counts) == tuple(count for count in COUNTS if count <= 500)
    assert tuple(found[-1].counts) == COUNTS
    assert not found[-1].iwae_mean.flags.writeable


def test_the_effective_sample_size_counts_samples_that_carry_weight() -> None:
    far, _ = _ladder(20_000, latent_dim=3)
    assert 1.0 <= far.effective_sample_size < 0.9 * far.num_samples
