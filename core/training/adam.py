"""Adam on one vector that all weights of a model are parts of.  Kingma & Ba 2015, algorithm 1.

Of its own and not torch's class, whose import takes a second, and whose step in Python takes longer than that of a
small network; the arithmetic is torch's fused kernel.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

_BETAS = (0.9, 0.999)
_MOMENTS = ("exp_avg", "exp_avg_sq")
_ALIGNMENT = 16
"""Each parameter begins at a multiple of so many numbers, 64 bytes, where what is written there is written as quickly,
and by libraries that choose by it as exactly, as to memory of its own."""
_TENSORS_OF_A_LAUNCH = 36
"""How many the fused kernel takes at once on a card; with more of them it is launched again."""
_SMALLEST_PIECE = 4096
"""Numbers that one of a card's processors is worth being given."""


class FlatAdam:
    """Holds a model's weights in one vector, and moves them; the model's parameters become views of it."""

    def __init__(self, parameters: Mapping[str, nn.Parameter], learning_rate: float, epsilon: float) -> None:
        """Take the parameters over, all on one device and in float32."""
        self._parameters = dict(parameters)
        device = next(iter(parameters.values())).device
        padded = sum(_padded(parameter.numel()) for parameter in parameters.values())
        self.weights, self.gradient, self._first, self._second = torch.zeros(4, padded, device=device).unbind()
        self.gradient_parts = self._views(self.gradient)
        """Where the gradient of each parameter is to be written before `update`."""
        vectors = (self.weights, self.gradient, self._first, self._second)
        self._pieces = [_pieces_for_a_card(one) if device.type == "cuda" else [one] for one in vectors]
        self._steps = torch.zeros((), device=device)
        self._epsilon = epsilon
        # A kernel on a card reads float32.
        dtype = torch.float32 if device.type == "cuda" else torch.float64
        self.rate = torch.tensor(learning_rate, dtype=dtype, device=device)
        """The learning rate, a scalar beside the weights: a captured step sees it change."""
        for parameter, view in zip(parameters.values(), self._views(self.weights), strict=True):
            view.copy_(parameter.detach())
            parameter.data = view

    def update(self, skip: Tensor) -> None:
        """Take a step against the gradient, or none where `skip`, a scalar, is 1 and not 0."""
        self._steps.add_(1.0 - skip)
        weights, gradients, first, second = self._pieces
        torch._fused_adam_(
            weights,
            gradients,
            first,
            second,
            [],
            [self._steps] * len(weights),
            lr=self.rate,
            beta1=_BETAS[0],
            beta2=_BETAS[1],
            weight_decay=0.0,
            eps=self._epsilon,
            amsgrad=False,
            maximize=False,
            found_inf=skip,
        )

    def state(self) -> list[Tensor]:
        """Return all that a step changes."""
        return [self.weights, self._first, self._second, self._steps]

    def to_arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return copies of the moments by the parameters' names, as `load` takes them back."""
        steps = self._steps.cpu().numpy()
        arrays = {}
        views = zip(self._parameters, self._views(self._first), self._views(self._second), strict=True)
        for name, first, second in views:
            arrays[f"adam.step.{name}"] = steps.copy()
            for key, moment in zip(_MOMENTS, (first, second), strict=True):
                arrays[f"adam.{key}.{name}"] = moment.cpu().numpy().copy()
        return arrays

    @torch.no_grad()
    def load(self, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Set the moments.  Raises ValueError naming what does not fit, with nothing changed."""
        pairs, steps = [], set[float]()
        views = zip(self._parameters, self._views(self._first), self._views(self._second), strict=True)
        for name, first, second in views:
            for key, target in (("step", self._steps), *zip(_MOMENTS, (first, second), strict=True)):
                full_name = f"adam.{key}.{name}"
                array = arrays.get(full_name)
                if array is None:
                    raise ValueError(f"{full_name} is missing")
                if array.shape != tuple(target.shape) or array.dtype != np.float32:
                    raise ValueError(f"{full_name} is {array.dtype} {array.shape}, not float32 {tuple(target.shape)}")
                if not np.isfinite(array).all() or (key != "exp_avg" and (array < 0.0).any()):
                    raise ValueError(f"{full_name} holds values that Adam cannot have")
                if key == "step":
                    steps.add(float(array))
                pairs.append((target, array))
        if len(steps) > 1:
            raise ValueError(f"adam.step differs among the weights: {min(steps):g} to {max(steps):g}")
        for target, array in pairs:
            target.copy_(torch.from_numpy(np.array(array)))

    def _views(self, vector: Tensor) -> list[Tensor]:
        views, start = [], 0
        for parameter in self._parameters.values():
            views.append(vector[start : start + parameter.numel()].view(parameter.shape))
            start += _padded(parameter.numel())
        return views


def _pieces_for_a_card(vector: Tensor) -> list[Tensor]:
    """Return a vector in as many pieces as the kernel moves at once: it gives each to one of a card's processors."""
    size = max(_padded(-(-len(vector) // _TENSORS_OF_A_LAUNCH)), _SMALLEST_PIECE)
    return list(torch.split(vector, size))


def _padded(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
