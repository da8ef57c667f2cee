"""Priors p(z) over codes."""

from dataclasses import dataclass

import torch

from core.probability.constants import LOG_TWO_PI
from core.tensors import Codes, Nats


@dataclass(frozen=True, slots=True)
class StandardNormal:
    """The prior p(z) = N(0, I)."""

    latent_dim: int

    def log_prob(self, z: Codes) -> Nats:
        """Return log p(z) in nats."""
        return -0.5 * (z.square() + LOG_TWO_PI).sum(dim=1)

    def sample(self, num_samples: int, generator: torch.Generator) -> Codes:
        """Return codes z ~ p(z), drawn on the generator's device."""
        return torch.randn(num_samples, self.latent_dim, generator=generator, device=generator.device)
