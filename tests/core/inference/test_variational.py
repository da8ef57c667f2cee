from typing import Any

import numpy as np
import pytest
import torch

from core.inference.ascent import Ascent, in_family
from core.inference.evidence.table import EvidenceTable
from core.inference.fixed_decoder import FixedDecoder, frozen_vae
from core.inference.gaussians import Gaussians, opposite_nodes, product_rule, turned
from core.inference.modes import modes_of
from core.inference.variational import best_elbo, elbo_of, fit_steps
from core.models.vae import Vae
from core.snapshots import Weights, frozen
from tests.core.inference.linear_gaussian import LinearGaussian
from tests.core.tiny_models import random_weights, tiny_config

Pixels = np.ndarray[Any, np.dtype[np.float32]]

FAMILIES = ("factorised", "full")


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _some_q(latent_dim: int, count: int = 4) -> Gaussians:
    drawn = torch.randn(count, latent_dim, latent_dim, generator=_generator(1), dtype=torch.float64)
    scale = torch.tril(drawn, -1) + torch.diag_embed(torch.diagonal(drawn, dim1=1, dim2=2).exp())
    return Gaussians(torch.randn(count, latent_dim, generator=_generator(2), dtype=torch.float64), scale)


def _tiny(latent_dim: int = 2, activation: str = "tanh", scale: float = 1.4) -> tuple[Vae, Pixels]:
    config = tiny_config(latent_dim=latent_dim, activation=activation)
    model = frozen_vae(config, random_weights(config, seed=4, scale=scale)).double()
    pixels = (np.random.default_rng(5).random((5, config.num_pixels)) < 0.4).astype(np.float32)
    return model, pixels


