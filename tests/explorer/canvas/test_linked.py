"""The ring around the point that is pointed at on another canvas."""

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from explorer.theme import current_palette
from explorer.views.canvas import LatentCanvas
from tests.explorer.canvas.conftest import Recorder, make_codes


@pytest.fixture
def canvas(qtbot: QtBot) -> LatentCanvas:
    canvas = LatentCanvas()
    qtbot.addWidget(canvas)
    canvas.resize(400, 400)
    canvas.set_latent_dim(2, True)
    canvas.set_codes(make_codes([[0.0, 0.0], [1.5, 1.0]]))
    canvas.show()
    return canvas


def ringed(canvas: LatentCanvas, a: float, b: float) -> bool:
    """Return whether something of the text's colour surrounds a place."""
    x, y = (round(float(value)) for value in canvas.view.to_pixels(a, b))
    image = canvas.grab().toImage()
    around = [image.pixelColor(x + dx, y + dy).name() for dx in range(-14, 15) for dy in range(-14, 15)]
    return around.count(current_palette().text) > 20


def test_the_linked_point_is_ringed_and_no_other(canvas: LatentCanvas) -> None:
    recorder = Recorder(canvas)
    assert not ringed(canvas, 1.5, 1.0)
    canvas.set_linked(1)
    assert ringed(canvas, 1.5, 1.0)
    assert not ringed(canvas, 0.0, 0.0)
    canvas.set_linked(None)
    assert not ringed(canvas, 1.5, 1.0)
    assert recorder.said == [], "a setter says nothing"


def test_other_codes_have_no_ring_until_it_is_asked_for_again(canvas: LatentCanvas) -> None:
    canvas.set_linked(1)
    canvas.set_codes(make_codes(np.array([[0.0, 0.0], [-1.0, 1.0]])))
    assert not ringed(canvas, -1.0, 1.0)


@pytest.mark.parametrize("row", [5, -3])
def test_a_row_that_is_not_there_has_no_ring(canvas: LatentCanvas, row: int) -> None:
    canvas.set_linked(row)
    assert not ringed(canvas, 0.0, 0.0)
