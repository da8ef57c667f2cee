"""log p(x|z) of fixed images under a fixed decoder, as a function of their codes alone, with its gradient in z."""

from collections.abc import Iterator
from typing import Self

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from core.config import ModelConfig
from core.models.build import build_model, load_weights
from core.models.vae import Vae
from core.shapes import Pixels
from core.snapshots import Weights
from core.tensors import Images

CodesOfImages = Float[Tensor, "batch nodes latent_dim"]
NatsOfImages = Float[Tensor, "batch nodes"]

PIECE_CODES = 1024
"""Codes decoded at once: 25 µs each with the gradient for 2-128-256-512-784 on one core, in 30 MB."""


def frozen_vae(config: ModelConfig, weights: Weights) -> Vae:
    """Return the model with these weights, none of which learns.  Raises ValueError where there is no bound."""
    model = build_model(config, None)
    if not isinstance(model, Vae):
        raise ValueError(f"a bound on log p(x) needs a prior over codes, which the model {config.model!r} has not")  # noqa: TRY004
    load_weights(model, weights.arrays)
    return model.requires_grad_(requires_grad=False).eval()


class FixedDecoder:
    """A frozen model and a batch of images; it is asked about several codes of each image."""

    def __init__(self, model: Vae, x: Images) -> None:
        self.model = model
        self.x = x

    @classmethod
    def of(cls, model: Vae, pixels: Pixels) -> Self:
        """Return it for pixels as snapshots hold them."""
        # torch warns of read-only arrays, which snapshots' are: hand it a copy.
        return cls(model, torch.from_numpy(np.array(pixels, np.float32)).to(_dtype(model)))

    def __len__(self) -> int:
        return len(self.x)

    @property
    def latent_dim(self) -> int:
        """Number of latent dimensions."""
        return self.model.config.latent_dim

    @property
    def dtype(self) -> torch.dtype:
        """What the model computes in."""
        return _dtype(self.model)

    def rows(self, rows: Tensor) -> Self:
        """Return it for some of the images, as often as their rows are named."""
        return type(self)(self.model, self.x[rows])

    @torch.no_grad()
    def log_likelihood(self, z: CodesOfImages) -> NatsOfImages:
        """Return log p(x|z) in nats, in float64 but for the decoder itself."""
        images, count, codes = self._flat(z)
        pieces = [
            # Sums of 784 float32 err by 1e-4 nats, as much as some gaps are to be known to.
            self.model.likelihood.log_prob(self.x[rows].double(), self.model.generative(piece).double())
            for rows, piece in _pieces(images, codes)
        ]
        return torch.cat(pieces).reshape(-1, count)

    def with_gradient(self, z: CodesOfImages) -> tuple[NatsOfImages, CodesOfImages]:
        """Return log p(x|z) in nats, in the model's precision, and its gradient in z."""
        images, count, codes = self._flat(z)
        values, gradients = [], []
        for rows, some in _pieces(images, codes):
            piece = some.detach().requires_grad_()
            nats = self.model.likelihood.log_prob(self.x[rows], self.model.generative(piece))
            gradients.append(torch.autograd.grad(nats.sum(), piece)[0])
            values.append(nats.detach())
        return torch.cat(values).reshape(-1, count), torch.cat(gradients).reshape(z.shape)

    def _flat(self, z: CodesOfImages) -> tuple[Tensor, int, Tensor]:
        count = z.shape[1]
        images = torch.arange(len(z)).repeat_interleave(count)
        return images, count, z.reshape(-1, z.shape[2]).to(self.dtype)


def _pieces(images: Tensor, codes: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    for start in range(0, len(images), PIECE_CODES):
        yield images[start : start + PIECE_CODES], codes[start : start + PIECE_CODES]


def _dtype(model: Vae) -> torch.dtype:
    return next(model.parameters()).dtype
