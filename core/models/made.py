"""The masked autoencoder for distribution estimation: p(x) = Π p(x_i | x_<i), exact.  Germain et al. 2015."""

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from core.config import ModelConfig
from core.models import layout
from core.models.networks import ACTIVATIONS, Mlp, initialise
from core.models.picture_model import MODELS, PictureModel
from core.tensors import Images, Logits, Nats

Degrees = np.ndarray[Any, np.dtype[np.int64]]


@MODELS.register("made")
class Made(PictureModel):
    """Fully connected layers whose masks let each pixel's parameters depend on the pixels before it alone."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.network = Mlp(layout.made_widths(config), ACTIVATIONS[config.activation])
        # No buffers: they follow from the configuration, and a model's file holds what was learned.
        self._masks: tuple[Tensor, ...] = ()

    @property
    def output_network(self) -> nn.Module:
        """The one network."""
        return self.network

    def forward(self, x: Images) -> Logits:
        """Return the parameters of p(x_i | x_<i) for every pixel i, in the picture's own order."""
        return self.observed(self.through(self._masked, x))

    def _masked(self, x: Images) -> Logits:
        masks = self.masks(x.device)
        value = x
        last = len(masks) - 1
        for index, (layer, mask) in enumerate(zip(self.network.layers, masks, strict=True)):
            weight, bias = layer.get_parameter("weight"), layer.get_parameter("bias")
            value = functional.linear(value, weight * mask.to(weight.dtype), bias)
            if index < last:
                value = self.network.activation(value)
        return value

    def log_prob(self, x: Images) -> Nats:
        """Return log p(x), exact, in nats per image."""
        return self.likelihood.log_prob(x, self(x))

    def masks(self, device: torch.device) -> tuple[Tensor, ...]:
        """Return which weights are not held at zero, 0 or 1, layer by layer."""
        if not self._masks or self._masks[0].device != device:
            degrees = layout.made_degrees(self.config)
            self._masks = tuple(
                torch.from_numpy(_mask(before, after, last=index == len(degrees) - 2)).to(device, non_blocking=True)
                for index, (before, after) in enumerate(pairwise(degrees))
            )
        return self._masks

    def initialise(self, generator: torch.Generator) -> None:
        """Fill all weights with initial values drawn from the generator alone."""
        initialise(self.network, self.config.activation, generator, of_code=False)
        self.initialise_variance()


def _mask(before: Degrees, after: Degrees, *, last: bool) -> np.ndarray[Any, np.dtype[np.float32]]:
    # An output depends on what is strictly before its pixel, a hidden unit on all up to its own degree.
    allowed = after[:, None] > before[None, :] if last else after[:, None] >= before[None, :]
    return allowed.astype(np.float32)
