"""Setters say nothing, and survive anything."""

import math

import numpy as np
import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from explorer.views.canvas import LatentCanvas
from tests.explorer.canvas.conftest import Recorder, make_codes, make_handle, make_map, make_mosaic

_LEFT = Qt.MouseButton.LeftButton


def test_no_setter_says_an_intent(canvas: LatentCanvas, recorder: Recorder) -> None:
    picture = np.full((28, 28), 200, dtype=np.uint8)
    for latent_dim in (1, 2, 5, 2):
        code = np.zeros(latent_dim, dtype=np.float32)
        canvas.set_latent_dim(latent_dim, latent_dim != 5)
        canvas.set_codes(make_codes(np.zeros((9, latent_dim)), [0, 1, 2] * 3), ("a", "b", "c"))
        canvas.set_codes(make_codes(np.ones((3, latent_dim)), [0, 1, 1]), ("d", "e"))
        if latent_dim > 1:
            canvas.set_axes(1, 0)
        canvas.set_mosaic(make_mosaic(picture, (-1.0, -1.0), (1.0, 1.0)))
        canvas.set_slice(code)
        canvas.set_slice(code + 1)
        canvas.set_handles((make_handle(1, *code), make_handle(2, *code, anchor=1, pinned=True)), 2)
        canvas.set_handles((make_handle(1, *(code + 1)),), 1)
        canvas.set_handles((), None)
        canvas.set_drawing_mark(code, code + 0.5)
        canvas.clear_drawing_mark()
        canvas.set_posterior(code, code + 0.5)
        canvas.set_posterior(None)
        canvas.set_fitted(code, np.eye(latent_dim, dtype=np.float32))
        canvas.set_fitted(None)
        canvas.set_points(np.ones((3, latent_dim), np.float32), code[None], np.arange(3))
        canvas.set_points(None)
        canvas.set_draw_posterior(code, code + 0.5)
        canvas.set_draw_posterior(None)
        if latent_dim < 3:
            canvas.set_posterior_map(make_map([[0.0, 1.0, 0.5]] * latent_dim, *[(-1.0, 1.0)] * latent_dim))
        canvas.set_posterior_map(None)
        canvas.set_hover_picture(0, picture, "text")
        canvas.set_layers(mosaic=False, codes=False, prior=False, posterior=False)
        canvas.set_layers(mosaic=True, codes=True, prior=True, posterior=True)
        canvas.set_note("note")
        canvas.fit_view()
        canvas.grab()
        canvas.set_codes(None)
        canvas.set_mosaic(None)
    assert recorder.said == []


def test_every_paint_has_its_own_number(canvas: LatentCanvas) -> None:
    serials: list[int] = []
    canvas.painted.connect(serials.append)
    for _ in range(3):
        canvas.grab()
    assert len(serials) == 3
    assert serials == list(range(serials[0], serials[0] + 3))


@pytest.mark.parametrize("latent_dim", [1, 2, 4])
@pytest.mark.parametrize(
    "values", [[], [0.5], [1.25] * 40, [math.nan, 1.0, math.inf, -math.inf], [math.nan] * 3, [1e38, -1e38, 0.0]]
)
def test_any_codes_can_be_shown(canvas: LatentCanvas, latent_dim: int, values: list[float]) -> None:
    canvas.set_latent_dim(latent_dim, True)
    mean = np.repeat(np.array(values, dtype=np.float32)[:, None], latent_dim, axis=1)
    canvas.set_codes(make_codes(mean.reshape(-1, latent_dim), [3] * len(values)), ("a", "b"))
    canvas.set_slice(np.full(latent_dim, 0.5, dtype=np.float32))
    canvas.fit_view()
    canvas.grab()
    for place in (canvas.rect().center(), canvas.rect().topLeft()):
        QTest.mouseMove(canvas, place)
    extent = canvas.extent()
    assert all(math.isfinite(value) for value in (extent.left, extent.right, extent.bottom, extent.top))


def test_numbers_that_are_none_hide_handles_and_marks(canvas: LatentCanvas) -> None:
    nothing = np.array([math.nan, math.inf], dtype=np.float32)
    canvas.set_handles((make_handle(1, math.nan, 0.0), make_handle(2, 1.0, 1.0, anchor=99)), 1)
    canvas.set_drawing_mark(nothing, nothing)
    canvas.set_posterior(np.zeros(2, dtype=np.float32), nothing)
    canvas.grab()
    assert [mark.id for mark in canvas._marks] == [2]


def test_huge_deviations_and_zooms_are_painted(canvas: LatentCanvas) -> None:
    canvas.set_drawing_mark(np.zeros(2, dtype=np.float32), np.full(2, 1e30, dtype=np.float32))
    canvas.set_mosaic(make_mosaic(np.zeros((56, 56)), (-3.0, -3.0), (3.0, 3.0)))
    for scale in (1e-4, 1.0, 1e3, 1e6):
        canvas._set_view(canvas.view.zoomed(scale / canvas.view.scale, 300.0, 250.0))
        canvas.grab()


