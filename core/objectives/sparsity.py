"""Prices on active code units."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from core.probability.clamp import clamp_keeping_gradient
from core.registry import Registry
from core.tensors import Codes

Penalty = Callable[[Codes, float], Float[Tensor, ""]]

PENALTIES: Registry[Penalty] = Registry("sparsity")

# A unit that is never active, or always, would cost infinitely much; it is still drawn back.
_MARGIN = 1e-6


@PENALTIES.register("kl")
def kl_to_target(activation: Codes, target: float) -> Float[Tensor, ""]:
    """Return Σ_j KL(ρ || ρ̂_j) of Bernoulli variables, ρ̂_j the batch mean of unit j, nats.  Ng 2011, section 3."""
    mean = clamp_keeping_gradient(activation.mean(dim=0), _MARGIN, 1.0 - _MARGIN)
    on = target * (math.log(target) - mean.log())
    off = (1.0 - target) * (math.log1p(-target) - torch.log1p(-mean))
    return (on + off).sum()


@PENALTIES.register("l1")
def absolute_sum(activation: Codes, target: float) -> Float[Tensor, ""]:  # noqa: ARG001 - one signature for all
    """Return Σ_j |h_j|, averaged over the batch."""
    return activation.abs().sum(dim=1).mean()
