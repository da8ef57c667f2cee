"""Drawing: encoded while the pen moves, marked on the canvas, sent to the selected handle and not before."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest

from core.data.binarisation import seen_by_model
from core.models.build import build_latent_model, load_weights
from core.snapshots import PictureEncoding
from explorer.views.draw_pad import DrawPad
from explorer.views.readouts import number
from tests.open_program import OpenProgram, bars_data, model_file, trained
from tests.small_data import SIDE

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]
NUM_SAMPLES = 40_000


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenProgram]:
    program = OpenProgram(tmp_path_factory.mktemp("program"), model_file()).opened()
    program.raise_dock(program.views.draw_pad)
    yield program
    program.leave()


@pytest.fixture
def opened(shared: OpenProgram) -> Iterator[OpenProgram]:
    """Return the shared program with an empty pad."""
    shared.views.draw_pad.clear()
    yield shared
    assert not shared.error


def pad_of(opened: OpenProgram) -> DrawPad:
    return opened.views.draw_pad


def encoding_of(opened: OpenProgram) -> PictureEncoding:
    opened.until("the encoding", lambda: pad_of(opened).results.encoding is not None)
    encoding = pad_of(opened).results.encoding
    assert encoding is not None
    return encoding


def posterior_by_torch(x: np.ndarray) -> torch.distributions.Normal:
    """Return q(z|x) of the model of the training: an oracle for the window's own encoder."""
    model = build_latent_model(trained().config.model, None)
    load_weights(model, trained().weights)
    with torch.no_grad():
        mean, log_var = model.encoder(torch.tensor(x[None])).chunk(2, dim=1)
    return torch.distributions.Normal(mean[0], torch.exp(0.5 * log_var[0]))


def elbo_by_torch(x: np.ndarray) -> tuple[float, float, float]:
    """Return NLL, KL and the standard error of the NLL, from many samples and torch's own distributions."""
    model = build_latent_model(trained().config.model, None)
    load_weights(model, trained().weights)
    posterior = posterior_by_torch(x)
    prior = torch.distributions.Normal(torch.zeros(2), torch.ones(2))
    kl = float(torch.distributions.kl_divergence(posterior, prior).sum())
    torch.manual_seed(0)
    with torch.no_grad():
        logits = model.generative(posterior.sample((NUM_SAMPLES,)))  # type: ignore[no-untyped-call]
        pixels = torch.distributions.Bernoulli(logits=logits.double())
        log_p = pixels.log_prob(torch.tensor(x).double()).sum(dim=1)  # type: ignore[no-untyped-call]
    return -float(log_p.mean()), kl, float(log_p.std()) / NUM_SAMPLES**0.5


def test_a_drawing_is_encoded_and_marked_while_the_pen_is_still_down(opened: OpenProgram) -> None:
    surface = pad_of(opened).surface
    code, picture = np.array(opened.handle.code), opened.picture
    opened.draw((40, 100), (240, 100), lift=False)
    first = encoding_of(opened)
    canvas = opened.views.canvas
    np.testing.assert_array_equal(canvas._encoded["drawing"][0], first.mean)
    opened.driver.move(surface, [surface.widget_from_ink(240, 110), surface.widget_from_ink(30, 110)], gap_ms=8)
    assert encoding_of(opened) is not first
    opened.driver.release(surface, surface.widget_from_ink(30, 110))
    np.testing.assert_array_equal(opened.handle.code, code)
    assert opened.picture is picture, "a drawing moves only its own mark"


def test_what_is_shown_of_a_drawing_is_its_own_posterior_and_bound(opened: OpenProgram) -> None:
    opened.draw((30, 90), (250, 90))
    encoding = encoding_of(opened)
    x = (pad_of(opened).drawing().picture.ravel() >= 128).astype(np.float32)
    np.testing.assert_array_equal(encoding.seen.ravel() == 255, x == 1.0)
    posterior = posterior_by_torch(x)
    np.testing.assert_allclose(encoding.mean, posterior.mean.numpy(), atol=1e-4)
    assert encoding.log_var is not None
    np.testing.assert_allclose(np.exp(0.5 * encoding.log_var), posterior.stddev.numpy(), rtol=1e-3)
    nll, kl, error = elbo_by_torch(x)
    assert encoding.kl == pytest.approx(kl, abs=1e-3)
    assert encoding.nll == pytest.approx(nll, abs=4 * error + 0.1)
    scale = opened.views.canvas._encoded["drawing"][1]
    assert scale is not None
    np.testing.assert_allclose(scale, np.diag(posterior.stddev.numpy()), rtol=1e-3)


def test_the_elbo_of_a_held_out_image_on_the_pad_is_that_of_its_own_draw(opened: OpenProgram) -> None:
    opened.click(pad_of(opened).sources.from_data)
    encoding = encoding_of(opened)
    held_out = bars_data().held_out
    draws = seen_by_model(held_out.images, np.arange(len(held_out)), bars_data().config)
    matching = np.flatnonzero((draws == (encoding.seen.ravel() == 255)).all(axis=1))
    assert len(matching) >= 1, "what the model sees is the draw that the canvas is made of"
    x = draws[matching[0]]
    nll, kl, error = elbo_by_torch(x)
    assert encoding.elbo is not None
    assert encoding.elbo == pytest.approx(-(nll + kl), abs=4 * error + 0.1)
    codes = opened.session.latent.codes
    assert codes is not None
    np.testing.assert_allclose(encoding.mean, codes.mean[matching[0]], atol=1e-4)
    shown = {row.name: row.cells[0] for row in pad_of(opened).results.costs._rows}
    assert shown["ELBO"] == number(encoding.elbo)


