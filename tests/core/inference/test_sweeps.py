from typing import Any

import numpy as np
import pytest

from core.config import ModelConfig
from core.inference.coders import Coder
from core.inference.sweeps import filmstrip, mosaic
from core.shapes import CodeArray, Pixels
from tests.core.tiny_models import tiny_config

LATENT_DIM, HEIGHT, WIDTH = 4, 2, 3


class _CodeOnScreen:
    """Shows each code as a picture: pixel d holds entry d of the code, which must lie in 0..255, the last one 255."""

    version = 9

    def __init__(self, latent_dim: int = LATENT_DIM) -> None:
        self.config: ModelConfig = tiny_config(latent_dim=latent_dim, image_height=HEIGHT, image_width=WIDTH)

    def decode(self, codes: CodeArray) -> Pixels:
        pixels = np.ones((len(codes), HEIGHT * WIDTH), np.float32)
        pixels[:, : codes.shape[1]] = codes / 255.0
        return pixels

    def _not_needed(self, *_arguments: Any) -> Any:
        raise AssertionError("a sweep only decodes")

    encode = parameters = draw = nll = _not_needed
    likelihood: Any = None


def _coder(latent_dim: int = LATENT_DIM) -> Coder:
    return _CodeOnScreen(latent_dim)


BASE = np.array([10, 20, 30, 40], np.float32)


@pytest.mark.parametrize("axes", [(0, 1), (1, 0), (3, 1), (2, 3)])
def test_tiles_show_the_codes_at_their_centres_with_the_second_axis_upwards(axes: tuple[int, int]) -> None:
    columns, rows = 3, 2
    tiles = mosaic(_coder(), (100.0, 200.0), (160.0, 220.0), axes, BASE, columns=columns, rows=rows)
    assert tiles.picture.shape == (rows * HEIGHT, columns * WIDTH)
    for row in range(rows):
        for column in range(columns):
            tile = tiles.picture[row * HEIGHT :, column * WIDTH :][:HEIGHT, :WIDTH].ravel()
            expected = BASE.copy()
            expected[axes[0]] = [110, 130, 150][column]
            expected[axes[1]] = [215, 205][row]
            np.testing.assert_array_equal(tile[:LATENT_DIM], expected)
            np.testing.assert_array_equal(tile[LATENT_DIM:], 255)
    assert (tiles.low, tiles.high, tiles.axes, tiles.version) == ((100.0, 200.0), (160.0, 220.0), axes, 9)
    assert not tiles.picture.flags.writeable


@pytest.mark.parametrize("axes", [(0, 0), (0, 1)])
def test_one_latent_dimension_gives_a_strip(axes: tuple[int, int]) -> None:
    tiles = mosaic(_coder(1), (0.0, 0.0), (40.0, 1.0), axes, np.zeros(1, np.float32), columns=2, rows=1)
    np.testing.assert_array_equal(tiles.picture[0, ::WIDTH], [10, 30])


@pytest.mark.parametrize("axes", [(0, 4), (-1, 0), (2, 2)])
def test_axes_that_are_not_two_of_the_dimensions_are_refused(axes: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="4 latent dimensions"):
        mosaic(_coder(), (0.0, 0.0), (1.0, 1.0), axes, BASE, columns=1, rows=1)


def test_a_filmstrip_runs_from_low_to_high_along_one_dimension() -> None:
    strip = filmstrip(_coder(), BASE, 2, 50.0, 90.0, count=5)
    assert strip.shape == (5, HEIGHT, WIDTH)
    np.testing.assert_array_equal(strip.reshape(5, -1)[:, 2], [50, 60, 70, 80, 90])
    np.testing.assert_array_equal(strip.reshape(5, -1)[:, [0, 1, 3]], [[10, 20, 40]] * 5)
    assert not strip.flags.writeable


def test_sweeps_without_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match="0×2"):
        mosaic(_coder(), (0.0, 0.0), (1.0, 1.0), (0, 1), BASE, columns=0, rows=2)
    with pytest.raises(ValueError, match="at least one"):
        filmstrip(_coder(), BASE, 0, 0.0, 1.0, count=0)
    with pytest.raises(ValueError, match="0 to 3"):
        filmstrip(_coder(), BASE, 4, 0.0, 1.0, count=2)
