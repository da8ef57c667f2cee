"""Expectations under q(z|x) of one or two dimensions, on nodes that are carried by q."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Float64
from torch import Tensor

from core.inference.array_posteriors import ArrayPosterior
from core.inference.evidence.decoding import CodesOfPictures, NatsOfPictures, NodeDecoder, ShouldStop
from core.inference.quadrature import Noise, Shares, product, product_rule
from core.probability.constants import LOG_TWO_PI

PerPicture = Float64[np.ndarray, "pictures"]


@dataclass(frozen=True, slots=True)
class Resolution:
    """How finely q is looked at, by two rules that share no node."""

    hermite: int | None
    """Nodes of the Gauss-Hermite rule along each axis, for E_q[log p(x|z)]; None for a second even lattice."""
    reach: float
    """Of the even lattice for KL(q ‖ p(z|x)), in standard deviations of q."""
    step: float
    """Of the even lattice, in standard deviations of q."""


PEN = Resolution(6, 4.0, 1.0)
"""117 codes in a plane."""
FINE = (Resolution(12, 6.0, 0.6), Resolution(None, 6.0, 0.2), Resolution(None, 6.0, 0.08))
"""460, 5,000 and 30,000 codes in a plane: the next where two rules of one differ, for a q so wide that log p(x|z) is
no polynomial across it."""
_OTHER_STEP = 1.17


@dataclass(frozen=True, slots=True, eq=False)
class Expectations:
    """What the identity needs of q(z|x), nats for each picture."""

    log_likelihood: PerPicture
    """E_q[log p(x|z)], by Gauss-Hermite nodes."""
    kl_to_prior: PerPicture
    """KL(q(z|x) ‖ p(z)), closed form."""
    log_ratio: PerPicture
    """E_q[log q(z|x) − log p(x, z)], by the even lattice: with log p(x) added, KL(q(z|x) ‖ p(z|x))."""

    @property
    def elbo(self) -> PerPicture:
        """The evidence lower bound."""
        elbo: PerPicture = self.log_likelihood - self.kl_to_prior
        return elbo


def expectations(
    decoder: NodeDecoder,
    posterior: ArrayPosterior,
    statistics: Float[Tensor, "pictures statistics"],
    base: PerPicture,
    resolution: Resolution,
    should_stop: ShouldStop | None = None,
) -> Expectations:
    """Return the expectations under q(z|x) of each picture.

    Raises Stopped, and TypeError for an autoencoder's code, which has no density.
    """
    shares_of_kl = posterior.kl_per_dimension()
    if shares_of_kl is None:
        raise TypeError("the code of an autoencoder has no density to average over")
    mean, scale = posterior.mean.astype(np.float64), posterior.scale.astype(np.float64)
    if resolution.hermite is None:
        noise, shares = even_nodes(mean.shape[1], resolution.reach, _OTHER_STEP * resolution.step)
    else:
        noise, shares = product_rule(mean.shape[1], resolution.hermite)
    codes = _carried(mean, scale, noise)
    log_likelihood = decoder.log_joint(codes, statistics, should_stop) - _log_prior(codes)
    even, even_shares = even_nodes(mean.shape[1], resolution.reach, resolution.step)
    log_det = np.log(np.diagonal(scale, axis1=1, axis2=2)).sum(axis=1)
    log_q = -0.5 * (even**2 + LOG_TWO_PI).sum(axis=1) - log_det[:, None]
    log_joint = decoder.log_joint(_carried(mean, scale, even), statistics, should_stop)
    return Expectations(
        log_likelihood=log_likelihood @ shares + base,
        kl_to_prior=shares_of_kl.astype(np.float64).sum(axis=1),
        log_ratio=(log_q - log_joint) @ even_shares - base,
    )


@lru_cache(maxsize=16)
def even_nodes(latent_dim: int, reach: float, step: float) -> tuple[Noise, Shares]:
    """Return the nodes of an even lattice within `reach`, with their shares by the standard normal density."""
    # Half a step off the centre, where a Gauss-Hermite rule of an odd number has a node.
    count = math.floor(reach / step)
    nodes = product(step * (np.arange(-count, count) + 0.5), latent_dim)
    nodes = nodes[(nodes**2).sum(axis=1) <= reach**2]
    weights = np.exp(-0.5 * (nodes**2).sum(axis=1))
    return nodes, weights / weights.sum()


def _carried(
    mean: Float64[np.ndarray, "pictures latent_dim"],
    scale: Float64[np.ndarray, "pictures latent_dim latent_dim"],
    noise: Noise,
) -> CodesOfPictures:
    """Return mean + L noise of each picture: `posterior.at` in double precision."""
    codes: CodesOfPictures = mean[:, None, :] + noise @ scale.transpose(0, 2, 1)
    return codes


def _log_prior(codes: CodesOfPictures) -> NatsOfPictures:
    nats: NatsOfPictures = -0.5 * (codes**2 + LOG_TWO_PI).sum(axis=2)
    return nats
