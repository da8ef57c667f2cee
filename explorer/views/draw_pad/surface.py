"""The sheet under the pen: takes mouse, finger and pen, shows the ink."""

from enum import Enum, auto

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFont,
    QImage,
    QInputDevice,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPointingDevice,
    QTabletEvent,
    QTouchEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer.theme import current_palette
from explorer.views.draw_pad.ink import InkSheet
from explorer.views.draw_pad.strokes import DEFAULT_BRUSH, INK_SIZE, PenPoint

_FRAME = 2
_LEAST_SIDE = 120
_FURTHEST = 4.0 * INK_SIZE
_HINT_GREY = "#8b949e"
"""Readable on black, which the sheet is in both themes because that is what the models were trained on."""


class _Holder(Enum):
    """What draws the stroke in progress; everything else that touches the sheet meanwhile is ignored."""

    NOBODY = auto()
    MOUSE = auto()
    PEN = auto()
    FINGER = auto()


class PadSurface(QWidget):
    """A square sheet of ink, 280×280 of its own pixels whatever the widget's size and the screen's scaling."""

    ink_changed = Signal()
    """The pen drew, and is still down."""
    stroke_ended = Signal()
    """The pen lifted, or its stroke was cancelled."""

    def __init__(self, ink: InkSheet, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ink = ink
        self._image = QImage(ink.pixels.data, INK_SIZE, INK_SIZE, INK_SIZE, QImage.Format.Format_Grayscale8)
        self._holder = _Holder.NOBODY
        self._finger = -1
        self._hover: QPointF | None = None
        self._sheet, self._sheet_size = QRectF(), QSize()
        self._hint = "Draw a digit here"
        self._drop_offered = False
        self.brush = DEFAULT_BRUSH
        """Width of the pen at ordinary pressure, in ink pixels."""
        self.erasing = False
        self.setAccessibleName("Draw pad")
        self.setAccessibleDescription(
            "Draw with mouse, pen or finger; the right mouse button and a pen's other end erase."
        )
        self.setToolTip("Draw here; the right mouse button erases.  Pictures can be dropped and pasted.")
        self.setAttribute(Qt.WidgetAttribute.WA_AcceptTouchEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent, on=False)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setSizePolicy(policy)

    @property
    def hint(self) -> str:
        """The words on an empty sheet."""
        return self._hint

    def set_hint(self, text: str) -> None:
        """Set the words on an empty sheet."""
        self._hint = text
        self.update()

    def set_drop_offered(self, offered: bool) -> None:  # noqa: FBT001
        """Frame the sheet while a picture hovers over it that it would take."""
        self._drop_offered = offered
        self.update()

    def sheet_rect(self) -> QRectF:
        """Return where the ink is shown, in the widget's coordinates."""
        if self._sheet_size != self.size():
            side = max(min(self.width(), self.height()) - 2 * _FRAME, 1)
            self._sheet = QRectF((self.width() - side) // 2, (self.height() - side) // 2, side, side)
            self._sheet_size = self.size()
        return self._sheet

    def ink_from_widget(self, position: QPointF) -> tuple[float, float]:
        """Return a position of the widget in ink pixels; may lie outside the sheet."""
        sheet = self.sheet_rect()
        scale = INK_SIZE / sheet.width()
        return (position.x() - sheet.left()) * scale, (position.y() - sheet.top()) * scale

    def widget_from_ink(self, x: float, y: float) -> QPointF:
        """Return ink pixels as a position of the widget; the inverse of `ink_from_widget`."""
        sheet = self.sheet_rect()
        scale = sheet.width() / INK_SIZE
        return QPointF(sheet.left() + x * scale, sheet.top() + y * scale)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return one screen pixel for each ink pixel."""
        return QSize(INK_SIZE + 2 * _FRAME, INK_SIZE + 2 * _FRAME)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the least size at which a digit can be drawn."""
        return QSize(_LEAST_SIDE, _LEAST_SIDE)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        """Paint the ink, its frame, the hint and the ring that shows the brush."""
        colours = current_palette()
        painter = QPainter(self)
        sheet = self.sheet_rect()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(sheet, self._image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        marked = self._drop_offered or self.hasFocus()
        painter.setPen(QPen(QColor(colours.accent if marked else colours.border), 2.0 if marked else 1.0))
        painter.drawRect(sheet.adjusted(-1, -1, 1, 1) if marked else sheet.adjusted(-0.5, -0.5, 0.5, 0.5))
        if self._ink.empty and self._holder is _Holder.NOBODY:
            painter.setPen(QColor(_HINT_GREY))
            font = QFont(self.font())
            font.setPointSizeF(font.pointSizeF() * 1.15)
            painter.setFont(font)
            text = "Drop the picture here" if self._drop_offered else self._hint
            painter.drawText(
                sheet.adjusted(12, 12, -12, -12), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text
            )
        if self._hover is not None and sheet.contains(self._hover):
            painter.setPen(QPen(QColor(_HINT_GREY), 1.0))
            radius = self._ring_radius()
            painter.setClipRect(sheet)
            painter.drawEllipse(self._hover, radius, radius)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Put the mouse's pen down: the left button draws, the right one erases."""
        buttons = (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton)
        if event.button() not in buttons:
            event.ignore()
            return
        erasing = self.erasing or event.button() == Qt.MouseButton.RightButton
        self._put_down(_Holder.MOUSE, event.position(), 1.0, erasing=erasing)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Draw on, and move the ring."""
        self._move_ring(event.position())
        if event.buttons() != Qt.MouseButton.NoButton:
            self._draw_to(_Holder.MOUSE, event.position(), 1.0)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Lift the mouse's pen once no button is down any more."""
        if event.buttons() == Qt.MouseButton.NoButton:
            self._draw_to(_Holder.MOUSE, event.position(), 1.0)
            self._lift(_Holder.MOUSE)

    def tabletEvent(self, event: QTabletEvent) -> None:  # noqa: N802
        """Draw with a pen: its pressure is the width, its other end erases."""
        pressure = _pressure_factor(event)
        match event.type():
            case QEvent.Type.TabletPress:
                erasing = self.erasing or event.pointerType() == QPointingDevice.PointerType.Eraser
                self._put_down(_Holder.PEN, event.position(), pressure, erasing=erasing)
            case QEvent.Type.TabletMove:
                self._move_ring(event.position())
                self._draw_to(_Holder.PEN, event.position(), pressure)
            case QEvent.Type.TabletRelease:
                # A pen reports no pressure when it lifts: its last position is drawn no wider than the one before.
                self._lift(_Holder.PEN)
            case _:
                pass
        # An ignored pen event comes a second time as a mouse event.
        event.accept()

    def event(self, event: QEvent) -> bool:
        """Draw with one finger; more fingers, and a palm beside the pen, are ignored."""
        if isinstance(event, QTouchEvent):
            self._touch(event)
            event.accept()
            return True
        return super().event(event)

    def enterEvent(self, event: QEnterEvent) -> None:  # noqa: N802
        """Show the ring."""
        self._move_ring(event.position())

    def leaveEvent(self, _event: QEvent) -> None:  # noqa: N802
        """Hide the ring."""
        self._move_ring(None)

    def _touch(self, event: QTouchEvent) -> None:
        if event.type() == QEvent.Type.TouchCancel:
            if self._holder is _Holder.FINGER:
                self._holder = _Holder.NOBODY
                self._ink.cancel_stroke()
                self.update()
                self.stroke_ended.emit()
            return
        for point in event.points():
            if point.state() == point.State.Pressed and self._holder is _Holder.NOBODY:
                self._finger = point.id()
                self._put_down(_Holder.FINGER, point.position(), 1.0, erasing=self.erasing)
            elif self._holder is _Holder.FINGER and point.id() == self._finger:
                self._draw_to(_Holder.FINGER, point.position(), 1.0)
                if point.state() == point.State.Released:
                    self._lift(_Holder.FINGER)

    def _put_down(self, holder: _Holder, position: QPointF, pressure: float, *, erasing: bool) -> None:
        if self._holder is not _Holder.NOBODY:
            return
        was_empty = self._ink.empty
        self._holder = holder
        self._repaint_ink(self._ink.begin_stroke(self._point(position, pressure), erasing=erasing))
        if was_empty:
            self.update()
        self.ink_changed.emit()

    def _draw_to(self, holder: _Holder, position: QPointF, pressure: float) -> None:
        if self._holder is not holder:
            return
        changed = self._ink.extend_stroke(self._point(position, pressure))
        if changed is not None:
            self._repaint_ink(changed)
            self.ink_changed.emit()

    def _lift(self, holder: _Holder) -> None:
        if self._holder is not holder:
            return
        self._holder = _Holder.NOBODY
        self._ink.end_stroke()
        self.update()
        self.stroke_ended.emit()

    def _point(self, position: QPointF, pressure: float) -> PenPoint:
        x, y = self.ink_from_widget(position)
        # A grabbed mouse can be a screen away; drawing that far would only take time.
        return PenPoint(
            min(max(x, -_FURTHEST), _FURTHEST), min(max(y, -_FURTHEST), _FURTHEST), max(self.brush * pressure, 1.0)
        )

    def _repaint_ink(self, changed: QRect) -> None:
        corners = (
            self.widget_from_ink(changed.left(), changed.top()),
            self.widget_from_ink(changed.right() + 1, changed.bottom() + 1),
        )
        # Smooth scaling mixes neighbours: one ink pixel more on every side.
        margin = int(self.sheet_rect().width() / INK_SIZE) + 2
        self.update(QRectF(*corners).toAlignedRect().adjusted(-margin, -margin, margin, margin))

    def _move_ring(self, position: QPointF | None) -> None:
        for place in (self._hover, position):
            if place is not None:
                reach = self._ring_radius() + 2.0
                self.update(QRectF(place.x() - reach, place.y() - reach, 2 * reach, 2 * reach).toAlignedRect())
        self._hover = position

    def _ring_radius(self) -> float:
        return self.brush / 2.0 * self.sheet_rect().width() / INK_SIZE


def _pressure_factor(event: QTabletEvent) -> float:
    """Return by what the pen's pressure multiplies the width: 0.3 to 1.7, and 1 for pens that feel none."""
    if not event.device().capabilities() & QInputDevice.Capability.Pressure:
        return 1.0
    return 0.3 + 1.4 * min(max(event.pressure(), 0.0), 1.0)
