"""What the canvas looks like, measured in its own pixels."""

import math

import numpy as np
import pytest
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer.theme import apply_theme, current_palette
from explorer.views.canvas import LatentCanvas
from explorer.views.canvas.samples import group_colours
from explorer.views.canvas.scales import axis_name, nice_step, ticks
from tests.explorer.canvas.conftest import make_codes, make_handle, make_mosaic


def pixels(canvas: LatentCanvas) -> np.ndarray:
    """Return what the canvas shows, shape (height, width, 3)."""
    image = canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    flat = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), -1, 4)
    return flat[:, : image.width(), 2::-1].astype(int)


def close_to(picture: np.ndarray, colour: str, tolerance: int = 40) -> np.ndarray:
    return np.abs(picture - np.array(QColor(colour).getRgb()[:3])).max(axis=2) <= tolerance  # type: ignore[no-any-return]


def test_prior_contours_are_circles_to_scale(canvas: LatentCanvas) -> None:
    picture = pixels(canvas)
    view = canvas.view
    dark = close_to(picture, current_palette().prior, 60)
    x0, y0 = (round(value) for value in view.to_pixels(0.0, 0.0))
    for radius in (1, 2, 3):
        for degrees in (8, 98, 172, 262):
            x, y = view.to_pixels(radius * math.cos(math.radians(degrees)), radius * math.sin(math.radians(degrees)))
            near = dark[round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3]
            assert near.any(), f"no contour at {radius} sigma, {degrees} degrees"
    gap = round(0.5 * view.scale)
    assert not dark[y0 - gap - 3 : y0 - gap + 3, x0 - gap - 3 : x0 - gap + 3].any()


def test_an_autoencoder_has_no_contours_and_says_why(canvas: LatentCanvas) -> None:
    canvas.set_latent_dim(2, False)
    picture = pixels(canvas)
    x, y = (round(value) for value in canvas.view.to_pixels(math.cos(0.14), math.sin(0.14)))
    assert not close_to(picture[y - 3 : y + 4, x - 3 : x + 4], current_palette().prior, 60).any()
    assert "no prior: an autoencoder" in canvas._notes()


def test_the_mosaic_stands_upright_at_its_latent_place(canvas: LatentCanvas) -> None:
    tiles = np.zeros((20, 20), dtype=np.uint8)
    tiles[:10, 10:] = 255  # the upper right tile: large z1, large z2
    canvas.set_layers(prior=False, codes=False)
    canvas.set_mosaic(make_mosaic(tiles, (-1.0, -1.0), (1.0, 1.0)))
    picture = pixels(canvas)
    ink = close_to(picture, current_palette().text, 60)
    for a, b, lit in ((0.5, 0.5, True), (-0.5, 0.5, False), (0.5, -0.5, False), (-0.5, -0.5, False), (1.2, 0.5, False)):
        x, y = (round(value) for value in canvas.view.to_pixels(a, b))
        assert bool(ink[y, x]) is lit, (a, b)


def test_a_mosaic_of_other_axes_is_not_shown(canvas: LatentCanvas) -> None:
    canvas.set_latent_dim(3, True)
    canvas.set_layers(prior=False)
    white = np.full((20, 20), 255, dtype=np.uint8)
    canvas.set_mosaic(make_mosaic(white, (-1.0, -1.0), (1.0, 1.0), axes=(0, 2)))
    x, y = (round(value) for value in canvas.view.to_pixels(0.3, 0.3))
    empty = pixels(canvas)[y, x]
    canvas.set_axes(0, 2)
    assert (pixels(canvas)[y, x] != empty).any()


def test_the_mosaic_is_dimmed_behind_points_and_keeps_its_place_while_zooming(canvas: LatentCanvas) -> None:
    canvas.set_layers(prior=False)
    canvas.set_codes(make_codes([[-2.0, -2.0]]))
    white = np.full((8, 8), 255, dtype=np.uint8)
    canvas.set_mosaic(make_mosaic(white, (0.0, 0.0), (1.0, 1.0)))
    x, y = (round(value) for value in canvas.view.to_pixels(0.5, 0.5))
    dimmed = pixels(canvas)[y, x].sum()
    canvas.set_layers(codes=False)
    alone = pixels(canvas)[y, x].sum()
    assert alone < dimmed < 3 * 255
    for factor in (40.0, 4000.0):
        zoomed = canvas.view.zoomed(factor, x, y)
        canvas._set_view(zoomed, zooming=True)
        assert pixels(canvas)[y, x].sum() == alone


