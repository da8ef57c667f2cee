"""The hand draws: mouse, pen and finger become ink."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QInputDevice, QPointingDevice, QPointingDeviceUniqueId, QTabletEvent, QTouchEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from explorer.views.draw_pad import DrawPad
from explorer.views.draw_pad.ink import InkSheet
from explorer.views.draw_pad.strokes import INK_SIZE
from explorer.views.draw_pad.surface import PadSurface
from tests.explorer.draw_pad.conftest import RIGHT, Hand

ZIGZAG = [(40.0, 40.0), (240.0, 60.0), (50.0, 140.0), (230.0, 170.0), (60.0, 240.0)]


def components(ink: np.ndarray[Any, Any]) -> int:
    """Count the connected parts of the ink by flooding, four neighbours each."""
    left = ink > 127
    count = 0
    while left.any():
        count += 1
        stack = [tuple(int(value) for value in np.argwhere(left)[0])]
        while stack:
            y, x = stack.pop()
            if 0 <= y < left.shape[0] and 0 <= x < left.shape[1] and left[y, x]:
                left[y, x] = False
                stack += [(y + 1, x), (y - 1, x), (y, x + 1), (y, x - 1)]
    return count


def test_components_are_counted_apart() -> None:
    ink = np.zeros((9, 9), np.uint8)
    ink[1:3, 1:3] = ink[5:8, 5:8] = 255
    assert components(ink) == 2


def test_a_fast_stroke_of_few_events_leaves_no_gaps(hand: Hand) -> None:
    hand.stroke(ZIGZAG)
    raw = hand.drawings[-1].raw
    assert components(raw) == 1
    for x, y in ((60, 42), (60, 238), (220, 166)):
        assert raw[y, x] > 200


def test_the_stroke_is_there_while_the_pen_is_still_down(hand: Hand) -> None:
    hand.press(40, 40)
    hand.move(200, 40)
    assert hand.ink_at(120, 40) == 255
    assert not hand.pad.drawing().finished
    hand.release(200, 40)
    assert hand.pad.drawing().finished


def test_a_click_leaves_a_dot_as_wide_as_the_brush(hand: Hand) -> None:
    hand.stroke([(140, 140)])
    row = hand.pad.drawing().raw[140] / 255.0
    assert row.sum() == pytest.approx(hand.pad.surface.brush, abs=1.0)


def test_a_slow_line_is_no_thicker_than_a_fast_one(hand: Hand) -> None:
    hand.stroke([(40, 100), (240, 100)])
    fast = hand.pad.drawing().raw[:, 140].astype(int).sum()
    hand.pad.clear()
    hand.press(40, 100)
    for x in range(41, 241):
        hand.move(x, 100)
    # The edge is compared while the pen is down, segment by segment, where overlapping edges could add up.
    assert abs(int(hand.pad.drawing().raw[:, 140].astype(int).sum()) - int(fast)) <= 255
    hand.release(240, 100)


def test_edges_are_anti_aliased(hand: Hand) -> None:
    hand.stroke([(50, 60), (220, 190)])
    raw = hand.pad.drawing().raw
    assert len(np.unique(raw)) > 20


def test_the_brush_size_is_the_width_of_the_next_stroke(hand: Hand) -> None:
    hand.pad.tools.brush_size.setFocus()
    QTest.keyClick(hand.pad.tools.brush_size, Qt.Key.Key_End)
    hand.stroke([(60, 140), (220, 140)])
    assert hand.pad.drawing().raw[:, 140].sum(dtype=int) / 255 == pytest.approx(60, abs=1.5)


def test_the_eraser_and_the_right_button_remove_ink(hand: Hand) -> None:
    hand.stroke([(40, 100), (240, 100)])
    hand.stroke([(100, 60), (100, 140)], RIGHT)
    assert hand.ink_at(100, 100) == 0
    QTest.mouseClick(hand.pad.tools.eraser, Qt.MouseButton.LeftButton)
    hand.stroke([(180, 60), (180, 140)])
    assert hand.ink_at(180, 100) == 0
    assert hand.ink_at(140, 100) == 255


def test_ink_outside_the_sheet_is_not_rendered_into_the_picture(hand: Hand) -> None:
    hand.stroke([(140, 140), (140, 600), (150, 600), (150, 150)])
    picture = hand.pad.drawing().picture
    seen = np.flatnonzero(hand.pad.drawing().raw.any(axis=1))
    assert seen.max() == INK_SIZE - 1
    # Rendered from the vectors, the part below the sheet would squeeze the rest to a third.
    rows = np.flatnonzero((picture > 60).any(axis=1))
    columns = np.flatnonzero((picture > 60).any(axis=0))
    assert len(rows) / len(columns) < 6


def tablet(
    pad: DrawPad, kind: QEvent.Type, x: float, y: float, pressure: float, *, eraser: bool = False, feels: bool = True
) -> bool:
    """Send a pen's event as the window system would.  Return whether it was accepted."""
    capability = QInputDevice.Capability
    abilities = capability.Position | capability.Pressure if feels else capability.Position
    pointer = QPointingDevice.PointerType.Eraser if eraser else QPointingDevice.PointerType.Pen
    device = QPointingDevice(
        "pen", 7, QInputDevice.DeviceType.Stylus, pointer, abilities, 1, 1, "", QPointingDeviceUniqueId()
    )
    position = pad.surface.widget_from_ink(x, y)
    button = Qt.MouseButton.NoButton if kind == QEvent.Type.TabletRelease else Qt.MouseButton.LeftButton
    event = QTabletEvent(
        kind,
        device,
        position,
        QPointF(pad.surface.mapToGlobal(position.toPoint())),
        pressure,
        0.0,
        0.0,
        0.0,
        0.0,
        0.0,
        Qt.KeyboardModifier.NoModifier,
        button,
        button,
    )
    QApplication.sendEvent(pad.surface, event)
    return event.isAccepted()


