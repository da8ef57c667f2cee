"""Gradient ascent on the ELBO of each image of a batch by itself, in q's parameters: inference is finding φ*.

Steps are natural-gradient steps in the coordinates of q itself, z = μ + L (δ + (I + M) ε) with M lower triangular, in
which q's Fisher information is I for δ and, for M, 2 on and 1 below the diagonal.  So nothing depends on the scale of
the latent space.  The expected Hessian of log p(x|z), by Stein's identity E[∇²f] = E[∇f εᵀ] L⁻¹, makes the step of the
mean one of Newton's; at rate 1 the maximum is reached as fast as Newton's method reaches it.  Lin, Schmidt & Khan 2020.

The nodes ε are turned or drawn anew at each step: fixed nodes can be cheated on by a decoder with kinks, whose
likelihood may be high at the nodes and nowhere else.
"""

import math

import torch
from torch import Tensor

from core.inference.fixed_decoder import FixedDecoder
from core.inference.gaussians import Gaussians, Nodes, Shares, opposite_nodes, product_rule, turned
from core.tensors import Codes, Nats

# No step goes farther: the local picture of the posterior is not trusted beyond, in standard deviations and in log L.
_LONGEST_STEP = 1.5
# A wide q that shrinks slowly finds the better mode: from the prior the best one for 31 of 40 digits, at 1.0 for 13.
_MOST_GROWTH, _MOST_SHRINKING, _MOST_SHEAR = 0.7, 0.3, 1.0
# Below this share of q's own precision a direction counts as flat.
_LEAST_CURVATURE = 0.2
# What an average over turned nodes may differ by from one turn to the next, nats; more where it was seen to.
_TOLERANCE = 1e-2
_PAIRS = 16
_DECAY = 10.0
"""Steps after which their length is halved, where nodes are random."""


