import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolTip
from pytestqt.qtbot import QtBot

from explorer.messages import SliderSpec
from explorer.views.sliders.marks import WeightBar
from explorer.views.sliders.number_field import LARGEST_VALUE, read_number, shown_number
from explorer.views.sliders.span import Span
from tests.explorer.sliders.conftest import LEFT, Heard, Make, code, make_specs, place


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


@pytest.mark.parametrize(
    ("typed", "value"),
    [("1e-3", 0.001), ("1E2", 100.0), ("0,5", 0.5), ("-,25", -0.25), ("+3.", 3.0), ("1e6", 1e6), ("2.5e-7", 2.5e-7)],
)
def test_every_way_of_writing_a_number_is_read(make: Make, typed: str, value: float) -> None:
    panel = make()
    heard = Heard(panel)
    field = panel.row(0).field
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, typed)
    assert field.text() == typed
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert heard.of("value_edited") == [(0, value)]
    assert read_number(field.text()) == pytest.approx(value, rel=0.01)


@pytest.mark.parametrize("typed", ["1e99", "1,000.5", "1.2.3", "abc", "1e", "5 5", "", "nan", "1_0"])
def test_what_is_no_number_is_refused_whole_and_the_old_value_stays(make: Make, typed: str) -> None:
    panel = make()
    panel.set_code(code(0.75, 0.0, 0.0))
    heard = Heard(panel)
    field = panel.row(0).field
    field.setFocus()
    field.selectAll()
    QTest.keyClick(field, Qt.Key.Key_Backspace)
    QTest.keyClicks(field, typed)
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert field.refused
    assert field.text() == typed
    assert QToolTip.text()
    panel.row(1).field.setFocus()
    assert heard.of("value_edited") == []
    assert not field.property("invalid")
    assert (field.text(), panel.row(0).value) == ("0.750", 0.75)


def test_leaving_a_number_untouched_does_not_round_it(make: Make) -> None:
    panel = make()
    panel.set_code(code(0.123456, 0.0, 0.0))
    heard = Heard(panel)
    field = panel.row(0).field
    field.setFocus()
    QTest.keyClick(field, Qt.Key.Key_Return)
    panel.row(1).field.setFocus()
    assert heard.of("value_edited") == []
    assert field.value() == pytest.approx(0.123456, abs=1e-8)


@given(st.floats(-LARGEST_VALUE, LARGEST_VALUE))
def test_a_shown_number_is_short_and_near_the_value(value: float) -> None:
    text = shown_number(value)
    assert len(text) <= 9
    # Half of the third decimal, or where that would say nothing, of the second digit.
    assert read_number(text) == pytest.approx(value, rel=0.05, abs=5.001e-4 if abs(value) >= 5e-4 else 1e-300)
    assert read_number(text.replace(".", ",")) == read_number(text)


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


@pytest.mark.parametrize(
    ("weight", "kl", "variance"),
    [(0.0043, "0.00", "0.0043"), (4.6e-9, "0.00", "4.6e-09"), (0.0, "0.00", "0.00"), (9.06, "9.06", "9.06")],
)
def test_a_small_variance_keeps_two_digits(qtbot: QtBot, weight: float, kl: str, variance: str) -> None:
    bar = WeightBar()
    qtbot.addWidget(bar)
    bar.set_weight(weight, weight, is_kl=True)
    assert bar.text == kl
    bar.set_weight(weight, weight, is_kl=False)
    assert bar.text == variance


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
    assert not panel.sweeps.running
