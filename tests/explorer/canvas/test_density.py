"""The true posterior on the canvas: where its density is, at little cost, and enlarged where it is small."""

import math

import numpy as np
import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from core.findings.evidence import PosteriorMap
from explorer.theme import current_palette
from explorer.views.canvas import LatentCanvas
from tests.explorer.canvas.conftest import make_map
from tests.explorer.canvas.test_pictures import pixels

CENTRE, DEVIATIONS = (0.8, -0.5), (0.5, 0.2)


def gaussian_map(centre: tuple[float, float] = CENTRE, reach: float = 5.0, cells: int = 60) -> PosteriorMap:
    """Return the density of a Gaussian on a lattice about its centre."""
    half = [reach * deviation for deviation in DEVIATIONS]
    step = 2.0 * half[0] / cells
    rows = round(2.0 * half[1] / step)
    a = centre[0] - half[0] + step * (np.arange(cells) + 0.5)
    b = centre[1] - half[1] + step * (np.arange(rows) + 0.5)
    density = np.exp(-0.5 * ((a[None, :] - centre[0]) / DEVIATIONS[0]) ** 2) * np.exp(
        -0.5 * ((b[:, None] - centre[1]) / DEVIATIONS[1]) ** 2
    )
    low = (centre[0] - half[0], centre[1] - half[1])
    return make_map(density[::-1], (low[0], low[0] + step * cells), (low[1], low[1] + step * rows))


def inked(canvas: LatentCanvas, found: PosteriorMap) -> np.ndarray:
    """Return how far each pixel is changed by the map, the canvas having been empty."""
    canvas.set_layers(prior=False)
    canvas.set_posterior_map(None)
    before = pixels(canvas).astype(np.float64)
    canvas.set_posterior_map(found)
    canvas.lens.hide()
    change: np.ndarray = np.abs(pixels(canvas).astype(np.float64) - before).sum(axis=2)
    return change


