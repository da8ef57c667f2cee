"""What can be done on the canvas, and the signals that say so."""

import dataclasses
import math
from enum import Enum, auto

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, QTimer, Signal
from PySide6.QtWidgets import QWidget

from explorer.messages import Extent, Handle
from explorer.views.canvas.coordinates import MAX_COORDINATE
from explorer.views.canvas.handles import HandleMark
from explorer.views.canvas.pacing import PositionPacer
from explorer.views.canvas.scales import axis_name
from explorer.views.canvas.setters import CanvasSetters
from explorer.views.frames import paint_now

HOVER_PX = 8.0
DRAG_THRESHOLD_PX = 3.0


class Gesture(Enum):
    """What a pressed button is doing."""

    NONE = auto()
    PAN = auto()
    HANDLE = auto()
    POINT = auto()
    """A data point is held, but has not been dragged far enough to be one."""


class CanvasHand(CanvasSetters):
    """Holds, drags, selects and zooms.  Positions in signals are latent units on the two shown axes.

    With one latent dimension the second of them is 0.
    """

    touched = Signal()
    """A handle moves; what follows, `handle_dragged` first, is its doing."""
    handle_dragged = Signal(int, float, float)
    handle_drag_ended = Signal(int)
    handle_selected = Signal(int)
    handle_add_requested = Signal(float, float)
    handle_remove_requested = Signal(int)
    handle_pin_toggled = Signal(int)
    point_grabbed = Signal(int, float, float)
    point_chosen = Signal(int)
    """A data point was clicked, not dragged."""
    point_hovered = Signal(int)
    extent_changed = Signal(Extent)
    axes_chosen = Signal(int, int)
    labels_shown_changed = Signal(frozenset)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._gesture = Gesture.NONE
        self._button = Qt.MouseButton.NoButton
        self._pressed = QPointF()
        self._last = QPointF()
        self._reach = 0.0
        self._held_id = -1
        self._held_row = -1
        self._held_offset = (0.0, 0.0)
        self._moved = False
        self._key_moved: int | None = None
        self._sent_extent: Extent | None = None
        self._pacer = PositionPacer(self)
        self._pacer.due.connect(self._drag_to)
        self._hover_timer = QTimer(self)
        self._hover_timer.setSingleShot(True)
        self._hover_timer.setInterval(0)
        self._hover_timer.timeout.connect(self._hover_again)
        self.legend.labels_shown_changed.connect(self._show_labels)
        self.axis_chooser.axes_chosen.connect(self._choose_axes)
        self.legend.installEventFilter(self)
        self.axis_chooser.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """End the hover when the mouse goes on to a child, of which Qt tells the canvas nothing."""
        if event.type() == QEvent.Type.Enter:
            self._hover(None)
        return super().eventFilter(watched, event)

    def paint_beside_hand(self) -> None:
        """Paint what has changed, if a handle is held: its next movement would wait for that painting."""
        if self._gesture is Gesture.HANDLE:
            paint_now()

    def _press(self, position: QPointF, *, pan: bool = False) -> None:
        """Take hold of what is at a pixel."""
        self._pressed = self._last = position
        self._moved = False
        if pan:
            self._gesture = Gesture.PAN
        else:
            self._take_hold(position)
        if self._gesture is Gesture.PAN:
            self._hover(None)
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def _move(self, position: QPointF) -> None:
        """Move what is held."""
        if self._gesture is Gesture.PAN:
            self._fit_target = None
            delta = position - self._last
            self._last = position
            self._set_view(self._view.panned(delta.x(), delta.y()))
        if self._gesture is Gesture.POINT and _distance(position, self._pressed) >= DRAG_THRESHOLD_PX:
            self._grab_point()
        if self._gesture is Gesture.HANDLE:
            self._pacer.offer(position.x(), position.y())

    def _release(self, position: QPointF) -> None:
        """Let go of it there."""
        if self._gesture is Gesture.HANDLE:
            self._pacer.offer(position.x(), position.y())
            self._pacer.flush()
        chosen = self._held_row if self._gesture is Gesture.POINT else None
        self._let_go()
        if chosen is not None:
            self.point_chosen.emit(chosen)

    def _take_hold(self, position: QPointF) -> None:
        mark = self._mark_at(position)
        if mark is not None:
            self._select(mark.id)
            if mark.arrow(self._view) is not None:
                self._fit_target = None
                middle = self._middle()
                self._set_view(self._view.panned(middle.x() - mark.x, middle.y() - mark.y))
            else:
                self._hold(mark.id, position)
            return
        row = self._point_at(position)
        self._held_row = -1 if row is None else row
        self._gesture = Gesture.PAN if row is None else Gesture.POINT

    def _hold(self, handle_id: int, position: QPointF) -> None:
        """Begin to drag a handle, by the place at which it was taken."""
        handle = self._handle(handle_id)
        if handle is None:
            return
        a, b = self._position(handle.code)
        held_a, held_b = self._view.to_latent(position.x(), position.y())
        self._held_id, self._held_offset = handle_id, (a - held_a, b - held_b)
        self._gesture = Gesture.HANDLE
        self._hover(None)
        self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def _grab_point(self) -> None:
        """Have a handle put on the held data point, and drag it."""
        row, self._gesture = self._held_row, Gesture.NONE
        position = None if self.cloud is None else self.cloud.position(row)
        if position is None:
            return
        self._hover(None)
        known = {handle.id for handle in self._handles}
        self.point_grabbed.emit(row, position[0], 0.0 if self._view.strip else position[1])
        handle = self._handle(self._selected)
        if handle is not None and (handle.id not in known or handle.anchor == row):
            self._hold(handle.id, self._pressed)

    def _drag_to(self, x: float, y: float) -> None:
        if self._gesture is not Gesture.HANDLE:
            return
        if not self._moved and (x, y) == self._pressed.toTuple():
            return
        a, b = self._view.to_latent(x, y)
        self._moved = True
        self._move_handle(self._held_id, a + self._held_offset[0], b + self._held_offset[1])

    def _move_handle(self, handle_id: int, a: float, b: float) -> None:
        """Show a handle at its new place at once, then say so; the receiver's set_handles has the last word."""
        handle = self._handle(handle_id)
        if handle is None or not (math.isfinite(a) and math.isfinite(b)):
            return
        self.touched.emit()
        a, b = (min(max(value, -MAX_COORDINATE), MAX_COORDINATE) for value in (a, b))
        code = np.array(handle.code, dtype=np.float32)
        code[self._axes[0]] = a
        if self._view.strip:
            b = 0.0
        else:
            code[self._axes[1]] = b
        code.flags.writeable = False
        moved = dataclasses.replace(handle, code=code)
        self.set_handles(tuple(moved if other is handle else other for other in self._handles), self._selected)
        self.handle_dragged.emit(handle_id, a, b)
        paint_now()

    def _let_go(self) -> None:
        held = self._held_id if self._gesture is Gesture.HANDLE and self._moved else None
        self._gesture = Gesture.NONE
        self._button = Qt.MouseButton.NoButton
        self._pacer.forget()
        self.unsetCursor()
        if held is not None:
            self._describe()
            self.handle_drag_ended.emit(held)

    def _step(self, right: float, up: float) -> None:
        """Move the selected handle, or without one the view, by so many hundredths of the view."""
        handle = self._handle(self._selected)
        extent = self._view.extent
        if handle is None:
            self._fit_target = None
            self._set_view(self._view.panned(-0.05 * right * self._view.width, 0.05 * up * self._view.height))
            return
        a, b = self._position(handle.code)
        if self._view.strip and right == 0.0:
            return
        self._key_moved = handle.id
        self._move_handle(handle.id, a + 0.01 * right * extent.width, b + 0.01 * up * extent.height)

    def _end_key_drag(self) -> None:
        moved, self._key_moved = self._key_moved, None
        if moved is not None:
            self._describe()
            self.handle_drag_ended.emit(moved)

    def _select(self, handle_id: int) -> None:
        if handle_id != self._selected:
            self.set_handles(self._handles, handle_id)
            self._describe()
            self.handle_selected.emit(handle_id)

    def _request_handle(self, place: QPointF) -> None:
        a, b = self._view.to_latent(place.x(), place.y())
        self.handle_add_requested.emit(a, 0.0 if self._view.strip else b)

    def _zoom(self, factor: float, about: QPointF) -> None:
        self._fit_target = None
        self._hover(None)
        self._set_view(self._view.zoomed(factor, about.x(), about.y()), zooming=True)

    def _hover(self, position: QPointF | None) -> None:
        """Say which data point is under the mouse, if that has changed."""
        row = -1
        if position is not None:
            self._mouse = position
            mark = self._mark_at(position)
            near = None if mark is not None else self._point_at(position)
            row = -1 if near is None else near
            cursor = Qt.CursorShape.OpenHandCursor if mark is not None else Qt.CursorShape.PointingHandCursor
            if mark is not None or near is not None:
                self.setCursor(cursor)
            else:
                self.unsetCursor()
        if row == self._hovered:
            if row >= 0 and self.hover_card.isVisible():
                self.hover_card.follow(self._mouse.toPoint())
            return
        self._set_hovered(row)
        self.point_hovered.emit(row)

    def _point_under_the_mouse_changed(self) -> None:
        """Look again from the event loop: during training the codes are replaced twice a second."""
        self._hover_timer.start()

    def _hover_again(self) -> None:
        if self._gesture is Gesture.NONE and self.underMouse():
            self._hover(self._mouse)

    def _describe(self) -> None:
        """Tell a screen reader where the selected handle is."""
        handle = self._handle(self._selected)
        if handle is not None:
            place = ", ".join(f"{axis_name(axis)} {handle.code[axis]:.2f}" for axis in dict.fromkeys(self._axes))
            self.setAccessibleDescription(f"Handle {handle.id} at {place}")

    def _mark_at(self, position: QPointF) -> HandleMark | None:
        """Return the uppermost handle at a pixel."""
        x, y = position.toTuple()
        holding = (mark for mark in reversed(self._marks.keys()) if mark.holds(self._view, x, y, self._reach))
        return next(holding, None)

    def _point_at(self, position: QPointF) -> int | None:
        if self.cloud is None or not self._layers["codes"]:
            return None
        return self.cloud.nearest(self._view, position.x(), position.y(), HOVER_PX + self._reach)

    def _handle(self, handle_id: int | None) -> Handle | None:
        return next((handle for handle in self._handles if handle.id == handle_id), None)

    def _middle(self) -> QPointF:
        return QPointF(*self._view.middle)

    def _show_labels(self, shown: frozenset[int]) -> None:
        self._hover(None)
        self._place_again()
        self.labels_shown_changed.emit(shown)

    def _choose_axes(self, horizontal: int, vertical: int) -> None:
        self.set_axes(horizontal, vertical)
        self.axes_chosen.emit(horizontal, vertical)

    def _settle(self) -> None:
        """The view has come to rest: say what it shows, so that a mosaic can be made for it."""
        super()._settle()
        extent = self.extent()
        if extent != self._sent_extent:
            self._sent_extent = extent
            self.extent_changed.emit(extent)


def _distance(first: QPointF, second: QPointF) -> float:
    return math.hypot(first.x() - second.x(), first.y() - second.y())
