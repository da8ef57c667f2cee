"""The latent canvas: what the user does on it, with mouse, touch and keyboard, said by signals."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QTouchEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from explorer.views.canvas.context_menu import CanvasMenu
from explorer.views.canvas.hand import CanvasHand, Gesture
from explorer.views.canvas.handles import HandleMark
from explorer.views.canvas.touch import Touch

MAX_WHEEL = 6_000
# A fingertip hides what it aims at.
FINGER_REACH_PX = 14.0
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
            "Click a point to go to its image, drag it or a handle to decode what lies between; drag the background to "
            "move, turn the wheel to zoom, double click to add a handle"
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)
        self._num_tabs = 0
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
        self._touch = Touch(self)
        self._touch.pressed.connect(self._touch_down)
        self._touch.moved.connect(self._move)
        self._touch.released.connect(self._touch_up)
        self._touch.double_tapped.connect(self._request_handle)
        self._touch.long_pressed.connect(self._hold_long)
        self._touch.pinch_began.connect(self._let_go)
        self._touch.pinched.connect(self._pinch)
        self._menu = CanvasMenu(self)
        self._menu.remove_requested.connect(self.handle_remove_requested)
        self._menu.pin_requested.connect(self.handle_pin_toggled)
        self._menu.add_requested.connect(self._request_handle)
        self._menu.fit_requested.connect(self.fit_view)

    # ---- mouse ----

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Take hold of a handle, a data point or the plane."""
        self._let_go_unless_pressed(event)
        if self._gesture is not Gesture.NONE:
            return
        self._button = event.button()
        if event.button() == Qt.MouseButton.MiddleButton:
            self._press(event.position(), pan=True)
        elif event.button() == Qt.MouseButton.LeftButton:
            self._press(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Move what is held, or show what is under the mouse."""
        self._let_go_unless_pressed(event)
        if self._gesture is Gesture.NONE:
            self._hover(event.position())
        else:
            self._move(event.position())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Let go."""
        if event.button() == self._button:
            self._release(event.position())
            self._hover(event.position())

    def _let_go_unless_pressed(self, event: QMouseEvent) -> None:
        """End a gesture whose button was let go of where the canvas was not told, as over a window that came up."""
        pressed_again = event.type() == QEvent.Type.MouseButtonPress and event.button() == self._button
        if self._gesture is not Gesture.NONE and (pressed_again or not event.buttons() & self._button):
            self._let_go()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Ask for a new handle, except on a handle, which is only taken hold of again."""
        if event.button() == Qt.MouseButton.LeftButton and self._mark_at(event.position()) is None:
            self._request_handle(event.position())
        else:
            self.mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Zoom about the mouse."""
        angle = min(max(event.angleDelta().y(), -MAX_WHEEL), MAX_WHEEL)
        self._zoom(WHEEL_ZOOM**angle, event.position())
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        """Nothing is under the mouse any more."""
        self._hover(None)
        super().leaveEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802
        """Offer what can be done with a handle, or here."""
        place = QPointF(event.pos())
        mark = self._mark_at(place)
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            mark = next((mark for mark in self._marks if mark.selected), None)
            place = QPointF(mark.x, mark.y) if mark is not None else self._middle()
        self._open_menu(place, mark)

    # ---- touch ----

    def event(self, event: QEvent) -> bool:
        """Read fingers and touch pads; keep the tool tip away from points."""
        if isinstance(event, QTouchEvent):
            if event.type() == QEvent.Type.TouchCancel:
                self._touch.cancel()
                self._let_go()
            else:
                self._touch.read(event)
            return True
        zooms = isinstance(event, QNativeGestureEvent) and event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture
        if zooms and isinstance(event, QNativeGestureEvent):
            self._zoom(1.0 + event.value(), event.position())
            return True
        if event.type() == QEvent.Type.ToolTip and (self._hovered >= 0 or self._gesture is not Gesture.NONE):
            return True
        return super().event(event)

    def _touch_down(self, position: QPointF) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self._reach = FINGER_REACH_PX
        self._press(position)

    def _touch_up(self, position: QPointF) -> None:
        self._release(position)
        self._reach = 0.0

    def _pinch(self, factor: float, middle: QPointF, shift: QPointF) -> None:
        self._set_view(self._view.panned(shift.x(), shift.y()))
        self._zoom(factor, middle)

    def _hold_long(self, position: QPointF) -> None:
        if not self._moved:
            self._open_menu(position, self._mark_at(position))

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
        self._num_tabs = 0
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        """A handle moved by the arrows stays where it is."""
        self._end_key_drag()
        super().focusOutEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:  # noqa: FBT001, N802
        """Tab goes round the handles once; a keyboard must not be trapped here."""
        if not self.hasFocus() or self._num_tabs >= len(self._handles) or len(self._handles) < 2:
            return super().focusNextPrevChild(forward)
        self._num_tabs += 1
        ids = [handle.id for handle in self._handles]
        step = 1 if forward else -1
        place = ids.index(self._selected) + step if self._selected in ids else 0
        self._select(ids[place % len(ids)])
        return True

    def _open_menu(self, place: QPointF, mark: HandleMark | None) -> None:
        self._let_go()
        self._hover(None)
        self._menu.open_for(None if mark is None else self._handle(mark.id), place, self.mapToGlobal(place.toPoint()))

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
