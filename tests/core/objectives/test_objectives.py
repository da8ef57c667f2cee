"""What a step minimises, against torch.distributions, autograd and a fine grid of the evidence."""

import math
from dataclasses import replace

import pytest
import torch
from torch.distributions import Bernoulli, Distribution, Normal, kl_divergence

from core import choices
from core.config import ModelConfig, ObjectiveConfig
from core.models.build import build_latent_model, build_model
from core.models.latent import LatentModel
from core.objectives.registry import OBJECTIVES
from core.objectives.terms import ElboTerms

SMALL = ModelConfig(hidden=(6,), image_height=2, image_width=3)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def log_prob(distribution: Distribution, value: torch.Tensor) -> torch.Tensor:
    result: torch.Tensor = distribution.log_prob(value).sum(dim=-1)
    return result


def some_images(batch: int = 5, pixels: int = 6) -> torch.Tensor:
    return (torch.rand(batch, pixels, generator=seeded(9)) < 0.4).float()


def gradients(model: LatentModel, loss: torch.Tensor) -> list[torch.Tensor]:
    return list(torch.autograd.grad(loss, list(model.parameters())))


def test_every_model_that_can_be_chosen_has_an_objective() -> None:
    assert sorted(OBJECTIVES.names) == sorted(choice.name for choice in choices.MODELS)


@pytest.mark.parametrize("name", OBJECTIVES.names)
def test_every_objective_gives_costs_of_each_image_and_their_mean(name: str) -> None:
    config = ModelConfig(model=name, hidden=(6,), image_height=2, image_width=3)
    model, objective = build_model(config, seeded()), OBJECTIVES[name](ObjectiveConfig())
    terms = objective.terms(model, some_images(), seeded(1))
    assert terms.nll.shape == (5,)
    assert (terms.kl_per_dimension is not None) == (terms.elbo is not None) == config.has_prior
    loss = objective.loss(terms, 2.0)
    if terms.bound is not None:
        expected = -terms.bound
    else:
        price = 0.0 if terms.penalty is None else terms.penalty
        expected = terms.nll + price + (0.0 if terms.kl is None else 2.0 * terms.kl)
    torch.testing.assert_close(loss, expected.mean())