def middle_and_spread(change: np.ndarray, canvas: LatentCanvas) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and deviation of the ink on both axes, in latent units."""
    ys, xs = np.nonzero(change > 12)
    weights = change[ys, xs]
    a, b = canvas.view.to_latent(xs.astype(np.float32) + 0.5, ys.astype(np.float32) + 0.5)
    places = np.stack((a, b))
    mean = (places * weights).sum(axis=1) / weights.sum()
    spread = np.sqrt(((places - mean[:, None]) ** 2 * weights).sum(axis=1) / weights.sum())
    return mean, spread


def test_the_heat_map_lies_where_the_density_is(canvas: LatentCanvas) -> None:
    mean, spread = middle_and_spread(inked(canvas, gaussian_map()), canvas)
    np.testing.assert_allclose(mean, CENTRE, atol=2.0 / canvas.view.scale)
    # Opacity is the square root of the density: a Gaussian √2 times as wide, of which the faintest tail is cut.
    np.testing.assert_allclose(spread / np.array(DEVIATIONS), math.sqrt(2.0), rtol=0.12)


@pytest.mark.parametrize("shift", [(0.1, 0.0), (0.0, 0.1), (-0.1, 0.0)])
def test_a_map_shifted_by_a_tenth_would_be_seen(canvas: LatentCanvas, shift: tuple[float, float]) -> None:
    found = gaussian_map()
    shifted = PosteriorMap(
        found.density,
        (found.low[0] + shift[0], found.low[1] + shift[1]),
        (found.high[0] + shift[0], found.high[1] + shift[1]),
        found.step,
        version=1,
    )
    mean, _ = middle_and_spread(inked(canvas, shifted), canvas)
    assert np.abs(mean - CENTRE).max() > 4.0 / canvas.view.scale


def test_the_upper_row_of_the_map_lies_above(canvas: LatentCanvas) -> None:
    change = inked(canvas, make_map([[1.0, 0.0], [0.0, 0.2]], (-1.0, 1.0), (-1.0, 1.0)))
    (left, top), (right, bottom) = (
        (round(float(value)) for value in canvas.view.to_pixels(a, b)) for a, b in ((-0.7, 0.7), (0.7, -0.7))
    )
    assert change[top, left] > change[bottom, right] > 0.0
    assert change[bottom, left] == change[top, right] == 0.0


def test_exchanged_axes_exchange_the_map(canvas: LatentCanvas) -> None:
    canvas.set_axes(1, 0)
    mean, spread = middle_and_spread(inked(canvas, gaussian_map()), canvas)
    # The faintest of it lies beyond the upper border.
    np.testing.assert_allclose(mean, CENTRE[::-1], atol=4.0 / canvas.view.scale)
    assert spread[1] > 2.0 * spread[0]


def test_the_map_has_the_posterior_s_colour_and_its_layer_hides_it(canvas: LatentCanvas) -> None:
    found = gaussian_map()
    assert inked(canvas, found).max() > 60.0
    canvas.set_layers(posterior=False)
    hidden = pixels(canvas)
    canvas.set_posterior_map(None)
    np.testing.assert_array_equal(pixels(canvas), hidden)
    canvas.set_layers(posterior=True)
    canvas.set_posterior_map(found)
    x, y = (round(value) for value in canvas.view.to_pixels(*CENTRE))
    assert np.abs(pixels(canvas)[y, x].astype(int) - QColor(current_palette().density).getRgb()[:3]).max() < 40


def test_only_the_pixels_of_the_map_are_painted_again(canvas: LatentCanvas, qtbot: object) -> None:
    assert qtbot is not None
    canvas.grab()
    painted: list[QRect] = []
    original = canvas.paintEvent

    def watch(event: object) -> None:
        painted.append(event.region().boundingRect())  # type: ignore[attr-defined]
        original(event)  # type: ignore[arg-type]

    canvas.paintEvent = watch  # type: ignore[method-assign]
    canvas.set_posterior_map(gaussian_map())
    canvas.repaint(canvas._density.bounds(canvas.view, canvas.axes))
    assert painted
    area = painted[-1].width() * painted[-1].height()
    assert area < 0.5 * canvas.width() * canvas.height()


@pytest.mark.parametrize("zoom", [1e-3, 1.0, 1e3, 1e5])
def test_any_zoom_can_be_painted(canvas: LatentCanvas, zoom: float) -> None:
    canvas.set_posterior_map(gaussian_map())
    x, y = canvas.view.to_pixels(*CENTRE)
    canvas._set_view(canvas.view.zoomed(zoom, x, y))
    canvas.grab()


def test_a_small_posterior_is_enlarged_to_one_scale_with_the_ellipses_of_q(canvas: LatentCanvas) -> None:
    canvas.set_layers(prior=False)
    tiny = make_map(np.outer(np.hanning(12), np.hanning(12)), (0.95, 1.05), (0.95, 1.05))
    canvas.set_posterior(np.array([1.0, 1.0], np.float32), np.array([0.01, 0.02], np.float32))
    canvas.set_posterior_map(tiny)
    assert canvas.lens.isVisible()
    view = canvas.lens.view
    assert view.scale > 4.0 * canvas.view.scale
    assert view.centre == pytest.approx((1.0, 1.0), abs=0.01)
    assert canvas.rect().contains(canvas.lens.geometry())
    image = canvas.lens.grab().toImage()

    def blueness(a: float, b: float) -> int:
        x, y = (round(value) for value in view.to_pixels(a, b))
        inks = [image.pixelColor(x + dx, y + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
        return max(ink.blue() - ink.red() for ink in inks)

    assert blueness(1.01, 1.0) > blueness(1.035, 1.0) + 50, "the ellipse at one deviation"
    assert blueness(1.0, 1.02) > blueness(1.0, 1.03) + 30
    frame = canvas.lens.frame(canvas.view)
    assert frame.center().toTuple() == pytest.approx(canvas.view.to_pixels(1.0, 1.0), abs=1.0)


def test_a_large_posterior_needs_no_lens_and_the_lens_gets_out_of_the_way(canvas: LatentCanvas) -> None:
    canvas.set_posterior_map(gaussian_map())
    assert not canvas.lens.isVisible()
    places = set()
    for a, b in ((0.0, 0.0), (2.3, -2.3)):
        canvas.set_posterior_map(make_map(np.ones((6, 6)), (a - 0.05, a + 0.05), (b - 0.05, b + 0.05)))
        assert canvas.lens.isVisible()
        x, y = canvas.view.to_pixels(a, b)
        assert not canvas.lens.geometry().contains(round(x), round(y))
        places.add(canvas.lens.pos().toTuple())
    assert len(places) == 2
    canvas.set_posterior_map(None)
    assert not canvas.lens.isVisible()


def test_the_lens_lets_the_mouse_through(canvas: LatentCanvas) -> None:
    canvas.set_posterior_map(make_map(np.ones((6, 6)), (-0.05, 0.05), (-0.05, 0.05)))
    before = canvas.view
    start = canvas.lens.geometry().center()
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(canvas, start + QRect(0, 0, 31, 21).bottomRight())
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=start + QRect(0, 0, 31, 21).bottomRight())
    assert canvas.view.centre != before.centre


def test_along_a_strip_the_density_is_a_curve_that_peaks_where_it_does(canvas: LatentCanvas) -> None:
    canvas.set_latent_dim(1, True)
    z = np.linspace(-1.0, 1.0, 81)
    change = inked(canvas, make_map(np.exp(-0.5 * ((z - 0.4) / 0.15) ** 2)[None], (-1.0, 1.0)))
    heights = (change > 12).sum(axis=0)
    peak = canvas.view.to_latent(float(heights.argmax()), 0.0)[0]
    assert peak == pytest.approx(0.4, abs=0.05)
    at = {a: heights[round(canvas.view.to_pixels(a, 0.0)[0])] for a in (0.4, 0.55, 0.85)}
    assert at[0.55] / at[0.4] == pytest.approx(math.exp(-0.5), abs=0.08)
    assert at[0.85] < 0.1 * at[0.4]


def test_a_map_of_another_model_is_refused_in_words(canvas: LatentCanvas) -> None:
    with pytest.raises(ValueError, match="1 latent dimensions does not fit a canvas of 2"):
        canvas.set_posterior_map(make_map([[1.0, 2.0]], (-1.0, 1.0)))
    canvas.set_posterior_map(gaussian_map())
    canvas.set_latent_dim(5, True)
    assert canvas._density.map is None
    assert not canvas.lens.isVisible()


def test_a_larger_model_says_that_ellipses_are_marginals(canvas: LatentCanvas) -> None:
    assert not any("marginals" in line for line in canvas._notes())
    canvas.set_latent_dim(3, True)
    canvas.set_axes(2, 0)
    assert "ellipses are marginals of q on z₃, z₁" in canvas._notes()
