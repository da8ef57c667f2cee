"""What a quadrature needs of a code: η(z), and log p(z) − A(z)."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from core.config import ModelConfig
from core.inference.evidence.families import FAMILIES, Statistics, Sums
from core.models.build import build_latent_model, load_weights
from core.models.layout import PIXEL_LOG_VAR, outputs_per_pixel, parameters_per_pixel
from core.probability.constants import LOG_TWO_PI
from core.probability.limits import PIXEL_LOG_VAR_MAX, PIXEL_LOG_VAR_MIN
from core.shapes import Pixels
from core.snapshots import Weights

NodeCodes = Float64[np.ndarray, "nodes latent_dim"]
NodeNats = Float64[np.ndarray, "nodes"]
Eta = Float[Tensor, "nodes statistics"]
Offsets = Float64[Tensor, "nodes"]
CodesOfPictures = Float64[np.ndarray, "pictures nodes latent_dim"]
NatsOfPictures = Float64[np.ndarray, "pictures nodes"]
ShouldStop = Callable[[], bool]

CHUNK_NODES = 1024
"""Codes decoded at once: 11 µs each for 2-128-256-512-784 on one core, as 512 and 2,048; 16 for 64."""


class Stopped(Exception):  # noqa: N818 - not an error: somebody said stop
    """`should_stop` said so between two chunks."""


class NodeDecoder:
    """The decoder of one version of a model, and its likelihood as an exponential family."""

    def __init__(self, config: ModelConfig, weights: Weights) -> None:
        model = build_latent_model(config, None)
        load_weights(model, weights.arrays)
        self.family = FAMILIES[config.likelihood](config, _shared_log_var(config, weights))
        self.config = config
        self.version = weights.version
        self._model = model.requires_grad_(requires_grad=False).eval().to(self.family.dtype)

    def statistics(self, pixels: Pixels) -> Statistics:
        """Return t(x) of each picture."""
        return self.family.statistics(torch.from_numpy(np.array(pixels, np.float32)))

    def base(self, pixels: Pixels) -> Float64[np.ndarray, "batch"]:
        """Return c(x) of each picture, nats."""
        base: np.ndarray[Any, Any] = self.family.base(torch.from_numpy(np.array(pixels, np.float32))).numpy()
        return base

    def natural(self, codes: NodeCodes) -> tuple[Eta, Offsets]:
        """Return η(z) and log p(z) − A(z) of each code."""
        with torch.inference_mode():
            z = torch.from_numpy(codes)
            eta, sums = self.family.natural(self._model.generative(z.to(self.family.dtype)))
            return eta, _log_prior(z) - sums

    def chunks(
        self, codes: NodeCodes, should_stop: ShouldStop | None, rows: int = CHUNK_NODES
    ) -> Iterator[tuple[slice, Eta, Offsets]]:
        """Yield the places of some codes with their `natural`, all in turn.  Raises Stopped."""
        for start in range(0, len(codes), rows):
            if should_stop is not None and should_stop():
                raise Stopped
            place = slice(start, min(start + rows, len(codes)))
            yield place, *self.natural(codes[place])

    def log_joint(
        self,
        codes: CodesOfPictures,
        statistics: Float[Tensor, "pictures statistics"],
        should_stop: ShouldStop | None = None,
    ) -> NatsOfPictures:
        """Return log p(x|z) + log p(z) − c(x) of each picture at codes of its own, nats.  Raises Stopped."""
        pictures, per_picture, latent_dim = codes.shape
        values = np.empty((pictures, per_picture))
        if pictures == 1:
            for place, eta, offset in self.chunks(codes[0], should_stop):
                values[0, place] = summed(eta @ statistics[0], offset)
            return values
        at_once = max(CHUNK_NODES // max(per_picture, 1), 1)
        rows = at_once * per_picture
        for place, eta, offset in self.chunks(codes.reshape(-1, latent_dim), should_stop, rows):
            some = slice(place.start // per_picture, place.stop // per_picture)
            by_picture = eta.reshape(-1, per_picture, eta.shape[1])
            product = torch.bmm(by_picture, statistics[some, :, None])[:, :, 0]
            values[some] = summed(product, offset.reshape(-1, per_picture))
        return values


def summed(product: Float[Tensor, "*shape"], offset: Float64[Tensor, "*#shape"]) -> np.ndarray[Any, Any]:
    """Return t · η + offset in double precision; weights gone wild give no mass rather than NaN."""
    total = torch.add(offset, product.to(torch.float64))
    return torch.nan_to_num_(total, nan=-math.inf, posinf=-math.inf).numpy()


def products(statistics: Statistics, eta: Eta, offset: Offsets) -> np.ndarray[Any, Any]:
    """Return t · η + offset of many pictures, (pictures, nodes), in the precision of η; NaN gives no mass."""
    values: np.ndarray[Any, Any] = torch.addmm(offset.to(eta.dtype), statistics, eta.T).numpy()
    with np.errstate(over="ignore", invalid="ignore"):
        sound = np.isfinite(values.sum())
    if not sound:
        np.nan_to_num(values, copy=False, nan=-np.inf, posinf=-np.inf)
    return values


def _log_prior(z: Float64[Tensor, "batch latent_dim"]) -> Sums:
    return -0.5 * (z.square() + LOG_TWO_PI).sum(dim=1)


def _shared_log_var(config: ModelConfig, weights: Weights) -> float | None:
    """Return the log-variance that all pixels share, limited as the likelihood limits it; None without one."""
    if outputs_per_pixel(config) == parameters_per_pixel(config):
        return None
    learned = weights.arrays.get(PIXEL_LOG_VAR)
    log_var = 2.0 * math.log(config.pixel_std) if learned is None else float(learned[0])
    return min(max(log_var, PIXEL_LOG_VAR_MIN), PIXEL_LOG_VAR_MAX)
