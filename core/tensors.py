"""Shapes of torch tensors, named once; tests execute them (jaxtyping, beartype)."""

from jaxtyping import Float
from torch import Tensor

Images = Float[Tensor, "batch pixels"]
"""Pixels in [0, 1], rows of the picture one after the other."""
Codes = Float[Tensor, "batch latent_dim"]
Logits = Float[Tensor, "batch outputs"]
Parameters = Float[Tensor, "batch parameters"]
"""What describes the distribution of each pixel, pixel after pixel."""
Nats = Float[Tensor, "batch"]
NatsPerDimension = Float[Tensor, "batch latent_dim"]
