"""β, warm-up, free bits, L samples and the importance-weighted bound, against formulas and a fine grid."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch.distributions import Bernoulli, Distribution, MultivariateNormal, Normal

from core.choices import POSTERIORS
from core.config import ModelConfig, ObjectiveConfig
from core.models.build import build_model
from core.models.vae import Vae
from core.objectives.registry import OBJECTIVES
from core.objectives.terms import ElboTerms
from core.snapshots import StepReports
from tests.core.training.runs import a_run, watch_steps

SMALL = ModelConfig(hidden=(6,), image_height=2, image_width=3)
FAMILIES = [choice.name for choice in POSTERIORS]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def log_prob(distribution: Distribution, value: torch.Tensor) -> torch.Tensor:
    result: torch.Tensor = distribution.log_prob(value).sum(dim=-1)
    return result


def some_images(batch: int = 4) -> torch.Tensor:
    return (torch.rand(batch, 6, generator=seeded(9)) < 0.4).double()


def a_vae(**values: object) -> Vae:
    """Return a small model whose weights are large enough for q to lie away from the prior."""
    model = build_model(replace(SMALL, **values), seeded()).double()  # type: ignore[arg-type]
    assert isinstance(model, Vae)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2.5)
    return model


def bounds_of(model: Vae, x: torch.Tensor, num_samples: int, repeats: int, seed: int = 3) -> torch.Tensor:
    """Return independent importance-weighted bounds, (repeats, images)."""
    objective = OBJECTIVES["iwae"](ObjectiveConfig(num_samples=num_samples))
    with torch.no_grad():
        terms = objective.terms(model, x.repeat(repeats, 1), seeded(seed))
    assert terms.bound is not None
    return terms.bound.reshape(repeats, len(x))


def elbos_of(model: Vae, x: torch.Tensor, num_samples: int, repeats: int, seed: int = 4) -> torch.Tensor:
    objective = OBJECTIVES["vae"](ObjectiveConfig(num_samples=num_samples))
    with torch.no_grad():
        elbo = objective.terms(model, x.repeat(repeats, 1), seeded(seed)).elbo
    assert elbo is not None
    return elbo.reshape(repeats, len(x))


def evidence(model: Vae, x: torch.Tensor) -> torch.Tensor:
    """Return log p(x) of each image by an equal-weight grid over the plane."""
    cells, half_width = 400, 8.0
    step = 2.0 * half_width / cells
    axis = torch.linspace(-half_width + step / 2, half_width - step / 2, cells, dtype=torch.float64)
    z = torch.cartesian_prod(axis, axis)
    with torch.no_grad():
        joint = log_prob(Bernoulli(logits=model.generative(z)[None]), x[:, None])
    return torch.logsumexp(joint + log_prob(Normal(0.0, 1.0), z) + 2.0 * math.log(step), dim=1)


def above(higher: torch.Tensor, lower: torch.Tensor) -> bool:
    """Return whether the mean of one sample is nowhere below that of another by more than 4 standard errors."""
    error = (higher.var(dim=0) / len(higher) + lower.var(dim=0) / len(lower)).sqrt()
    return bool((higher.mean(dim=0) >= lower.mean(dim=0) - 4.0 * error).all())


@pytest.mark.parametrize("family", FAMILIES)
def test_the_bound_and_its_gradient_are_those_of_torch_distributions(family: str) -> None:
    model, x = a_vae(posterior=family), some_images()
    objective = OBJECTIVES["iwae"](ObjectiveConfig(num_samples=3))
    loss = objective.loss(objective.terms(model, x, seeded(1)), 1.0)
    posterior = model.inference(x)
    q = MultivariateNormal(posterior.mean, scale_tril=posterior.scale)
    noise = torch.randn(12, 2, generator=seeded(1), dtype=torch.float64).reshape(3, 4, 2)
    z = q.mean + (q.scale_tril @ noise.unsqueeze(3)).squeeze(3)
    log_likelihood = log_prob(Bernoulli(logits=model.generative(z.reshape(12, 2)).reshape(3, 4, 6)), x)
    log_weight = log_likelihood + log_prob(Normal(0.0, 1.0), z) - q.log_prob(z)  # type: ignore[no-untyped-call]
    expected = -(log_weight.exp().mean(dim=0)).log().mean()
    torch.testing.assert_close(loss, expected)
    parameters = list(model.parameters())
    for ours, theirs in zip(
        torch.autograd.grad(loss, parameters, retain_graph=True), torch.autograd.grad(expected, parameters), strict=True
    ):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("family", FAMILIES)
def test_one_importance_sample_is_the_elbo_in_expectation(family: str) -> None:
    model, x = a_vae(posterior=family), some_images()
    bound, elbo = bounds_of(model, x, 1, 20_000), elbos_of(model, x, 1, 20_000)
    assert above(bound, elbo)
    assert above(elbo, bound)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_further_sample_tightens_the_importance_weighted_bound(family: str) -> None:
    model, x = a_vae(posterior=family), some_images()
    exact = evidence(model, x)
    bounds = [bounds_of(model, x, num_samples, 4_000) for num_samples in (1, 2, 4, 16, 64)]
    for fewer, more in pairwise(bounds):
        assert above(more, fewer)
        assert above(exact.expand(2, -1), more)
    assert not above(bounds[0], bounds[-1]), "the difference must be larger than its error, or nothing is tested"


@pytest.mark.parametrize("family", FAMILIES)
def test_more_samples_of_the_elbo_lower_its_noise_and_do_not_tighten_it(family: str) -> None:
    model, x = a_vae(posterior=family), some_images()
    one, many = elbos_of(model, x, 1, 6_000), elbos_of(model, x, 16, 6_000, seed=5)
    assert above(one, many)
    assert above(many, one)
    ratio = one.var(dim=0) / many.var(dim=0)
    # A variance of n draws errs by √(2/n) and, with heavy tails, by some more.
    assert ((ratio > 16 * 0.8) & (ratio < 16 * 1.25)).all()


def test_the_average_over_samples_is_that_of_the_single_ones() -> None:
    model, x = a_vae(), some_images()
    noise = torch.randn(12, 2, generator=seeded(1), dtype=torch.float64).reshape(3, 4, 2)
    terms = OBJECTIVES["vae"](ObjectiveConfig(num_samples=3)).terms(model, x, seeded(1))
    posterior = model.inference(x)
    costs = [-log_prob(Bernoulli(logits=model.generative(posterior.at(part))), x) for part in noise]
    torch.testing.assert_close(terms.nll, torch.stack(costs).mean(dim=0))
    importance = OBJECTIVES["iwae"](ObjectiveConfig(num_samples=3)).terms(model, x, seeded(1))
    torch.testing.assert_close(importance.nll, terms.nll)
    torch.testing.assert_close(importance.kl, terms.kl)


def some_terms() -> ElboTerms:
    # Two dimensions, three images; means over the batch 0.4 and 2.
    return ElboTerms(torch.tensor([10.0, 11.0, 12.0]), torch.tensor([[0.0, 1.0], [0.2, 2.0], [1.0, 3.0]]))


@pytest.mark.parametrize(("free_bits", "kl"), [(0.0, 2.4), (0.3, 2.4), (0.5, 2.5), (3.0, 6.0)])
def test_free_bits_are_a_maximum_after_the_mean_over_the_batch(free_bits: float, kl: float) -> None:
    objective = OBJECTIVES["vae"](ObjectiveConfig(free_bits=free_bits))
    assert float(objective.loss(some_terms(), 2.0)) == pytest.approx(11.0 + 2.0 * kl)
    # With the maximum inside the mean, image by image, half a nat would cost (0.5 + 0.5 + 1) / 3 + 2.
    inside = some_terms().kl_per_dimension.clamp(min=free_bits).sum(dim=1).mean()  # type: ignore[union-attr]
    if free_bits == 0.5:
        assert float(inside) != pytest.approx(kl)


def test_a_dimension_within_its_free_bits_is_not_pulled_to_the_prior() -> None:
    per_dimension = torch.tensor([[0.1, 2.0], [0.3, 3.0]], requires_grad=True)
    terms = ElboTerms(torch.zeros(2), per_dimension)
    OBJECTIVES["vae"](ObjectiveConfig(free_bits=0.5)).loss(terms, 1.0).backward()  # type: ignore[no-untyped-call]
    assert per_dimension.grad is not None
    assert per_dimension.grad.tolist() == [[0.0, 0.5], [0.0, 0.5]]


def test_the_elbo_that_is_reported_knows_neither_beta_nor_free_bits_nor_warm_up() -> None:
    plain, weighed = a_run(), a_run(beta=4.0, free_bits=2.0, warm_up_epochs=3.0)
    # Before the first step both are the same model, evaluated with the same noise.
    first = [next(event for event in run.events() if isinstance(event, StepReports)) for run in (plain, weighed)]
    assert first[0].nll[0] == first[1].nll[0]
    assert first[0].kl[0] == first[1].kl[0]


def test_the_weight_of_the_kl_rises_in_a_line_over_the_warm_up() -> None:
    run = a_run(beta=2.0, warm_up_epochs=2.0, epochs=4)
    weights: list[float] = []
    watch_steps(run, lambda planned: weights.extend(planned.betas))
    list(run.events())
    # Four batches an epoch: after the first step an eighth of the warm-up is done.
    assert weights == pytest.approx([2.0 * min(1.0, step / 8) for step in range(16)])


def test_a_continued_run_goes_on_with_the_warm_up_where_it_was() -> None:
    first = a_run(warm_up_epochs=4.0, epochs=2)
    list(first.events())
    second = a_run(start=first.saved(), warm_up_epochs=4.0, epochs=1)
    weights: list[float] = []
    watch_steps(second, lambda planned: weights.extend(planned.betas))
    list(second.events())
    assert weights[0] == pytest.approx(0.5)