def test_the_ellipse_of_a_drawing_is_to_scale(canvas: LatentCanvas) -> None:
    canvas.set_layers(prior=False)
    before = pixels(canvas)
    mean, std = np.array([0.5, -0.5], dtype=np.float32), np.array([0.8, 0.3], dtype=np.float32)
    canvas.set_drawing_mark(mean, std)
    changed = np.abs(pixels(canvas) - before).max(axis=2) > 8
    ys, xs = np.nonzero(changed)
    scale = canvas.view.scale
    assert xs.max() - xs.min() == pytest.approx(2 * 2 * 0.8 * scale, abs=4)
    assert ys.max() - ys.min() == pytest.approx(2 * 2 * 0.3 * scale, abs=4)
    middle = canvas.view.to_pixels(0.5, -0.5)
    assert (xs.max() + xs.min()) / 2 == pytest.approx(middle[0], abs=2)
    canvas.clear_drawing_mark()
    np.testing.assert_array_equal(pixels(canvas), before)


def test_a_posterior_and_a_drawing_have_their_own_colours(canvas: LatentCanvas) -> None:
    mean, std = np.array([1.0, 1.0], dtype=np.float32), np.array([0.2, 0.2], dtype=np.float32)
    palette = current_palette()
    canvas.set_posterior(mean, std)
    assert close_to(pixels(canvas), palette.accent, 8).sum() > close_to(pixels(canvas), palette.drawing_mark, 8).sum()
    canvas.set_posterior(None)
    canvas.set_drawing_mark(mean, None)
    assert close_to(pixels(canvas), palette.drawing_mark, 8).any()


def test_a_handle_out_of_view_is_an_arrow_at_the_border(canvas: LatentCanvas) -> None:
    canvas.set_handles((make_handle(1, 50.0, 0.0),), None)
    lit = close_to(pixels(canvas), current_palette().handle, 30)
    ys, xs = np.nonzero(lit)
    assert len(xs) > 50
    assert xs.min() > canvas.width() - 60
    assert abs(ys.mean() - canvas.height() / 2) < 4


def test_the_selected_handle_is_larger(canvas: LatentCanvas) -> None:
    handles = (make_handle(1, -1.5, 0.0), make_handle(2, 1.5, 0.0))
    canvas.set_handles(handles, 2)
    lit = close_to(pixels(canvas), current_palette().handle, 30)
    middle = canvas.width() // 2
    assert lit[:, middle:].sum() > 1.3 * lit[:, :middle].sum()


def test_a_line_joins_the_handle_and_the_point_it_came_from(canvas: LatentCanvas) -> None:
    canvas.set_layers(prior=False)
    canvas.set_codes(make_codes([[-2.0, 0.3]]))
    canvas.set_handles((make_handle(1, 2.0, 0.3, anchor=0),), None)
    x, y = (round(value) for value in canvas.view.to_pixels(0.1, 0.3))
    assert close_to(pixels(canvas)[y - 2 : y + 3, x : x + 1], current_palette().handle, 60).any()


def test_both_themes_paint_their_own_paper(qtbot: QtBot, canvas: LatentCanvas) -> None:
    assert qtbot is not None
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    canvas.set_layers(prior=False)
    canvas.set_codes(make_codes([[0.0, 0.0]], [0]), ("a",))
    papers = []
    try:
        for name in ("dark", "light"):
            apply_theme(app, name)
            paper = current_palette().canvas
            picture = pixels(canvas)
            assert close_to(picture, paper, 2).mean() > 0.5
            papers.append(paper)
    finally:
        apply_theme(app, "light")
    assert papers[0] != papers[1]
    assert QGuiApplication.instance() is app


@pytest.mark.parametrize(("low", "high"), [(-3.0, 3.0), (1e-5, 3e-5), (-1e6, 1e6), (999_999.0, 999_999.001)])
def test_ticks_are_round_few_and_inside(low: float, high: float) -> None:
    found = ticks(low, high, 800.0)
    assert 3 <= len(found) <= 10
    assert all(low - 1e-9 * abs(low) <= value <= high + 1e-9 * abs(high) for value, _ in found)
    assert len({text for _, text in found}) == len(found)
    for value, text in found:
        assert float(text.replace("−", "-")) == pytest.approx(value, rel=1e-9, abs=1e-12)


def test_steps_are_one_two_or_five_and_axes_are_counted_from_one() -> None:
    assert [nice_step(value) for value in (0.9, 1.0, 1.1, 2.1, 5.5, 0.03)] == pytest.approx([1, 1, 2, 5, 10, 0.05])
    assert axis_name(0) == "z₁"
    assert axis_name(11) == "z₁₂"


