"""The sliders, driven by mouse and keys."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core.shapes import Code
from explorer.messages import SliderSpec
from explorer.theme import apply_theme
from explorer.views.sliders import SlidersPanel
from explorer.views.sliders.row import SliderRow
from explorer.views.sliders.span import Span
from explorer.views.sliders.stack import MOST_ROWS

# The offscreen platform says so whenever a window is shown.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

LEFT = Qt.MouseButton.LeftButton


def make_specs(count: int, collapsed: int = 0, *, is_kl: bool = True) -> tuple[SliderSpec, ...]:
    return tuple(
        SliderSpec(d, -2.0, 3.0, 0.5, float(count - d), is_kl, active=d < count - collapsed) for d in range(count)
    )


def code(*values: float) -> Code:
    return np.array(values, np.float32)


Make = Callable[..., SlidersPanel]


@pytest.fixture
def make(qtbot: QtBot) -> Make:
    def build(count: int = 3, collapsed: int = 0) -> SlidersPanel:
        panel = SlidersPanel()
        qtbot.addWidget(panel)
        panel.resize(380, 420)
        panel.show()
        panel.activateWindow()
        qtbot.waitUntil(panel.isActiveWindow)
        # Where the tests before left the mouse, a row would take it for a hand.
        QTest.mouseMove(panel, QPoint(1, 1))
        panel.set_sliders(make_specs(count, collapsed))
        panel.set_code(np.zeros(count, np.float32))
        qtbot.waitUntil(lambda: panel.complete)
        return panel

    return build


class Heard:
    """What a panel emitted, in order."""

    def __init__(self, panel: SlidersPanel) -> None:
        self.events: list[tuple[Any, ...]] = []
        names = ("value_edited", "reset_requested", "dimension_reset_requested", "sample_requested")
        for name in (*names, "order_requested", "animate_toggled", "filmstrip_requested"):
            getattr(panel, name).connect(self._note(name))

    def _note(self, name: str) -> Callable[..., None]:
        def note(*values: object) -> None:
            self.events.append((name, *values))

        return note

    def of(self, name: str) -> list[tuple[Any, ...]]:
        return [event[1:] for event in self.events if event[0] == name]


def place(row: SliderRow, value: float) -> QPoint:
    return QPoint(round(row.track.x_of(value)), row.track.height() // 2)


def test_a_press_moves_the_slider_to_the_mouse_and_says_so(make: Make) -> None:
    panel = make()
    heard = Heard(panel)
    row = panel.row(1)
    QTest.mousePress(row.track, LEFT, pos=place(row, 2.0))
    ((dimension, value),) = heard.of("value_edited")
    assert dimension == 1
    pixel = 5.0 / (row.track.width() - 16.0)
    assert value == pytest.approx(2.0, abs=pixel)
    assert row.field.value() == pytest.approx(value, abs=5e-4)
    QTest.mouseRelease(row.track, LEFT, pos=place(row, 2.0))


def test_a_drag_follows_the_mouse_and_stays_in_the_range(make: Make) -> None:
    panel = make()
    heard = Heard(panel)
    row = panel.row(0)
    QTest.mousePress(row.track, LEFT, pos=place(row, 0.0))
    QTest.mouseMove(row.track, place(row, 1.0))
    QTest.mouseMove(row.track, QPoint(5000, 10))
    QTest.mouseRelease(row.track, LEFT, pos=QPoint(5000, 10))
    QTest.mouseMove(row.track, place(row, -1.0))
    values = [value for _, value in heard.of("value_edited")]
    assert len(values) == 3
    assert values == sorted(values)
    assert values[-1] == 3.0


@given(st.floats(-1e5, 1e5), st.floats(1e-3, 1e5), st.floats(0, 1))
def test_positions_and_values_are_each_others_inverse(low: float, width: float, fraction: float) -> None:
    span = Span(low, low + width)
    assert span.fraction_of(span.value_at(fraction)) == pytest.approx(fraction, abs=1e-6)
    assert span.sweep(span.phase_of(span.value_at(fraction))) == pytest.approx(
        span.value_at(fraction), abs=1e-4 * width
    )


def test_arrow_keys_move_by_a_hundredth_of_the_range(make: Make) -> None:
    panel = make()
    row = panel.row(2)
    row.track.setFocus()
    heard = Heard(panel)
    QTest.keyClick(row.track, Qt.Key.Key_Right)
    QTest.keyClick(row.track, Qt.Key.Key_PageUp)
    QTest.keyClick(row.track, Qt.Key.Key_End)
    values = [value for _, value in heard.of("value_edited")]
    assert values == pytest.approx([0.05, 0.55, 3.0], abs=2e-3)


def test_a_typed_number_may_lie_beyond_the_range(make: Make) -> None:
    panel = make()
    heard = Heard(panel)
    row = panel.row(0)
    row.field.setFocus()
    row.field.selectAll()
    QTest.keyClicks(row.field, "-7.25")
    assert heard.of("value_edited") == []
    QTest.keyClick(row.field, Qt.Key.Key_Return)
    assert heard.of("value_edited") == [(0, -7.25)]
    assert row.value == -7.25
    assert row.track.value() == row.track.minimum()


def test_escape_gives_up_what_was_typed(make: Make) -> None:
    panel = make()
    heard = Heard(panel)
    field = panel.row(0).field
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "9")
    QTest.keyClick(field, Qt.Key.Key_Escape)
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert heard.of("value_edited") == []
    assert field.text() == "0.000"


def test_a_set_code_is_shown_and_emits_nothing(make: Make) -> None:
    panel = make()
    heard = Heard(panel)
    panel.set_code(code(0.125, -9.0, 2.5))
    assert [panel.row(d).field.value() for d in range(3)] == [0.125, -9.0, 2.5]
    assert [panel.row(d).value for d in range(3)] == [0.125, -9.0, 2.5]
    assert panel.row(1).track.value() == panel.row(1).track.minimum()
    assert heard.events == []


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_code_that_is_not_finite_changes_nothing(make: Make, bad: float) -> None:
    panel = make()
    panel.set_code(code(1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="finite"):
        panel.set_code(code(2.0, bad, 2.0))
    assert [panel.row(d).value for d in range(3)] == [1.0, 1.0, 1.0]


def test_a_range_that_is_not_finite_changes_nothing(make: Make) -> None:
    panel = make()
    before = panel.specs
    with pytest.raises(ValueError, match="high of the slider of dimension 0"):
        panel.set_sliders((SliderSpec(0, -1.0, float("nan"), 0.0, 1.0, True, True),))
    assert panel.specs == before


def test_a_dimension_whose_codes_are_all_the_same_can_be_moved(make: Make) -> None:
    panel = make()
    panel.set_sliders((SliderSpec(0, 0.25, 0.25, 0.25, 0.0, True, True),))
    heard = Heard(panel)
    row = panel.row(0)
    QTest.mouseClick(row.track, LEFT, pos=QPoint(row.track.width() - 1, 10))
    assert heard.of("value_edited") == [(0, 1.25)]


def test_a_number_being_typed_is_not_overwritten(make: Make) -> None:
    panel = make()
    field = panel.row(0).field
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "1.5")
    panel.set_code(code(0.75, 0.0, 0.0))
    assert field.text() == "1.5"
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert panel.row(0).value == 1.5


def test_a_double_click_and_the_button_ask_for_a_reset(make: Make) -> None:
    panel = make()
    heard = Heard(panel)
    row = panel.row(1)
    QTest.mouseDClick(row.track, LEFT, pos=place(row, 1.0))
    QTest.mouseClick(row.reset, LEFT)
    assert heard.of("dimension_reset_requested") == [(1,), (1,)]
    assert not row.track.isSliderDown()


def test_the_top_row_asks_for_reset_sample_and_order(make: Make) -> None:
    panel = make()
    heard = Heard(panel)
    for button in (panel.reset_all, panel.sample, panel.order):
        QTest.mouseClick(button, LEFT)
    assert heard.events == [("reset_requested",), ("sample_requested",), ("order_requested",)]


def test_sampling_and_order_are_named_after_the_model(make: Make) -> None:
    panel = make()
    assert panel.sample.text() == "Random sample from the prior"
    assert panel.order.text() == "Sort by KL"
    panel.set_sampling_name("Random sample from the codes")
    panel.set_sliders(make_specs(3, is_kl=False))
    assert panel.sample.text() == panel.sample.accessibleName() == "Random sample from the codes"
    assert panel.order.text() == "Sort by variance"
    assert "variance" in panel.row(0).weight.accessibleName()


def test_the_sliders_stand_in_the_given_order(make: Make) -> None:
    panel = make()
    first, second, third = make_specs(3)
    panel.set_sliders((third, first, second))
    tops = {d: panel.row(d).y() for d in range(3)}
    assert tops[2] < tops[0] < tops[1]
    assert panel.row(2).label.text() == "z₃"


def test_another_order_waits_until_the_hand_lets_go(make: Make) -> None:
    panel = make()
    row = panel.row(0)
    QTest.mousePress(row.track, LEFT, pos=place(row, 1.0))
    first, second, third = make_specs(3)
    panel.set_sliders((third, second, first))
    heard = Heard(panel)
    QTest.mouseMove(row.track, place(row, 2.0))
    assert [dimension for dimension, _ in heard.of("value_edited")] == [0]
    QTest.mouseRelease(row.track, LEFT, pos=place(row, 2.0))
    assert [spec.dimension for spec in panel.specs] == [2, 1, 0]
    assert panel.row(2).y() < panel.row(0).y()


def test_a_swept_dimension_moves_and_stops_when_grabbed(make: Make, qtbot: QtBot) -> None:
    panel = make()
    heard = Heard(panel)
    row = panel.row(1)
    QTest.mouseClick(row.animate, LEFT)
    assert heard.of("animate_toggled") == [(1, True)]
    qtbot.waitUntil(lambda: len(heard.of("value_edited")) >= 4)
    moved = [value for _, value in heard.of("value_edited")]
    assert {dimension for dimension, _ in heard.of("value_edited")} == {1}
    assert moved == sorted(moved)
    assert row.value == moved[-1]
    QTest.mousePress(row.track, LEFT, pos=place(row, 0.0))
    QTest.mouseRelease(row.track, LEFT, pos=place(row, 0.0))
    assert heard.of("animate_toggled") == [(1, True), (1, False)]
    assert not row.animate.isChecked()
    assert not panel._sweeps.running


def test_a_sweep_passes_low_and_high_and_comes_back(make: Make) -> None:
    panel = make()
    QTest.mouseClick(panel.row(0).animate, LEFT)
    QTest.mouseClick(panel.row(2).animate, LEFT)
    heard = Heard(panel)
    for _ in range(81):
        panel._sweeps.advance(0.05)
    values = [value for dimension, value in heard.of("value_edited") if dimension == 0]
    assert max(values) == pytest.approx(3.0, abs=0.01)
    assert min(values) == pytest.approx(-2.0, abs=0.01)
    assert max(np.abs(np.diff(values))) < 0.25
    assert values[79] == pytest.approx(0.0, abs=0.25)
    assert {dimension for dimension, _ in heard.of("value_edited")} == {0, 2}


def sweeping(panel: SlidersPanel) -> bool:
    return panel._sweeps.running


def test_nothing_is_swept_while_nobody_looks(make: Make) -> None:
    panel = make()
    QTest.mouseClick(panel.row(0).animate, LEFT)
    assert sweeping(panel)
    panel.hide()
    assert not sweeping(panel)
    panel.show()
    assert sweeping(panel)
    QTest.mouseClick(panel.row(0).animate, LEFT)
    assert not sweeping(panel)


def test_sampling_ends_every_sweep(make: Make) -> None:
    panel = make()
    QTest.mouseClick(panel.row(0).animate, LEFT)
    heard = Heard(panel)
    QTest.mouseClick(panel.sample, LEFT)
    assert heard.events[-2:] == [("animate_toggled", 0, False), ("sample_requested",)]


def test_collapsed_dimensions_are_folded_away_until_asked(make: Make) -> None:
    panel = make(6, collapsed=4)
    assert panel.expander.text() == "4 collapsed dimensions"
    with pytest.raises(KeyError):
        panel.row(3)
    QTest.mouseClick(panel.expander, LEFT)
    assert panel.row(3).isVisible()
    heard = Heard(panel)
    QTest.mouseClick(panel.row(3).track, LEFT, pos=place(panel.row(3), 1.0))
    assert [dimension for dimension, _ in heard.of("value_edited")] == [3]
    QTest.mouseClick(panel.expander, LEFT)
    with pytest.raises(KeyError):
        panel.row(3)


def test_a_wholly_collapsed_model_still_shows_its_sliders(make: Make) -> None:
    panel = make(2, collapsed=2)
    assert panel.row(0).isVisible()


def test_many_dimensions_share_few_rows_and_none_shows_anothers_value(make: Make, qtbot: QtBot) -> None:
    panel = make(256)
    values = np.linspace(-1.5, 2.5, 256, dtype=np.float32)
    panel.set_code(values)
    seen: set[int] = set()
    bar = panel._area.verticalScrollBar()
    for position in range(0, bar.maximum() + 200, 200):
        bar.setValue(position)
        qtbot.waitUntil(lambda: panel.complete)
        made = list(panel._made_rows())
        assert len(made) <= 2 * MOST_ROWS
        for row in made:
            assert row.value == float(values[row.dimension])
            seen.add(row.dimension)
    assert seen == set(range(256))
    heard = Heard(panel)
    last = panel.row(255)
    QTest.mouseClick(last.track, LEFT, pos=place(last, 0.0))
    assert [dimension for dimension, _ in heard.of("value_edited")] == [255]


def test_tab_goes_through_a_row_and_on_to_the_next(make: Make) -> None:
    panel = make()
    panel.activateWindow()
    panel.row(0).track.setFocus()
    order = []
    for _ in range(5):
        QTest.keyClick(QApplication.focusWidget() or panel, Qt.Key.Key_Tab)
        order.append(QApplication.focusWidget())
    first, second = panel.row(0), panel.row(1)
    assert order == [first.field, first.animate, first.reset, second.track, second.field]


def test_without_a_code_nothing_moves(make: Make) -> None:
    panel = make()
    QTest.mouseClick(panel.row(0).animate, LEFT)
    panel.set_enabled_for_code(False)
    heard = Heard(panel)
    row = panel.row(0)
    QTest.mouseClick(row.track, LEFT, pos=place(row, 1.0))
    QTest.mouseClick(panel.sample, LEFT)
    assert heard.events == []
    assert not panel._sweeps.running
    assert "handle" in panel._hint.text()
    panel.set_enabled_for_code(True)
    QTest.mouseClick(row.track, LEFT, pos=place(row, 1.0))
    assert len(heard.of("value_edited")) == 1


def test_a_resting_mouse_asks_for_pictures_and_gets_them(make: Make, qtbot: QtBot) -> None:
    panel = make()
    row = panel.row(1)
    with qtbot.waitSignal(panel.filmstrip_requested) as asked:
        QTest.mouseMove(row.track, place(row, 0.0))
    assert asked.args == [1]
    strip = np.zeros((28, 28 * 7), np.uint8)
    panel.set_filmstrip(0, strip)
    assert not panel.filmstrip.isVisibleTo(panel)
    before = [panel.row(d).y() for d in range(3)]
    panel.set_filmstrip(1, strip)
    assert panel.filmstrip.isVisible()
    assert panel.filmstrip.y() >= row.mapTo(panel._content, row.rect().bottomLeft()).y()
    assert [panel.row(d).y() for d in range(3)] == before
    panel.set_filmstrip(1, None)
    assert not panel.filmstrip.isVisible()


def test_pictures_are_asked_anew_when_another_dimension_moves(make: Make, qtbot: QtBot) -> None:
    panel = make()
    with qtbot.waitSignal(panel.filmstrip_requested):
        panel.row(1).track.setFocus()
    with qtbot.assertNotEmitted(panel.filmstrip_requested, wait=150):
        panel.set_code(code(0.0, 1.0, 0.0))
    with qtbot.waitSignal(panel.filmstrip_requested) as asked:
        panel.set_code(code(0.5, 1.0, 0.0))
    assert asked.args == [1]


def test_the_mark_on_the_pictures_follows_the_slider(make: Make, qtbot: QtBot) -> None:
    panel = make()
    with qtbot.waitSignal(panel.filmstrip_requested):
        panel.row(0).track.setFocus()
    panel.set_filmstrip(0, np.full((10, 50), 90, np.uint8))
    tile = (panel.filmstrip.width() - 6.0) / 5
    for value, middle in ((-2.0, 0.5), (3.0, 4.5), (0.5, 2.5)):
        panel.set_code(code(value, 0.0, 0.0))
        assert panel.filmstrip._mark_x == pytest.approx(3.0 + middle * tile, abs=0.5)


def test_an_empty_filmstrip_is_refused(make: Make, qtbot: QtBot) -> None:
    panel = make()
    with qtbot.waitSignal(panel.filmstrip_requested):
        panel.row(0).track.setFocus()
    with pytest.raises(ValueError, match="must have pixels"):
        panel.set_filmstrip(0, np.zeros((0, 0), np.uint8), 3)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_handle_is_painted_where_the_value_is(make: Make, qapp: QApplication, theme: str) -> None:
    apply_theme(qapp, theme)
    try:
        panel = make()
        track = panel.row(0).track
        pictures = []
        for value in (-1.5, 2.5):
            panel.set_code(code(value, 0.0, 0.0))
            pictures.append(track.grab().toImage())
        ends = [(round(track.x_of(-1.5)), 0), (round(track.x_of(2.5)), 1)]
        for x, index in ends:
            # Above the groove only the handle leaves ink.
            y = track.height() // 2 - 6
            assert pictures[index].pixelColor(x, y) != pictures[1 - index].pixelColor(x, y)
    finally:
        apply_theme(qapp, "light")


def test_every_control_has_a_name_and_a_tip(make: Make) -> None:
    panel = make(4, collapsed=2)
    for row in panel._made_rows():
        for widget in (row.track, row.field, row.animate, row.reset):
            assert widget.accessibleName()
            assert widget.toolTip()
            assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    for button in (panel.reset_all, panel.sample, panel.order, panel.expander):
        assert button.accessibleName()
        assert button.toolTip()
