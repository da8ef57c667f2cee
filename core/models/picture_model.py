"""What every model of pictures is: networks, a likelihood, and the registry by which they are chosen."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar

import torch
from torch import Tensor, nn

from core.config import ModelConfig
from core.models import layout
from core.probability.likelihoods import LIKELIHOODS
from core.registry import Registry
from core.tensors import Images, Logits, Parameters


class PictureModel(nn.Module, ABC):
    """Weights and the likelihood of a picture, given a code or, without codes, given the pixels before."""

    has_prior: ClassVar[bool] = False

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self._product_dtype = torch.float32
        self.likelihood = LIKELIHOODS[config.likelihood](config)
        self.pixel_log_var: nn.Parameter | None = None
        if config.likelihood == "gaussian" and config.variance == "global":
            self.pixel_log_var = nn.Parameter(torch.zeros(1))

    @property
    @abstractmethod
    def output_network(self) -> nn.Module:
        """The network whose last layer gives what describes the pixels."""

    def observed(self, outputs: Logits) -> Parameters:
        """Return the likelihood's parameters: the network's outputs, with the variance that all pixels share if so."""
        if self.likelihood.parameters_per_pixel == layout.outputs_per_pixel(self.config):
            return outputs
        log_var: Tensor | float = 2.0 * math.log(self.config.pixel_std)
        if self.pixel_log_var is not None:
            log_var = self.pixel_log_var
        return torch.stack([outputs, torch.zeros_like(outputs) + log_var], dim=2).flatten(1)

    @contextmanager
    def products_in(self, dtype: torch.dtype) -> Iterator[None]:
        """Let the networks multiply in this type, in which a processor may be quicker; all else stays as it is."""
        before, self._product_dtype = self._product_dtype, dtype
        try:
            yield
        finally:
            self._product_dtype = before

    def through(self, network: Callable[[Tensor], Tensor], value: Tensor) -> Tensor:
        """Return what a network makes of a value, in the type of the weights whatever it multiplies in."""
        if self._product_dtype is torch.float32:
            return network(value)
        # Weights and what flows are rounded; sums within a product are float32, and so is whatever follows.
        with torch.autocast(value.device.type, dtype=self._product_dtype):
            result = network(value)
        return result.float()

    @abstractmethod
    def initialise(self, generator: torch.Generator) -> None:
        """Fill all weights with initial values drawn from the generator alone."""

    @torch.no_grad()
    def initialise_variance(self) -> None:
        """Start a learned variance at the one that is set."""
        if self.pixel_log_var is not None:
            self.pixel_log_var.fill_(2.0 * math.log(self.config.pixel_std))

    @torch.no_grad()
    def start_at_mean(self, mean_picture: Images) -> None:
        """Set the output bias so that pictures first are the data's mean picture or near it.  Burda et al. 2015.

        Worth 6 nats after three epochs of MNIST.
        """
        bias = [parameter for name, parameter in self.output_network.named_parameters() if name.endswith("bias")][-1]
        outputs = layout.outputs_per_pixel(self.config)
        if bias.numel() != mean_picture.shape[1] * outputs:
            # A convolution shares its bias among pixels: its best start is their mean, in each of the sub-pixels.
            mean_picture = mean_picture.mean(dim=1, keepdim=True)
        start = self.likelihood.parameters_of_mean(mean_picture)[0]
        # Of mean and variance, only the mean where the variance is not the network's to give.
        start = start.reshape(-1, self.likelihood.parameters_per_pixel)[:, :outputs].flatten()
        # Four sub-pixels lie channel by channel: all sub-pixels of the first output, then those of the next.
        bias.copy_(start.repeat_interleave(bias.numel() // len(start)))


MODELS: Registry[type[PictureModel]] = Registry("model")
