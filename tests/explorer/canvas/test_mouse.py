"""The canvas under the mouse: real presses, moves, releases, wheels."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QPaintEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer.messages import Extent
from explorer.views.canvas import LatentCanvas
from tests.explorer.canvas.conftest import Recorder, make_codes, make_handle

LEFT = Qt.MouseButton.LeftButton
MIDDLE = Qt.MouseButton.MiddleButton


def at(canvas: LatentCanvas, a: float, b: float) -> QPoint:
    return QPointF(*canvas.view.to_pixels(a, b)).toPoint()


def drag(canvas: LatentCanvas, start: QPoint, end: QPoint, button: Qt.MouseButton = LEFT, steps: int = 6) -> None:
    QTest.mousePress(canvas, button, pos=start)
    for step in range(1, steps + 1):
        QTest.mouseMove(canvas, start + (end - start) * step / steps)
    QTest.mouseRelease(canvas, button, pos=end)


def wheel(canvas: LatentCanvas, place: QPoint, angle: int) -> None:
    event = QWheelEvent(
        QPointF(place),
        QPointF(canvas.mapToGlobal(place)),
        QPoint(),
        QPoint(0, angle),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas, event)


def test_dragging_a_handle_says_where_it_goes_and_when_it_has_arrived(canvas: LatentCanvas, recorder: Recorder) -> None:
    canvas.set_handles((make_handle(7, 0.0, 0.0),), 7)
    drag(canvas, at(canvas, 0.0, 0.0), at(canvas, 1.5, -0.5))
    drags = recorder.named("handle_dragged")
    assert all(entry[0] == 7 for entry in drags)
    assert drags[-1][1:] == pytest.approx((1.5, -0.5), abs=1.0 / canvas.view.scale)
    assert recorder.named("handle_drag_ended") == [(7,)]
    assert recorder.said.index(("handle_drag_ended", 7)) > recorder.said.index(("handle_dragged", *drags[-1]))


def test_a_dragged_handle_is_painted_before_its_event_is_over(canvas: LatentCanvas, recorder: Recorder) -> None:
    canvas.set_handles((make_handle(1, 0.0, 0.0),), 1)
    canvas.repaint()
    start = at(canvas, 0.0, 0.0)
    QTest.mousePress(canvas, LEFT, pos=start)
    painted: list[int] = []
    canvas.painted.connect(painted.append)
    QApplication.sendEvent(canvas, moved_to(canvas, start + QPoint(20, 5)))
    assert recorder.named("handle_dragged")
    assert painted
    QTest.mouseRelease(canvas, LEFT, pos=start)


def moved_to(canvas: LatentCanvas, place: QPoint) -> QMouseEvent:
    """Return a movement that QTest would wrap in a turn of the event loop."""
    none = Qt.KeyboardModifier.NoModifier
    move = QEvent.Type.MouseMove
    return QMouseEvent(move, QPointF(place), QPointF(canvas.mapToGlobal(place)), Qt.MouseButton.NoButton, LEFT, none)


def test_the_last_position_of_a_drag_is_said_however_fast_the_mouse(canvas: LatentCanvas, recorder: Recorder) -> None:
    canvas.set_handles((make_handle(1, 0.0, 0.0),), 1)
    start = at(canvas, 0.0, 0.0)
    QTest.mousePress(canvas, LEFT, pos=start)
    for step in range(200):
        QTest.mouseMove(canvas, start + QPoint(step % 40, step // 10))
    end = start + QPoint(60, 31)
    QTest.mouseRelease(canvas, LEFT, pos=end)
    said = recorder.named("handle_dragged")
    assert said[-1][1:] == pytest.approx(canvas.view.to_latent(float(end.x()), float(end.y())), abs=0.02)
    assert len(said) < 150, "moves closer than 4 ms are one"


def test_a_pause_in_a_drag_does_not_hold_the_last_move_back(
    qtbot: QtBot, canvas: LatentCanvas, recorder: Recorder
) -> None:
    canvas.set_handles((make_handle(1, 0.0, 0.0),), 1)
    start = at(canvas, 0.0, 0.0)
    QTest.mousePress(canvas, LEFT, pos=start)
    for step in range(1, 30):
        QTest.mouseMove(canvas, start + QPoint(step, 0))
    wanted = pytest.approx(canvas.view.to_latent(start.x() + 29.0, float(start.y()))[0], abs=0.02)
    qtbot.waitUntil(lambda: recorder.named("handle_dragged")[-1][1] == wanted, timeout=1000)
    QTest.mouseRelease(canvas, LEFT, pos=start + QPoint(29, 0))


def test_a_handle_does_not_jump_under_the_mouse(canvas: LatentCanvas, recorder: Recorder) -> None:
    canvas.set_handles((make_handle(1, 0.0, 0.0),), 1)
    start = at(canvas, 0.0, 0.0) + QPoint(6, 5)
    QTest.mousePress(canvas, LEFT, pos=start)
    QTest.mouseRelease(canvas, LEFT, pos=start)
    assert recorder.but_hover == []
    drag(canvas, start, start + QPoint(20, 0), steps=1)
    assert recorder.named("handle_dragged")[-1][1:] == pytest.approx((20 / canvas.view.scale, 0.0), abs=1e-3)


def test_pressing_a_handle_selects_it(canvas: LatentCanvas, recorder: Recorder) -> None:
    canvas.set_handles((make_handle(1, -1.0, 0.0), make_handle(2, 1.0, 0.0)), 1)
    QTest.mouseClick(canvas, LEFT, pos=at(canvas, 1.0, 0.0))
    QTest.mouseClick(canvas, LEFT, pos=at(canvas, 1.0, 0.0))
    assert recorder.but_hover == [("handle_selected", 2)]


def test_the_selected_of_two_handles_at_one_place_is_the_one_that_moves(
    canvas: LatentCanvas, recorder: Recorder
) -> None:
    canvas.set_handles((make_handle(1, 0.0, 0.0), make_handle(2, 0.0, 0.0)), 1)
    drag(canvas, at(canvas, 0.0, 0.0), at(canvas, 1.0, 0.0))
    assert {entry[0] for entry in recorder.named("handle_dragged")} == {1}


def test_dragging_a_data_point_grabs_it_and_goes_on_as_a_handle(canvas: LatentCanvas, recorder: Recorder) -> None:
    canvas.set_codes(make_codes([[0.0, 0.0], [1.0, 1.0]]))

    def add_handle(row: int, a: float, b: float) -> None:
        canvas.set_handles((make_handle(5, a, b, anchor=row),), 5)

    canvas.point_grabbed.connect(add_handle)
    drag(canvas, at(canvas, 1.0, 1.0), at(canvas, -1.0, 0.5))
    assert recorder.named("point_grabbed") == [(1, 1.0, 1.0)]
    assert recorder.named("handle_dragged")[-1] == pytest.approx((5, -1.0, 0.5), abs=1.5 / canvas.view.scale)
    assert recorder.named("handle_drag_ended") == [(5,)]
    assert canvas.cloud is not None
    assert canvas.cloud.position(1) == (1.0, 1.0), "the point stays"


def test_a_grabbed_point_that_becomes_no_handle_is_let_go(canvas: LatentCanvas, recorder: Recorder) -> None:
    canvas.set_codes(make_codes([[0.0, 0.0]]))
    drag(canvas, at(canvas, 0.0, 0.0), at(canvas, 1.0, 0.5))
    assert [entry[0] for entry in recorder.but_hover] == ["point_grabbed"]


def test_a_click_on_a_data_point_chooses_it_and_grabs_nothing(canvas: LatentCanvas, recorder: Recorder) -> None:
    canvas.set_codes(make_codes([[0.0, 0.0]]))
    place = at(canvas, 0.0, 0.0)
    drag(canvas, place, place + QPoint(1, 1), steps=1)
    assert recorder.but_hover == [("point_chosen", 0)]


@pytest.mark.parametrize("button", [LEFT, MIDDLE])
def test_dragging_the_background_moves_the_plane(
    qtbot: QtBot, canvas: LatentCanvas, recorder: Recorder, button: Qt.MouseButton
) -> None:
    before = canvas.view.to_latent(100.0, 100.0)
    with qtbot.waitSignal(canvas.extent_changed, timeout=2000) as blocker:
        drag(canvas, QPoint(100, 100), QPoint(160, 130), button)
    assert canvas.view.to_latent(160.0, 130.0) == pytest.approx(before)
    assert blocker.args == [canvas.extent()]
    assert recorder.but_hover == []


def test_the_middle_button_moves_the_plane_even_on_a_point(canvas: LatentCanvas, recorder: Recorder) -> None:
    canvas.set_codes(make_codes([[0.0, 0.0]]))
    place = at(canvas, 0.0, 0.0)
    drag(canvas, place, place + QPoint(40, 0), MIDDLE)
    assert at(canvas, 0.0, 0.0) == place + QPoint(40, 0)
    assert recorder.but_hover == []


def test_a_pan_is_followed_by_one_extent(qtbot: QtBot, canvas: LatentCanvas) -> None:
    with qtbot.waitSignal(canvas.extent_changed, timeout=2000, raising=False):
        pass
    said: list[Extent] = []

    def record(extent: Extent) -> None:
        said.append(extent)

    canvas.extent_changed.connect(record)
    drag(canvas, QPoint(100, 100), QPoint(160, 130), steps=20)
    assert said == []
    qtbot.waitUntil(lambda: bool(said), timeout=2000)
    assert said == [canvas.extent()]


def test_the_wheel_zooms_about_the_mouse(canvas: LatentCanvas) -> None:
    place = QPoint(170, 333)
    before, scale = canvas.view.to_latent(170.0, 333.0), canvas.view.scale
    wheel(canvas, place, 120)
    assert canvas.view.scale > 1.1 * scale
    assert canvas.view.to_latent(170.0, 333.0) == pytest.approx(before)
    wheel(canvas, place, -120)
    assert canvas.view.scale == pytest.approx(scale)


def test_a_mad_wheel_stays_within_bounds(canvas: LatentCanvas) -> None:
    for angle in (120_000, -240_000, 2_000_000, -2_000_000):
        wheel(canvas, QPoint(10, 10), angle)
        assert 1e-4 <= canvas.view.scale <= 1e6
        canvas.grab()


def test_a_double_click_asks_for_a_handle_there(canvas: LatentCanvas, recorder: Recorder) -> None:
    place = at(canvas, -1.0, 1.5)
    QTest.mouseDClick(canvas, LEFT, pos=place)
    ((a, b),) = recorder.named("handle_add_requested")
    assert (a, b) == pytest.approx((-1.0, 1.5), abs=1.0 / canvas.view.scale)


def test_a_double_click_on_a_handle_adds_none(canvas: LatentCanvas, recorder: Recorder) -> None:
    canvas.set_handles((make_handle(1, 0.0, 0.0),), 1)
    QTest.mouseDClick(canvas, LEFT, pos=at(canvas, 0.0, 0.0))
    assert recorder.but_hover == []


def test_clicking_the_arrow_of_a_far_handle_brings_it_into_view(canvas: LatentCanvas, recorder: Recorder) -> None:
    canvas.set_handles((make_handle(3, 40.0, 0.0),), None)
    arrow = next(iter(canvas._marks)).arrow(canvas.view)
    assert arrow is not None
    QTest.mouseClick(canvas, LEFT, pos=QPointF(*arrow[:2]).toPoint())
    assert recorder.but_hover == [("handle_selected", 3)]
    assert at(canvas, 40.0, 0.0) == canvas.rect().center() + QPoint(1, 1)


def test_moving_over_points_says_which_and_leaving_them_says_none(canvas: LatentCanvas, recorder: Recorder) -> None:
    canvas.set_codes(make_codes([[0.0, 0.0], [1.0, 1.0]]))
    QTest.mouseMove(canvas, QPoint(3, 3))
    QTest.mouseMove(canvas, at(canvas, 0.0, 0.0) + QPoint(4, 3))
    QTest.mouseMove(canvas, at(canvas, 0.0, 0.0))
    QTest.mouseMove(canvas, at(canvas, 1.0, 1.0))
    QTest.mouseMove(canvas, at(canvas, 1.0, 1.0) + QPoint(9, 0))
    assert recorder.said == [("point_hovered", 0), ("point_hovered", 1), ("point_hovered", -1)]


@pytest.mark.parametrize("corner", [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.5, 0.5)])
def test_the_hover_card_is_never_cut_and_never_under_the_mouse(
    canvas: LatentCanvas, corner: tuple[float, float]
) -> None:
    extent = canvas.extent()
    code = [extent.left + corner[0] * extent.width, extent.bottom + corner[1] * extent.height]
    canvas.set_codes(make_codes([code]))
    mouse = at(canvas, *code)
    mouse = QPoint(min(max(mouse.x(), 1), canvas.width() - 2), min(max(mouse.y(), 1), canvas.height() - 2))
    QTest.mouseMove(canvas, QPoint(60, 60))
    QTest.mouseMove(canvas, mouse)
    canvas.set_hover_picture(0, np.zeros((28, 28), dtype=np.uint8), "label 3\nimage 17")
    card = canvas.hover_card.geometry()
    assert canvas.hover_card.isVisible()
    assert canvas.rect().contains(card)
    assert not card.contains(mouse)


def test_a_picture_that_comes_late_for_another_point_is_dropped(canvas: LatentCanvas) -> None:
    canvas.set_codes(make_codes([[0.0, 0.0], [1.0, 1.0]]))
    # Qt drops a move to where an earlier test has left the mouse.
    QTest.mouseMove(canvas, QPoint(3, 3))
    QTest.mouseMove(canvas, at(canvas, 0.0, 0.0))
    canvas.set_hover_picture(1, np.zeros((28, 28), dtype=np.uint8), "late")
    assert not canvas.hover_card.isVisible()
    canvas.set_hover_picture(0, np.zeros((28, 28), dtype=np.uint8), "")
    assert canvas.hover_card.isVisible()
    QTest.mouseMove(canvas, at(canvas, -1.0, -1.0))
    assert not canvas.hover_card.isVisible()


def test_a_resting_mouse_says_what_new_codes_bring_under_it(
    qtbot: QtBot, canvas: LatentCanvas, recorder: Recorder
) -> None:
    canvas.set_codes(make_codes([[0.0, 0.0], [1.0, 1.0]]))
    QTest.mouseMove(canvas, QPoint(3, 3))
    QTest.mouseMove(canvas, at(canvas, 0.0, 0.0))
    canvas.set_codes(make_codes([[1.0, 1.0], [0.0, 0.0]], version=2))
    assert recorder.said == [("point_hovered", 0)], "a setter says nothing itself"
    qtbot.waitUntil(lambda: recorder.said[-1] == ("point_hovered", 1), timeout=1000)


def test_a_handle_is_dragged_along_one_axis_in_a_strip(canvas: LatentCanvas, recorder: Recorder) -> None:
    canvas.set_latent_dim(1, True)
    canvas.set_handles((make_handle(1, 0.0),), 1)
    drag(canvas, at(canvas, 0.0, 0.0), at(canvas, 1.0, 0.0) + QPoint(0, 70))
    assert recorder.named("handle_dragged")[-1] == pytest.approx((1, 1.0, 0.0), abs=1.0 / canvas.view.scale)


class WatchedCanvas(LatentCanvas):
    """Notes how many pixels each paint covers."""

    def __init__(self) -> None:
        super().__init__()
        self.areas: list[int] = []

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        self.areas.append(sum(rect.width() * rect.height() for rect in event.region()))  # type: ignore[attr-defined]
        super().paintEvent(event)


def test_a_drag_repaints_only_what_changed(qtbot: QtBot) -> None:
    canvas = WatchedCanvas()
    qtbot.addWidget(canvas)
    canvas.resize(600, 500)
    canvas.set_handles((make_handle(1, 0.0, 0.0), make_handle(2, 1.0, 1.0)), 1)
    with qtbot.waitExposed(canvas):
        canvas.show()
    canvas.set_codes(make_codes([[-3.0, 1.5]]))
    canvas.set_handles((make_handle(1, 0.0, 0.0, anchor=0), make_handle(2, 1.0, 1.0)), 1)
    start = at(canvas, 0.0, 0.0)
    with qtbot.waitSignal(canvas.painted, timeout=2000):
        QTest.mousePress(canvas, LEFT, pos=start)
        canvas.update()
    canvas.areas.clear()
    with qtbot.waitSignal(canvas.painted, timeout=2000):
        QTest.mouseMove(canvas, start + QPoint(30, 0))
    QTest.mouseRelease(canvas, LEFT, pos=start + QPoint(30, 0))
    assert 0 < canvas.areas[0] < 0.1 * canvas.width() * canvas.height()


@pytest.mark.parametrize("button", [LEFT, MIDDLE])
def test_a_release_that_never_came_ends_with_the_next_press(
    canvas: LatentCanvas, recorder: Recorder, button: Qt.MouseButton
) -> None:
    """As when a window came up under the button."""
    canvas.set_handles((make_handle(7, 0.0, 0.0),), 7)
    far = at(canvas, 2.0, 2.0)
    QTest.mousePress(canvas, button, pos=far)
    QTest.mouseMove(canvas, far + QPoint(5, 5))
    before = canvas.view
    QTest.mousePress(canvas, button, pos=at(canvas, 0.0, 0.0))
    assert canvas.view == before
    QTest.mouseRelease(canvas, button, pos=at(canvas, 0.0, 0.0))
    drag(canvas, at(canvas, 0.0, 0.0), at(canvas, 1.0, 0.5))
    assert canvas.view == before
    assert recorder.named("handle_dragged")[-1][1:] == pytest.approx((1.0, 0.5), abs=1.0 / canvas.view.scale)


def test_a_move_without_a_button_holds_nothing(canvas: LatentCanvas, recorder: Recorder) -> None:
    canvas.set_handles((make_handle(7, 0.0, 0.0),), 7)
    QTest.mousePress(canvas, LEFT, pos=at(canvas, 0.0, 0.0))
    place = at(canvas, 1.0, 1.0)
    none = Qt.MouseButton.NoButton
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(place),
        QPointF(canvas.mapToGlobal(place)),
        none,
        none,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(canvas, event)
    QTest.qWait(20)
    assert recorder.named("handle_dragged") == []
    QTest.mouseRelease(canvas, LEFT, pos=place)