@pytest.mark.parametrize("size", [QSize(0, 0), QSize(1, 1), QSize(1, 400), QSize(2000, 3)])
def test_any_size_can_be_shown(qtbot: QtBot, size: QSize) -> None:
    canvas = LatentCanvas()
    qtbot.addWidget(canvas)
    canvas.setMinimumSize(0, 0)
    canvas.set_latent_dim(3, True)
    canvas.set_codes(make_codes(np.eye(3), [0, 1, 2]), ("a", "b", "c"))
    canvas.set_mosaic(make_mosaic(np.zeros((9, 9)), (-1.0, -1.0), (1.0, 1.0)))
    canvas.set_handles((make_handle(1, 0.0, 0.0, 0.0),), 1)
    canvas.set_note("note")
    canvas.resize(size)
    canvas.show()
    canvas.fit_view()
    canvas.grab()


def test_codes_of_another_model_are_refused_in_words(canvas: LatentCanvas) -> None:
    with pytest.raises(ValueError, match="codes have 3 latent dimensions, the canvas shows 2"):
        canvas.set_codes(make_codes(np.zeros((2, 3))))
    with pytest.raises(ValueError, match="two different dimensions below 2, not 0 and 5"):
        canvas.set_axes(0, 5)
    with pytest.raises(ValueError, match="at least 1, not 0"):
        canvas.set_latent_dim(0, True)


def test_another_latent_dimension_forgets_what_was_shown(canvas: LatentCanvas) -> None:
    canvas.set_codes(make_codes(np.zeros((2, 2)), [0, 1]), ("a", "b"))
    canvas.set_handles((make_handle(1, 0.0, 0.0),), 1)
    canvas.set_latent_dim(2, True)
    assert canvas.cloud
    assert canvas._handles
    canvas.set_latent_dim(7, True)
    assert not canvas.cloud
    assert not canvas._handles
    assert not canvas.legend.isVisible()


def test_the_view_fits_codes_and_prior(canvas: LatentCanvas) -> None:
    canvas.set_codes(make_codes(np.random.default_rng(0).normal(size=(2000, 2)) * 0.1 + [8.0, 0.0]))
    canvas.fit_view()
    extent = canvas.extent()
    assert extent.left < -3.0
    assert extent.right > 8.2
    canvas.set_layers(prior=False)
    canvas.fit_view()
    assert canvas.extent().left > 7.0


def test_a_fitted_view_stays_fitted_when_the_widget_grows_and_a_moved_one_keeps_its_scale(canvas: LatentCanvas) -> None:
    canvas.resize(1000, 900)
    assert canvas.extent().width < 10.0
    assert canvas.view.scale > 100.0
    QTest.keyClick(canvas, Qt.Key.Key_Plus)
    scale = canvas.view.scale
    canvas.resize(700, 600)
    assert canvas.view.scale == scale


def test_a_larger_model_says_that_points_are_projected(canvas: LatentCanvas) -> None:
    canvas.set_latent_dim(4, True)
    canvas.set_axes(3, 1)
    canvas.set_note("2,000 of 60,000 training images, version 12")
    assert canvas._notes() == (
        "points are projected on z₄, z₂; pictures are the slice through the sliders' code",
        "ellipses are marginals of q on z₄, z₂",
        "2,000 of 60,000 training images, version 12",
    )


def test_a_handle_that_vanishes_in_the_middle_of_its_drag_is_let_go(canvas: LatentCanvas, recorder: Recorder) -> None:
    canvas.set_handles((make_handle(1, 0.0, 0.0),), 1)
    centre = canvas.rect().center()
    QTest.mousePress(canvas, _LEFT, pos=centre)
    QTest.mouseMove(canvas, centre * 1.1)
    canvas.set_handles((), None)
    recorder.said.clear()
    QTest.mouseMove(canvas, centre * 1.2)
    QTest.mouseRelease(canvas, _LEFT, pos=centre * 1.2)
    assert recorder.named("handle_dragged") == []


def test_a_mark_follows_the_axes_and_one_of_other_axes_vanishes(canvas: LatentCanvas) -> None:
    canvas.set_latent_dim(4, True)
    canvas.set_drawing_mark(np.arange(4, dtype=np.float32), np.arange(4, dtype=np.float32) + 1)
    canvas.set_posterior(np.array([0.5, 0.25], dtype=np.float32), None)
    assert canvas._encodings["posterior"].mean == (0.5, 0.25)
    canvas.set_axes(3, 1)
    assert canvas._encodings["drawing"].mean == (3.0, 1.0)
    assert canvas._encodings["drawing"].std == (4.0, 2.0)
    assert "posterior" not in canvas._encodings
    with pytest.raises(ValueError, match="a code of 4 values or two on the shown axes, not 3"):
        canvas.set_drawing_mark(np.zeros(3, dtype=np.float32), None)
