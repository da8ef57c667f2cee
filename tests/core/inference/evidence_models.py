"""Small models whose log p(x) is known: in closed form, or from a grid so fine that nothing is left to chance."""

import math
from typing import Any

import numpy as np
import torch

from core.config import ModelConfig
from core.inference.evidence.table import EvidenceTable
from core.models.build import build_model, load_weights
from core.models.latent import LatentModel
from core.snapshots import Weights, frozen
from tests.core.tiny_models import random_weights, tiny_config

Array = np.ndarray[Any, np.dtype[np.float64]]
Pictures = np.ndarray[Any, np.dtype[np.float32]]

NODES = 2**12
"""Of the tables in these tests: 64 × 64, quick to build."""


def table_of(config: ModelConfig, weights: Weights, most_nodes: int = NODES) -> EvidenceTable:
    """Return a small table."""
    table = EvidenceTable.build(config, weights, None, most_nodes=most_nodes)
    assert table is not None
    return table


def with_narrow_q(config: ModelConfig, weights: Weights) -> Weights:
    """Return the weights with q(z|x) made about as narrow as a trained encoder's, σ near 0.2."""
    last = f"encoder.layers.{len(config.hidden)}"
    arrays = dict(weights.arrays)
    arrays[f"{last}.weight"] = frozen(0.3 * arrays[f"{last}.weight"])
    log_var = slice(config.latent_dim, 2 * config.latent_dim)
    bias = np.zeros_like(arrays[f"{last}.bias"])
    bias[log_var] = -3.2
    arrays[f"{last}.bias"] = frozen(bias)
    return Weights(weights.version, weights.step, arrays)


def linear_gaussian(latent_dim: int = 2, pixel_std: float = 0.5, scale: float = 1.0) -> tuple[ModelConfig, Weights]:
    """Return a linear decoder with normal pixels, whose evidence and posterior are normal."""
    config = tiny_config(hidden=(), likelihood="gaussian", pixel_std=pixel_std, latent_dim=latent_dim)
    return config, random_weights(config, seed=3, scale=scale)


def of_linear(weights: Weights) -> tuple[Array, Array]:
    """Return W (pixels, latent_dim) and b of a linear decoder, in double precision."""
    return (
        weights.arrays["decoder.layers.0.weight"].astype(np.float64),
        weights.arrays["decoder.layers.0.bias"].astype(np.float64),
    )


def exact_log_px(config: ModelConfig, weights: Weights, pixels: Pictures) -> Array:
    """Return log N(x; b, W Wᵀ + σ² I) of each picture."""
    slope, bias = of_linear(weights)
    covariance = slope @ slope.T + config.pixel_std**2 * np.eye(len(bias))
    normal = torch.distributions.MultivariateNormal(torch.from_numpy(bias), torch.from_numpy(covariance))
    log_px: Array = log_prob(normal, torch.from_numpy(pixels.astype(np.float64))).numpy()
    return log_px


def exact_posterior(config: ModelConfig, weights: Weights, picture: Pictures) -> tuple[Array, Array]:
    """Return mean and covariance of p(z|x) of one picture under a linear decoder."""
    slope, bias = of_linear(weights)
    precision = np.eye(config.latent_dim) + slope.T @ slope / config.pixel_std**2
    covariance = np.linalg.inv(precision).astype(np.float64)
    return covariance @ slope.T @ (picture.astype(np.float64) - bias) / config.pixel_std**2, covariance


def pictures_of_model(config: ModelConfig, weights: Weights, count: int, seed: int = 0) -> Pictures:
    """Return draws of x ~ p(x), rounded to what the likelihood describes."""
    generator = torch.Generator().manual_seed(seed)
    model = double_model(config, weights)
    z = torch.randn(count, config.latent_dim, generator=generator, dtype=torch.float64)
    drawn: Pictures = model.likelihood.sample(model.generative(z), generator).to(torch.float32).numpy()
    return drawn


def double_model(config: ModelConfig, weights: Weights) -> LatentModel:
    """Return the model of torch in double precision."""
    model = build_model(config, None)
    load_weights(model, weights.arrays)
    assert isinstance(model, LatentModel)
    return model.requires_grad_(requires_grad=False).double()


def brute_force(config: ModelConfig, weights: Weights, pixels: Pictures, per_axis: int = 1024) -> Array:
    """Return log p(x) of each picture by torch.distributions on a grid of so many nodes an axis over ±7, in doubles."""
    model = double_model(config, weights)
    axis = torch.linspace(-7.0, 7.0, per_axis, dtype=torch.float64)
    nodes = torch.cartesian_prod(*[axis] * config.latent_dim).reshape(-1, config.latent_dim)
    prior = log_prob(torch.distributions.Normal(0.0, 1.0), nodes).sum(dim=1)
    x = torch.from_numpy(np.array(pixels, np.float64))
    values = torch.empty(len(pixels), len(nodes), dtype=torch.float64)
    for start in range(0, len(nodes), 2**16):
        rows = slice(start, start + 2**16)
        values[:, rows] = log_prob_of_all(config, x, model.generative(nodes[rows])) + prior[rows]
    step = float(axis[1] - axis[0])
    log_px: Array = (values.logsumexp(dim=1) + config.latent_dim * math.log(step)).numpy()
    return log_px


def log_prob_of_all(config: ModelConfig, x: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
    """Return log p(x|z) of each picture (rows) at each node (columns), pixel by pixel."""
    if config.likelihood == "bernoulli":
        bernoulli = torch.distributions.Bernoulli(logits=parameters)
        white, black = (log_prob(bernoulli, torch.full_like(parameters, value)) for value in (1.0, 0.0))
        return x @ white.T + (1.0 - x) @ black.T
    pixels: torch.distributions.Distribution
    values = x
    if config.likelihood == "continuous_bernoulli":
        pixels = torch.distributions.ContinuousBernoulli(logits=parameters)
    elif config.likelihood == "categorical":
        pixels = torch.distributions.Categorical(logits=parameters.reshape(len(parameters), -1, config.grey_levels))
        values = (x * (config.grey_levels - 1)).round()
    else:
        mean, log_var = parameters.reshape(len(parameters), -1, 2).unbind(dim=2)
        # Standard deviations are limited to [0.01, 10].
        pixels = torch.distributions.Normal(mean, (0.5 * log_var).exp().clamp(0.01, 10.0))
    return torch.stack([log_prob(pixels, picture).sum(dim=1) for picture in values])


def log_prob(distribution: torch.distributions.Distribution, values: torch.Tensor) -> torch.Tensor:
    """Return what the distribution of torch says, with the type that torch leaves out."""
    nats: torch.Tensor = distribution.log_prob(values)
    return nats