def test_an_image_that_is_drawn_on_becomes_a_drawing(opened: OpenProgram) -> None:
    opened.click(pad_of(opened).sources.from_data)
    encoding_of(opened)
    opened.draw((100, 100), (180, 180))
    encoding = encoding_of(opened)
    np.testing.assert_array_equal(encoding.seen == 255, pad_of(opened).drawing().picture >= 128)


def test_only_the_button_sends_a_drawing_to_the_selected_handle(opened: OpenProgram) -> None:
    opened.draw((60, 30), (60, 250))
    encoding = encoding_of(opened)
    assert (opened.handle.code != encoding.mean).any()
    num_handles = len(opened.handles)
    opened.click(pad_of(opened).sources.to_canvas)
    np.testing.assert_array_equal(opened.handle.code, encoding.mean)
    assert len(opened.handles) == num_handles
    assert opened.picture is not None
    np.testing.assert_array_equal(opened.picture, encoding.deterministic)
    for dimension, value in enumerate(encoding.mean):
        assert opened.views.sliders.row(dimension).value == pytest.approx(float(value), abs=1e-6)


def test_clearing_the_pad_takes_its_mark_away(opened: OpenProgram) -> None:
    opened.draw((60, 30), (60, 250))
    encoding_of(opened)
    opened.click(pad_of(opened).tools.clear)
    assert "drawing" not in opened.views.canvas._encoded
    assert pad_of(opened).results.encoding is None
    assert not pad_of(opened).sources.to_canvas.isEnabled()


def test_undo_and_redo_work_from_the_menu(opened: OpenProgram) -> None:
    undo, redo = (opened.window.commands[name] for name in ("edit.undo", "edit.redo"))
    opened.draw((60, 30), (60, 250))
    one = encoding_of(opened)
    opened.draw((200, 30), (200, 250))
    assert (encoding_of(opened).seen != one.seen).any()
    assert undo.isEnabled()
    opened.views.canvas.setFocus()
    opened.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    np.testing.assert_array_equal(encoding_of(opened).seen, one.seen)
    assert redo.isEnabled()
    redo.trigger()
    assert (encoding_of(opened).seen != one.seen).any()


def test_a_pasted_picture_is_read_as_the_model_s_data_were(opened: OpenProgram) -> None:
    image = QImage(48, 48, QImage.Format.Format_Grayscale8)
    image.fill(0)
    for x in range(8, 40):
        for y in range(20, 28):
            image.setPixel(x, y, 0xFFFFFFFF)
    QGuiApplication.clipboard().setImage(image)
    opened.views.canvas.setFocus()
    opened.press(Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    encoding = encoding_of(opened)
    expected = np.zeros((SIDE, SIDE), np.uint8)
    expected[5:7, 2:10] = 255
    assert (encoding.seen == expected).mean() > 0.95, f"read as the model's data were:\n{encoding.seen}"


def test_a_picture_file_dropped_on_the_window_goes_to_the_pad(opened: OpenProgram, tmp_path: Path) -> None:
    picture = np.zeros((24, 24), np.uint8)
    picture[4:8] = 255
    path = tmp_path / "bar.png"
    Image.fromarray(picture).save(path)
    opened.drop(path)
    encoding = encoding_of(opened)
    assert (encoding.seen[2:4] == 255).all()
    assert not (encoding.seen[6:] == 255).any()


def test_a_broken_picture_is_refused_by_name_and_the_drawing_stays(opened: OpenProgram, tmp_path: Path) -> None:
    opened.draw((60, 30), (60, 250))
    before = encoding_of(opened)
    path = tmp_path / "broken.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    opened.drop(path)
    opened.until("the message", lambda: "broken.png" in opened.error or "broken.png" in pad_of(opened).note.whole_text)
    assert encoding_of(opened) is before
    opened.window.banner.clear_error()


def test_the_drawing_is_encoded_anew_by_another_model(opened: OpenProgram) -> None:
    opened.draw((60, 30), (60, 250))
    before = encoding_of(opened)
    opened.session.documents.open_model(model_file(latent_dim=3))
    opened.until("the other model's encoding", lambda: len(encoding_of(opened).mean) == 3)
    np.testing.assert_array_equal(encoding_of(opened).seen, before.seen)
    opened.session.documents.open_model(model_file())
    opened.until("the first model's encoding", lambda: len(encoding_of(opened).mean) == 2)
    np.testing.assert_array_equal(encoding_of(opened).mean, before.mean)
    opened.until("all to be open", opened.is_ready)


def test_keys_of_the_pad_do_not_reach_the_canvas(opened: OpenProgram) -> None:
    opened.draw((60, 30), (60, 250))
    encoding_of(opened)
    num_handles = len(opened.handles)
    pad_of(opened).surface.setFocus()
    QTest.keyClick(pad_of(opened).surface, Qt.Key.Key_Delete)
    assert pad_of(opened).drawing().empty
    assert len(opened.handles) == num_handles
