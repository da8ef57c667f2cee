from typing import Any

import numpy as np
import pytest

from core.config import DataConfig
from core.data.dataset import Dataset
from core.data.procedural import FACTORS, HEART_RADIUS, MINOR_AXIS, draw_shapes
from core.data.sources import load_dataset, load_quick_look


@pytest.fixture(scope="module")
def shapes() -> Dataset:
    return load_dataset(DataConfig(source="shapes"))


def one(shape: int, x: float = 0, y: float = 0, scale: float = 8, rotation: float = 0) -> np.ndarray[Any, Any]:
    picture = draw_shapes(np.array([[shape, x, y, scale, rotation]], np.float64))[0]
    return np.asarray(picture / 255)


def test_the_shapes_are_as_many_as_promised(shapes: Dataset) -> None:
    assert shapes.train.images.shape == (10_800, 28, 28)
    assert shapes.held_out.images.shape == (1_200, 28, 28)
    assert shapes.label_names == ("square", "ellipse", "heart")
    assert shapes.train.labels is not None
    assert np.bincount(shapes.train.labels).tolist() == [3600] * 3
    assert load_quick_look(DataConfig(source="shapes")) is None


def test_the_same_seed_draws_the_same_pictures_and_another_seed_others(shapes: Dataset) -> None:
    assert load_dataset(DataConfig(source="shapes")).fingerprint == shapes.fingerprint
    assert load_dataset(DataConfig(source="shapes", data_seed=1)).fingerprint != shapes.fingerprint


def test_the_known_factors_belong_to_their_pictures(shapes: Dataset) -> None:
    assert shapes.factors is not None
    assert shapes.factors.names == FACTORS
    for split, factors in ((shapes.train, shapes.factors.train), (shapes.held_out, shapes.factors.held_out)):
        assert np.array_equal(factors[:, 0], split.labels)  # type: ignore[arg-type]
        assert np.array_equal(draw_shapes(factors[:50]), split.images[:50])
        assert not factors.flags.writeable
    correlations = np.corrcoef(shapes.factors.train[:, 1:4].T) - np.eye(3)
    assert np.abs(correlations).max() < 0.05


@pytest.mark.parametrize("scale", [5.0, 7.3, 9.0])
@pytest.mark.parametrize("rotation", [0.0, 17.0, 45.0])
@pytest.mark.parametrize(("x", "y"), [(0.0, 0.0), (2.3, -4.1)])
def test_each_pixel_is_the_share_of_it_that_geometry_says_is_covered(
    scale: float, rotation: float, x: float, y: float
) -> None:
    fine = (np.arange(28 * 16) + 0.5) / 16 - 14
    right, up = fine[None, :] - x, -fine[:, None] - y
    angle = np.deg2rad(rotation)
    u = (np.cos(angle) * right + np.sin(angle) * up) / scale
    v = (np.cos(angle) * up - np.sin(angle) * right) / scale
    square = np.maximum(np.abs(u), np.abs(v)) <= np.sqrt(0.5)
    ellipse = u**2 + (v / MINOR_AXIS) ** 2 <= 1
    for shape, inside in enumerate((square, ellipse)):
        expected = inside.reshape(28, 16, 28, 16).mean(axis=(1, 3))
        picture = one(shape, x, y, scale, rotation)
        assert np.abs(picture - expected).max() < 0.08
        assert picture.sum() == pytest.approx(expected.sum(), rel=0.025)


def test_a_heart_is_symmetric_with_its_point_down_and_turns_against_the_clock() -> None:
    heart = one(2)
    assert np.allclose(heart, heart[:, ::-1], atol=0.01)
    rows = heart.sum(axis=1)
    inked = np.flatnonzero(rows > 0.5)
    assert rows[inked[0] + 3] > 2 * rows[inked[-1] - 3] > 0
    # A square with a semicircle on each of two sides.
    side = np.sqrt(0.5) * 8 / HEART_RADIUS
    assert heart.sum() == pytest.approx(side**2 * (1 + np.pi / 4), rel=0.02)
    assert np.allclose(one(2, rotation=90), np.rot90(heart), atol=0.01)


def test_a_turn_by_its_period_changes_no_shape() -> None:
    for shape, period in enumerate((90, 180, 360)):
        assert np.abs(one(shape, rotation=20) - one(shape, rotation=20 + period)).max() <= 1 / 255
        assert np.abs(one(shape, rotation=20) - one(shape, rotation=20 + period / 2)).max() > 0.5


def test_every_shape_is_whole_and_its_edges_are_smooth(shapes: Dataset) -> None:
    images = np.concatenate([shapes.train.images, shapes.held_out.images])
    assert (images.max(axis=(1, 2)) == 255).all()
    # The outermost half pixel may be touched by the smoothing alone.
    assert max(images[:, [0, -1]].max(), images[:, :, [0, -1]].max()) < 255
    grey = ((images > 0) & (images < 255)).sum(axis=(1, 2))
    assert np.median(grey) > 10