def pen_stroke(pad: DrawPad, pressure: float, **kind: bool) -> None:
    assert tablet(pad, QEvent.Type.TabletPress, 40, 140, pressure, **kind)
    assert tablet(pad, QEvent.Type.TabletMove, 240, 140, pressure, **kind)
    assert tablet(pad, QEvent.Type.TabletRelease, 240, 140, 0.0, **kind)


@pytest.mark.parametrize(
    ("pressure", "feels", "factor"), [(0.0, True, 0.3), (0.5, True, 1.0), (1.0, True, 1.7), (0.0, False, 1.0)]
)
def test_a_pens_pressure_is_its_width(hand: Hand, pressure: float, feels: bool, factor: float) -> None:  # noqa: FBT001
    pen_stroke(hand.pad, pressure, feels=feels)
    width = hand.pad.drawing().raw[:, 140].sum(dtype=int) / 255
    assert width == pytest.approx(factor * hand.pad.surface.brush, abs=1.0)


def test_the_other_end_of_a_pen_erases(hand: Hand) -> None:
    hand.stroke([(140, 40), (140, 240)])
    pen_stroke(hand.pad, 0.5, eraser=True)
    assert hand.ink_at(140, 140) == 0
    assert hand.ink_at(140, 60) == 255


class Fingers:
    """Touches a screen; each call is one report of it."""

    def __init__(self, hand: Hand) -> None:
        self._hand = hand
        self._device = QTest.createTouchDevice()

    def report(self, **fingers: tuple[int, float, float]) -> None:
        """Report what fingers do: `press`, `move` and `release`, each with a finger's number and ink pixels."""
        surface = self._hand.pad.surface
        window = surface.window()
        # A child has no native window, so the sequence is sent to the top one.
        sequence = QTest.touchEvent(window.windowHandle(), self._device)
        for action, (finger, x, y) in fingers.items():
            getattr(sequence, action)(finger, surface.mapTo(window, self._hand.at(x, y)))
        sequence.commit()


def test_one_finger_draws_and_a_second_is_ignored(hand: Hand) -> None:
    fingers = Fingers(hand)
    fingers.report(press=(1, 40, 60))
    fingers.report(move=(1, 140, 60), press=(2, 140, 220))
    fingers.report(move=(1, 240, 60), release=(2, 40, 220))
    assert not hand.pad.drawing().finished
    fingers.report(release=(1, 240, 60))
    raw = hand.drawings[-1].raw
    assert raw[60, 60] == raw[60, 220] == 255
    assert not raw[150:].any()
    assert hand.drawings[-1].finished


def test_a_palm_beside_the_pen_draws_nothing(hand: Hand) -> None:
    tablet(hand.pad, QEvent.Type.TabletPress, 40, 40, 0.5)
    fingers = Fingers(hand)
    fingers.report(press=(1, 100, 240))
    fingers.report(release=(1, 200, 240))
    tablet(hand.pad, QEvent.Type.TabletRelease, 40, 40, 0.0)
    assert not hand.pad.drawing().raw[150:].any()
    assert hand.ink_at(40, 40) == 255


def test_a_cancelled_touch_takes_its_stroke_back(hand: Hand) -> None:
    hand.stroke([(40, 200), (240, 200)])
    before = hand.pad.drawing().raw
    device = QTest.createTouchDevice()
    Fingers(hand).report(press=(1, 100, 60))
    assert hand.ink_at(100, 60) == 255
    QApplication.sendEvent(hand.pad.surface, QTouchEvent(QEvent.Type.TouchCancel, device))
    assert (hand.pad.drawing().raw == before).all()
    assert hand.drawings[-1].finished


@given(
    width=st.integers(20, 2000),
    height=st.integers(20, 2000),
    x=st.floats(-300, 600),
    y=st.floats(-300, 600),
)
def test_ink_to_widget_and_back_is_where_it_was(width: int, height: int, x: float, y: float) -> None:
    surface = _surface()
    surface.resize(width, height)
    back = surface.ink_from_widget(surface.widget_from_ink(x, y))
    assert back == pytest.approx((x, y), abs=1e-6)


def test_the_corners_of_the_sheet_are_the_corners_of_the_ink() -> None:
    surface = _surface()
    surface.resize(400, 310)
    sheet = surface.sheet_rect()
    assert surface.ink_from_widget(sheet.topLeft()) == (0.0, 0.0)
    assert surface.ink_from_widget(sheet.bottomRight()) == pytest.approx((INK_SIZE, INK_SIZE))
    assert sheet.width() == sheet.height()


_surfaces: list[PadSurface] = []


@pytest.fixture(autouse=True)
def _one_surface(qapp: QApplication) -> Any:
    assert qapp is not None
    yield
    _surfaces.clear()


def _surface() -> PadSurface:
    if not _surfaces:
        _surfaces.append(PadSurface(InkSheet()))
    return _surfaces[0]
