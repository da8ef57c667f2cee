"""The floor of a training step: its matrix products alone, at their shapes, as the library does them."""

import time
from itertools import pairwise

import torch
from torch import Tensor


class Products:
    """The products of one step of an MLP auto-encoder: forwards, for the weights' gradient, and for their inputs'.

    The gradient of the pixels is nobody's need.
    """

    def __init__(self, pixels: int, hidden: tuple[int, ...], latent_dim: int, batch: int) -> None:
        encoder = list(pairwise((pixels, *hidden, 2 * latent_dim)))
        decoder = list(pairwise((latent_dim, *reversed(hidden), pixels)))
        self._batch = batch
        self._pairs: list[tuple[Tensor, Tensor]] = []
        for number, (fan_in, fan_out) in enumerate(encoder + decoder):
            inputs, outputs = torch.randn(batch, fan_in), torch.randn(batch, fan_out)
            weights = torch.randn(fan_out, fan_in)
            self._pairs += [(inputs, weights.t()), (outputs.t(), inputs)]
            if number:
                self._pairs.append((outputs, weights))
        self.rates: list[float] = []

    def take(self, seconds: float) -> None:
        """Multiply for a while with the threads that are set, and note how many images a second that would be."""
        began, steps, now = time.perf_counter(), 0, 0.0
        with torch.inference_mode():
            while now < seconds:
                for _ in range(10):
                    for one, other in self._pairs:
                        torch.mm(one, other)
                steps += 10
                now = time.perf_counter() - began
        self.rates.append(steps * self._batch / now)
