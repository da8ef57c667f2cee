"""MADE: what each pixel depends on, and that its probabilities sum to one."""

import itertools

import numpy as np
import pytest
import torch

from core.config import ModelConfig
from core.models.build import build_model
from core.models.layout import made_degrees, outputs_per_pixel, parameters_per_pixel
from core.models.made import Made

ORDERINGS = [("raster", 0), ("random", 0), ("random", 5)]
HIDDEN = [(12,), (40, 30), (7, 9, 11)]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def a_made(**values: object) -> Made:
    """Return a model of 2×3 pixels whose weights are large enough for every dependence to show."""
    config = ModelConfig.from_mapping(
        {"model": "made", "image_height": 2, "image_width": 3, "hidden": [12], "activation": "tanh", **values}
    )
    model = build_model(config, seeded()).double()
    assert isinstance(model, Made)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=seeded(parameter.numel()), dtype=torch.float64))
    return model


def jacobian_of(model: Made, x: torch.Tensor) -> torch.Tensor:
    """Return the derivatives of every parameter of one image by every pixel, (parameters, pixels)."""
    result: torch.Tensor = torch.autograd.functional.jacobian(model, x)[0, :, 0]  # type: ignore[no-untyped-call]
    return result


def ordering_of(model: Made) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the pixels in the order in which they are taken."""
    return np.argsort(made_degrees(model.config)[0])


@pytest.mark.parametrize(("ordering", "seed"), ORDERINGS)
@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("likelihood", ["bernoulli", "categorical", "gaussian", "continuous_bernoulli"])
def test_the_jacobian_is_strictly_triangular_in_the_ordering(
    ordering: str, seed: int, hidden: tuple[int, ...], likelihood: str
) -> None:
    model = a_made(ordering=ordering, ordering_seed=seed, hidden=hidden, likelihood=likelihood, variance="per_pixel")
    x = torch.rand(1, 6, generator=seeded(1)).double()
    jacobian = jacobian_of(model, x)
    by_pixel = jacobian.reshape(6, parameters_per_pixel(model.config), 6).abs().sum(dim=1)
    ordered = by_pixel[ordering_of(model)][:, ordering_of(model)]
    assert torch.equal(ordered, ordered.tril(-1)), "a pixel depends on itself or on a later one"
    assert bool(ordered.any())


@pytest.mark.parametrize(("ordering", "seed"), ORDERINGS)
def test_wide_layers_let_every_pixel_depend_on_all_before_it(ordering: str, seed: int) -> None:
    model = a_made(ordering=ordering, ordering_seed=seed, hidden=(200, 200))
    x = torch.rand(1, 6, generator=seeded(1)).double()
    jacobian = jacobian_of(model, x)
    ordered = jacobian[ordering_of(model)][:, ordering_of(model)]
    below = torch.tril_indices(6, 6, -1)
    assert (ordered[below[0], below[1]] != 0.0).all()


def test_without_its_masks_the_test_above_would_fail() -> None:
    model = a_made()
    with torch.no_grad():
        model._masks = tuple(torch.ones_like(mask) for mask in model.masks(torch.device("cpu")))
    jacobian = jacobian_of(model, torch.rand(1, 6, generator=seeded(1)).double())
    assert not torch.equal(jacobian, jacobian.tril(-1))


@pytest.mark.parametrize(("ordering", "seed"), ORDERINGS)
@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize(("likelihood", "levels", "columns"), [("bernoulli", 2, 5), ("categorical", 3, 3)])
def test_the_probabilities_of_all_tiny_images_sum_to_one(
    ordering: str, seed: int, hidden: tuple[int, ...], likelihood: str, levels: int, columns: int
) -> None:
    model = a_made(
        ordering=ordering,
        ordering_seed=seed,
        hidden=hidden,
        likelihood=likelihood,
        grey_levels=levels,
        image_width=columns,
    )
    greys = np.linspace(0.0, 1.0, levels)
    pictures = torch.tensor(list(itertools.product(greys, repeat=2 * columns)))
    with torch.no_grad():
        log_prob = model.log_prob(pictures)
    assert len(log_prob) == levels ** (2 * columns)
    assert float(log_prob.exp().sum()) == pytest.approx(1.0, abs=1e-5)
    assert float(log_prob.std()) > 0.1, "a uniform distribution would sum to one too"


@pytest.mark.parametrize("likelihood", ["gaussian", "continuous_bernoulli"])
def test_the_density_of_two_pixels_integrates_to_one(likelihood: str) -> None:
    model = a_made(likelihood=likelihood, image_height=1, image_width=2, pixel_std=0.3)
    low, high = (0.0, 1.0) if likelihood == "continuous_bernoulli" else (-12.0, 13.0)
    nodes, weights = np.polynomial.legendre.leggauss(300)
    axis = 0.5 * (high - low) * nodes + 0.5 * (high + low)
    x = torch.from_numpy(np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2))
    with torch.no_grad():
        density = model.log_prob(x).exp().numpy()
    mass = np.outer(weights, weights).ravel() * (0.5 * (high - low)) ** 2
    assert density @ mass == pytest.approx(1.0, abs=1e-5)


def test_the_raster_goes_row_by_row_and_a_random_order_is_that_of_its_seed() -> None:
    assert ordering_of(a_made()).tolist() == [0, 1, 2, 3, 4, 5]
    first, again, other = (ordering_of(a_made(ordering="random", ordering_seed=seed)).tolist() for seed in (1, 1, 2))
    assert first == again != other
    assert sorted(first) == [0, 1, 2, 3, 4, 5]


def test_the_first_pixel_depends_on_nothing_and_is_its_bias() -> None:
    model = a_made(ordering="random", ordering_seed=3)
    first = int(ordering_of(model)[0])
    with torch.no_grad():
        parameters = model(torch.rand(5, 6, generator=seeded(1)).double())
        bias = model.network.layers[-1].get_parameter("bias")
    torch.testing.assert_close(parameters[:, first], bias[first].expand(5))


@pytest.mark.parametrize("likelihood", ["bernoulli", "categorical", "gaussian", "continuous_bernoulli"])
def test_an_untrained_model_starts_at_the_mean_picture(likelihood: str) -> None:
    config = ModelConfig(model="made", hidden=(8,), image_height=2, image_width=3, likelihood=likelihood)
    model = build_model(config, seeded())
    picture = torch.linspace(0.05, 0.95, 6).reshape(1, 6)
    model.start_at_mean(picture)
    with torch.no_grad():
        mean = model.likelihood.mean(model(torch.zeros(1, 6)))
    assert float((mean - picture).abs().max()) < 0.1


def test_one_pixel_is_a_model_too() -> None:
    model = a_made(image_height=1, image_width=1)
    with torch.no_grad():
        log_prob = model.log_prob(torch.tensor([[0.0], [1.0]], dtype=torch.float64))
    assert float(log_prob.exp().sum()) == pytest.approx(1.0)
    assert outputs_per_pixel(model.config) == 1
