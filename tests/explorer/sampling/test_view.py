"""The sampling view by itself: what it shows, and what its buttons, sliders and keys say."""

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from core.config import ModelConfig
from core.findings.pixel_sampling import NextPixel, PartialSample
from core.snapshots import frozen
from explorer.theme import THEMES, apply_theme, current_palette
from explorer.views.sampling import SamplingView, StartOfSample
from explorer.views.sampling.view import NO_PLANE

LEFT = Qt.MouseButton.LeftButton
SIZE = (6, 4)


@pytest.fixture
def view(qtbot: Any) -> SamplingView:
    view = SamplingView()
    qtbot.addWidget(view)
    view.resize(720, 640)
    with qtbot.waitActive(view):
        view.show()
    view.set_model(ModelConfig(model="made", image_height=SIZE[0], image_width=SIZE[1]))
    return view


def state(known: int, *, given: int = 0, probabilities: tuple[float, ...] = (0.75, 0.25)) -> PartialSample:
    """Return a raster sample with so many white pixels, each expected to be mid grey."""
    total = SIZE[0] * SIZE[1]
    there = np.arange(total) < known
    upcoming = None
    if known < total:
        row, column = divmod(known, SIZE[1])
        upcoming = NextPixel(row, column, 0.25, probabilities)
    return PartialSample(
        picture=frozen((255 * there).reshape(SIZE), np.uint8),
        known=frozen(there.reshape(SIZE)),
        means=frozen(np.where(np.arange(total) <= known, 128, 0).reshape(SIZE), np.uint8),
        num_known=known,
        num_given=given,
        log_prob=-1.5 * known,
        log_prob_given=-1.5 * given,
        next_pixel=upcoming,
        version=7,
    )


def levels(view: SamplingView) -> list[float]:
    """Return the distribution that the bar shows."""
    return list(view.bar.probabilities)


def colour_at(widget: Any, row: int, column: int) -> str:
    """Return the colour in the middle of a pixel, as painted."""
    place = widget.pixel_rect(row, column).center().toPoint()
    return str(widget.grab().toImage().pixelColor(place).name())


def test_it_says_why_there_is_no_plane(view: SamplingView) -> None:
    assert view.sentence.text() == NO_PLANE
    assert "no plane to drag on" in view.sentence.text()


def test_pixels_are_shown_as_they_come_and_the_next_one_is_marked(view: SamplingView) -> None:
    view.set_state(state(5))
    assert colour_at(view.picture, 0, 3) == colour_at(view.picture, 1, 0) == "#ffffff"
    assert view.picture.mark == view.means.mark == (1, 1)
    assert colour_at(view.means, 0, 2) == colour_at(view.means, 1, 1) == "#808080"
    ring = view.picture.pixel_rect(1, 1)
    painted = view.picture.grab().toImage()
    edge = painted.pixelColor(QPointF(ring.left(), ring.center().y()).toPoint())
    assert edge.name() == current_palette().handle
    # What is not there yet is neither black nor white.
    assert colour_at(view.picture, 5, 3) not in {"#000000", "#808080"}


def test_the_numbers_are_those_of_the_state(view: SamplingView) -> None:
    view.set_state(state(5, given=2))
    assert view.next_text.text == "Pixel 6 of 24 (row 2, column 2): p(xᵢ = 1 | x₁ … xᵢ₋₁) = 0.250"
    assert "5 pixels so far: −7.50 nats" in view.log_prob_text.text
    assert "−3.00 of it for the 2 given ones" in view.log_prob_text.text
    assert levels(view) == [0.75, 0.25]
    view.set_state(state(24))
    assert view.next_text.text == "All 24 pixels are there."
    assert "log p(x) = −36.00 nats, exact" in view.log_prob_text.text
    assert f"{36.0 / np.log(2.0) / 24:.3f} bits per pixel" in view.log_prob_text.text
    assert levels(view) == []
    assert not view.controls.step.isEnabled()
    assert not view.controls.run.isEnabled()


def test_levels_and_densities_are_named_as_what_they_are(view: SamplingView) -> None:
    view.set_model(ModelConfig(model="made", likelihood="categorical", image_height=6, image_width=4))
    view.set_state(state(3, probabilities=(0.1, 0.2, 0.6, 0.1)))
    assert "likeliest of 4 levels: 2 with p = 0.600" in view.next_text.text
    view.set_model(ModelConfig(model="made", likelihood="gaussian", image_height=6, image_width=4))
    view.set_state(state(3, probabilities=()))
    assert "a density" in view.next_text.text
    view.set_state(state(24))
    assert "nats of a density" in view.log_prob_text.text
    assert "bits" not in view.log_prob_text.text


