"""Models with a latent code: a network pair around it."""

import torch
from torch import nn

from core.config import ModelConfig
from core.models.networks import NETWORKS, initialise
from core.models.picture_model import PictureModel
from core.probability.posteriors import Posterior
from core.tensors import Codes, Images, Logits


class LatentModel(PictureModel):
    """An encoder, a decoder and the likelihood of a picture given its code; subclasses say what a code is."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        networks = NETWORKS[config.network]
        self.encoder = networks.encoder(config)
        self.decoder = networks.decoder(config)

    @property
    def output_network(self) -> nn.Module:
        """The decoder."""
        return self.decoder

    def inference(self, x: Images) -> Posterior:
        """Return what the model says of the codes of some images."""
        raise NotImplementedError

    def generative(self, z: Codes) -> Logits:
        """Return the likelihood's parameters of each code, pixel after pixel."""
        return self.observed(self.through(self.decoder, z))

    def forward(self, x: Images) -> Logits:
        """Return the likelihood's parameters at the codes' means."""
        return self.generative(self.inference(x).mean)

    def initialise(self, generator: torch.Generator) -> None:
        """Fill all weights with initial values drawn from the generator alone."""
        initialise(self.encoder, self.config.activation, generator, of_code=False)
        initialise(self.decoder, self.config.activation, generator, of_code=True)
        self.initialise_variance()
