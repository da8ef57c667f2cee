"""Two models side by side, in the whole program: one cursor, one drawing, two canvases."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from core.inference.coders import Coder, make_coder
from core.inference.pictures import encode_picture, pictures_at
from core.saved_model import SavedModel
from core.shapes import Code, PixelRow
from core.storage.model_file import save_model
from explorer.session.analyses.compare import CompareSession
from explorer.session.analyses.shelf import refusal
from explorer.views.canvas import LatentCanvas
from tests.core.tiny_models import saved_model as tiny_model
from tests.core.tiny_models import tiny_config
from tests.open_program import CLOSING_S, LONG, OpenProgram, bars_data, model_file, trained

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]

AUTOENCODER = {"model": "autoencoder", "seed": 5}


def coder_of(saved: SavedModel) -> Coder:
    return make_coder(saved.config.model, saved.as_weights(1))


class Pair:
    """A program in which two models are compared, and hands for the second canvas."""

    def __init__(self, opened: OpenProgram) -> None:
        self.opened = opened
        self.compare: CompareSession = opened.session.analyses.compare
        self.panel = opened.views.compare
        self.second: LatentCanvas = self.panel.second

    def start(self, **changes: object) -> "Pair":
        """Choose a second model in the menu, as a person does."""
        file = model_file(**changes)
        self.opened.settings.add_recent_file(file)
        self.opened.press(Qt.Key.Key_F7)
        assert self.panel.menu.isVisible()
        action = next(action for action in self.panel.menu.actions() if action.data() == file)
        action.trigger()
        self.panel.menu.close()
        self.opened.until("the second model's codes", lambda: self.compare.space.codes is not None)
        self.opened.until("both encodings", self.both_shown)
        return self

    def both_shown(self) -> bool:
        shown = self.compare._shown
        return shown.first is not None and shown.second is not None

    def pixel(self, code: Code) -> QPointF:
        first, second = self.compare.space.axes
        x, y = self.second.view.to_pixels(float(code[first]), 0.0 if len(code) == 1 else float(code[second]))
        return QPointF(float(x), float(y))

    @property
    def handle(self) -> Code:
        """The code of the second canvas's only handle."""
        (handle,) = self.second._handles
        return handle.code

    def seen(self, image: int) -> PixelRow:
        return self.opened.seen(image)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenProgram]:
    program = OpenProgram(tmp_path, model_file()).opened()
    program.driver.wait(100)
    yield program
    program.leave()


@pytest.fixture
def pair(opened: OpenProgram) -> Pair:
    return Pair(opened).start(**AUTOENCODER)


def test_a_second_model_stands_beside_the_open_one_with_its_own_codes(pair: Pair) -> None:
    codes = pair.compare.space.codes
    assert codes is not None
    coder = coder_of(trained(**AUTOENCODER))
    np.testing.assert_allclose(codes.mean[7], coder.encode(pair.seen(7)[None]).mean[0], atol=1e-5)
    assert pair.panel.titles[0].startswith("VAE · ")
    assert pair.panel.titles[1].startswith("AE · ")
    assert pair.second.isVisible()
    pair.opened.until("its mosaic", lambda: pair.second._mosaic is not None)
    assert len(codes) == len(bars_data().held_out)


def test_an_image_taken_hold_of_on_one_canvas_is_selected_on_the_other(pair: Pair) -> None:
    latent = pair.opened.session.latent
    codes = latent.codes
    assert codes is not None
    place = pair.opened.pixel_of(codes.mean[5])
    pair.opened.driver.drag(pair.opened.views.canvas, [place, place + QPointF(2, 2), place + QPointF(4, 3)])
    pair.opened.until("both encodings", pair.both_shown)
    latent.select_image(5)
    expected = coder_of(trained(**AUTOENCODER)).encode(pair.seen(5)[None]).mean[0]
    np.testing.assert_allclose(pair.handle, expected, atol=1e-5)
    (handle,) = pair.second._handles
    assert handle.anchor == pair.compare.space.row_of(5)
    assert "image 5" in pair.panel.pictures.text


def test_an_image_taken_hold_of_on_the_second_canvas_is_selected_on_the_first(pair: Pair) -> None:
    codes = pair.compare.space.codes
    assert codes is not None
    place = pair.pixel(codes.mean[9])
    row = pair.second._point_at(place)
    assert row is not None
    image = int(codes.indices[row])
    pair.opened.driver.press(pair.second, place)
    pair.opened.driver.move(pair.second, [place + QPointF(4, 0)])
    assert pair.opened.session.latent.selected_image == image
    pair.opened.driver.release(pair.second, place + QPointF(4, 0))
    assert len(pair.second._handles) == 1


