"""Stamped points, looked at pixel by pixel."""

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from explorer.theme import LIGHT
from explorer.views.canvas import scatter
from explorer.views.canvas.coordinates import View
from explorer.views.canvas.points import PointCloud
from explorer.views.canvas.scatter import Scatter, disc, disc_radius


def painted(cloud: PointCloud, view: View, ratio: float = 1.0, points: Scatter | None = None) -> np.ndarray:
    """Return the picture of a cloud on black, shape (height, width, 3) in device pixels."""
    image = QImage(round(view.width * ratio), round(view.height * ratio), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(QColor("black"))
    painter = QPainter(image)
    (points or Scatter()).paint(painter, cloud, view, ratio, LIGHT)
    painter.end()
    flat = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), -1, 4)
    return flat[:, : image.width(), 2::-1].astype(int)


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_a_point_is_a_round_spot_of_its_label_at_its_place(qtbot: QtBot, ratio: float) -> None:
    assert qtbot is not None
    view = View(81, 61, scale=10.0)
    picture = painted(PointCloud([1.0], [2.0], np.array([3])), view, ratio)
    x, y = (round(value * ratio - 0.5) for value in view.to_pixels(1.0, 2.0))
    np.testing.assert_allclose(picture[y, x], QColor(LIGHT.label(3)).getRgb()[:3], atol=1)
    ys, xs = np.nonzero(picture.sum(axis=2))
    assert abs(xs.mean() - x) <= 1.0
    assert abs(ys.mean() - y) <= 1.0
    assert xs.max() - xs.min() == ys.max() - ys.min()
    assert xs.max() - xs.min() >= 6.0 * ratio


def test_a_disc_covers_its_own_area(qtbot: QtBot) -> None:
    assert qtbot is not None
    for radius in (1.5, 2.0, 3.0, 6.0):
        area = sum(coverage * len(offsets) for coverage, offsets in disc(radius))
        assert area == pytest.approx(np.pi * radius**2, rel=0.2)


def test_points_without_a_label_have_one_colour(qtbot: QtBot) -> None:
    assert qtbot is not None
    picture = painted(PointCloud([0.0], [0.0]), View(41, 41, scale=10.0))
    np.testing.assert_allclose(picture[20, 20], QColor(LIGHT.accent).getRgb()[:3], atol=1)


def test_labels_beyond_the_colours_repeat_them(qtbot: QtBot) -> None:
    assert qtbot is not None
    view = View(41, 41, scale=10.0)
    first, again = (painted(PointCloud([0.0], [0.0], np.array([label])), view) for label in (2, 12))
    np.testing.assert_array_equal(first, again)


def test_points_out_of_view_paint_nothing_and_those_at_the_edge_are_cut(qtbot: QtBot) -> None:
    assert qtbot is not None
    view = View(40, 40, scale=10.0)
    far = np.array([1e6, -1e6, 50.0, 0.0], dtype=np.float32)
    assert painted(PointCloud(far, far[::-1] + 10.0), view).sum() == 0
    assert painted(PointCloud([-2.05], [0.0]), view)[:, 0].sum() > 0


def test_few_out_of_many_out_of_view_leave_no_trace(qtbot: QtBot) -> None:
    assert qtbot is not None
    view = View(40, 40, scale=10.0)
    inside = painted(PointCloud([0.0] * 3, [0.0] * 3, np.array([1, 1, 1])), view)
    both = painted(PointCloud([0.0] * 3 + [99.0], [0.0] * 3 + [99.0], np.array([1, 1, 1, 2])), view)
    assert both.sum() > 0
    lit = both.sum(axis=2) > 0
    assert lit[:3].sum() + lit[-3:].sum() + lit[:, :3].sum() + lit[:, -3:].sum() == 0
    assert inside[20, 20].tolist() == both[20, 20].tolist()


def test_a_million_points_are_thickened_to_the_same_map(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    assert qtbot is not None
    z = np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32)
    view = View(200, 200, scale=30.0)
    cloud = PointCloud(z[:, 0], z[:, 1], np.zeros(400, dtype=np.int64))
    stamped = painted(cloud, view).sum(axis=2) > 0
    monkeypatch.setattr(scatter, "THICKEN_ABOVE", 10)
    thick = painted(cloud, view).sum(axis=2) > 0
    assert thick.sum() > 2 * 400 * 0.9
    assert (thick & ~stamped).sum() == 0, "a thickened pixel lies inside the disc that it stands for"


def test_points_grow_as_one_zooms_in_and_keep_their_size_in_a_pan(qtbot: QtBot) -> None:
    assert qtbot is not None
    z = np.random.default_rng(0).normal(size=(10_000, 2)).astype(np.float32)
    cloud, view = PointCloud(z[:, 0], z[:, 1]), View(800, 600, scale=90.0)
    assert disc_radius(cloud, view) < disc_radius(cloud, view.zoomed(8.0, 1.0, 1.0))
    assert disc_radius(cloud, view) == disc_radius(cloud, view.panned(300.0, 20.0))


def test_no_points_one_point_and_equal_points_are_painted(qtbot: QtBot) -> None:
    assert qtbot is not None
    view = View(40, 40, scale=10.0)
    assert painted(PointCloud([], []), view).sum() == 0
    assert painted(PointCloud([0.0], [0.0]), view).sum() > 0
    assert painted(PointCloud([0.0] * 9, [0.0] * 9), view).sum() > 0


class Stamped(Scatter):
    """Counts how often the points are stamped."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0

    def _stamp(self, *rest: object) -> None:
        self.times += 1
        super()._stamp(*rest)  # type: ignore[arg-type]


@pytest.mark.parametrize("ratio", [1.0, 2.0])
@pytest.mark.parametrize(("dx", "dy"), [(1.0, 0.0), (-30.0, 17.0), (scatter.PAN_PX, -scatter.PAN_PX)])
def test_a_pan_shows_what_was_stamped_and_it_is_what_would_be(qtbot: QtBot, ratio: float, dx: float, dy: float) -> None:
    assert qtbot is not None
    generator, points = np.random.default_rng(0), Stamped()
    # Away from the borders of pixels, where a float may fall to either side.
    a, b = ((generator.integers(-150, 150, 400) + 0.25) / 16.0 for _ in range(2))
    cloud, view = PointCloud(a, b, generator.integers(0, 10, 400)), View(160, 120, scale=16.0)
    painted(cloud, view, ratio, points)
    moved = view.panned(dx, dy)
    np.testing.assert_array_equal(painted(cloud, moved, ratio, points), painted(cloud, moved, ratio))
    assert points.times == 1
    np.testing.assert_array_equal(painted(cloud, view, ratio, points), painted(cloud, view, ratio))
    assert points.times == 1


def test_points_are_stamped_anew_where_a_pan_goes_too_far_or_not_by_whole_pixels_or_the_scale_changes(
    qtbot: QtBot,
) -> None:
    assert qtbot is not None
    points, cloud, view = Stamped(), PointCloud([0.0, 1.0], [0.0, 0.5]), View(160, 120, scale=16.0)
    views = (view, view.panned(scatter.PAN_PX + 1.0, 0.0), view.panned(0.5, 0.0), view.zoomed(1.1, 80.0, 60.0))
    for count, one in enumerate(views, 1):
        np.testing.assert_array_equal(painted(cloud, one, 1.0, points), painted(cloud, one))
        assert points.times == count
