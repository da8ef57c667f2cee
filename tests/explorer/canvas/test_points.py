"""Where points stand, in which order they are drawn, and which is nearest."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.views.canvas.coordinates import View
from explorer.views.canvas.points import FADE_LEVELS, PointCloud, slice_opacity
from explorer.views.canvas.strip import PRIOR_PEAK, strip_places


@given(seed=st.integers(0, 1000), x=st.floats(0, 400), y=st.floats(0, 300), radius=st.floats(1, 40))
def test_the_nearest_point_is_the_one_a_full_search_finds(seed: int, x: float, y: float, radius: float) -> None:
    generator = np.random.default_rng(seed)
    z = generator.normal(size=(300, 2)).astype(np.float32)
    view = View(400, 300, scale=60.0)
    cloud = PointCloud(z[:, 0], z[:, 1])
    pixels = np.stack(view.to_pixels(z[:, 0], z[:, 1]), axis=1)
    distance = np.hypot(*(pixels - np.array([x, y])).T)
    found = cloud.nearest(view, x, y, radius)
    if found is None:
        assert distance.min() > radius - 1e-3
    else:
        assert distance[found] == pytest.approx(distance.min(), abs=1e-3)


def test_the_drawing_order_is_mixed_and_does_not_change() -> None:
    z = np.zeros((1000, 2), dtype=np.float32)
    labels = np.repeat(np.arange(10), 100)
    first, second = PointCloud(z[:, 0], z[:, 1], labels), PointCloud(z[:, 0], z[:, 1], labels)
    np.testing.assert_array_equal(first.order, second.order)
    assert sorted(first.order.tolist()) == list(range(1000))
    # The last hundred points, which are drawn over all others, come from nearly every label.
    assert len(set(first.drawn_label[-100:].tolist())) >= 9


def test_a_label_that_is_not_shown_is_neither_drawn_nor_found() -> None:
    cloud = PointCloud([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], np.array([0, 1, -1]), None, frozenset({1}))
    assert sorted(cloud.order.tolist()) == [1, 2]
    assert cloud.nearest(View(100, 100), 50.0, 50.0, 5.0) in {1, 2}


def test_numbers_that_are_none_are_not_drawn_and_huge_ones_are_clipped() -> None:
    with np.errstate(over="ignore"):
        cloud = PointCloud(np.array([np.nan, np.inf, -1e308, 0.0]), np.array([0.0, 1e308, 0.0, np.nan]))
    assert sorted(cloud.order.tolist()) == [1, 2]
    assert cloud.position(1) == (1e6, 1e6)
    assert cloud.position(0) is None
    assert cloud.position(99) is None


def test_points_fade_with_their_distance_from_the_slice_and_the_nearest_are_drawn_last() -> None:
    mean = np.zeros((4, 4), dtype=np.float32)
    mean[:, 0] = [5.0, -5.0, 0.0, 0.0]
    mean[:, 3] = [0.0, 1.0, 2.0, 4.0]
    opacity = slice_opacity(mean, (0, 1), np.zeros(4, dtype=np.float32))
    assert opacity[0] == 1.0, "distance along a shown axis does not count"
    assert (np.diff(opacity) < 0).all()
    assert opacity[3] > 0.1
    cloud = PointCloud(mean[:, 0], mean[:, 1], None, opacity)
    assert cloud.order.tolist()[-1] == 0
    assert cloud.drawn_level.max() == FADE_LEVELS - 1


def test_a_dead_dimension_fades_nothing() -> None:
    generator = np.random.default_rng(0)
    mean = generator.normal(size=(500, 4)).astype(np.float32)
    mean[:, 3] *= 1e-4
    code = np.zeros(4, dtype=np.float32)
    moved = code.copy()
    moved[3] = 2e-4
    np.testing.assert_allclose(slice_opacity(mean, (0, 1), code), slice_opacity(mean, (0, 1), moved), atol=1e-3)


def test_the_robust_extent_leaves_outliers_out() -> None:
    a = np.concatenate((np.linspace(-1, 1, 5000), [900.0]))
    extent = PointCloud(a, a).robust_extent()
    assert extent is not None
    assert extent.right < 1.1


def test_the_strip_is_a_histogram_on_the_scale_of_the_prior() -> None:
    z = np.random.default_rng(0).normal(size=50_000).astype(np.float32)
    places, peak = strip_places(z, has_prior=True)
    assert peak == pytest.approx(PRIOR_PEAK, rel=0.1)
    for at, density in ((0.0, 0.3989), (1.0, 0.2420), (2.0, 0.0540)):
        near = np.abs(z - at) < 0.05
        assert np.abs(places[near]).max() == pytest.approx(0.5 * density / peak, rel=0.12)
    np.testing.assert_array_equal(places, strip_places(z, has_prior=True)[0])


@pytest.mark.parametrize("z", [[], [0.3], [2.0] * 50, [np.nan, np.inf, -np.inf, 1.0], [np.nan]])
def test_a_strip_of_odd_codes_stays_inside_its_band(z: list[float]) -> None:
    places, peak = strip_places(np.array(z, dtype=np.float32), has_prior=False)
    assert (np.abs(places) <= 0.5).all()
    assert peak > 0.0