def test_a_click_on_the_second_canvas_selects_the_image_on_both(pair: Pair) -> None:
    codes = pair.compare.space.codes
    assert codes is not None
    place = pair.pixel(codes.mean[2])
    row = pair.second._point_at(place)
    assert row is not None
    QTest.mouseClick(pair.second, Qt.MouseButton.LeftButton, pos=place.toPoint())
    assert pair.opened.session.latent.selected_image == codes.indices[row]
    np.testing.assert_allclose(pair.handle, codes.mean[row], atol=1e-5)


def test_a_dragged_handle_leads_the_other_to_the_code_of_its_decoded_picture(pair: Pair) -> None:
    pair.opened.drag_handle_to(0.6, -0.4)
    pair.opened.until("both encodings", pair.both_shown)
    code = pair.opened.handle.code
    picture = pictures_at(coder_of(trained()), code)[0]
    pixels = picture.reshape(1, -1).astype(np.float32) / np.float32(255.0)
    expected = coder_of(trained(**AUTOENCODER)).encode(pixels).mean[0]
    np.testing.assert_allclose(pair.handle, expected, atol=1e-4)
    np.testing.assert_array_equal(pair.panel.pictures.seen.picture, picture)


def test_the_second_canvas_handle_leads_the_first(pair: Pair) -> None:
    start = pair.pixel(pair.handle)
    pair.opened.driver.drag(pair.second, [start, start + QPointF(20, 9), start + QPointF(40, 18)])
    pair.opened.until("both encodings", pair.both_shown)
    code = pair.handle
    picture = pictures_at(coder_of(trained(**AUTOENCODER)), code)[0]
    pixels = picture.reshape(1, -1).astype(np.float32) / np.float32(255.0)
    expected = coder_of(trained()).encode(pixels).mean[0]
    np.testing.assert_allclose(pair.opened.handle.code, expected, atol=1e-4)
    x, y = pair.pixel(code).toTuple()
    np.testing.assert_allclose((x, y), (start + QPointF(40, 18)).toTuple(), atol=1.0)


def test_pointing_at_a_data_point_rings_the_same_image_on_the_other_canvas(pair: Pair) -> None:
    canvas, codes = pair.opened.views.canvas, pair.opened.session.latent.codes
    own = pair.compare.space.codes
    assert codes is not None
    assert own is not None
    before = pair.panel.pictures.text
    place = pair.opened.pixel_of(codes.mean[11])
    pair.opened.driver.move(canvas, [place + QPointF(30, 30), place])
    row = canvas._hovered
    assert row >= 0
    assert own.indices[pair.second._linked] == codes.indices[row]
    assert f"image {codes.indices[row]}" in pair.panel.pictures.text
    pair.opened.driver.move(canvas, [QPointF(pair.opened.free_pixel())])
    assert pair.second._linked == -1
    assert pair.panel.pictures.text == before

    place = pair.pixel(own.mean[3])
    pair.opened.driver.move(pair.second, [place + QPointF(30, 30), place])
    assert codes.indices[canvas._linked] == own.indices[pair.second._hovered]


def test_one_drawing_is_encoded_by_both_and_marked_on_both_canvases(pair: Pair) -> None:
    pair.opened.raise_dock(pair.opened.views.draw_pad)
    pair.opened.draw((60, 140), (220, 140))
    pair.opened.until("both encodings", pair.both_shown)
    seen = pair.opened.session.drawing.seen
    assert seen is not None
    pictures = pair.panel.pictures.models
    for side, (saved, canvas) in enumerate(
        ((trained(), pair.opened.views.canvas), (trained(**AUTOENCODER), pair.second))
    ):
        expected = encode_picture(coder_of(saved), seen[None])
        np.testing.assert_allclose(canvas._encoded["drawing"][0], expected.mean, atol=1e-5)
        np.testing.assert_array_equal(pictures[side].deterministic.picture, expected.deterministic)
        np.testing.assert_array_equal(pictures[side].stochastic.picture, expected.stochastic)
    assert pair.panel.pictures.text == "the drawing"
    assert "defines no p(x)" in pictures[1].reason
    assert pictures[0].reason == ""


def test_numbers_are_those_of_the_same_image_under_each_model(pair: Pair) -> None:
    pair.opened.session.latent.select_image(4)
    pair.opened.until("both encodings", pair.both_shown)
    seen = pair.seen(4)
    first, second = (encode_picture(coder_of(saved), seen[None]) for saved in (trained(), trained(**AUTOENCODER)))
    left, right = (model.costs.text() for model in pair.panel.pictures.models)
    assert first.elbo is not None
    assert f"ELBO\t{first.elbo:.2f}".replace("-", "−") in left
    assert f"NLL\t{second.nll:.2f}" in right
    assert "ELBO\t–" in right


