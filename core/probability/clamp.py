"""A limit that still lets gradients pull back into the range."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor


class _ClampKeepingGradient(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(value: Tensor, low: float, high: float) -> Tensor:
        return value.clamp(low, high)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, float, float], output: Tensor) -> None:  # noqa: ANN401
        ctx.save_for_backward(inputs[0], output)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:  # noqa: ANN401
        value, clamped = ctx.saved_tensors
        # Descent moves against the gradient: above the range it goes back when the gradient is positive.
        outward = (value - clamped) * gradient < 0.0
        return gradient.masked_fill(outward, 0.0), None, None


def clamp_keeping_gradient(value: Float[Tensor, "*shape"], low: float, high: float) -> Float[Tensor, "*shape"]:
    """Return `value` limited to [low, high]; outside, the gradient passes where descent leads back into the range."""
    result: Tensor = _ClampKeepingGradient.apply(value, low, high)  # type: ignore[no-untyped-call]
    return result
