"""Strokes at the model's size, compared with geometry and with MNIST itself."""

import math
from typing import Any

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from explorer.views.draw_pad.ink import InkSheet
from explorer.views.draw_pad.strokes import DEFAULT_BRUSH, PenPoint, StrokeRenderer, centre_of_mass


@pytest.fixture(autouse=True)
def _application(qapp: QApplication) -> None:
    assert qapp is not None


def ellipse(centre: tuple[float, float], radii: tuple[float, float], count: int = 60) -> np.ndarray[Any, Any]:
    angles = np.linspace(0.0, 2.0 * math.pi, count)
    return np.stack(
        [
            centre[0] + radii[0] * np.cos(angles),
            centre[1] + radii[1] * np.sin(angles),
            np.full(count, DEFAULT_BRUSH),
        ],
        axis=1,
    )


def drawn(sheet: InkSheet, samples: np.ndarray[Any, Any]) -> None:
    points = [PenPoint(*row) for row in samples.tolist()]
    sheet.begin_stroke(points[0], erasing=False)
    for point in points[1:]:
        sheet.extend_stroke(point)
    sheet.end_stroke()


@pytest.mark.parametrize("place", [(60.0, 60.0), (140.3, 150.7), (210.0, 90.5)])
@pytest.mark.parametrize("size", [(28, 28), (64, 64), (32, 40), (9, 9)])
def test_the_centre_of_mass_is_in_the_middle_to_a_twentieth_of_a_pixel_of_mnist(
    place: tuple[float, float], size: tuple[int, int]
) -> None:
    samples = ellipse(place, (30, 45))
    samples[:30, 0] += 12.0
    mass = centre_of_mass(StrokeRenderer(size).picture((samples,)))
    assert mass == pytest.approx((size[1] / 2, size[0] / 2), abs=0.05 * max(*size, 28) / 28)


@pytest.mark.parametrize("extent", [15.0, 40.0, 100.0])
def test_the_long_side_fills_twenty_pixels_and_the_pen_keeps_its_width(extent: float) -> None:
    picture = StrokeRenderer((28, 28)).picture((ellipse((140, 140), (extent / 2, extent)),)) / 255.0
    inked = picture.sum(axis=1) > 0.02
    rows = np.flatnonzero(inked)
    assert rows[-1] - rows[0] + 1 == pytest.approx(20, abs=1)
    # The ink of a closed curve is its length times the pen: Ramanujan's perimeter of an ellipse 17.5 by 8.75.
    a, b = 17.5 / 2, 17.5 / 4
    h = ((a - b) / (a + b)) ** 2
    perimeter = math.pi * (a + b) * (1 + 3 * h / (10 + math.sqrt(4 - 3 * h)))
    assert picture.sum() == pytest.approx(2.5 * perimeter, rel=0.03)


def test_a_dot_stays_a_dot() -> None:
    picture = StrokeRenderer((28, 28)).picture((np.array([[200.0, 30.0, DEFAULT_BRUSH]]),)) / 255.0
    assert picture.sum() == pytest.approx(math.pi * 1.25**2, rel=0.1)
    assert picture[14, 14] == 1.0


def test_the_same_drawing_elsewhere_and_smaller_is_the_same_picture() -> None:
    renderer = StrokeRenderer((28, 28))
    one = renderer.picture((ellipse((90, 100), (40, 70)),)).astype(int)
    other = renderer.picture((ellipse((180.5, 160.25), (28, 49)),)).astype(int)
    assert np.abs(one - other).max() <= 12


def test_many_reports_of_a_fast_mouse_change_nothing() -> None:
    renderer = StrokeRenderer((28, 28))
    coarse = renderer.picture((ellipse((140, 140), (50, 80), 80),)).astype(int)
    fine = renderer.picture((ellipse((140, 140), (50, 80), 3000),)).astype(int)
    assert np.abs(coarse - fine).max() <= 32


def test_the_curve_goes_through_its_samples_and_keeps_sharp_corners() -> None:
    sheet = InkSheet()
    corner = np.array([[40.0, 40.0, 10.0], [240.0, 40.0, 10.0], [60.0, 240.0, 10.0]])
    drawn(sheet, corner)
    for x, y, _ in corner:
        assert sheet.pixels[int(y), int(x)] == 255
    # Straight between them: half way from one sample to the next.
    assert sheet.pixels[140, 150] == 255
    assert sheet.pixels[40, 140] == 255


def test_the_picture_does_not_jump_when_the_pen_lifts() -> None:
    sheet = InkSheet()
    points = [PenPoint(*row) for row in ellipse((150, 120), (40, 60)).tolist()]
    sheet.begin_stroke(points[0], erasing=False)
    for point in points[1:]:
        sheet.extend_stroke(point)
    moving = sheet.drawing((28, 28), centre=True)
    sheet.end_stroke()
    lifted = sheet.drawing((28, 28), centre=True)
    assert not moving.finished
    assert (moving.picture == lifted.picture).all()
    assert np.abs(moving.raw.astype(int) - lifted.raw).mean() < 1.0


def test_undo_is_bounded_and_forgets_the_oldest_first() -> None:
    sheet = InkSheet()
    for step in range(130):
        drawn(sheet, np.array([[2.0 * step, 10.0, 8.0], [2.0 * step, 200.0, 8.0]]))
    for _ in range(130):
        sheet.undo()
    assert not sheet.can_undo
    assert not sheet.empty


def test_a_step_that_changes_no_ink_is_no_step() -> None:
    sheet = InkSheet()
    sheet.begin_stroke(PenPoint(40, 40, 20), erasing=True)
    sheet.end_stroke()
    sheet.clear()
    assert not sheet.can_undo
