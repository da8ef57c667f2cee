"""One picture: its code, its reconstructions and what they cost."""

from functools import lru_cache
from typing import Any

import numpy as np

from core.config import ModelConfig
from core.inference.coders import Coder
from core.inference.quadrature import product_rule
from core.shapes import Code, CodeArray, Picture, PictureStack, Pixels
from core.snapshots import PictureEncoding, frozen

PictureNoise = tuple[CodeArray, np.ndarray[Any, np.dtype[np.float64]]]


def pictures_of(pixels: Pixels, config: ModelConfig) -> PictureStack:
    """Return pixels in [0, 1] as read-only pictures 0..255, always on the same grey scale."""
    levels = np.rint(np.clip(pixels, 0.0, 1.0) * 255.0).astype(np.uint8)
    return frozen(levels.reshape(-1, config.image_height, config.image_width))


def encode_picture(
    coder: Coder, seen_pixels: Pixels, seed: int = 0, num_samples: int = 64, *, corrupted: Pixels | None = None
) -> PictureEncoding:
    """Return code, both reconstructions and costs, in nats, of the one picture in `seen_pixels`, shape (1, D).

    E_q[-log p(x|z)] is an average over codes that depend on `seed` and the model's size only, so that it does not
    flicker while a picture is drawn; the KL is exact.  The stochastic picture is x ~ p(x|z), z ~ q(z|x).
    A denoising autoencoder encodes `corrupted` in its place, and pays for the clean picture.
    """
    posterior = coder.encode(seen_pixels if corrupted is None else corrupted)
    mean, log_var, kl = posterior.mean, posterior.log_var, posterior.kl_per_dimension()
    generator = np.random.default_rng(seed)
    if log_var is None:
        codes, shares, sampled = mean, np.ones(1), mean
    else:
        noise, shares = posterior_nodes(mean.shape[1], num_samples, seed)
        codes = posterior.at(noise)
        sampled = posterior.at(generator.standard_normal(mean.shape, dtype=np.float32))
    costs = coder.nll(np.broadcast_to(seen_pixels, (len(codes), seen_pixels.shape[1])), codes)
    return PictureEncoding(
        seen=pictures_of(seen_pixels, coder.config)[0],
        mean=frozen(mean[0]),
        log_var=None if log_var is None else frozen(log_var[0]),
        deterministic=pictures_of(coder.decode(mean), coder.config)[0],
        stochastic=pictures_of(coder.draw(sampled, generator), coder.config)[0],
        nll=float(shares @ costs),
        kl=None if kl is None else float(kl.sum(dtype=np.float64)),
        scale=frozen(posterior.scale[0]),
        corrupted=None if corrupted is None else pictures_of(corrupted, coder.config)[0],
        num_samples=len(codes),
        version=coder.version,
    )


def stochastic_picture(coder: Coder, code: Code, seed: int = 0) -> Picture:
    """Return one draw x ~ p(x|z), 0..255; the same seed gives the same noise, so that a drag does not flicker."""
    drawn = coder.draw(code.reshape(1, -1), np.random.default_rng(seed))
    picture: Picture = pictures_of(drawn, coder.config)[0]
    return picture


def pictures_at(coder: Coder, code: Code, seed: int = 0) -> tuple[Picture, Picture]:
    """Return E[x|z] and `stochastic_picture` of a code, 0..255, decoded once for both."""
    parameters = coder.parameters(code.reshape(1, -1))
    mean = coder.likelihood.mean(parameters)
    drawn = coder.likelihood.sample(parameters, np.random.default_rng(seed))
    return pictures_of(mean, coder.config)[0], pictures_of(drawn, coder.config)[0]


@lru_cache(maxsize=8)
def posterior_nodes(latent_dim: int, num_samples: int, seed: int = 0) -> PictureNoise:
    """Return standard normal codes, at most `num_samples` (an even number) of them, and their shares of an average.

    Up to two dimensions: Gauss-Hermite product rule.  Above: pairs of opposite codes, moved as little as makes their
    covariance exactly I, or their directions orthogonal where they are fewer than the dimensions.  Root mean square
    error of 64 codes on trained models of MNIST, nats: 0.02 (2 dimensions), 0.06 (3), 0.09 (8), 0.25 (32), where
    plain samples err by 0.4, 0.6, 0.8 and 0.7.  For a posterior several times wider than the prior no rule is better
    than samples.
    """
    per_axis = {1: num_samples, 2: int(num_samples**0.5)}.get(latent_dim)
    if per_axis is not None:
        nodes, shares = product_rule(latent_dim, per_axis)
        return frozen(nodes, np.float32), shares
    half = num_samples // 2
    left, _, right = np.linalg.svd(np.random.default_rng(seed).standard_normal((half, latent_dim)), full_matrices=False)
    codes = left @ right * max(half, latent_dim) ** 0.5
    return frozen(np.concatenate([codes, -codes]), np.float32), frozen(np.full(2 * half, 0.5 / half))
