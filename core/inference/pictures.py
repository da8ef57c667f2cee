"""One picture: its code, its reconstructions and what they cost."""

from functools import lru_cache
from typing import Any

import numpy as np

from core.config import ModelConfig
from core.inference.array_divergences import kl_per_dimension
from core.inference.coders import Coder
from core.shapes import Code, CodeArray, Picture, PictureStack, Pixels
from core.snapshots import PictureEncoding, frozen

PictureNoise = tuple[CodeArray, np.ndarray[Any, np.dtype[np.float64]]]


def pictures_of(pixels: Pixels, config: ModelConfig) -> PictureStack:
    """Return pixels in [0, 1] as read-only pictures 0..255, always on the same grey scale."""
    levels = np.rint(np.clip(pixels, 0.0, 1.0) * 255.0).astype(np.uint8)
    return frozen(levels.reshape(-1, config.image_height, config.image_width))


def encode_picture(coder: Coder, seen_pixels: Pixels, seed: int = 0, num_samples: int = 64) -> PictureEncoding:
    """Return code, both reconstructions and costs, in nats, of the one picture in `seen_pixels`, shape (1, D).

    E_q[-log p(x|z)] is an average over codes that depend on `seed` and the model's size only, so that it does not
    flicker while a picture is drawn; the KL is exact.  The stochastic picture is x ~ p(x|z), z ~ q(z|x).
    """
    mean, log_var = coder.encode(seen_pixels)
    generator = np.random.default_rng(seed)
    if log_var is None:
        codes, shares, sampled = mean, np.ones(1), mean
    else:
        std = np.exp(0.5 * log_var)
        noise, shares = posterior_nodes(mean.shape[1], num_samples, seed)
        codes = mean + std * noise
        sampled = mean + std * generator.standard_normal(mean.shape, dtype=np.float32)
    costs = coder.nll(np.broadcast_to(seen_pixels, (len(codes), seen_pixels.shape[1])), codes)
    return PictureEncoding(
        seen=pictures_of(seen_pixels, coder.config)[0],
        mean=frozen(mean[0]),
        log_var=None if log_var is None else frozen(log_var[0]),
        deterministic=pictures_of(coder.decode(mean), coder.config)[0],
        stochastic=pictures_of(coder.draw(sampled, generator), coder.config)[0],
        nll=float(shares @ costs),
        kl=None if log_var is None else float(kl_per_dimension(mean, log_var).sum(dtype=np.float64)),
        num_samples=len(codes),
        version=coder.version,
    )


def stochastic_picture(coder: Coder, code: Code, seed: int = 0) -> Picture:
    """Return one draw x ~ p(x|z), 0..255; the same seed gives the same noise, so that a drag does not flicker."""
    drawn = coder.draw(code.reshape(1, -1), np.random.default_rng(seed))
    picture: Picture = pictures_of(drawn, coder.config)[0]
    return picture


@lru_cache(maxsize=8)
def posterior_nodes(latent_dim: int, num_samples: int, seed: int) -> PictureNoise:
    """Return standard normal codes, at most `num_samples` of them, and their shares of an average, summing to one."""
    per_axis = {1: num_samples, 2: int(num_samples**0.5)}.get(latent_dim)
    if per_axis is not None:
        nodes, weights = np.polynomial.hermite_e.hermegauss(per_axis)
        grid = np.stack(np.meshgrid(*[nodes] * latent_dim, indexing="ij"), axis=-1).reshape(-1, latent_dim)
        shares = np.prod(np.stack(np.meshgrid(*[weights] * latent_dim, indexing="ij")), axis=0).ravel()
        return frozen(grid, np.float32), frozen(shares / shares.sum())
    half = np.random.default_rng(seed).standard_normal(((num_samples + 1) // 2, latent_dim), dtype=np.float32)
    noise = np.concatenate([half, -half])[:num_samples]
    return frozen(noise), frozen(np.full(len(noise), 1.0 / len(noise)))
