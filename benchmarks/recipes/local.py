"""Inference without an encoder for any number of latent dimensions: one factorised q fitted to each image.

Cremer et al. 2018, section 3: approximation gap log p(x) - ELBO(q*), amortisation gap ELBO(q*) - ELBO(encoder's q).
"""

import math
from dataclasses import dataclass

import torch

from benchmarks.recipes.evidence import Mean, encoded, log_evidence
from core.models.vae import Vae
from core.probability.posteriors import FactorisedGaussian
from core.tensors import Images, Nats

FITTING_SAMPLES = 16
FITTING_STEPS = 1000
FITTING_RATE = 0.02
PIECE_IMAGES = 100


@dataclass(frozen=True, slots=True)
class Gaps:
    """Means over images, in nats."""

    approximation: Mean
    amortisation: Mean
    log_evidence: Mean
    elbo: Mean
    """Of the encoder's q."""

    def figures(self) -> dict[str, Mean]:
        """Return the means by the names that a table shows."""
        return {
            "approximation gap": self.approximation,
            "amortisation gap": self.amortisation,
            "log p(x)": self.log_evidence,
            "ELBO": self.elbo,
        }


def gaps(
    model: Vae, x: Images, generator: torch.Generator, *, num_samples: int = 5000, steps: int = FITTING_STEPS
) -> Gaps:
    """Return both gaps of a factorised posterior, estimated.

    log p(x) is the higher one of two importance-weighted bounds, from the fitted q and from the encoder's: in
    expectation too low, so that the approximation gap is too.
    """
    parts = [
        _of_each(model, x[start : start + PIECE_IMAGES], generator, num_samples, steps)
        for start in range(0, len(x), PIECE_IMAGES)
    ]
    evidence, best, amortised = (torch.cat(columns) for columns in zip(*parts, strict=True))
    return Gaps(Mean.of(evidence - best), Mean.of(best - amortised), Mean.of(evidence), Mean.of(amortised))


def _of_each(
    model: Vae, x: Images, generator: torch.Generator, num_samples: int, steps: int
) -> tuple[Nats, Nats, Nats]:
    """Return log p(x), the best ELBO found and that of the encoder, for each image."""
    start = encoded(model, x)
    fitted = fit(model, x, start, generator, steps)
    both = [log_evidence(model, x, posterior, num_samples, generator) for posterior in (fitted, start)]
    amortised = elbo(model, x, start, generator, num_samples)
    # The encoder's q is in the family as well: the best one found is never worse than that.
    best = torch.maximum(elbo(model, x, fitted, generator, num_samples), amortised)
    return torch.maximum(*both), best, amortised


def fit(
    model: Vae,
    x: Images,
    start: FactorisedGaussian,
    generator: torch.Generator,
    steps: int = FITTING_STEPS,
    num_samples: int = FITTING_SAMPLES,
) -> FactorisedGaussian:
    """Return the factorised q of each image after `steps` steps of Adam on its ELBO, at a rate that falls to zero."""
    mean = start.mean.detach().clone().requires_grad_()
    log_var = start.log_var.detach().clone().requires_grad_()
    optimiser = torch.optim.Adam([mean, log_var], lr=FITTING_RATE)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    repeated = x.repeat(num_samples, 1)
    for _ in range(steps):
        optimiser.zero_grad(set_to_none=True)
        q = FactorisedGaussian(mean, log_var)
        z = q.repeated(num_samples).rsample(generator)
        log_likelihood = model.likelihood.log_prob(repeated, model.generative(z)).sum() / num_samples
        # A sum over images: each has parameters of its own, and Adam's step knows no scale.
        (q.kl_per_dimension().sum() - log_likelihood).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        falling.step()
    return FactorisedGaussian(mean.detach(), log_var.detach())


@torch.inference_mode()
def elbo(model: Vae, x: Images, posterior: FactorisedGaussian, generator: torch.Generator, num_samples: int) -> Nats:
    """Return the ELBO of each image's q, its KL in closed form, its reconstruction a mean over samples."""
    totals = torch.zeros(len(x), dtype=torch.float64)
    batches = math.ceil(num_samples / FITTING_SAMPLES)
    repeated = x.repeat(FITTING_SAMPLES, 1)
    for _ in range(batches):
        z = posterior.repeated(FITTING_SAMPLES).rsample(generator)
        costs = model.likelihood.log_prob(repeated, model.generative(z))
        totals += costs.reshape(FITTING_SAMPLES, -1).mean(dim=0)
    return (totals / batches).float() - posterior.kl_per_dimension().sum(dim=1)
