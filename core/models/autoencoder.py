"""Autoencoders: a code, no distribution over it."""

import torch

from core.models.latent import LatentModel
from core.models.picture_model import MODELS
from core.probability.posteriors import PointMass
from core.tensors import Images


@MODELS.register("autoencoder")
class Autoencoder(LatentModel):
    """A deterministic code and p(x|code); it defines no p(x)."""

    def inference(self, x: Images) -> PointMass:
        """Return the code of each image."""
        return PointMass(self.through(self.encoder, x))


@MODELS.register("denoising_autoencoder")
class DenoisingAutoencoder(Autoencoder):
    """The same networks, trained to reconstruct the clean image from a corrupted one.  Vincent et al. 2008."""


@MODELS.register("sparse_autoencoder")
class SparseAutoencoder(Autoencoder):
    """A code of which few units are active: sigmoid units for the KL price, linear ones for L1.  Ng 2011."""

    def inference(self, x: Images) -> PointMass:
        """Return the activations of the code's units."""
        head = self.through(self.encoder, x)
        return PointMass(torch.sigmoid(head) if self.config.sparsity == "kl" else head)