def test_the_bar_is_as_wide_as_the_levels_are_likely(view: SamplingView) -> None:
    view.set_state(state(3, probabilities=(0.5, 0.25, 0.25)))
    painted = view.bar.grab().toImage()
    middle = painted.height() // 2
    shades = [painted.pixelColor(round(painted.width() * share), middle).name() for share in (0.25, 0.6, 0.9)]
    assert shades == ["#000000", "#808080", "#ffffff"]


def test_buttons_and_keys_say_what_the_user_wants(view: SamplingView, qtbot: Any) -> None:
    controls = view.controls
    view.set_state(state(5))
    with qtbot.waitSignal(controls.sample_requested):
        QTest.mouseClick(controls.sample, LEFT)
    with qtbot.waitSignal(controls.running_chosen) as chosen:
        QTest.mouseClick(controls.run, LEFT)
    assert chosen.args == [False]
    assert controls.run.text() == "Continue"
    view.setFocus()
    with qtbot.waitSignal(controls.running_chosen) as chosen:
        QTest.keyClick(view, Qt.Key.Key_Space)
    assert chosen.args == [True]
    with qtbot.waitSignal(controls.step_requested):
        QTest.keyClick(view, Qt.Key.Key_Right)
    with qtbot.waitSignal(controls.sample_requested):
        QTest.keyClick(view, Qt.Key.Key_N)


def test_the_speed_is_said_in_pixels_a_second(view: SamplingView, qtbot: Any) -> None:
    controls = view.controls
    controls.speed.setFocus()
    with qtbot.waitSignal(controls.speed_changed) as changed:
        QTest.keyClick(controls.speed, Qt.Key.Key_Home)
    assert changed.args == [1]
    assert controls.pixels_per_second == 1
    assert controls._speed_text.text() == "1 pixel/s"
    QTest.keyClick(controls.speed, Qt.Key.Key_End)
    assert controls.pixels_per_second == 1000


def test_what_is_given_is_chosen_by_kind_and_number(view: SamplingView, qtbot: Any) -> None:
    controls = view.controls
    assert not controls.count.isEnabled()
    assert controls.other.isHidden()
    controls.start.setFocus()
    with qtbot.waitSignal(controls.start_chosen) as chosen:
        QTest.keyClick(controls.start, Qt.Key.Key_Down)
    assert chosen.args == [StartOfSample.IMAGE]
    assert controls.count.isEnabled()
    assert controls.other.isVisible()
    controls.count.setFocus()
    with qtbot.waitSignal(controls.count_chosen) as count:
        QTest.keyClick(controls.count, Qt.Key.Key_End)
    assert count.args == [24]
    with qtbot.waitSignal(controls.other_image_requested):
        QTest.mouseClick(controls.other, LEFT)


def test_what_is_not_there_cannot_be_chosen(view: SamplingView) -> None:
    controls = view.controls
    controls.set_available(StartOfSample.IMAGE, False)
    controls.start.setFocus()
    QTest.keyClick(controls.start, Qt.Key.Key_Down)
    chosen = [controls.chosen_start]
    controls.set_available(StartOfSample.IMAGE, True)
    QTest.keyClick(controls.start, Qt.Key.Key_Up)
    chosen.append(controls.chosen_start)
    assert chosen == [StartOfSample.DRAWING, StartOfSample.IMAGE]


def test_setters_say_nothing(view: SamplingView) -> None:
    controls = view.controls
    signals: tuple[Any, ...] = (
        controls.sample_requested,
        controls.running_chosen,
        controls.step_requested,
        controls.speed_changed,
        controls.start_chosen,
        controls.count_chosen,
        controls.other_image_requested,
    )
    said: list[object] = []
    for signal in signals:
        signal.connect(said.append)
    view.set_model(ModelConfig(model="made", image_height=3, image_width=3))
    view.set_state(None)
    view.set_origin("from nowhere")
    controls.set_running(False)
    controls.set_num_pixels(50)
    controls.set_available(StartOfSample.DRAWING, False)
    assert said == []


@pytest.mark.parametrize("theme", [theme for theme in THEMES if theme != "system"])
@pytest.mark.parametrize("size", [(240, 320), (720, 640), (1600, 500)])
def test_it_can_be_painted_at_any_size_in_both_themes(
    view: SamplingView, theme: str, size: tuple[int, int], qtbot: Any
) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    apply_theme(app, theme)
    view.resize(*size)
    view.set_state(state(10))
    qtbot.waitUntil(lambda: view.width() >= size[0])
    rect = view.picture.picture_rect()
    assert view.picture.rect().toRectF().contains(rect)
    assert view.picture.pixel_at(rect.center()) is not None
    assert view.picture.pixel_at(QPointF(-5.0, -5.0)) is None
    assert not view.grab().isNull()
    apply_theme(app, "light")
