import timeit

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config import DataConfig
from core.data.normalisation import is_normalised, normalise_drawing
from core.data.sources import load_quick_look
from core.shapes import Picture, PictureStack


@pytest.fixture(scope="module")
def digits() -> PictureStack:
    look = load_quick_look(DataConfig())
    assert look is not None
    return look.held_out.images[:]


def drawn_large(picture: Picture, row: int = 0, column: int = 0) -> Picture:
    """A 10-fold enlargement on a canvas of 280×280 pixels, moved."""
    return np.roll(np.kron(picture, np.ones((10, 10), np.uint8)), (row, column), axis=(0, 1))


def test_a_digit_of_mnist_drawn_large_comes_back_exactly(digits: PictureStack) -> None:
    for digit in digits[:400]:
        assert np.array_equal(normalise_drawing(drawn_large(digit), (28, 28), centre=True), digit)


def test_where_and_how_large_a_digit_is_drawn_makes_little_difference(digits: PictureStack) -> None:
    from PIL import Image  # noqa: PLC0415

    errors = []
    for digit in digits[:60]:
        # Smooth, as a hand draws, at half the size and off the middle.
        small = np.asarray(Image.fromarray(digit).resize((140, 140), Image.Resampling.BILINEAR))
        canvas = np.zeros((280, 280), np.uint8)
        canvas[13:153, 101:241] = small
        result = normalise_drawing(canvas, (28, 28), centre=True)
        errors.append(np.abs(result.astype(float) - digit).mean() / digit.mean())
    assert np.median(errors) < 0.35


def test_moving_the_ink_changes_nothing(digits: PictureStack) -> None:
    for digit in digits[:20]:
        large = drawn_large(digit)
        expected = normalise_drawing(large, (28, 28), centre=True)
        for before, after in ((0, 60), (37, 23), (60, 0)):
            moved = np.pad(large, ((before, after), (after, before)))
            assert np.array_equal(normalise_drawing(moved, (28, 28), centre=True), expected)


@given(
    top=st.integers(0, 270),
    left=st.integers(0, 270),
    height=st.integers(1, 280),
    width=st.integers(1, 280),
    side=st.integers(8, 64),
    level=st.integers(1, 255),
)
def test_any_ink_is_scaled_into_the_box_and_centred(
    top: int, left: int, height: int, width: int, side: int, level: int
) -> None:
    ink = np.zeros((280, 280), np.uint8)
    ink[top : top + height, left : left + width] = level
    result = normalise_drawing(ink, (side, side), centre=True)
    rows, columns = np.flatnonzero(result.any(axis=1)), np.flatnonzero(result.any(axis=0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == round(side * 20 / 28)
    # A dot that comes to lie between pixels is shared by them, and may round down.
    assert level - 1 <= result.max() <= level
    for line in (result.sum(axis=0, dtype=float), result.sum(axis=1, dtype=float)):
        assert abs(line @ np.arange(side) / line.sum() - side / 2) <= 0.5


def test_no_ink_gives_a_black_picture() -> None:
    for centre in (True, False):
        assert not normalise_drawing(np.zeros((280, 280), np.uint8), (28, 28), centre=centre).any()


def test_a_single_dot_stays_inside_the_picture() -> None:
    ink = np.zeros((280, 280), np.uint8)
    ink[279, 279] = 1
    assert normalise_drawing(ink, (28, 28), centre=True).max() == 1


def test_lopsided_ink_is_not_pushed_out() -> None:
    ink = np.zeros((280, 280), np.uint8)
    ink[0:200, 0:20] = 255
    ink[199, 20:200] = 1
    result = normalise_drawing(ink, (28, 28), centre=True)
    assert np.ptp(np.flatnonzero(result.any(axis=0))) >= 1
    assert np.flatnonzero(result.any(axis=1)).size == 20


def test_without_centring_the_canvas_is_only_scaled(digits: PictureStack) -> None:
    result = normalise_drawing(drawn_large(digits[0], 30, 0), (28, 28), centre=False)
    error = np.abs(result.astype(int) - np.roll(digits[0], 3, axis=0))
    assert error.mean() < 4


def test_a_picture_that_is_not_square_uses_its_short_side() -> None:
    ink = np.full((280, 280), 255, np.uint8)
    result = normalise_drawing(ink, (28, 56), centre=True)
    assert result.shape == (28, 56)
    assert np.ptp(np.flatnonzero(result.any(axis=0))) + 1 == 20


def test_mnist_is_recognised_and_shifted_or_inverted_digits_are_not(digits: PictureStack) -> None:
    sample = digits[:300]
    assert is_normalised(sample)
    assert not is_normalised(np.roll(sample, 2, axis=2))
    assert not is_normalised(255 - sample)
    assert not is_normalised(np.zeros((5, 28, 28), np.uint8))
    assert not is_normalised(sample[:0])


def test_a_drawing_is_normalised_between_two_movements_of_the_pen(digits: PictureStack) -> None:
    ink = drawn_large(digits[3])
    best = min(timeit.repeat(lambda: normalise_drawing(ink, (28, 28), centre=True), number=50, repeat=8)) / 50
    # About 0.07 ms without the tests' checks of shapes; ten times that still leaves a 6 ms frame its time.
    assert best < 1e-3
