"""The likelihoods as exponential families on tensors: log p(x|z) = t(x) · η(z) − A(z) + c(x).

As in core/inference/array_likelihoods.py, with as few statistics as the model leaves free: a table of η is large.
"""

import math
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Float64
from torch import Tensor

from core.config import ModelConfig
from core.probability.constants import LOG_TWO_PI
from core.probability.likelihoods import log_normaliser
from core.probability.limits import PIXEL_LOG_VAR_MAX, PIXEL_LOG_VAR_MIN
from core.registry import Registry
from core.tensors import Images, Logits

Statistics = Float[Tensor, "batch statistics"]
Sums = Float64[Tensor, "batch"]

# exp(80) is finite in float32, and log(1 + exp(l)) = l from there on.
_LINEAR_FROM = 80.0


@runtime_checkable
class Family(Protocol):
    """A likelihood whose dependence on picture and code separates into one product."""

    @property
    def dtype(self) -> torch.dtype:
        """Precision in which η and t must be multiplied for sums that are right to 1e-4 nats."""

    def num_statistics(self, num_pixels: int) -> int:
        """Return how many numbers t(x) and η(z) have."""

    def statistics(self, x: Images) -> Statistics:
        """Return t(x) of each picture."""

    def base(self, x: Images) -> Sums:
        """Return c(x) of each picture."""

    def natural(self, parameters: Logits) -> tuple[Statistics, Sums]:
        """Return η and A of each code's parameters; they may be overwritten."""


FAMILIES: Registry[Callable[[ModelConfig, float | None], Family]] = Registry("likelihood")
"""Made from the model's configuration and the log-variance that all pixels share, None where there is none."""


class _OfLogits:
    """One logit a pixel: t(x) = x."""

    dtype = torch.float32

    def num_statistics(self, num_pixels: int) -> int:
        return num_pixels

    def statistics(self, x: Images) -> Statistics:
        return x.to(self.dtype)

    def base(self, x: Images) -> Sums:
        return torch.zeros(len(x), dtype=torch.float64)


class _Bernoulli(_OfLogits):
    def natural(self, parameters: Logits) -> tuple[Statistics, Sums]:
        return parameters, _softplus_sum(parameters)


class _ContinuousBernoulli(_OfLogits):
    def natural(self, parameters: Logits) -> tuple[Statistics, Sums]:
        return parameters, _softplus_sum(parameters) - log_normaliser(parameters).sum(dim=1, dtype=torch.float64)


class _Categorical:
    """Counted from the lowest level, whose indicator the others imply: V − 1 statistics a pixel."""

    dtype = torch.float32

    def __init__(self, grey_levels: int) -> None:
        self._grey_levels = grey_levels

    def num_statistics(self, num_pixels: int) -> int:
        return num_pixels * (self._grey_levels - 1)

    def statistics(self, x: Images) -> Statistics:
        highest = self._grey_levels - 1
        level = (x * highest).round().long().clamp(0, highest)
        one_hot = torch.nn.functional.one_hot(level, self._grey_levels)[:, :, 1:]
        return one_hot.flatten(1).to(self.dtype)

    def base(self, x: Images) -> Sums:
        return torch.zeros(len(x), dtype=torch.float64)

    def natural(self, parameters: Logits) -> tuple[Statistics, Sums]:
        by_level = parameters.reshape(len(parameters), -1, self._grey_levels)
        relative = by_level[:, :, 1:] - by_level[:, :, :1]
        sums = (by_level.logsumexp(dim=2) - by_level[:, :, 0]).sum(dim=1, dtype=torch.float64)
        return relative.flatten(1), sums


class _Gaussian:
    """In double precision: the terms of t · η are some 10⁵ nats and cancel."""

    dtype = torch.float64

    def __init__(self, shared_log_var: float | None) -> None:
        self._shared_log_var = shared_log_var

    def num_statistics(self, num_pixels: int) -> int:
        return num_pixels if self._shared_log_var is not None else 2 * num_pixels

    def statistics(self, x: Images) -> Statistics:
        x = x.to(self.dtype)
        # With one variance for all codes, x² weighs the same at each of them.
        return x if self._shared_log_var is not None else torch.cat([x, x.square()], dim=1)

    def base(self, x: Images) -> Sums:
        if self._shared_log_var is None:
            return torch.zeros(len(x), dtype=torch.float64)
        return -0.5 * math.exp(-self._shared_log_var) * x.to(self.dtype).square().sum(dim=1)

    def natural(self, parameters: Logits) -> tuple[Statistics, Sums]:
        mean, log_var = parameters.reshape(len(parameters), -1, 2).unbind(dim=2)
        log_var = log_var.clamp(PIXEL_LOG_VAR_MIN, PIXEL_LOG_VAR_MAX)
        precision = (-log_var).exp()
        sums = 0.5 * (mean.square() * precision + log_var + LOG_TWO_PI).sum(dim=1, dtype=torch.float64)
        weighed = mean * precision
        if self._shared_log_var is not None:
            return weighed, sums
        return torch.cat([weighed, -0.5 * precision], dim=1), sums


FAMILIES.register("bernoulli")(lambda config, shared: _Bernoulli())  # noqa: ARG005 - one signature for all
FAMILIES.register("continuous_bernoulli")(lambda config, shared: _ContinuousBernoulli())  # noqa: ARG005
FAMILIES.register("categorical")(lambda config, shared: _Categorical(config.grey_levels))  # noqa: ARG005
FAMILIES.register("gaussian")(lambda config, shared: _Gaussian(shared))  # noqa: ARG005


def _softplus_sum(logits: Logits) -> Sums:
    """Return Σ log(1 + exp(l)) of each row: a third of the time of softplus(), which is most of a table's."""
    grown = logits.clamp(max=_LINEAR_FROM).exp_().add_(1.0).log_()
    sums = grown.sum(dim=1, dtype=torch.float64)
    beyond = logits.amax() if logits.numel() else logits.new_zeros(())
    if beyond > _LINEAR_FROM:
        sums += (logits - _LINEAR_FROM).clamp_(min=0.0).sum(dim=1, dtype=torch.float64)
    return sums
