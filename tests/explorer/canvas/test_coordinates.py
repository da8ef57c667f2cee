"""Pixels and latent units."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.messages import Extent
from explorer.views.canvas.coordinates import MAX_COORDINATE, MAX_SCALE, MIN_SCALE, View

finite = st.floats(-1e6, 1e6)
views = st.builds(
    View,
    width=st.integers(1, 4000),
    height=st.integers(1, 3000),
    centre=st.tuples(finite, finite),
    scale=st.floats(MIN_SCALE, MAX_SCALE),
    strip=st.booleans(),
)


@given(view=views, x=st.floats(-5000, 5000), y=st.floats(-5000, 5000))
def test_a_pixel_comes_back_from_the_latent_plane(view: View, x: float, y: float) -> None:
    back_x, back_y = view.to_pixels(*view.to_latent(x, y))
    # A float64 has 53 bits: what the largest coordinate leaves of them is the error in pixels.
    tolerance = 1e-9 + 4.0 * np.spacing(max(abs(c) for c in (*view.centre, 1.0))) * view.scale
    assert back_x == pytest.approx(x, abs=tolerance, rel=1e-9)
    assert back_y == pytest.approx(y, abs=tolerance, rel=1e-9)


@given(view=views, a=st.floats(-10, 10), b=st.floats(-10, 10))
def test_arrays_go_where_numbers_go(view: View, a: float, b: float) -> None:
    x, y = view.to_pixels(a, b)
    many_x, many_y = view.to_pixels(np.array([a], dtype=np.float32), np.array([b], dtype=np.float32))
    assert many_x.dtype == np.float32
    scale = max(abs(a), abs(b), *map(abs, view.centre), 1.0) * max(view.scale, view.vertical_scale)
    assert many_x[0] == pytest.approx(x, abs=1e-6 * scale + 1e-3, rel=1e-6)
    assert many_y[0] == pytest.approx(y, abs=1e-6 * scale + 1e-3, rel=1e-6)


def test_the_second_axis_points_up_and_both_axes_have_one_scale() -> None:
    view = View(400, 300, centre=(1.0, -2.0), scale=50.0)
    assert view.to_pixels(1.0, -2.0) == (200.0, 150.0)
    assert view.to_pixels(2.0, -2.0) == (250.0, 150.0)
    assert view.to_pixels(1.0, -1.0) == (200.0, 100.0)
    assert view.extent == Extent(-3.0, 5.0, -5.0, 1.0)


@given(view=views, factor=st.floats(0.1, 10.0), share=st.tuples(st.floats(0, 1), st.floats(0, 1)))
def test_zooming_keeps_the_latent_point_under_the_mouse(view: View, factor: float, share: tuple[float, float]) -> None:
    x, y = share[0] * view.width, share[1] * view.height
    zoomed = view.zoomed(factor, x, y)
    a, b = view.to_latent(x, y)
    if max(map(abs, zoomed.centre)) >= MAX_COORDINATE:
        return
    after_x, after_y = zoomed.to_pixels(a, b)
    tolerance = 1e-6 + 8.0 * np.spacing(max(abs(a), abs(b), *map(abs, view.centre), 1.0)) * zoomed.scale
    assert after_x == pytest.approx(x, abs=tolerance)
    if not view.strip:
        assert after_y == pytest.approx(y, abs=tolerance)


def test_panning_moves_the_content_with_the_mouse() -> None:
    view = View(400, 300, scale=50.0)
    x, y = view.to_pixels(0.5, 0.25)
    assert view.panned(30.0, -12.0).to_pixels(0.5, 0.25) == pytest.approx((x + 30.0, y - 12.0))


def test_a_strip_moves_along_its_axis_only() -> None:
    view = View(400, 300, scale=50.0, strip=True)
    moved = view.panned(30.0, 40.0)
    assert moved.to_pixels(0.0, 0.3)[1] == view.to_pixels(0.0, 0.3)[1]
    assert moved.to_pixels(0.0, 0.0)[0] == view.to_pixels(0.0, 0.0)[0] + 30.0
    assert view.zoomed(3.0, 10.0, 10.0).vertical_scale == view.vertical_scale


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e308, -1e308, 0.0, -1.0])
def test_no_number_makes_a_view_absurd(bad: float) -> None:
    for view in (
        View(0, -3, centre=(bad, bad), scale=bad),
        View(400, 300).zoomed(bad, 3.0, 3.0),
        View(400, 300).zoomed(2.0, bad, bad),
        View(400, 300).panned(bad, bad),
        View(400, 300).fitted(Extent(bad, bad, bad, bad)),
        View(400, 300).fitted(Extent(-bad, bad, -bad, bad)),
    ):
        assert MIN_SCALE <= view.scale <= MAX_SCALE
        assert all(abs(value) <= MAX_COORDINATE for value in view.centre)
        assert all(math.isfinite(value) for value in (*view.to_pixels(0.0, 0.0), *view.to_latent(1.0, 1.0)))


@given(left=st.floats(-1e3, 1e3), bottom=st.floats(-1e3, 1e3), width=st.floats(1e-2, 1e3), height=st.floats(1e-2, 1e3))
def test_a_fitted_view_shows_the_whole_extent(left: float, bottom: float, width: float, height: float) -> None:
    wanted = Extent(left, left + width, bottom, bottom + height)
    shown = View(640, 480).fitted(wanted).extent
    assert shown.left < wanted.left
    assert shown.right > wanted.right
    assert shown.bottom < wanted.bottom
    assert shown.top > wanted.top
    assert min(shown.width / wanted.width, shown.height / wanted.height) < 1.2
