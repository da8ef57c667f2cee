"""Both gaps of a model with two latent dimensions, where log p(x) is an integral over a plane and no estimate."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from benchmarks.recipes.evidence import Mean, encoded
from benchmarks.recipes.local import Gaps, fit
from core.models.vae import Vae
from core.probability.posteriors import FactorisedGaussian
from core.tensors import Codes, Images, Nats

REACH = 7.5
SIDE = 1024
COARSE = 4
"""Of the grid's nodes every fourth is kept for the search of modes."""
MODES = 3
HERMITE_ORDER = 32
TRIED = {"steps": 150, "num_samples": 8}
KEPT = {"steps": 600, "num_samples": 16}


@dataclass(frozen=True, slots=True, eq=False)
class PlaneIntegral:
    """log p(x) of each image on a grid, and where its true posterior has its highest modes."""

    log_evidence: Nats
    resolution_error: float
    """The largest difference to the sum over every second node, in nats."""
    modes: torch.Tensor
    """(images, modes, 2), the highest first; the highest again where there are fewer."""


def planar_gaps(model: Vae, x: Images, generator: torch.Generator, side: int = SIDE) -> tuple[Gaps, float]:
    """Return both gaps, and how far the grid's log p(x) may be off, in nats.

    The best factorised q is sought from the encoder's, from the prior and from the highest modes; noise that is drawn
    anew in each step fits it, and a Gauss-Hermite rule that no step has seen says what it is worth.
    """
    integral = integrate(model, x, side)
    start = encoded(model, x)
    amortised = elbo(model, x, start)
    starts = [(start.mean, start.log_var), (torch.zeros_like(start.mean), torch.zeros_like(start.mean))]
    starts += [(integral.modes[:, mode], start.log_var) for mode in range(integral.modes.shape[1])]
    best = start
    reached = amortised
    for mean, log_var in starts:
        tried = fit(model, x, FactorisedGaussian(mean, log_var), generator, **TRIED)
        best, reached = _better(best, reached, tried, elbo(model, x, tried))
    final = fit(model, x, best, generator, **KEPT)
    best, reached = _better(best, reached, final, elbo(model, x, final))
    found = Gaps(
        Mean.of(integral.log_evidence - reached),
        Mean.of(reached - amortised),
        Mean.of(integral.log_evidence),
        Mean.of(amortised),
    )
    return found, integral.resolution_error


def _better(
    one: FactorisedGaussian, one_elbo: Nats, other: FactorisedGaussian, other_elbo: Nats
) -> tuple[FactorisedGaussian, Nats]:
    """Return for each image the q of the higher ELBO, and that ELBO."""
    higher = (other_elbo > one_elbo)[:, None]
    mean = torch.where(higher, other.mean, one.mean)
    log_var = torch.where(higher, other.log_var, one.log_var)
    return FactorisedGaussian(mean, log_var), torch.maximum(one_elbo, other_elbo)


@torch.inference_mode()
def integrate(model: Vae, x: Images, side: int = SIDE) -> PlaneIntegral:
    """Return log ∫ p(x|z) p(z) dz over the square of ±7.5 by equal weights, for Bernoulli pixels.

    Raises ValueError for another likelihood, or more than two dimensions.
    """
    if model.config.likelihood != "bernoulli" or model.config.latent_dim != 2:
        raise ValueError("the plane is integrated over for Bernoulli pixels and two latent dimensions alone")
    axis = torch.linspace(-REACH, REACH, side + 1)[:-1]
    cell = 2.0 * math.log(float(axis[1] - axis[0]))
    rows, second_rows, coarse = [], [], []
    for index, first in enumerate(axis):
        nodes = torch.stack([first.expand(side), axis], dim=1)
        joint = _log_joint(model, x, nodes)
        rows.append(joint.logsumexp(dim=0))
        if index % 2 == 0:
            second_rows.append(joint[::2].logsumexp(dim=0))
        if index % COARSE == 0:
            coarse.append(joint[::COARSE])
    evidence = torch.stack(rows).logsumexp(dim=0) + cell
    halved = torch.stack(second_rows).logsumexp(dim=0) + cell + math.log(4.0)
    modes = _highest_modes(torch.stack(coarse).permute(2, 0, 1), axis[::COARSE])
    return PlaneIntegral(evidence, float((evidence - halved).abs().max()), modes)


def _log_joint(model: Vae, x: Images, nodes: Codes) -> torch.Tensor:
    """Return log p(x, z), (nodes, images), in one product: x is linear in the logits."""
    logits = model.generative(nodes)
    normaliser = functional.softplus(logits).sum(dim=1) - model.prior.log_prob(nodes)
    return logits @ x.T - normaliser[:, None]


def _highest_modes(joint: torch.Tensor, axis: torch.Tensor) -> torch.Tensor:
    """Return where (images, side, side) is highest among its neighbours, (images, modes, 2)."""
    side = joint.shape[1]
    peaks = functional.max_pool2d(joint[:, None], 3, stride=1, padding=1)[:, 0] == joint
    heights = torch.where(peaks, joint, torch.full_like(joint, -math.inf)).flatten(1)
    values, places = heights.topk(MODES, dim=1)
    places = torch.where(torch.isfinite(values), places, places[:, :1])
    return torch.stack([axis[places // side], axis[places % side]], dim=2)


@torch.inference_mode()
def elbo(model: Vae, x: Images, q: FactorisedGaussian, order: int = HERMITE_ORDER) -> Nats:
    """Return the ELBO of each image's q by a Gauss-Hermite rule of order² nodes, its KL in closed form."""
    points, weights = np.polynomial.hermite_e.hermegauss(order)
    shares = torch.from_numpy(np.outer(weights, weights).ravel() / (2.0 * math.pi))
    noise = torch.tensor(np.stack(np.meshgrid(points, points, indexing="ij"), axis=-1).reshape(-1, 2)).float()
    costs = []
    for index in range(len(x)):
        z = q.mean[index] + (0.5 * q.log_var[index]).exp() * noise
        likelihood = model.likelihood.log_prob(x[index : index + 1].expand(len(z), -1), model.generative(z))
        costs.append((shares * likelihood.double()).sum().float())
    return torch.stack(costs) - q.kl_per_dimension().sum(dim=1)
