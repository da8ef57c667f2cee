"""How a denoising autoencoder's input is corrupted in a training step; core/data has the same for pictures."""

from collections.abc import Callable

import torch

from core.registry import Registry
from core.tensors import Images

Corruption = Callable[[Images, float, torch.Generator], Images]

CORRUPTIONS: Registry[Corruption] = Registry("corruption")


@CORRUPTIONS.register("gaussian")
def with_noise(x: Images, level: float, generator: torch.Generator) -> Images:
    """Return x plus normal noise of standard deviation `level`; pixels may leave [0, 1]."""
    noise = torch.randn(x.shape, generator=generator, dtype=x.dtype, device=x.device)
    return x + level * noise


@CORRUPTIONS.register("dropout")
def with_dropped_pixels(x: Images, level: float, generator: torch.Generator) -> Images:
    """Return x with each pixel set to 0 with probability `level`.  Vincent et al. 2008, section 2.3."""
    kept = torch.rand(x.shape, generator=generator, dtype=x.dtype, device=x.device) >= level
    return x * kept