@pytest.mark.parametrize("latent_dim", [1, 3])
def test_models_of_other_latent_dimensions_have_axes_of_their_own(opened: OpenProgram, latent_dim: int) -> None:
    pair = Pair(opened).start(latent_dim=latent_dim)
    assert pair.second._latent_dim == latent_dim
    assert pair.second.axis_chooser.isVisible() == (latent_dim > 2)
    pair.opened.drag_handle_to(-0.3, 0.5)
    pair.opened.until("both encodings", pair.both_shown)
    assert len(pair.handle) == latent_dim
    start = pair.pixel(pair.handle)
    pair.opened.driver.drag(pair.second, [start, start + QPointF(10, 0), start + QPointF(25, 0)])
    pair.opened.until("both encodings", pair.both_shown)
    shown = pair.compare._shown
    assert shown.first is not None
    np.testing.assert_allclose(opened.handle.code, shown.first.mean, atol=1e-6)


def test_a_model_of_other_pictures_is_refused_with_the_reason(opened: OpenProgram, tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    save_model(path, tiny_model())
    opened.session.analyses.compare._fetch(path)
    opened.until("the refusal", lambda: bool(opened.error))
    assert opened.error == (
        "small was made for pictures of 6×5 pixels, the open model for 12×12: they cannot see the same image."
    )
    assert not opened.views.compare.comparing
    assert opened.session.documents.path == model_file(), "it was not opened in place of the other"


def test_a_file_that_cannot_be_read_is_named(opened: OpenProgram, tmp_path: Path) -> None:
    path = tmp_path / "broken.safetensors"
    path.write_bytes(b"nothing")
    opened.session.analyses.compare._fetch(path)
    opened.until("the error", lambda: bool(opened.error))
    assert "broken.safetensors" in opened.error
    assert not opened.views.compare.comparing


def test_an_autoregressive_model_has_no_canvas_to_lay_beside_another() -> None:
    made, vae = tiny_config(model="made"), tiny_config()
    assert "no codes" in refusal(made, vae, "one")
    assert "no codes" in refusal(vae, made, "one")
    assert refusal(vae, vae, "one") == ""


def test_the_same_command_ends_the_comparison_and_the_canvas_is_whole_again(pair: Pair) -> None:
    width = pair.opened.views.canvas.width()
    assert "End" in pair.opened.window.commands["view.compare"].text()
    pair.opened.press(Qt.Key.Key_F7)
    pair.opened.driver.wait(50)
    assert not pair.second.isVisible()
    assert pair.opened.views.canvas.width() > 1.5 * width
    assert "Compare" in pair.opened.window.commands["view.compare"].text().replace("&", "")
    pair.start(**AUTOENCODER)
    pair.opened.click(pair.panel.end)
    assert not pair.panel.comparing


def test_closing_the_window_while_two_models_are_compared_ends_every_thread(pair: Pair) -> None:
    assert pair.opened.close() < CLOSING_S
    assert not pair.opened.program.workers.second.isRunning()


def test_the_first_model_can_be_trained_while_it_is_compared(pair: Pair) -> None:
    pair.opened.session.latent.select_image(6)
    second = pair.compare._shown.second
    pair.opened.set_field("epochs", str(LONG))
    pair.opened.press(Qt.Key.Key_F5)
    pair.opened.until("newer weights", lambda: pair.opened.session.latent.hand is not None and pair.both_shown())
    version = pair.opened.session.latent.hand.version if pair.opened.session.latent.hand else 0

    def newer() -> bool:
        first = pair.compare._shown.first
        return first is not None and first.version > version

    pair.opened.until("an encoding by newer weights", newer)
    assert pair.panel.comparing
    assert second is not None
    assert pair.compare._shown.second is not None
    assert pair.compare._shown.second.version == second.version
    assert pair.panel.titles[0] == "VAE · Untitled"
    assert pair.opened.close() < CLOSING_S


def test_opening_a_model_of_other_pictures_ends_the_comparison_and_says_why(pair: Pair, tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_model(path, tiny_model())
    pair.opened.session.documents.open_model(path)
    pair.opened.until("the end of the comparison", lambda: not pair.panel.comparing)


def test_the_halves_of_the_data_are_changed_on_both_canvases(pair: Pair) -> None:
    pair.opened.window.split_chosen.emit("train")

    def both_train() -> bool:
        codes = pair.opened.session.latent.codes, pair.compare.space.codes
        return all(shown is not None and shown.split == "train" for shown in codes)

    pair.opened.until("the training images on both", both_train)
