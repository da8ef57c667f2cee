"""Where the true posterior of an image has its modes, read off the table of log p(x, z) over a lattice of codes."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from core.inference.evidence.decoding import products
from core.inference.evidence.table import EvidenceTable
from core.inference.gaussians import Gaussians
from core.shapes import Pixels


def modes_of(table: EvidenceTable, pixels: Pixels, count: int) -> tuple[Gaussians, ...]:
    """Return the `count` highest modes of each image's p(z|x), each as wide as a lattice cell; the highest first.

    A mode is a node that is higher than all nodes around it.  Where an image has fewer, its highest is there again.
    """
    lattice = table.lattice
    values = products(table.decoder.statistics(pixels), table.eta, torch.from_numpy(table.offset))
    heights = torch.from_numpy(np.nan_to_num(values, nan=-np.inf)).reshape(-1, 1, *lattice.shape)
    peaks = torch.where(heights >= _highest_around(heights), heights, torch.tensor(-math.inf, dtype=heights.dtype))
    found, places = peaks.flatten(1).topk(count, dim=1)
    places = torch.where(found.isfinite(), places, places[:, :1])
    nodes = torch.from_numpy(lattice.nodes().astype(np.float32))
    scale = lattice.step * torch.eye(lattice.latent_dim).repeat(len(pixels), 1, 1)
    return tuple(Gaussians(nodes[places[:, rank]], scale) for rank in range(count))


def _highest_around(heights: Tensor) -> Tensor:
    if heights.dim() == 4:
        return functional.max_pool2d(heights, 3, stride=1, padding=1)
    return functional.max_pool1d(heights[:, 0], 3, stride=1, padding=1)[:, None]
