"""A linear VAE is probabilistic PCA, whose best log-likelihood is known in closed form.  Tipping & Bishop 1999."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch.distributions import MultivariateNormal

from core.config import DataConfig, ModelConfig, ObjectiveConfig
from core.data.dataset import Dataset
from core.models.build import build_model
from core.models.vae import Vae
from core.objectives.registry import OBJECTIVES
from core.snapshots import Split, frozen
from tests.core.training.runs import a_run, finished

SIDE, LATENT_DIM, NUM_IMAGES, STD = 4, 2, 600, 0.06
PIXELS = SIDE * SIDE
Array = np.ndarray[Any, np.dtype[np.float64]]

LINEAR: dict[str, Any] = {"hidden": (), "likelihood": "gaussian", "pixel_std": STD, "latent_dim": LATENT_DIM}


def some_greys() -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return images about a mean, along two directions, with noise in every pixel."""
    generator = np.random.default_rng(4)
    directions = np.linalg.qr(generator.standard_normal((PIXELS, LATENT_DIM)))[0] * [0.3, 0.2]
    codes = generator.standard_normal((NUM_IMAGES, LATENT_DIM))
    x = 0.5 + codes @ directions.T + STD * generator.standard_normal((NUM_IMAGES, PIXELS))
    images: np.ndarray[Any, np.dtype[np.uint8]] = np.rint(255.0 * x.clip(0.0, 1.0)).astype(np.uint8)
    return images


@dataclass(frozen=True)
class Optimum:
    """The maximum of the log-likelihood over means and directions, for a noise that is given or for the best one."""

    mean: Array
    directions: Array
    variance: float
    log_likelihood: float


def optimum(x: Array, std: float | None) -> Optimum:
    """Return the closed form, nats per image; the best noise where none is given."""
    mean = x.mean(axis=0)
    covariance = (x - mean).T @ (x - mean) / len(x)
    values, vectors = np.linalg.eigh(covariance)
    values, vectors = values[::-1], vectors[:, ::-1]
    variance = float(values[LATENT_DIM:].mean()) if std is None else std**2
    directions = vectors[:, :LATENT_DIM] * np.sqrt(np.maximum(values[:LATENT_DIM] - variance, 0.0))
    c = directions @ directions.T + variance * np.eye(PIXELS)
    trace = float(np.trace(np.linalg.solve(c, covariance)))
    log_likelihood = -0.5 * (PIXELS * math.log(2.0 * math.pi) + float(np.linalg.slogdet(c)[1]) + trace)
    return Optimum(mean, directions, variance, log_likelihood)


def exact_elbo(model: Vae, x: torch.Tensor) -> float:
    """Return the mean ELBO, its expectation over q by Gauss-Hermite nodes, exact for a linear Gaussian decoder."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(3)
    grid = torch.from_numpy(np.stack(np.meshgrid(nodes, nodes), axis=-1).reshape(-1, 2)).to(x.dtype)
    shares = torch.from_numpy(np.outer(weights, weights).ravel() / weights.sum() ** 2).to(x.dtype)
    with torch.no_grad():
        posterior = model.inference(x)
        log_likelihood = torch.stack(
            [model.likelihood.log_prob(x, model.generative(posterior.at(node.expand(len(x), 2)))) for node in grid]
        )
        return float((shares @ log_likelihood - posterior.kl_per_dimension().sum(dim=1)).mean())


def with_optimum(config: ModelConfig, best: Optimum, turn: Array) -> Vae:
    """Return the model that has the closed form's weights, its codes turned by a rotation."""
    model = build_model(config, None).double()
    assert isinstance(model, Vae)
    directions = best.directions @ turn
    m = directions.T @ directions + best.variance * np.eye(LATENT_DIM)
    to_code = np.linalg.solve(m, directions.T)
    scale = np.linalg.cholesky(best.variance * np.linalg.inv(m))
    rows, columns = np.tril_indices(LATENT_DIM, -1)
    head = [*(-to_code @ best.mean), *(2.0 * np.log(np.diagonal(scale)))]
    if config.posterior == "full":
        head += list(scale[rows, columns])
    with torch.no_grad():
        model.get_parameter("encoder.layers.0.weight")[:LATENT_DIM] = torch.from_numpy(to_code)
        model.get_parameter("encoder.layers.0.bias").copy_(torch.tensor(head))
        model.get_parameter("decoder.layers.0.weight").copy_(torch.from_numpy(directions))
        model.get_parameter("decoder.layers.0.bias").copy_(torch.from_numpy(best.mean))
        if model.pixel_log_var is not None:
            model.pixel_log_var.fill_(math.log(best.variance))
    return model


