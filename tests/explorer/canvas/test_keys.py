"""The canvas by keyboard."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from explorer.views.canvas import LatentCanvas
from tests.explorer.canvas.conftest import Recorder, make_codes, make_handle

Key = Qt.Key
SHIFT = Qt.KeyboardModifier.ShiftModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.mark.parametrize(
    ("key", "right", "up"),
    [(Key.Key_Left, -1, 0), (Key.Key_Right, 1, 0), (Key.Key_Up, 0, 1), (Key.Key_Down, 0, -1)],
)
@pytest.mark.parametrize(("modifier", "factor"), [(Qt.KeyboardModifier.NoModifier, 1.0), (SHIFT, 10.0), (CONTROL, 0.1)])
def test_arrows_move_the_selected_handle_by_hundredths_of_the_view(
    canvas: LatentCanvas,
    recorder: Recorder,
    key: Qt.Key,
    right: int,
    up: int,
    modifier: Qt.KeyboardModifier,
    factor: float,
) -> None:
    canvas.set_handles((make_handle(4, 0.5, 0.25),), 4)
    extent = canvas.extent()
    QTest.keyClick(canvas, key, modifier)
    wanted = (4, 0.5 + 0.01 * factor * right * extent.width, 0.25 + 0.01 * factor * up * extent.height)
    assert recorder.named("handle_dragged") == [pytest.approx(wanted)]
    assert recorder.named("handle_drag_ended") == [(4,)]


def test_a_screen_reader_hears_where_the_handle_is(canvas: LatentCanvas) -> None:
    canvas.set_handles((make_handle(1, 0.0, 0.0), make_handle(2, 1.5, -0.25)), 1)
    QTest.keyClick(canvas, Key.Key_Tab)
    assert canvas.accessibleDescription() == "Handle 2 at z₁ 1.50, z₂ -0.25"


def test_a_held_arrow_ends_its_drag_once(canvas: LatentCanvas, recorder: Recorder) -> None:
    canvas.set_handles((make_handle(1, 0.0, 0.0),), 1)
    for _ in range(3):
        QTest.keyPress(canvas, Key.Key_Right)
    QTest.keyRelease(canvas, Key.Key_Right)
    assert len(recorder.named("handle_dragged")) == 3
    assert recorder.named("handle_drag_ended") == [(1,)]


def test_delete_asks_to_remove_the_selected_handle_only(canvas: LatentCanvas, recorder: Recorder) -> None:
    QTest.keyClick(canvas, Key.Key_Delete)
    canvas.set_handles((make_handle(1, 0.0, 0.0), make_handle(2, 1.0, 1.0)), 2)
    QTest.keyClick(canvas, Key.Key_Delete)
    assert recorder.said == [("handle_remove_requested", 2)]


def test_p_pins_a_handle_that_has_an_image_and_no_other(canvas: LatentCanvas, recorder: Recorder) -> None:
    canvas.set_codes(make_codes([[0.0, 0.0]]))
    canvas.set_handles((make_handle(1, 0.0, 0.0), make_handle(2, 1.0, 1.0, anchor=0)), 1)
    QTest.keyClick(canvas, Key.Key_P)
    assert recorder.said == []
    canvas.set_handles(canvas._handles, 2)
    QTest.keyClick(canvas, Key.Key_P)
    assert recorder.said == [("handle_pin_toggled", 2)]


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_tab_goes_round_the_handles_once_and_then_leaves(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    canvas, field = LatentCanvas(), QLineEdit()
    layout.addWidget(canvas)
    layout.addWidget(field)
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    canvas.set_handles((make_handle(1, 0.0, 0.0), make_handle(2, 1.0, 1.0), make_handle(3, 1.0, -1.0)), 3)
    canvas.setFocus()
    chosen: list[int] = []
    canvas.handle_selected.connect(chosen.append)
    for _ in range(3):
        QTest.keyClick(canvas, Key.Key_Tab)
    assert chosen == [1, 2, 3]
    assert canvas.hasFocus()
    QTest.keyClick(canvas, Key.Key_Tab)
    assert field.hasFocus()
    canvas.setFocus()
    QTest.keyClick(canvas, Key.Key_Backtab, SHIFT)
    assert chosen[-1] == 2


def test_plus_minus_and_zero_zoom_and_fit(canvas: LatentCanvas) -> None:
    fitted = canvas.view
    QTest.keyClick(canvas, Key.Key_Plus)
    assert canvas.view.scale == pytest.approx(1.25 * fitted.scale)
    assert canvas.view.centre == pytest.approx(fitted.centre)
    QTest.keyClick(canvas, Key.Key_Minus)
    QTest.keyClick(canvas, Key.Key_Minus)
    assert canvas.view.scale < fitted.scale
    QTest.keyClick(canvas, Key.Key_0)
    assert canvas.view == fitted


def test_without_a_selected_handle_arrows_move_the_view(canvas: LatentCanvas, recorder: Recorder) -> None:
    left = canvas.extent().left
    QTest.keyClick(canvas, Key.Key_Right)
    assert canvas.extent().left > left
    assert recorder.said == []


def test_insert_asks_for_a_handle_in_the_middle(canvas: LatentCanvas, recorder: Recorder) -> None:
    QTest.keyClick(canvas, Key.Key_Insert)
    assert recorder.said == [("handle_add_requested", *canvas.view.centre)]


def test_escape_lets_go_and_does_nothing_else(canvas: LatentCanvas, recorder: Recorder) -> None:
    canvas.set_handles((make_handle(1, 0.0, 0.0),), 1)
    view = canvas.view
    QTest.keyClick(canvas, Key.Key_Escape)
    assert recorder.said == []
    assert canvas.isVisible()
    assert canvas.view == view
    assert len(canvas._handles) == 1


def test_in_a_strip_up_and_down_do_nothing(canvas: LatentCanvas, recorder: Recorder) -> None:
    canvas.set_latent_dim(1, True)
    canvas.set_handles((make_handle(1, 0.0),), 1)
    QTest.keyClick(canvas, Key.Key_Up)
    assert recorder.said == []
    QTest.keyClick(canvas, Key.Key_Right)
    ((_, a, b),) = recorder.named("handle_dragged")
    assert a > 0.0
    assert b == 0.0