class Ascent:
    """The state of an ascent: q of each image, the value of its ELBO at the latest nodes, and where it goes next.

    Steps are `rate` times the whole natural-gradient step, and half as long after `decay` steps.
    """

    def __init__(
        self,
        decoder: FixedDecoder,
        start: Gaussians,
        family: str,
        generator: torch.Generator,
        *,
        per_axis: int = 5,
        rate: float = 1.0,
        decay: float | None = None,
    ) -> None:
        self._decoder = decoder
        self._generator = generator
        self._factorised = family == "factorised"
        self._per_axis = per_axis
        self._most = rate
        # Random nodes leave noise in every step, which smaller and smaller ones average out.
        self._decay = decay or (_DECAY if decoder.latent_dim > 2 else math.inf)
        self._iteration = 0
        self.q = in_family(start, family)
        self.value, self._slope, self._curvature = self._measured(decoder, self.q)
        self._rate = torch.full_like(self.value, rate)
        self._noise = torch.zeros_like(self.value)

    @property
    def gradient_norm(self) -> Nats:
        """Length of the ELBO's gradient in (δ, M): nats for a step of one of q's standard deviations."""
        return (self._slope.square().sum(dim=1) + self._gradient_of_scale.square().sum(dim=(1, 2))).sqrt()

    @property
    def expected_gain(self) -> Nats:
        """What a whole step promises, in nats, to second order."""
        growth = (self._gradient_of_scale * self._step_of_scale).sum(dim=(1, 2))
        return 0.5 * ((self._slope * self._step_of_mean).sum(dim=1) + growth)

    def advance(self) -> None:
        """Take one step for each image where it raises the ELBO; where it does not, the next is shorter."""
        self._iteration += 1
        proposed = self._proposal()
        value, slope, curvature = self._measured(self._decoder, proposed)
        better = value >= self.value - _TOLERANCE - 2.0 * self._noise
        self.q = self.q.where(better, proposed)
        self.value = torch.where(better, value, self.value)
        self._slope = torch.where(better[:, None], slope, self._slope)
        self._curvature = torch.where(better[:, None, None], curvature, self._curvature)
        self._noise = 0.8 * self._noise
        self._rate = torch.where(better, (1.5 * self._rate).clamp(max=self._most), 0.5 * self._rate)
        worse = torch.nonzero(~better)[:, 0]
        if len(worse):
            self._look_again(worse)

    def _look_again(self, rows: Tensor) -> None:
        """Measure q anew where a step was refused: nodes that flattered it would else keep it for ever."""
        value, slope, curvature = self._measured(self._decoder.rows(rows), self.q.rows(rows))
        self._noise[rows] = torch.maximum(self._noise[rows], (value - self.value[rows]).abs())
        self.value[rows], self._slope[rows], self._curvature[rows] = value, slope, curvature

    def keep(self, rows: Tensor) -> None:
        """Go on with some of the images only."""
        self._decoder = self._decoder.rows(rows)
        self.q = self.q.rows(rows)
        self.value, self._rate, self._noise = self.value[rows], self._rate[rows], self._noise[rows]
        self._slope, self._curvature = self._slope[rows], self._curvature[rows]

    def _proposal(self) -> Gaussians:
        rate = self._rate / (1.0 + self._iteration / self._decay)
        mean = self.q.mean + (self.q.scale @ (rate[:, None] * self._step_of_mean)[:, :, None])[:, :, 0]
        step = rate[:, None, None] * self._step_of_scale
        growth = torch.diagonal(step, dim1=1, dim2=2).clamp(-_MOST_SHRINKING, _MOST_GROWTH).exp()
        shear = torch.tril(step, -1).clamp(-_MOST_SHEAR, _MOST_SHEAR)
        return Gaussians(mean, self.q.scale @ (torch.diag_embed(growth) + shear))

    @property
    def _gradient_of_scale(self) -> Tensor:
        # By Stein's identity the gradient in M is I − H; its upper half is no parameter's.
        gradient = torch.tril(torch.eye(self._curvature.shape[1], dtype=self._curvature.dtype) - self._curvature)
        return torch.diag_embed(torch.diagonal(gradient, dim1=1, dim2=2)) if self._factorised else gradient

    @property
    def _step_of_scale(self) -> Tensor:
        gradient = self._gradient_of_scale
        return gradient - 0.5 * torch.diag_embed(torch.diagonal(gradient, dim1=1, dim2=2))

    @property
    def _step_of_mean(self) -> Codes:
        curvature, axes = torch.linalg.eigh(self._curvature)
        # |curvature|: where the density bends upwards, still up the slope.
        along = (axes.transpose(1, 2) @ self._slope[:, :, None])[:, :, 0] / curvature.abs().clamp(min=_LEAST_CURVATURE)
        step = (axes @ along[:, :, None])[:, :, 0]
        shorter: Tensor = (_LONGEST_STEP / step.norm(dim=1, keepdim=True).clamp(min=1e-12)).clamp(max=1.0)
        shortened: Tensor = step * shorter
        return shortened

    def _measured(self, decoder: FixedDecoder, q: Gaussians) -> tuple[Nats, Codes, Tensor]:
        """Return ELBO, its gradient in δ, and the expected curvature −Lᵀ E[∇² log p(x, z)] L, at fresh nodes."""
        nodes, shares = self._nodes()
        values, gradients = decoder.with_gradient(q.at(nodes))
        nodes, shares = nodes.to(values.dtype), shares.to(values.dtype)
        weighed = gradients * shares[:, None]
        upward = q.scale.transpose(1, 2)
        slope = (upward @ (weighed.sum(dim=1) - q.mean)[:, :, None])[:, :, 0]
        bend = upward @ q.scale - upward @ (weighed.transpose(1, 2) @ nodes)
        value = values @ shares - q.kl_to_prior()
        return value, slope, 0.5 * (bend + bend.transpose(1, 2))

    def _nodes(self) -> tuple[Nodes, Shares]:
        latent_dim = self._decoder.latent_dim
        if latent_dim > 2:
            return opposite_nodes(latent_dim, _PAIRS, self._generator)
        if latent_dim == 1:
            # A line has no rotation: the number of nodes changes instead.
            more = int(torch.randint(0, 4, (1,), generator=self._generator))
            return product_rule(1, 2 * self._per_axis + more)
        nodes, shares = product_rule(latent_dim, self._per_axis)
        return turned(nodes, self._generator), shares


def in_family(q: Gaussians, family: str) -> Gaussians:
    """Return q itself, or for `factorised` the independent dimensions nearest to it: KL(result || q) is the least.

    That keeps the diagonal of the precision matrix.  Bishop 2006, section 10.1.2.  Raises ValueError.
    """
    if family == "full":
        return q
    if family != "factorised":
        raise ValueError(f"family must be factorised or full, not {family!r}")
    inverse = torch.linalg.inv(q.scale)
    return Gaussians(q.mean, torch.diag_embed(inverse.square().sum(dim=1).rsqrt()))
