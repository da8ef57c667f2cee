"""Noise on one image: its size is what it says, more of it is more of the same, and none leaves the image."""

from dataclasses import replace

import numpy as np
import pytest

from core.data.binarisation import seen_by_model
from core.data.noises import NOISES, noisy_copies
from core.data.seen import SeenImages
from tests.small_data import bar_data

HEIGHT, WIDTH = 9, 7
COPIES = 4_000


def image(seed: int = 3) -> np.ndarray:
    return (np.random.default_rng(seed).random(HEIGHT * WIDTH) < 0.4).astype(np.float32)


def copies(kind: str, level: float, num: int = COPIES, seed: int = 0) -> np.ndarray:
    return noisy_copies(image(), kind, level, num, seed, (HEIGHT, WIDTH))


@pytest.mark.parametrize("kind", NOISES.names)
def test_noise_of_no_size_leaves_every_copy_as_it_is(kind: str) -> None:
    np.testing.assert_array_equal(copies(kind, 0.0, 5), np.repeat(image()[None], 5, axis=0))


@pytest.mark.parametrize("kind", NOISES.names)
def test_a_seed_gives_the_same_copies_and_another_gives_others(kind: str) -> None:
    level = NOISES[kind].usual
    np.testing.assert_array_equal(copies(kind, level, 6), copies(kind, level, 6))
    assert (copies(kind, level, 6) != copies(kind, level, 6, seed=1)).any()


def test_gaussian_noise_has_the_standard_deviation_that_was_asked_for() -> None:
    offset = copies("gaussian", 0.3).astype(np.float64) - image()
    assert offset.std() == pytest.approx(0.3, abs=4 * 0.3 / np.sqrt(2 * offset.size))


def test_more_gaussian_noise_is_the_same_noise_larger() -> None:
    small, large = copies("gaussian", 0.1, 4) - image(), copies("gaussian", 0.4, 4) - image()
    np.testing.assert_allclose(large, 4 * small, atol=1e-6)


def test_dropped_pixels_are_black_and_as_many_as_the_rate_says() -> None:
    found = copies("dropout", 0.25)
    lit = np.flatnonzero(image())
    share = (found[:, lit] == 0.0).mean()
    assert share == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / (COPIES * len(lit))))
    assert not found[:, image() == 0.0].any()


def test_flipped_pixels_are_as_many_as_the_rate_says_and_stay_zeros_and_ones() -> None:
    found = copies("flip", 0.1)
    assert set(np.unique(found)) == {0.0, 1.0}
    assert (found != image()).mean() == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / found.size))


@pytest.mark.parametrize("kind", ["dropout", "flip"])
def test_what_less_noise_changed_more_noise_changes_too(kind: str) -> None:
    less, more = copies(kind, 0.05, 50) != image(), copies(kind, 0.3, 50) != image()
    assert more[less].all()
    assert more.sum() > less.sum()


def test_a_shift_moves_the_whole_picture_and_repeats_its_border() -> None:
    picture = image().reshape(HEIGHT, WIDTH)
    moves = set()
    for copy in copies("shift", 2.0, 400).reshape(-1, HEIGHT, WIDTH):
        fitting = [
            (down, right)
            for down in range(-2, 3)
            for right in range(-2, 3)
            if np.array_equal(copy, _moved(picture, down, right))
        ]
        assert fitting
        moves.update(fitting)
    assert len(moves) == 25, "every shift up to two pixels occurs"


def _moved(picture: np.ndarray, down: int, right: int) -> np.ndarray:
    """Return the picture moved pixel by pixel: the oracle."""
    height, width = picture.shape
    moved = np.empty_like(picture)
    for row in range(height):
        for column in range(width):
            moved[row, column] = picture[min(max(row - down, 0), height - 1), min(max(column - right, 0), width - 1)]
    return moved


def test_all_shifts_are_equally_likely() -> None:
    spot = np.zeros(25, np.float32)
    spot[12] = 1.0
    found = noisy_copies(spot, "shift", 1.0, 9_000, 0, (5, 5)).argmax(axis=1)
    counts = np.unique(found, return_counts=True)[1]
    assert len(counts) == 9
    assert np.abs(counts - 1_000).max() < 4 * np.sqrt(1_000 * 8 / 9)


def test_a_kind_that_does_not_exist_and_a_size_that_cannot_be_are_refused() -> None:
    with pytest.raises(KeyError, match="unknown noise 'salt'; known: gaussian, dropout, flip, shift"):
        copies("salt", 0.1, 1)
    with pytest.raises(ValueError, match=r"size of flipped pixels must lie in \[0, 0\.5\], not 0\.7"):
        copies("flip", 0.7, 1)
    with pytest.raises(ValueError, match="63 pixels, not 62"):
        noisy_copies(image()[1:], "flip", 0.1, 1, 0, (HEIGHT, WIDTH))


@pytest.mark.parametrize("binarisation", ["dynamic", "fixed", "threshold", "none"])
def test_images_that_are_kept_are_those_the_model_sees(binarisation: str) -> None:
    data = bar_data()
    config = replace(data.config, binarisation=binarisation)
    seen = SeenImages(data.held_out.images, config)
    for indices in (np.array([5, 3]), np.arange(20), np.array([3, 19, 3])):
        np.testing.assert_array_equal(seen.rows(indices), seen_by_model(data.held_out.images[indices], indices, config))
