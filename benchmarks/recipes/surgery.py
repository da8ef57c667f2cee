"""ELBO surgery over all images of a split: mean KL = I(n; z) + KL(q̄(z) ‖ p(z)).  Hoffman & Johnson 2016."""

import math

import numpy as np
import torch

from benchmarks.recipes.evidence import Mean, encoded, seen
from core.config import ExperimentConfig
from core.models.vae import Vae
from core.probability.posteriors import FactorisedGaussian
from core.snapshots import Split
from core.tensors import Codes, Nats

PIECE_IMAGES = 1000
BLOCK_CODES = 256
BLOCK_IMAGES = 4096


@torch.inference_mode()
def surgery(model: Vae, split: Split, config: ExperimentConfig, generator: torch.Generator) -> dict[str, Mean]:
    """Return ELBO, mean KL, mutual information and marginal KL over a split, one code drawn for each image.

    I(n; z) is the mean of log q_n(z_n) - log q̄(z_n), with q̄ over exactly these images; the marginal KL is what the mean
    KL, in closed form, has beyond it.
    """
    heads, codes, nll = [], [], []
    for start in range(0, len(split), PIECE_IMAGES):
        x = seen(split, np.arange(start, min(start + PIECE_IMAGES, len(split)), dtype=np.int64), config)
        q = encoded(model, x)
        z = q.rsample(generator)
        heads.append((q.mean, q.log_var))
        codes.append(z)
        nll.append(-model.likelihood.log_prob(x, model.generative(z)))
    q = FactorisedGaussian(*(torch.cat(parts) for parts in zip(*heads, strict=True)))
    z = torch.cat(codes)
    kl = q.kl_per_dimension().sum(dim=1)
    information = q.log_prob(z) - log_aggregate(q, z)
    return {
        "ELBO": Mean.of(-(torch.cat(nll) + kl)),
        "mean KL": Mean.of(kl),
        "mutual information": Mean.of(information),
        "marginal KL": Mean.of(kl - information),
    }


def log_aggregate(q: FactorisedGaussian, z: Codes) -> Nats:
    """Return log q̄(z) = log 1/N Σ_n q(z|x_n) of each code."""
    # log q_n(z) is linear in z² and z: a block of codes by images is one matrix product.  In float64, for z² / σ² of a
    # narrow posterior has no digit to lose.
    mean, log_var = q.mean.double(), q.log_var.double()
    precision = (-log_var).exp()
    coefficients = torch.cat([-0.5 * precision, precision * mean], dim=1).T
    constants = -0.5 * (precision * mean.square() + log_var + math.log(2.0 * math.pi)).sum(dim=1)
    results = []
    for start in range(0, len(z), BLOCK_CODES):
        rows = z[start : start + BLOCK_CODES].double()
        features = torch.cat([rows.square(), rows], dim=1)
        blocks = [
            torch.addmm(
                constants[first : first + BLOCK_IMAGES], features, coefficients[:, first : first + BLOCK_IMAGES]
            )
            .float()
            .logsumexp(dim=1)
            for first in range(0, len(mean), BLOCK_IMAGES)
        ]
        results.append(torch.stack(blocks).logsumexp(dim=0))
    return torch.cat(results) - math.log(len(mean))
