"""Legend, axis boxes, context menu, fingers."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox
from pytestqt.qtbot import QtBot

from explorer.theme import apply_theme
from explorer.views.canvas import LatentCanvas
from tests.explorer.canvas.conftest import Recorder, make_codes, make_handle

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", "not accepted by receiving widget")

LEFT = Qt.MouseButton.LeftButton
ALT = Qt.KeyboardModifier.AltModifier
ALL = frozenset({0, 1, 2})


@pytest.fixture
def labelled(canvas: LatentCanvas) -> LatentCanvas:
    canvas.set_codes(make_codes([[0.0, 0.0], [1.0, 1.0], [-1.0, 1.0]], [0, 1, 2]), ("zero", "one", "two"))
    return canvas


def test_a_click_in_the_legend_hides_a_label_and_another_shows_it(labelled: LatentCanvas, recorder: Recorder) -> None:
    entry = labelled.legend.entries[1]
    QTest.mouseClick(entry, LEFT)
    assert recorder.named("labels_shown_changed") == [(frozenset({0, 2}),)]
    assert labelled.cloud is not None
    assert labelled.cloud.num_drawn == 2
    QTest.mouseClick(entry, LEFT)
    assert labelled.labels_shown == ALL
    assert labelled.cloud.num_drawn == 3
    assert labelled.hasFocus(), "a click in the legend leaves the arrows to the handle"


def test_a_double_click_shows_a_label_alone_and_another_shows_all(labelled: LatentCanvas, recorder: Recorder) -> None:
    entry = labelled.legend.entries[1]
    for wanted in (frozenset({1}), ALL):
        QTest.mouseClick(entry, LEFT)
        QTest.mouseDClick(entry, LEFT)
        assert labelled.labels_shown == wanted
        assert recorder.named("labels_shown_changed")[-1] == (wanted,)


def test_alt_shows_a_label_alone(labelled: LatentCanvas, recorder: Recorder) -> None:
    QTest.mouseClick(labelled.legend.entries[2], LEFT, ALT)
    assert recorder.named("labels_shown_changed") == [(frozenset({2}),)]
    QTest.mouseClick(labelled.legend.entries[2], LEFT, ALT)
    assert labelled.labels_shown == ALL


def test_the_legend_is_reached_and_used_by_keyboard(labelled: LatentCanvas, recorder: Recorder) -> None:
    first, second, third = labelled.legend.entries
    QTest.keyClick(labelled, Qt.Key.Key_Tab)
    assert first.hasFocus()
    QTest.keyClick(first, Qt.Key.Key_Down)
    assert second.hasFocus()
    QTest.keyClick(second, Qt.Key.Key_Space)
    assert recorder.named("labels_shown_changed") == [(frozenset({0, 2}),)]
    QTest.keyClick(second, Qt.Key.Key_Up)
    QTest.keyClick(first, Qt.Key.Key_Up)
    assert third.hasFocus()
    QTest.keyClick(third, Qt.Key.Key_Return)
    assert labelled.labels_shown == frozenset({2})


def test_new_codes_of_the_same_labels_keep_what_is_hidden(labelled: LatentCanvas, recorder: Recorder) -> None:
    QTest.mouseClick(labelled.legend.entries[0], LEFT)
    recorder.said.clear()
    labelled.set_codes(make_codes([[0.0, 0.0]] * 6, [0, 1, 2] * 2, version=2), ("zero", "one", "two"))
    assert labelled.labels_shown == frozenset({1, 2})
    assert labelled.cloud is not None
    assert labelled.cloud.num_drawn == 4
    assert recorder.said == []


def test_a_hidden_label_is_not_under_the_mouse(labelled: LatentCanvas, recorder: Recorder) -> None:
    QTest.mouseClick(labelled.legend.entries[0], LEFT)
    QTest.mouseMove(labelled, QPointF(*labelled.view.to_pixels(0.0, 0.0)).toPoint())
    assert recorder.named("point_hovered") == []


def test_a_long_legend_scrolls_inside_the_canvas(canvas: LatentCanvas) -> None:
    names = tuple(f"a label with quite a long name, number {number}" for number in range(60))
    canvas.set_codes(make_codes([[0.0, 0.0]], [0]), names)
    canvas.grab()
    assert canvas.rect().contains(canvas.legend.geometry())
    assert canvas.legend.verticalScrollBar().maximum() > 0
    assert canvas.legend.width() <= canvas.width() // 2
    last = canvas.legend.entries[-1]
    QTest.keyClick(canvas.legend.entries[0], Qt.Key.Key_Up)
    assert last.hasFocus()
    assert not last.visibleRegion().isEmpty()


def test_every_entry_has_a_name_and_a_tip(labelled: LatentCanvas) -> None:
    controls = [*labelled.legend.entries, labelled.axis_chooser.horizontal, labelled.axis_chooser.vertical, labelled]
    assert all(control.accessibleName() and control.toolTip() for control in controls)


def test_a_press_or_wheel_on_the_legend_does_not_reach_the_plane(labelled: LatentCanvas, recorder: Recorder) -> None:
    view = labelled.view
    QTest.mouseDClick(labelled.legend.viewport(), LEFT, pos=QPoint(1, 1))
    QTest.mousePress(labelled.legend.viewport(), LEFT, pos=QPoint(1, 1))
    QTest.mouseMove(labelled, QPoint(200, 200))
    QTest.mouseRelease(labelled.legend.viewport(), LEFT, pos=QPoint(1, 1))
    assert labelled.view == view
    assert recorder.named("handle_add_requested") == []


def choose(box: QComboBox, index: int) -> None:
    """Choose by keyboard, as a user does: Qt then says `activated`."""
    step = Qt.Key.Key_Down if index > box.currentIndex() else Qt.Key.Key_Up
    while box.currentIndex() != index:
        before = box.currentIndex()
        QTest.keyClick(box, step)
        if box.currentIndex() == before:
            return


def test_two_boxes_choose_the_axes_of_a_larger_model(canvas: LatentCanvas, recorder: Recorder) -> None:
    assert not canvas.axis_chooser.isVisible()
    canvas.set_latent_dim(5, True)
    assert canvas.axis_chooser.isVisible()
    choose(canvas.axis_chooser.vertical, 2)
    assert recorder.said == [("axes_chosen", 0, 2)]
    assert canvas.axes == (0, 2)


def test_choosing_the_same_axis_twice_swaps_them(canvas: LatentCanvas, recorder: Recorder) -> None:
    canvas.set_latent_dim(5, True)
    QTest.keyClick(canvas.axis_chooser.horizontal, Qt.Key.Key_Down)
    assert recorder.said == [("axes_chosen", 1, 0)]
    assert canvas.axes == (1, 0)
    assert canvas.axis_chooser.vertical.currentIndex() == 0


def test_handles_and_codes_follow_the_axes(canvas: LatentCanvas, recorder: Recorder) -> None:
    canvas.set_latent_dim(3, True)
    canvas.set_codes(make_codes([[0.0, 1.0, 2.0]]))
    canvas.set_handles((make_handle(1, 0.0, 1.0, 2.0),), 1)
    canvas.set_axes(2, 1)
    assert canvas.cloud is not None
    assert canvas.cloud.position(0) == (2.0, 1.0)
    QTest.keyClick(canvas, Qt.Key.Key_Right)
    ((_, a, b),) = recorder.named("handle_dragged")
    assert a > 2.0
    assert b == 1.0
    assert canvas._handles[0].code[0] == 0.0, "a dimension that is not shown keeps its value"


def open_menu(canvas: LatentCanvas, place: QPoint) -> None:
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, canvas.mapToGlobal(place))
    QApplication.sendEvent(canvas, event)


def test_the_menu_of_a_handle_removes_and_pins_it(canvas: LatentCanvas, recorder: Recorder) -> None:
    canvas.set_codes(make_codes([[0.0, 0.0]]))
    canvas.set_handles((make_handle(6, 1.0, 1.0, anchor=0),), None)
    place = QPointF(*canvas.view.to_pixels(1.0, 1.0)).toPoint()
    menu = canvas._menu
    for action, said in ((menu.remove_action, "handle_remove_requested"), (menu.pin_action, "handle_pin_toggled")):
        open_menu(canvas, place)
        assert menu.isVisible()
        QTest.mouseClick(menu, LEFT, pos=menu.actionGeometry(action).center())
        assert recorder.but_hover[-1] == (said, 6)


def test_the_menu_of_the_background_adds_a_handle_there(canvas: LatentCanvas, recorder: Recorder) -> None:
    place = QPoint(220, 140)
    open_menu(canvas, place)
    menu = canvas._menu
    assert not menu.remove_action.isVisible()
    QTest.mouseClick(menu, LEFT, pos=menu.actionGeometry(menu.add_action).center())
    ((a, b),) = recorder.named("handle_add_requested")
    assert (a, b) == pytest.approx(canvas.view.to_latent(220.0, 140.0))


def test_a_handle_without_an_image_cannot_be_pinned(canvas: LatentCanvas) -> None:
    canvas.set_handles((make_handle(6, 0.0, 0.0),), None)
    open_menu(canvas, canvas.rect().center())
    assert not canvas._menu.pin_action.isEnabled()
    canvas._menu.close()


class Fingers:
    """Two fingers on a touch screen."""

    def __init__(self, canvas: LatentCanvas) -> None:
        self._canvas = canvas
        self._device = QTest.createTouchDevice()

    def send(self, what: str, *places: QPoint) -> None:
        sequence = QTest.touchEvent(self._canvas, self._device)
        for number, place in enumerate(places):
            getattr(sequence, "press" if what == "second" and number else "move" if what == "second" else what)(
                number, place, self._canvas
            )
        sequence.commit()


def test_two_fingers_zoom_about_their_middle_by_how_far_they_part(canvas: LatentCanvas) -> None:
    fingers = Fingers(canvas)
    middle = canvas.view.to_latent(250.0, 200.0)
    scale = canvas.view.scale
    fingers.send("press", QPoint(200, 200))
    fingers.send("second", QPoint(200, 200), QPoint(300, 200))
    for step in range(1, 6):
        fingers.send("move", QPoint(200 - 10 * step, 200), QPoint(300 + 10 * step, 200))
    fingers.send("release", QPoint(150, 200), QPoint(350, 200))
    assert canvas.view.scale == pytest.approx(2.0 * scale)
    assert canvas.view.to_latent(250.0, 200.0) == pytest.approx(middle)


def test_one_finger_drags_a_handle(canvas: LatentCanvas, recorder: Recorder) -> None:
    canvas.set_handles((make_handle(1, 0.0, 0.0),), None)
    fingers, start = Fingers(canvas), QPointF(*canvas.view.to_pixels(0.0, 0.0)).toPoint() + QPoint(15, 10)
    fingers.send("press", start)
    fingers.send("move", start + QPoint(40, 0))
    fingers.send("release", start + QPoint(80, 0))
    assert recorder.but_hover[0] == ("handle_selected", 1)
    assert recorder.named("handle_dragged")[-1] == pytest.approx((1, 80 / canvas.view.scale, 0.0), abs=0.02)
    assert recorder.but_hover[-1] == ("handle_drag_ended", 1)


def test_two_taps_ask_for_a_handle_and_a_long_press_opens_the_menu(
    qtbot: QtBot, canvas: LatentCanvas, recorder: Recorder
) -> None:
    fingers, place = Fingers(canvas), QPoint(210, 170)
    for _ in range(2):
        fingers.send("press", place)
        fingers.send("release", place)
    assert len(recorder.named("handle_add_requested")) == 1
    fingers.send("press", QPoint(100, 300))
    qtbot.waitUntil(canvas._menu.isVisible, timeout=3000)
    fingers.send("release", QPoint(100, 300))
    canvas._menu.close()


def test_the_axis_boxes_keep_their_room_in_another_theme(canvas: LatentCanvas, qapp: QApplication) -> None:
    apply_theme(qapp, "light")
    canvas.set_latent_dim(12, True)
    chooser = canvas.axis_chooser
    QApplication.processEvents()  # noqa: TID251 - lets the layout settle
    before = chooser.horizontal.width()
    try:
        for theme in ("dark", "light"):
            apply_theme(qapp, theme)
            QApplication.processEvents()  # noqa: TID251 - as above
            assert chooser.horizontal.width() == before
            assert chooser.size() == chooser.sizeHint()
    finally:
        apply_theme(qapp, "light")


def test_an_arrow_at_the_border_shows_whether_its_handle_is_selected(canvas: LatentCanvas) -> None:
    handles = (make_handle(1, 50.0, 0.0), make_handle(2, 0.0, 1.0))
    pictures = []
    for selected in (1, 2):
        canvas.set_handles(handles, selected)
        pictures.append(canvas.grab().toImage().copy(canvas.width() - 60, 0, 60, canvas.height()))
    assert pictures[0] != pictures[1]


def test_the_strip_says_what_its_height_means(canvas: LatentCanvas) -> None:
    assert not any("density" in line for line in canvas._notes())
    canvas.set_latent_dim(1, True)
    assert any("height shows density only" in line for line in canvas._notes())


def test_a_mark_whose_mean_is_beyond_the_edge_is_seen_as_far_as_it_reaches(canvas: LatentCanvas) -> None:
    canvas.set_codes(None, ())
    plain = canvas.grab().toImage()
    left, _ = canvas.view.to_latent(-105.0, 0.0)
    reach = 70.0 / canvas.view.scale
    canvas.set_posterior(np.array([left, 0.0], np.float32), np.array([reach, reach], np.float32))
    x, y = 20, round(canvas.view.to_pixels(0.0, 0.0)[1])
    assert canvas.grab().toImage().pixel(x, y) != plain.pixel(x, y)
