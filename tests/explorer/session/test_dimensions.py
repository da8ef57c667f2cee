"""The order of the sliders and the axes of the canvas."""

import numpy as np

from core.config import ModelConfig
from core.snapshots import LatentStatistics
from explorer.session.dimensions import Dimensions


def statistics(*kl: float) -> LatentStatistics:
    values = np.array(kl, np.float32)
    active = tuple(value > 0.1 for value in kl)
    return LatentStatistics(values, values, values - 3, values + 3, values * 0, active)


def opened(latent_dim: int) -> Dimensions:
    dimensions = Dimensions()
    dimensions.open_model(ModelConfig(latent_dim=latent_dim), keeps_axes=False)
    return dimensions


def order(dimensions: Dimensions) -> list[int]:
    return [spec.dimension for spec in dimensions.specs]


def test_a_trained_model_shows_its_two_richest_dimensions_first() -> None:
    dimensions = opened(3)
    assert dimensions.learn(statistics(0.1, 2.0, 1.0), live=False)
    assert order(dimensions) == [1, 2, 0]
    assert dimensions.axes == (1, 2)


def test_the_order_is_frozen_until_asked() -> None:
    dimensions = opened(3)
    dimensions.learn(statistics(0.1, 2.0, 1.0), live=False)
    assert not dimensions.learn(statistics(9.0, 2.0, 1.0), live=False)
    assert order(dimensions) == [1, 2, 0]
    dimensions.sort()
    assert order(dimensions) == [0, 1, 2]


def test_a_run_orders_once_at_its_beginning_and_once_at_its_end() -> None:
    dimensions = opened(3)
    assert dimensions.learn(statistics(3.0, 2.0, 1.0), live=True)
    assert not dimensions.learn(statistics(1.0, 2.0, 3.0), live=True)
    assert order(dimensions) == [0, 1, 2]
    assert dimensions.learn(statistics(1.0, 2.0, 3.0), live=False)
    assert order(dimensions) == [2, 1, 0]


def test_axes_that_were_chosen_stay() -> None:
    dimensions = opened(4)
    dimensions.choose_axes(3, 0)
    dimensions.learn(statistics(0.1, 2.0, 1.0, 0.2), live=False)
    assert dimensions.axes == (3, 0)


def test_one_dimension_has_one_axis() -> None:
    assert opened(1).axes == (0, 0)