def test_the_ellipse_of_a_full_covariance_is_turned_as_its_axes_are(canvas: LatentCanvas) -> None:
    canvas.set_layers(prior=False)
    before = pixels(canvas)
    scale = np.array([[0.8, 0.0], [0.6, 0.2]], dtype=np.float32)
    canvas.set_drawing_mark(np.zeros(2, dtype=np.float32), scale)
    changed = np.abs(pixels(canvas) - before).max(axis=2) > 8
    ys, xs = np.nonzero(changed)
    a, b = canvas.view.to_latent(xs.astype(np.float32), ys.astype(np.float32))
    # Inside the ellipse at two standard deviations, by the covariance itself and no angle.
    distance = np.einsum("in,ij,jn->n", np.stack((a, b)), np.linalg.inv(scale @ scale.T), np.stack((a, b)))
    far_from_the_mean = np.hypot(xs - canvas.width() / 2, ys - canvas.height() / 2) > 15
    assert np.sqrt(distance[far_from_the_mean].max()) == pytest.approx(2.0, abs=0.2)
    assert (xs.max() - xs.min()) / canvas.view.scale == pytest.approx(4 * 0.8, abs=0.05)
    assert (ys.max() - ys.min()) / canvas.view.scale == pytest.approx(4 * np.hypot(0.6, 0.2), abs=0.05)


def test_an_ellipse_turned_the_other_way_would_be_seen(canvas: LatentCanvas) -> None:
    canvas.set_layers(prior=False)
    pictures = []
    for cross in (0.6, -0.6):
        canvas.set_drawing_mark(np.zeros(2, np.float32), np.array([[0.8, 0.0], [cross, 0.2]], np.float32))
        pictures.append(pixels(canvas))
    y, x = (round(value) for value in canvas.view.to_pixels(0.9, 0.7)[::-1])
    assert pictures[0][y, x].tolist() != pictures[1][y, x].tolist()


def test_a_larger_model_shows_the_marginal_of_a_full_covariance_on_its_axes(canvas: LatentCanvas) -> None:
    canvas.set_latent_dim(3, True)
    scale = np.array([[0.5, 0, 0], [0.1, 0.4, 0], [0.3, -0.2, 0.6]], np.float32)
    canvas.set_axes(2, 0)
    canvas.set_posterior(np.arange(3, dtype=np.float32), scale)
    covariance = (scale @ scale.T).astype(np.float64)
    assert canvas._encodings["posterior"].mean == (2.0, 0.0)
    assert canvas._encodings["posterior"].covariance == pytest.approx(
        (covariance[2, 2], covariance[2, 0], covariance[0, 0]), rel=1e-6
    )


def test_a_fitted_q_has_its_own_colour_and_name(canvas: LatentCanvas) -> None:
    canvas.set_layers(prior=False)
    empty = pixels(canvas)
    canvas.set_fitted(np.array([1.0, 1.0], np.float32), np.array([0.2, 0.2], np.float32))
    assert close_to(pixels(canvas), current_palette().fitted_mark, 8).sum() > 100
    canvas.set_fitted(None)
    np.testing.assert_array_equal(pixels(canvas), empty)


def test_points_stand_where_their_codes_are_in_the_colours_of_their_groups(canvas: LatentCanvas) -> None:
    canvas.set_layers(prior=False)
    empty = pixels(canvas)
    codes = np.array([[1.0, 1.0], [-1.5, 0.5], [np.nan, 0.0], [1e30, 0.0]], np.float32)
    canvas.set_points(codes, np.zeros((1, 2), np.float32), np.array([0, 1, 0, 0]))
    picture = pixels(canvas)
    colours = group_colours(current_palette())
    for code, colour in zip(codes[:2], colours, strict=False):
        y, x = (round(value) for value in canvas.view.to_pixels(float(code[0]), float(code[1]))[::-1])
        assert close_to(picture[y - 1 : y + 2, x - 1 : x + 2], colour, 8).any()
    y, x = (round(value) for value in canvas.view.to_pixels(0.5, 0.5)[::-1])
    assert (picture[y - 1 : y + 2, x - 1 : x + 2] != empty[y - 1 : y + 2, x - 1 : x + 2]).any(), "a line leads there"
    canvas.set_points(None)
    np.testing.assert_array_equal(pixels(canvas), empty)
    with pytest.raises(ValueError, match="points need 2 latent dimensions"):
        canvas.set_points(np.zeros((3, 5), np.float32))
    with pytest.raises(ValueError, match="4 points need as many origins, or one, not 2"):
        canvas.set_points(codes, np.zeros((2, 2), np.float32))
