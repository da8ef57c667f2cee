"""An autoregressive model in the program: no plane, but pictures drawn pixel by pixel, trained and continued."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.findings.pixel_sampling import PartialSample
from core.models.build import build_model, load_weights
from core.models.made import Made
from core.saved_model import SavedModel
from explorer.views.sampling import StartOfSample
from tests.open_program import LONG, OpenProgram, bars_data, model_file, trained

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]

MADE: dict[str, object] = {"model.model": "made", "hidden": (60,)}
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenProgram]:
    program = OpenProgram(tmp_path, model_file(**MADE)).start()
    program.until("a picture in the making", lambda: program.views.sampling.state is not None)
    program.until("all data", lambda: program.session.documents.data_complete)
    yield program
    program.leave()


def shown(opened: OpenProgram) -> PartialSample:
    state = opened.views.sampling.state
    assert state is not None
    return state


def whole(opened: OpenProgram) -> PartialSample:
    """Return the picture when it is whole."""
    opened.until("a whole picture", lambda: shown(opened).next_pixel is None)
    return shown(opened)


def log_prob(saved: SavedModel, pixels: np.ndarray) -> float:
    """Return log p(x) as the model of the training finds it."""
    model = build_model(saved.config.model, None)
    assert isinstance(model, Made)
    load_weights(model, saved.weights)
    with torch.no_grad():
        return float(model.log_prob(torch.from_numpy(np.array(pixels, np.float32)).reshape(1, -1)))


def choose_start(opened: OpenProgram, start: StartOfSample) -> None:
    box = opened.views.sampling.controls.start
    box.setFocus()
    while box.currentData() is not start:
        QTest.keyClick(box, Qt.Key.Key_Down)


def test_the_sampling_stands_where_the_canvas_does_and_draws_a_whole_picture(opened: OpenProgram) -> None:
    assert opened.views.sampling.isVisible()
    assert not opened.views.canvas.isVisible()
    picture = whole(opened)
    assert picture.known.all()
    assert picture.log_prob == pytest.approx(log_prob(trained(**MADE), picture.picture / 255.0), abs=1e-2)
    assert not opened.error


def test_what_needs_a_code_says_why_it_is_not_there(opened: OpenProgram) -> None:
    for name in ("view.codes", "view.mosaic", "view.prior", "view.posterior", "view.fit"):
        action = opened.window.commands[name]
        assert not action.isEnabled(), name
        assert "no latent code" in action.toolTip()
    assert "no latent code" in opened.views.sliders._hint.text()
    assert "pixel by pixel" in opened.views.hand.deterministic._placeholder
    assert opened.session.subject.subject is None


def test_a_sample_is_paused_stepped_and_continued(opened: OpenProgram) -> None:
    whole(opened)
    view = opened.views.sampling
    view.controls.speed.setFocus()
    QTest.keyClick(view.controls.speed, Qt.Key.Key_Home)
    view.setFocus()
    QTest.keyClick(view, Qt.Key.Key_N)
    QTest.keyClick(view, Qt.Key.Key_Space)
    before = shown(opened).num_known
    assert before < 144
    for step in range(3):
        QTest.keyClick(view, Qt.Key.Key_Right)
        assert shown(opened).num_known == before + step + 1
    opened.driver.wait(60)
    assert shown(opened).num_known == before + 3
    QTest.keyClick(view.controls.speed, Qt.Key.Key_End)
    QTest.mouseClick(view.controls.run, LEFT)
    assert whole(opened).num_known == 144


def test_another_sample_is_another_picture(opened: OpenProgram) -> None:
    first = whole(opened).picture
    opened.click(opened.views.sampling.controls.sample)
    assert shown(opened).num_known < 144
    assert not np.array_equal(whole(opened).picture, first)


def test_it_goes_on_from_the_first_pixels_of_an_image(opened: OpenProgram) -> None:
    whole(opened)
    choose_start(opened, StartOfSample.IMAGE)
    opened.until("the given pixels", lambda: shown(opened).num_given == 72)
    image = opened.session.sampling._image
    assert image is not None
    seen = opened.seen(image)
    picture = whole(opened)
    np.testing.assert_array_equal(picture.picture.ravel()[:72], 255 * seen[:72])
    assert picture.log_prob_given > picture.log_prob
    assert f"image {image}" in opened.views.sampling.origin_text.text
    opened.views.sampling.controls.count.setFocus()
    QTest.keyClick(opened.views.sampling.controls.count, Qt.Key.Key_End)
    assert shown(opened).num_given == 144
    assert shown(opened).log_prob == pytest.approx(log_prob(trained(**MADE), seen), abs=1e-2)


def test_it_goes_on_from_the_drawing_and_follows_the_pen(opened: OpenProgram) -> None:
    opened.raise_dock(opened.views.draw_pad)
    opened.draw((40, 60), (240, 60))
    choose_start(opened, StartOfSample.DRAWING)
    opened.until("the given pixels", lambda: shown(opened).num_given == 72)
    drawn = opened.session.drawing.seen
    assert drawn is not None
    picture = whole(opened)
    np.testing.assert_array_equal(picture.picture.ravel()[:72], 255 * drawn[:72])
    opened.draw((40, 100), (240, 100))
    later = opened.session.drawing.seen
    assert later is not None
    opened.until("the new stroke", lambda: shown(opened).picture.ravel()[:72].tolist() == (255 * later[:72]).tolist())


def test_the_pad_shows_the_exact_log_probability_of_the_drawing(opened: OpenProgram) -> None:
    opened.raise_dock(opened.views.draw_pad)
    opened.draw((40, 60), (240, 60))
    results = opened.views.draw_pad.results
    opened.until("the score", lambda: results.score is not None)
    seen, score = opened.session.drawing.seen, results.score
    assert seen is not None
    assert score is not None
    assert score.log_prob == pytest.approx(log_prob(trained(**MADE), seen), abs=1e-2)
    assert results.expected.isVisible()
    assert not results.deterministic.isVisible()
    assert not opened.views.draw_pad.sources.to_canvas.isVisible()
    assert "log p" in results.costs.text()
    assert "its log p(x) is exact" in results.status.text()
    opened.click(opened.views.draw_pad.tools.clear)
    opened.until("an empty sheet", lambda: results.score is None)


def test_a_model_with_codes_brings_the_canvas_back(opened: OpenProgram) -> None:
    whole(opened)
    opened.session.open_paths((model_file(),))
    opened.until("a picture and codes", opened.is_ready)
    assert opened.views.canvas.isVisible()
    assert not opened.views.sampling.isVisible()
    assert opened.window.commands["view.codes"].isEnabled()
    opened.drag_handle_to(0.5, 0.5)
    assert not opened.error
    opened.session.open_paths((model_file(**MADE),))
    opened.until("a picture in the making", lambda: opened.views.sampling.state is not None)
    assert opened.views.sampling.isVisible()
    assert whole(opened).known.all()
    assert not opened.error


def test_it_is_trained_from_the_window_and_its_samples_follow(opened: OpenProgram) -> None:
    whole(opened)
    opened.set_field("epochs", str(LONG))
    opened.press(Qt.Key.Key_F5)
    opened.until("the run", lambda: opened.session.training.active)
    opened.until("a sample of its weights", lambda: opened.views.sampling.state is not None)
    first = shown(opened).version
    opened.until("a sample of newer weights", lambda: shown(opened).version > first, 30.0)
    assert opened.views.curves.controls.quantity == "nll"
    opened.press(Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
    opened.until("its end", lambda: not opened.session.training.active)
    saved = opened.session.documents.saved
    assert saved is not None
    assert saved.config.model.model == "made"
    history = saved.history.steps()
    assert np.isfinite(history.nll).all()
    assert np.isnan(history.kl).all()
    assert not opened.error


def test_given_pixels_of_data_are_those_the_model_sees() -> None:
    # The oracle of the tests above: the bars are seen as zeros and ones.
    assert set(np.unique(bars_data().held_out.images)) == {0, 230}
