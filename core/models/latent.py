"""What every model of this room is: a network pair around a code, and the registry of such models."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from core.config import ModelConfig
from core.models.networks import NETWORKS, initialise
from core.probability.likelihoods import LIKELIHOODS
from core.probability.posteriors import Posterior
from core.registry import Registry
from core.tensors import Codes, Images, Logits


class LatentModel(nn.Module):
    """An encoder, a decoder and the likelihood of a picture given its code; subclasses say what a code is."""

    has_prior: ClassVar[bool]

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        networks = NETWORKS[config.network]
        self.config = config
        self.likelihood = LIKELIHOODS[config.likelihood]
        self.encoder = networks.encoder(config)
        self.decoder = networks.decoder(config)

    def inference(self, x: Images) -> Posterior:
        """Return what the model says of the codes of some images."""
        raise NotImplementedError

    def generative(self, z: Codes) -> Logits:
        """Return the likelihood's parameters of each code, pixel after pixel."""
        parameters: Tensor = self.decoder(z)
        return parameters

    def forward(self, x: Images) -> Logits:
        """Return the likelihood's parameters at the codes' means."""
        return self.generative(self.inference(x).mean)

    def initialise(self, generator: torch.Generator) -> None:
        """Fill all weights with initial values drawn from the generator alone."""
        initialise(self.encoder, self.config.activation, generator, of_code=False)
        initialise(self.decoder, self.config.activation, generator, of_code=True)

    @torch.no_grad()
    def start_at_mean(self, mean_picture: Images) -> None:
        """Set the output bias so that codes first decode to the data's mean picture or near it.  Burda et al. 2015.

        Worth 6 nats after three epochs of MNIST.
        """
        bias = self.get_parameter(_output_bias(self))
        if bias.numel() == mean_picture.shape[1] * self.likelihood.outputs_per_pixel:
            bias.copy_(self.likelihood.parameters_of_mean(mean_picture)[0])
        else:
            # A convolution shares its bias among pixels: its best start is their mean, in each of the sub-pixels.
            shared = self.likelihood.parameters_of_mean(mean_picture.mean(dim=1, keepdim=True))[0]
            bias.copy_(shared.repeat_interleave(bias.numel() // len(shared)))


def _output_bias(model: nn.Module) -> str:
    return [name for name, _ in model.named_parameters() if name.startswith("decoder.") and name.endswith("bias")][-1]


MODELS: Registry[type[LatentModel]] = Registry("model")
