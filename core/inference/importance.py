"""log p(x) by importance sampling, for models with more latent dimensions than an integral can be taken over."""

import math
from collections.abc import Sequence

import torch

from core.inference.fixed_decoder import FixedDecoder
from core.inference.gaussians import Gaussians
from core.probability.constants import LOG_TWO_PI
from core.tensors import Nats


def importance_estimate(
    decoder: FixedDecoder, proposals: Sequence[Gaussians], num_samples: int, generator: torch.Generator
) -> tuple[Nats, Nats, Nats]:
    """Return log 1/k Σ p(x, z) / q(z) of each image, nats, its standard error and the effective sample size.

    q is the even mixture of the proposals, each of which gives its share of the k samples (Veach & Guibas 1995).  In
    expectation the estimate lies below log p(x), and its standard error, by the delta method, knows only of the mass
    that the samples reached.
    """
    share = max(2, num_samples // len(proposals))
    latent_dim = decoder.latent_dim
    z = torch.cat(
        [q.at(torch.randn(share, latent_dim, generator=generator, dtype=torch.float64)) for q in proposals], dim=1
    )
    log_q = torch.stack([q.log_prob(z).double() for q in proposals]).logsumexp(dim=0) - math.log(len(proposals))
    log_prior = -0.5 * (z.double().square() + LOG_TWO_PI).sum(dim=2)
    log_weight = decoder.log_likelihood(z) + log_prior - log_q
    log_mean = log_weight.logsumexp(dim=1) - math.log(log_weight.shape[1])
    weight = (log_weight - log_mean[:, None]).exp()
    by_proposal = weight.reshape(len(decoder), len(proposals), share)
    # Strata: the shares are fixed, so that only the spread within each adds to the error.
    error = (by_proposal.var(dim=2) / share).sum(dim=1).sqrt() / len(proposals)
    return log_mean, error, weight.sum(dim=1).square() / weight.square().sum(dim=1)