IMAGES = some_greys()
X = IMAGES.astype(np.float64) / 255.0
TURN = np.array([[math.cos(0.7), -math.sin(0.7)], [math.sin(0.7), math.cos(0.7)]])


@pytest.mark.parametrize("variance", ["fixed", "global"])
@pytest.mark.parametrize(("posterior", "turn"), [("factorised", np.eye(2)), ("full", np.eye(2)), ("full", TURN)])
def test_the_closed_form_s_weights_have_the_closed_form_s_elbo(posterior: str, turn: Array, variance: str) -> None:
    best = optimum(X, STD if variance == "fixed" else None)
    config = ModelConfig.from_mapping(
        {
            **LINEAR,
            "hidden": [],
            "posterior": posterior,
            "variance": variance,
            "image_height": SIDE,
            "image_width": SIDE,
        }
    )
    model, x = with_optimum(config, best, turn), torch.from_numpy(X)
    assert exact_elbo(model, x) == pytest.approx(best.log_likelihood, abs=1e-3)
    # q is the true posterior there, so that every importance weight is p(x) itself.
    bound = OBJECTIVES["iwae"](ObjectiveConfig(num_samples=2)).terms(model, x, torch.Generator().manual_seed(1)).bound
    assert bound is not None
    with torch.no_grad():
        covariance = model.decoder.get_parameter("layers.0.weight")
        c = covariance @ covariance.T + best.variance * torch.eye(PIXELS, dtype=torch.float64)
        expected = MultivariateNormal(torch.from_numpy(best.mean), c).log_prob(x)  # type: ignore[no-untyped-call]
    torch.testing.assert_close(bound.detach(), expected, atol=1e-3, rtol=0.0)


def test_a_factorised_posterior_loses_where_the_codes_are_turned() -> None:
    config = ModelConfig.from_mapping({**LINEAR, "hidden": [], "image_height": SIDE, "image_width": SIDE})
    best = optimum(X, STD)
    assert exact_elbo(with_optimum(config, best, TURN), torch.from_numpy(X)) < best.log_likelihood - 1e-2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("posterior", "variance", "model"),
    [("factorised", "fixed", "vae"), ("full", "global", "vae"), ("factorised", "global", "iwae")],
)
def test_training_reaches_the_closed_form(posterior: str, variance: str, model: str) -> None:
    images = frozen(IMAGES.reshape(-1, SIDE, SIDE), np.uint8)
    data = Dataset(
        "plane", DataConfig(binarisation="none"), Split(images, None), Split(images[:20], None), (), "fingerprint"
    )
    values: dict[str, Any] = {
        **LINEAR,
        "model.model": model,
        "posterior": posterior,
        "variance": variance,
        "binarisation": "none",
        "epochs": 600,
        "batch_size": 200,
        "learning_rate": 0.02,
        "schedule": "cosine",
    }
    run = a_run(data, steps_per_chunk=50, **values)
    best = optimum(X, STD if variance == "fixed" else None)
    finished(run)
    assert isinstance(run._model, Vae)
    elbo = exact_elbo(run._model.double(), torch.from_numpy(X))
    assert elbo == pytest.approx(best.log_likelihood, abs=0.05)
    assert elbo <= best.log_likelihood + 1e-6
