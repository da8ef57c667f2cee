"""The latent canvas: what the user does on it, with mouse, touch and keyboard, said by signals."""

import math
from collections.abc import Callable

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QGestureEvent, QPinchGesture, QWidget

from explorer.views.canvas.context_menu import CanvasMenu
from explorer.views.canvas.hand import CanvasHand, Gesture

DRAG_THRESHOLD_PX = 3.0
KEY_ZOOM = 1.25
# A wheel's notch is 120; five of them double the scale.
WHEEL_ZOOM = 2.0 ** (1.0 / 600.0)
ARROWS: dict[int, tuple[float, float]] = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Down: (0.0, -1.0),
    Qt.Key.Key_Up: (0.0, 1.0),
}


class LatentCanvas(CanvasHand):
    """The latent plane: codes, mosaic, prior, handles that are dragged, marks of encodings.

    Positions in signals are latent units on the two shown axes; with one latent dimension the second is 0.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Latent canvas")
        self.setToolTip(
            "Drag a point or a handle to decode it; drag the background to move, turn the wheel to zoom, "
            "double click to add a handle"
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.grabGesture(Qt.GestureType.PinchGesture)
        self._last = QPointF()
        self._tabs_left = 0
        self._keys: dict[int, Callable[[], None]] = {
            Qt.Key.Key_Delete: self._remove_selected,
            Qt.Key.Key_Backspace: self._remove_selected,
            Qt.Key.Key_P: self._pin_selected,
            Qt.Key.Key_Insert: self._add_in_the_middle,
            Qt.Key.Key_Plus: self._zoom_in,
            Qt.Key.Key_Equal: self._zoom_in,
            Qt.Key.Key_Minus: self._zoom_out,
            Qt.Key.Key_0: self.fit_view,
            Qt.Key.Key_Escape: self._escape,
        }
        self._menu = CanvasMenu(self)
        self._menu.remove_requested.connect(self.handle_remove_requested)
        self._menu.pin_requested.connect(self.handle_pin_toggled)
        self._menu.add_requested.connect(self._request_handle)
        self._menu.fit_requested.connect(self.fit_view)

    # ---- mouse ----

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Take hold of a handle, a data point or the plane."""
        if self._gesture is not Gesture.NONE:
            return
        position = event.position()
        self._pressed = self._last = position
        self._moved = False
        self._button = event.button()
        if event.button() == Qt.MouseButton.MiddleButton:
            self._gesture = Gesture.PAN
        elif event.button() == Qt.MouseButton.LeftButton:
            self._take_hold(position)
        if self._gesture is Gesture.PAN:
            self._hover(None)
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Move what is held, or show what is under the mouse."""
        position = event.position()
        if self._gesture is Gesture.NONE:
            self._hover(position)
        elif self._gesture is Gesture.PAN:
            self._fit_target = None
            delta = position - self._last
            self._last = position
            self._set_view(self._view.panned(delta.x(), delta.y()))
        else:
            if self._gesture is Gesture.POINT and _distance(position, self._pressed) >= DRAG_THRESHOLD_PX:
                self._grab_point()
            if self._gesture is Gesture.HANDLE:
                self._pacer.offer(position.x(), position.y())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Let go."""
        if event.button() != self._button:
            return
        if self._gesture is Gesture.HANDLE:
            self._pacer.offer(event.position().x(), event.position().y())
            self._pacer.flush()
        self._let_go()
        self._hover(event.position())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Ask for a new handle, except on a handle, which is only taken hold of again."""
        if event.button() == Qt.MouseButton.LeftButton and self._mark_at(event.position()) is None:
            self._request_handle(event.position())
        else:
            self.mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Zoom about the mouse."""
        self._zoom(WHEEL_ZOOM ** event.angleDelta().y(), event.position())
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        """Nothing is under the mouse any more."""
        self._hover(None)
        super().leaveEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802
        """Offer what can be done with a handle, or here."""
        self._let_go()
        place = QPointF(event.pos())
        mark = self._mark_at(place)
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            mark = next((mark for mark in self._marks if mark.selected), None)
            place = QPointF(mark.x, mark.y) if mark is not None else QPointF(self.rect().center())
        handle = None if mark is None else self._handle(mark.id)
        self._hover(None)
        self._menu.open_for(handle, place, self.mapToGlobal(place.toPoint()))

    def event(self, event: QEvent) -> bool:
        """Zoom by pinching, on touch screens and touch pads; keep the tool tip away from points."""
        if event.type() == QEvent.Type.Gesture and isinstance(event, QGestureEvent):
            pinch = event.gesture(Qt.GestureType.PinchGesture)
            if isinstance(pinch, QPinchGesture):
                self._let_go()
                self._zoom(pinch.scaleFactor(), QPointF(self.mapFromGlobal(pinch.centerPoint().toPoint())))
                moved = pinch.centerPoint() - pinch.lastCenterPoint()
                self._set_view(self._view.panned(moved.x(), moved.y()))
                event.accept(pinch)
                return True
        zooms = isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture
        if zooms and isinstance(event, QNativeGestureEvent):
            self._zoom(1.0 + event.value(), event.position())
            return True
        if event.type() == QEvent.Type.ToolTip and (self._hovered >= 0 or self._gesture is not Gesture.NONE):
            return True
        return super().event(event)

    # ---- keyboard ----

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Move, remove, pin or add handles; zoom.  Escape only lets go of what is held."""
        key, modifiers = event.key(), event.modifiers()
        control = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        if key in ARROWS:
            factor = 10.0 if modifiers & Qt.KeyboardModifier.ShiftModifier else 1.0
            factor /= 10.0 if control else 1.0
            self._step(ARROWS[key][0] * factor, ARROWS[key][1] * factor)
        elif key in self._keys and not control:
            self._keys[key]()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """A handle moved by the arrows has arrived when the last arrow is up."""
        if event.key() in ARROWS and not event.isAutoRepeat():
            self._end_key_drag()
        super().keyReleaseEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        """Begin a round of the handles; after it, Tab leaves the canvas."""
        self._tabs_left = len(self._handles)
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        """A handle moved by the arrows stays where it is."""
        self._end_key_drag()
        super().focusOutEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:  # noqa: FBT001, N802
        """Tab goes round the handles once; a keyboard must not be trapped here."""
        if not self.hasFocus() or len(self._handles) < 2 or self._tabs_left <= 0:
            return super().focusNextPrevChild(forward)
        self._tabs_left -= 1
        ids = [handle.id for handle in self._handles]
        step = 1 if forward else -1
        place = ids.index(self._selected) + step if self._selected in ids else 0
        self._select(ids[place % len(ids)])
        return True

    def _remove_selected(self) -> None:
        handle = self._handle(self._selected)
        if handle is not None:
            self._end_key_drag()
            self.handle_remove_requested.emit(handle.id)

    def _pin_selected(self) -> None:
        handle = self._handle(self._selected)
        if handle is not None and (handle.anchor is not None or handle.pinned):
            self.handle_pin_toggled.emit(handle.id)

    def _add_in_the_middle(self) -> None:
        self._request_handle(self._middle())

    def _zoom_in(self) -> None:
        self._zoom(KEY_ZOOM, self._middle())

    def _zoom_out(self) -> None:
        self._zoom(1.0 / KEY_ZOOM, self._middle())

    def _escape(self) -> None:
        self._let_go()
        self._hover(None)


def _distance(first: QPointF, second: QPointF) -> float:
    return math.hypot(first.x() - second.x(), first.y() - second.y())