def _log_joint_on_a_grid(
    model: Vae, pixels: Pixels, cells: int, width: float
) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Return codes, log p(x, z) of each image at each of them, and a cell's volume; from torch's distributions."""
    axis = (torch.arange(cells, dtype=torch.float64) + 0.5) / cells * width - width / 2
    latent_dim = model.config.latent_dim
    codes = torch.stack(torch.meshgrid(*[axis] * latent_dim, indexing="ij"), dim=-1).reshape(-1, latent_dim)
    logits = model.generative(codes)
    x = torch.from_numpy(pixels).double()
    nats = torch.stack(
        [torch.distributions.Bernoulli(logits=logits).log_prob(row).sum(dim=1) for row in x]  # type: ignore[no-untyped-call]
    )
    prior = torch.distributions.Normal(0.0, 1.0).log_prob(codes).sum(dim=1)  # type: ignore[no-untyped-call]
    return codes, nats + prior, (width / cells) ** latent_dim


@pytest.mark.parametrize("latent_dim", [1, 2, 3, 7])
def test_the_full_family_reaches_the_evidence_of_a_linear_gaussian_model(latent_dim: int) -> None:
    oracle = LinearGaussian.of(latent_dim)
    decoder = FixedDecoder.of(oracle.model, oracle.pixels)
    best = best_elbo(decoder, Gaussians.of(oracle.model.inference(decoder.x)), "full")
    np.testing.assert_allclose(best.elbo, oracle.log_px, atol=1e-4)
    np.testing.assert_allclose(best.q.mean, oracle.mean, atol=1e-3)
    covariance = best.q.scale @ best.q.scale.transpose(1, 2)
    np.testing.assert_allclose(
        covariance, np.broadcast_to(np.linalg.inv(oracle.precision), covariance.shape), atol=1e-3
    )


@pytest.mark.parametrize("latent_dim", [2, 3, 7])
def test_the_factorised_gap_of_a_linear_gaussian_model_is_its_closed_form(latent_dim: int) -> None:
    oracle = LinearGaussian.of(latent_dim)
    decoder = FixedDecoder.of(oracle.model, oracle.pixels)
    best = best_elbo(decoder, Gaussians.of(oracle.model.inference(decoder.x)), "factorised")
    assert oracle.factorised_gap > 0.01
    np.testing.assert_allclose(oracle.log_px - best.elbo.numpy(), oracle.factorised_gap, atol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_no_q_of_a_fine_search_on_a_grid_beats_the_best_found(family: str, activation: str) -> None:
    model, pixels = _tiny(activation=activation)
    codes, log_joint, volume = _log_joint_on_a_grid(model, pixels, 160, 10.0)
    decoder = FixedDecoder.of(model, pixels)
    best = best_elbo(decoder, Gaussians.of(model.inference(decoder.x)), family)
    log_px = log_joint.logsumexp(dim=1) + np.log(volume)
    assert (log_px - best.elbo).min() > -1e-3

    # A random search about the best q, each ELBO a sum over the grid.
    generator = _generator(3)
    for image in range(2):
        found = _elbo_on_grid(codes, log_joint[image], volume, best.q.rows(torch.tensor([image])))
        assert found == pytest.approx(float(best.elbo[image]), abs=5e-3)
        for _ in range(40):
            step = 0.1 * torch.randn(5, generator=generator, dtype=torch.float64)
            scale = best.q.scale[image].clone()
            scale[0, 0] *= step[0].exp()
            scale[1, 1] *= step[1].exp()
            scale[1, 0] += step[2] * scale[1, 1] if family == "full" else 0.0
            mean = best.q.mean[image] + best.q.scale[image] @ step[3:]
            other = Gaussians(mean[None], scale[None])
            assert _elbo_on_grid(codes, log_joint[image], volume, other) < found + 5e-3


def _elbo_on_grid(codes: torch.Tensor, log_joint: torch.Tensor, volume: float, q: Gaussians) -> float:
    normal = torch.distributions.MultivariateNormal(q.mean[0], scale_tril=q.scale[0])
    log_q = normal.log_prob(codes)  # type: ignore[no-untyped-call]
    return float((log_q.exp() * (log_joint - log_q)).sum() * volume)


def test_the_elbo_of_a_plain_monte_carlo_sum_is_that_of_the_quadrature() -> None:
    for latent_dim in (1, 2, 5):
        model, pixels = _tiny(latent_dim)
        decoder = FixedDecoder.of(model, pixels)
        q = Gaussians(0.3 * _some_q(latent_dim, 5).mean, 0.3 * _some_q(latent_dim, 5).scale)
        elbo, error = elbo_of(decoder, q)
        normal = torch.distributions.MultivariateNormal(q.mean, scale_tril=q.scale)
        torch.manual_seed(6)
        z = normal.sample((20_000,))
        likelihood = torch.distributions.Bernoulli(logits=model.generative(z.reshape(-1, latent_dim)))
        x = torch.from_numpy(pixels).double().repeat(20_000, 1)
        nats = likelihood.log_prob(x).sum(dim=1).reshape(20_000, 5)  # type: ignore[no-untyped-call]
        nats += torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(dim=2) - normal.log_prob(z)  # type: ignore[no-untyped-call]
        spread = nats.std(dim=0) / 20_000**0.5 + error
        assert ((elbo - nats.mean(dim=0)).abs() < 4.0 * spread).all()


def test_the_best_is_never_below_the_encoder_nor_above_the_evidence() -> None:
    for activation in ("gelu", "relu"):
        model, pixels = _tiny(activation=activation)
        _, log_joint, volume = _log_joint_on_a_grid(model, pixels, 200, 12.0)
        decoder = FixedDecoder.of(model, pixels)
        encoder = Gaussians.of(model.inference(decoder.x))
        factorised, full = (best_elbo(decoder, encoder, family) for family in FAMILIES)
        assert (factorised.elbo >= factorised.encoder_elbo).all()
        assert (full.elbo >= factorised.elbo - 1e-3).all()
        assert (full.elbo <= log_joint.logsumexp(dim=1) + np.log(volume) + 1e-3).all()
        assert (factorised.elbo > factorised.encoder_elbo + 0.1).any()


def test_modes_from_the_lattice_lift_an_ascent_out_of_a_poor_one() -> None:
    # A poor picture at z = -3, the right one at 3, the worst between: from the poor one there is no way across.
    config = tiny_config(latent_dim=1, hidden=(2,), activation="tanh")
    picture = np.where(np.arange(30) < 15, 1.0, -1.0).astype(np.float32)
    arrays = {name: np.zeros(array.shape, np.float32) for name, array in random_weights(config).arrays.items()}
    arrays["decoder.layers.0.weight"] = np.array([[-6.0], [6.0]], np.float32)
    arrays["decoder.layers.0.bias"] = np.array([-12.0, -12.0], np.float32)
    arrays["decoder.layers.1.weight"] = np.stack([4.0 * picture, 8.0 * picture], axis=1)
    arrays["encoder.layers.1.bias"] = np.array([-3.0, -4.0], np.float32)
    weights = Weights(1, 0, {name: frozen(array) for name, array in arrays.items()})
    model = frozen_vae(config, weights)
    pixels = ((picture + 1.0) / 2.0)[None]
    decoder = FixedDecoder.of(model, pixels)
    encoder = Gaussians.of(model.inference(decoder.x))
    table = EvidenceTable.build(config, weights, encoder.mean.numpy())
    assert table is not None
    modes = modes_of(table, pixels, 2)
    assert float(modes[0].mean) > 1.5
    alone = list(fit_steps(model, pixels, "factorised", max_iterations=100))[-1]
    best = best_elbo(decoder, encoder, "factorised", modes)
    assert alone.mean[0] < -1.5
    assert float(best.elbo) > alone.elbo + 50.0


@pytest.mark.parametrize("family", FAMILIES)
def test_a_fit_climbs_from_its_start_to_the_best_and_says_so(family: str) -> None:
    model, pixels = _tiny()
    steps = list(fit_steps(model, pixels[:1], family, version=9))
    decoder = FixedDecoder.of(model, pixels[:1])
    best = best_elbo(decoder, Gaussians.of(model.inference(decoder.x)), family)
    assert [step.iteration for step in steps] == list(range(len(steps)))
    assert [step.finished for step in steps] == [False] * (len(steps) - 1) + [True]
    assert steps[0].elbo == steps[0].start_elbo == pytest.approx(steps[0].encoder_elbo)
    assert steps[-1].elbo == pytest.approx(float(best.elbo), abs=3e-3)
    assert steps[-1].gradient_norm < 0.1 * steps[0].gradient_norm
    rises = np.diff([step.elbo for step in steps])
    assert (rises > -0.05).all()
    assert steps[-1].version == 9
    assert not steps[-1].mean.flags.writeable
    if family == "factorised":
        assert not any(step.scale[1, 0] for step in steps)
    else:
        assert steps[-1].scale[1, 0] != 0.0


def test_a_fit_may_start_from_the_prior_or_from_any_q() -> None:
    model, pixels = _tiny()
    first = next(iter(fit_steps(model, pixels[:1], "full", "prior")))
    np.testing.assert_array_equal(first.mean, [0.0, 0.0])
    np.testing.assert_array_equal(first.scale, np.eye(2))
    given = _some_q(2, 1)
    first = next(iter(fit_steps(model, pixels[:1], "full", given)))
    np.testing.assert_allclose(first.scale, given.scale[0])


def test_a_fit_from_what_does_not_exist_is_refused() -> None:
    model, pixels = _tiny()
    with pytest.raises(ValueError, match="start must be one of encoder, prior, not 'posterior'"):
        next(iter(fit_steps(model, pixels[:1], "full", "posterior")))
    with pytest.raises(ValueError, match="family must be factorised or full, not 'flow'"):
        next(iter(fit_steps(model, pixels[:1], "flow")))
    config = tiny_config(model="autoencoder")
    with pytest.raises(ValueError, match="needs a prior"):
        frozen_vae(config, random_weights(config))


def test_the_nearest_factorised_q_keeps_the_precisions() -> None:
    q = _some_q(3)
    nearest = in_family(q, "factorised")
    precision = torch.linalg.inv(q.scale @ q.scale.transpose(1, 2))
    variances = torch.diagonal(nearest.scale, dim1=1, dim2=2).square()
    torch.testing.assert_close(1.0 / variances, torch.diagonal(precision, dim1=1, dim2=2))


def test_densities_and_divergences_are_those_of_torch() -> None:
    q = _some_q(3)
    normal = torch.distributions.MultivariateNormal(q.mean, scale_tril=q.scale)
    prior = torch.distributions.MultivariateNormal(torch.zeros_like(q.mean), torch.eye(3, dtype=torch.float64))
    torch.testing.assert_close(q.kl_to_prior(), torch.distributions.kl_divergence(normal, prior))
    z = torch.randn(4, 6, 3, generator=_generator(4), dtype=torch.float64)
    expected = torch.distributions.MultivariateNormal(q.mean[:, None], scale_tril=q.scale[:, None]).log_prob(z)  # type: ignore[no-untyped-call]
    torch.testing.assert_close(q.log_prob(z), expected)


def test_every_rule_has_the_moments_of_the_standard_normal() -> None:
    rules = [product_rule(2, 5), opposite_nodes(4, 16, _generator()), opposite_nodes(9, 2, _generator())]
    rules.append((turned(rules[0][0], _generator(7)), rules[0][1]))
    for nodes, shares in rules:
        identity = torch.eye(nodes.shape[1], dtype=torch.float64)
        torch.testing.assert_close(shares @ nodes, torch.zeros(nodes.shape[1], dtype=torch.float64))
        torch.testing.assert_close((nodes * shares[:, None]).T @ nodes, identity)
        assert float(shares.sum()) == pytest.approx(1.0)
    assert not torch.allclose(rules[0][0], rules[-1][0])


def test_the_gradient_of_an_ascent_is_that_of_the_elbo_by_autograd() -> None:
    model, pixels = _tiny()
    decoder = FixedDecoder.of(model, pixels[:1])
    q = Gaussians(0.4 * _some_q(2, 1).mean, 0.1 * _some_q(2, 1).scale)
    ascent = Ascent(decoder, q, "full", _generator(), per_axis=30)
    nodes, shares = product_rule(2, 40)
    local = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    change = torch.zeros(2, 2, dtype=torch.float64, requires_grad=True)
    scale = q.scale[0] @ (torch.eye(2, dtype=torch.float64) + change)
    z = q.mean[0] + (nodes @ (torch.eye(2, dtype=torch.float64) + change).T + local) @ q.scale[0].T
    nats = model.likelihood.log_prob(decoder.x.expand(len(nodes), -1), model.generative(z)) @ shares
    moved = q.mean[0] + q.scale[0] @ local
    kl = 0.5 * (moved.square().sum() + scale.square().sum() - 2.0) - torch.linalg.slogdet(scale)[1]
    of_mean, of_scale = torch.autograd.grad(nats - kl, (local, change))
    norm = torch.cat([of_mean, of_scale[torch.tril_indices(2, 2).unbind()]]).norm()
    assert float(ascent.gradient_norm) == pytest.approx(float(norm.detach()), rel=1e-4)
    assert float(ascent.value) == pytest.approx(float((nats - kl).detach()), abs=1e-5)
