"""Pictures at the size of the screen: every pixel has its place and its share."""

import gc

import numpy as np
import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage

from core.shapes import Picture
from explorer.views.scaling import to_draw, wrapped


def greys(image: QImage) -> Picture:
    """Return the grey levels of an image."""
    grey = image.convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(grey.constBits(), np.uint8).reshape(grey.height(), grey.bytesPerLine())
    return rows[:, : grey.width()].copy()


def noise(height: int, width: int) -> Picture:
    return np.random.default_rng(7).integers(0, 256, (height, width), dtype=np.uint8)


@pytest.mark.parametrize("shape", [(3, 5), (28, 28), (7, 2), (1, 3)])
@pytest.mark.parametrize("size", [(1, 1), (10, 11), (27, 31), (100, 101)])
def test_a_pixel_is_the_mean_of_what_it_covers(shape: tuple[int, int], size: tuple[int, int]) -> None:
    picture = noise(*shape)
    # As many as divide both, side by side: means of whole blocks of these need no shares.
    fine = np.kron(picture, np.ones(size)).reshape(size[0], shape[0], size[1], shape[1])
    expected = np.floor(fine.mean(axis=(1, 3)) + 0.5)
    shown = greys(to_draw(picture, QSize(size[1], size[0]), smooth=False))
    assert shown.shape == size
    # The sums are in single precision: a mean in the middle of two greys may fall to either side.
    assert np.abs(shown.astype(int) - expected).max() <= 1
    assert (shown != expected).mean() < 0.01


@pytest.mark.parametrize("factor", [1, 2, 8])
def test_at_a_multiple_of_its_size_a_picture_is_drawn_as_it_is(factor: int) -> None:
    picture = noise(5, 7)
    shown = to_draw(picture, QSize(7 * factor, 5 * factor), smooth=False)
    assert shown.format() == QImage.Format.Format_RGB32
    np.testing.assert_array_equal(greys(shown), picture)


def test_a_smooth_picture_has_the_size_that_was_asked_for() -> None:
    shown = greys(to_draw(np.full((4, 6), 90, np.uint8), QSize(31, 17), smooth=True))
    assert shown.shape == (17, 31)
    assert (shown == 90).all()


def test_an_image_keeps_the_memory_that_it_wraps() -> None:
    image = wrapped(noise(40, 37))
    gc.collect()
    # Would be overwritten by what takes its place.
    others = [np.zeros((40, 37), np.uint8) for _ in range(50)]
    np.testing.assert_array_equal(greys(image), noise(40, 37))
    assert not any(other.any() for other in others)