@pytest.mark.parametrize("beta", [0.0, 1.0, 4.0])
def test_the_loss_and_its_gradient_are_those_of_torch_distributions(beta: float) -> None:
    model, x = build_latent_model(SMALL, seeded()).double(), some_images().double()
    objective = OBJECTIVES["vae"](ObjectiveConfig())
    loss = objective.loss(objective.terms(model, x, seeded(1)), beta)
    head = model.encoder(x)
    q = Normal(head[:, :2], (0.5 * head[:, 2:]).exp())
    z = q.mean + q.stddev * torch.randn(5, 2, generator=seeded(1), dtype=torch.float64)
    log_likelihood = log_prob(Bernoulli(logits=model.decoder(z)), x)
    prior = Normal(torch.zeros(2, dtype=torch.float64), torch.ones(2, dtype=torch.float64))
    expected = -(log_likelihood - beta * kl_divergence(q, prior).sum(dim=1)).mean()
    torch.testing.assert_close(loss, expected)
    for ours, theirs in zip(gradients(model, loss), gradients(model, expected), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_the_cost_of_an_autoencoder_and_its_gradient_are_those_of_torch_distributions() -> None:
    model = build_latent_model(replace(SMALL, model="autoencoder"), seeded()).double()
    objective, x = OBJECTIVES["autoencoder"](ObjectiveConfig()), some_images().double()
    loss = objective.loss(objective.terms(model, x, seeded(1)), 7.0)
    expected = -log_prob(Bernoulli(logits=model.decoder(model.encoder(x))), x).mean()
    torch.testing.assert_close(loss, expected)
    for ours, theirs in zip(gradients(model, loss), gradients(model, expected), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_the_elbo_of_terms_does_not_know_beta() -> None:
    terms = ElboTerms(torch.tensor([10.0]), torch.tensor([[1.0, 2.0]]))
    assert terms.elbo is not None
    assert terms.elbo.tolist() == [-13.0]


def evidence_on_grid(model: LatentModel, x: torch.Tensor, half_width: float = 8.0, cells: int = 400) -> torch.Tensor:
    """Return log p(x) of each image by an equal-weight grid over a 2-D latent space."""
    step = 2.0 * half_width / cells
    axis = torch.linspace(-half_width + step / 2, half_width - step / 2, cells, dtype=torch.float64)
    z = torch.cartesian_prod(axis, axis)
    logits = model.generative(z)
    log_prior = log_prob(Normal(0.0, 1.0), z)
    log_joint = log_prob(Bernoulli(logits=logits[None]), x[:, None]) + log_prior + 2.0 * math.log(step)
    return torch.logsumexp(log_joint, dim=1)


def trained_vae(beta: float = 1.0) -> tuple[LatentModel, torch.Tensor]:
    model, x = build_latent_model(SMALL, seeded()).double(), some_images(3).double()
    optimiser, generator = torch.optim.Adam(model.parameters(), lr=0.02), seeded(3)
    for _ in range(150):
        optimiser.zero_grad()
        OBJECTIVES["vae"](ObjectiveConfig()).loss(
            OBJECTIVES["vae"](ObjectiveConfig()).terms(model, x, generator), beta
        ).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return model, x


@pytest.mark.parametrize("beta", [0.3, 1.0])
def test_the_elbo_is_below_the_evidence_by_the_kl_to_the_true_posterior(beta: float) -> None:
    model, x = trained_vae(beta)
    num_samples = 20_000
    with torch.no_grad():
        evidence = evidence_on_grid(model, x)
        for row in range(len(x)):
            terms = OBJECTIVES["vae"](ObjectiveConfig()).terms(
                model, x[row : row + 1].expand(num_samples, -1), seeded(5)
            )
            assert terms.elbo is not None
            error = 4.0 * float(terms.elbo.std()) / math.sqrt(num_samples)
            elbo = float(terms.elbo.mean())
            assert elbo <= float(evidence[row]) + error
            # KL(q || p(z|x)) on its own: E_q[log q(z|x) - log p(x, z) + log p(x)].
            posterior = model.inference(x[row : row + 1].expand(num_samples, -1))
            z = posterior.rsample(seeded(6))
            log_joint = log_prob(Bernoulli(logits=model.generative(z)), x[row])
            log_joint += log_prob(Normal(0.0, 1.0), z)
            assert posterior.log_var is not None
            log_q = log_prob(Normal(posterior.mean, (0.5 * posterior.log_var).exp()), z)
            gap = log_q - log_joint + evidence[row]
            gap_error = 4.0 * float(gap.std()) / math.sqrt(num_samples)
            assert elbo + float(gap.mean()) == pytest.approx(float(evidence[row]), abs=error + gap_error)


def test_the_elbo_reaches_the_evidence_when_the_code_says_nothing() -> None:
    model = build_latent_model(SMALL, seeded())
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.startswith(("decoder.layers.0", "encoder.layers.1")):
                parameter.zero_()
        x = some_images()
        terms = OBJECTIVES["vae"](ObjectiveConfig()).terms(model, x, seeded(1))
        assert terms.kl is not None
        assert terms.elbo is not None
        assert terms.kl.tolist() == [0.0] * 5
        torch.testing.assert_close(
            terms.elbo.double(), evidence_on_grid(model.double(), x.double()), atol=1e-4, rtol=0.0
        )


def test_the_elbo_of_a_model_without_prior_is_refused() -> None:
    model = build_model(ModelConfig(model="autoencoder", hidden=(6,), image_height=2, image_width=3), seeded())
    with pytest.raises(TypeError, match="Autoencoder"):
        OBJECTIVES["vae"](ObjectiveConfig()).terms(model, some_images(), seeded())
