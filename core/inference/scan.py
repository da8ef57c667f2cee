"""Where the posterior of an image has its modes: log p(x, z) on a lattice of decoded codes, in one product an image."""

import math
from typing import Self

import numpy as np
import torch
from jaxtyping import Float
from torch.nn import functional

from core.inference.coders import Coder
from core.inference.gaussians import Gaussians
from core.shapes import CodeArray, Pixels

MOST_NODES = {1: 4096, 2: 25_600}
"""Codes of the lattice: with 25,600 over ±5 a step of 0.06, which found every best mode of the shipped model."""
_PRIOR_REACH = 4.5
_CODES_MARGIN = 0.3
_PIECE = 2048
_FAR_BELOW = -1e30


class CodeScan:
    """A lattice of codes over prior and data, with what each says of pixels; for one or two latent dimensions."""

    def __init__(
        self,
        coder: Coder,
        nodes: CodeArray,
        shape: tuple[int, ...],
        step: float,
        eta: Float[np.ndarray, "nodes statistics"],
        offset: Float[np.ndarray, "nodes"],
    ) -> None:
        self._coder = coder
        self._nodes = torch.from_numpy(nodes)
        self._shape = shape
        self._step = step
        self._eta = eta
        self._offset = offset

    @classmethod
    def build(cls, coder: Coder, data_codes: CodeArray, most_nodes: int | None = None) -> Self:
        """Return the lattice of a version of a model.  Raises ValueError for more than two latent dimensions."""
        latent_dim = coder.config.latent_dim
        if latent_dim not in MOST_NODES:
            raise ValueError(f"a lattice of codes needs 1 or 2 latent dimensions, not {latent_dim}")
        low, high = np.full(latent_dim, -_PRIOR_REACH), np.full(latent_dim, _PRIOR_REACH)
        finite = data_codes[np.isfinite(data_codes).all(axis=1)]
        if len(finite):
            low = np.minimum(low, finite.min(axis=0) - _CODES_MARGIN)
            high = np.maximum(high, finite.max(axis=0) + _CODES_MARGIN)
        step = float(np.prod(high - low) / (most_nodes or MOST_NODES[latent_dim])) ** (1.0 / latent_dim)
        axes = [
            start + step * np.arange(math.floor((stop - start) / step)) for start, stop in zip(low, high, strict=True)
        ]
        nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, latent_dim).astype(np.float32)
        eta, offset = [], []
        for start in range(0, len(nodes), _PIECE):
            natural, sums = coder.likelihood.natural(coder.parameters(nodes[start : start + _PIECE]))
            eta.append(natural.astype(np.float32))
            offset.append(-sums)
        offsets = np.concatenate(offset) - 0.5 * (nodes.astype(np.float64) ** 2).sum(axis=1)
        shape = tuple(len(axis) for axis in axes)
        return cls(coder, nodes, shape, step, np.concatenate(eta), offsets.astype(np.float32))

    def starts(self, pixels: Pixels, count: int) -> tuple[Gaussians, ...]:
        """Return the `count` highest modes of each image, each as wide as a cell; the highest first.

        Where an image has fewer, its highest one is there again.
        """
        statistics = self._coder.likelihood.statistics(pixels).astype(np.float32)
        values = np.nan_to_num(statistics @ self._eta.T + self._offset, nan=_FAR_BELOW, neginf=_FAR_BELOW)
        heights = torch.from_numpy(values)
        lattice = heights.reshape(-1, 1, *self._shape)
        around = (
            functional.max_pool2d(lattice, 3, 1, 1) if lattice.dim() == 4 else functional.max_pool1d(lattice, 3, 1, 1)
        )
        peaks = torch.where(lattice >= around, lattice, torch.tensor(-math.inf)).reshape(len(pixels), -1)
        found, places = peaks.topk(count, dim=1)
        places = torch.where(found.isfinite(), places, places[:, :1])
        latent_dim = self._nodes.shape[1]
        scale = self._step * torch.eye(latent_dim).repeat(len(pixels), 1, 1)
        return tuple(Gaussians(self._nodes[places[:, rank]], scale) for rank in range(count))
