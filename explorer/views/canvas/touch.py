"""Fingers on a touch screen: one does what the mouse does, two zoom and move the plane."""

import math

from PySide6.QtCore import QElapsedTimer, QObject, QPointF, QTimer, Signal
from PySide6.QtGui import QEventPoint, QGuiApplication, QTouchEvent

LONG_PRESS_MS = 650
STILL_PX = 12.0


class Touch(QObject):
    """Turns touch events into presses, moves, releases, double taps, long presses and pinches."""

    pressed = Signal(QPointF)
    moved = Signal(QPointF)
    released = Signal(QPointF)
    double_tapped = Signal(QPointF)
    long_pressed = Signal(QPointF)
    pinch_began = Signal()
    pinched = Signal(float, QPointF, QPointF)
    """Growth of the distance between the fingers, their middle, and how far that has moved, since the last event."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._pinching = False
        self._single = False
        self._fingers: dict[int, QPointF] = {}
        self._start = QPointF()
        self._last_tap = QPointF()
        self._since_tap = QElapsedTimer()
        self._long_press = QTimer(self)
        self._long_press.setSingleShot(True)
        self._long_press.setInterval(LONG_PRESS_MS)
        self._long_press.timeout.connect(self._press_long)

    def read(self, event: QTouchEvent) -> None:
        """Take one touch event and say what it comes to."""
        event.accept()
        points = [point for point in event.points() if point.state() != QEventPoint.State.Released]
        if len(points) >= 2:
            self._pinch(points)
        elif event.type() == QTouchEvent.Type.TouchBegin and len(points) == 1:
            self._single, self._pinching = True, False
            self._start = points[0].position()
            self._long_press.start()
            self._press(self._start)
        elif self._single and points:
            position = points[0].position()
            if _distance(position, self._start) > STILL_PX:
                self._long_press.stop()
            self.moved.emit(position)
        elif self._single and event.points():
            self._long_press.stop()
            self._single = False
            self.released.emit(event.points()[0].position())

    def cancel(self) -> None:
        """The system took the fingers away."""
        self._long_press.stop()
        self._single = self._pinching = False

    def _press(self, position: QPointF) -> None:
        interval = QGuiApplication.styleHints().mouseDoubleClickInterval()
        soon = self._since_tap.isValid() and self._since_tap.elapsed() < interval
        if soon and _distance(position, self._last_tap) < 2.0 * STILL_PX:
            self._since_tap.invalidate()
            self._single = False
            self._long_press.stop()
            self.double_tapped.emit(position)
            return
        self._last_tap = position
        self._since_tap.start()
        self.pressed.emit(position)

    def _pinch(self, points: list[QEventPoint]) -> None:
        # lastPosition() is not the last event's when only the other finger moved in between, so it is kept here.
        now = {point.id(): QPointF(point.position()) for point in points[:2]}
        if not self._pinching:
            self._pinching, self._single = True, False
            self._since_tap.invalidate()
            self._long_press.stop()
            self.pinch_began.emit()
        elif now.keys() == self._fingers.keys():
            (first, second), (old_first, old_second) = now.values(), (self._fingers[key] for key in now)
            apart, were_apart = _distance(first, second), _distance(old_first, old_second)
            if min(apart, were_apart) > 1.0:
                middle = (first + second) / 2.0
                self.pinched.emit(apart / were_apart, middle, middle - (old_first + old_second) / 2.0)
        self._fingers = now

    def _press_long(self) -> None:
        self._single = False
        self.long_pressed.emit(self._start)


def _distance(first: QPointF, second: QPointF) -> float:
    return math.hypot(first.x() - second.x(), first.y() - second.y())
