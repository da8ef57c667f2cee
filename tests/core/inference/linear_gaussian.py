"""A linear decoder with Gaussian pixels: posterior, evidence and best q of either family in closed form."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from core.config import ModelConfig
from core.inference.fixed_decoder import frozen_vae
from core.models.vae import Vae
from core.snapshots import Weights
from tests.core.tiny_models import random_weights, tiny_config

Array = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class LinearGaussian:
    """p(x|z) = N(Wz + b, σ² I) under the prior N(0, I), with some images drawn from it."""

    config: ModelConfig
    weights: Weights
    pixels: np.ndarray[Any, np.dtype[np.float32]]

    @classmethod
    def of(
        cls, latent_dim: int, posterior: str = "factorised", pixel_std: float = 0.5, images: int = 6
    ) -> "LinearGaussian":
        config = tiny_config(
            latent_dim=latent_dim, hidden=(), likelihood="gaussian", pixel_std=pixel_std, posterior=posterior
        )
        weights = random_weights(config, seed=2)
        generator = np.random.default_rng(3)
        slope, bias = weights.arrays["decoder.layers.0.weight"], weights.arrays["decoder.layers.0.bias"]
        z = generator.standard_normal((images, latent_dim))
        pixels = z @ slope.T + bias + pixel_std * generator.standard_normal((images, config.num_pixels))
        return cls(config, weights, pixels.astype(np.float32))

    @property
    def model(self) -> Vae:
        return frozen_vae(self.config, self.weights).double()

    @property
    def slope(self) -> Array:
        return self.weights.arrays["decoder.layers.0.weight"].astype(np.float64)

    @property
    def precision(self) -> Array:
        result: Array = np.eye(self.config.latent_dim) + self.slope.T @ self.slope / self.config.pixel_std**2
        return result

    @property
    def mean(self) -> Array:
        """Of the true posterior, one row an image."""
        centred = self.pixels - self.weights.arrays["decoder.layers.0.bias"].astype(np.float64)
        result: Array = np.linalg.solve(self.precision, self.slope.T @ centred.T / self.config.pixel_std**2).T
        return result

    @property
    def log_px(self) -> Array:
        covariance = self.slope @ self.slope.T + self.config.pixel_std**2 * np.eye(self.config.num_pixels)
        bias = torch.from_numpy(self.weights.arrays["decoder.layers.0.bias"].astype(np.float64))
        normal = torch.distributions.MultivariateNormal(bias, torch.from_numpy(covariance))
        result: Array = normal.log_prob(torch.from_numpy(self.pixels.astype(np.float64))).numpy()  # type: ignore[no-untyped-call]
        return result

    @property
    def factorised_gap(self) -> float:
        """KL of the best factorised q to the posterior, ½ (Σ log Λ_jj − log det Λ), the same for every image."""
        return float(0.5 * (np.log(np.diag(self.precision)).sum() - np.linalg.slogdet(self.precision)[1]))
