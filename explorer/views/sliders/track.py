"""The slider of one latent dimension, painted so that its centre and values beyond its range can be seen."""

from PySide6.QtCore import QEvent, QPointF, QRectF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFocusEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QSlider, QWidget

from explorer.theme import current_palette
from explorer.views.ground import paint_ground, stand_on_ground
from explorer.views.sliders.span import Span

_POSITIONS = 2000
_STEP, _PAGE = 20, 200
LEAST_TRACK = 60
"""Width in pixels that can still be grabbed."""
_RADIUS = 7.0
_GROOVE = 4.0


class Track(QSlider):
    """A horizontal slider over latent values: click or drag to a place, arrow keys for hundredths of the range."""

    value_picked = Signal(float)
    """The user has moved the slider to a value in latent units."""
    grabbed = Signal()
    """The user has taken hold of the slider."""
    reset_asked = Signal()
    attended = Signal(bool)
    """The mouse or the focus has come (True) or gone."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._span = Span(-1.0, 1.0)
        self._centre = 0.0
        self._value = 0.0
        self._hovered = False
        self.setRange(0, _POSITIONS)
        self.setSingleStep(_STEP)
        self.setPageStep(_PAGE)
        # Not by the wheel: it scrolls the list, and must not move what it passes.
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        stand_on_ground(self)
        self.actionTriggered.connect(self._on_action)

    @property
    def latent_value(self) -> float:
        """The value in latent units; it may lie beyond the range."""
        return self._value

    def set_span(self, span: Span, centre: float) -> None:
        """Take a range and the value that is its middle for the data."""
        self._span, self._centre = span, centre
        self.set_latent_value(self._value)

    def set_latent_value(self, value: float) -> None:
        """Show a value in latent units, at the nearer end when it lies beyond the range."""
        self._value = value
        with QSignalBlocker(self):
            self.setValue(round(min(max(self._span.fraction_of(value), 0.0), 1.0) * _POSITIONS))
        self.update()

    def x_of(self, value: float) -> float:
        """Return the pixel of a value; of the nearer end for values beyond the range."""
        fraction = min(max(self._span.fraction_of(value), 0.0), 1.0)
        return _RADIUS + 1.0 + fraction * (self.width() - 2.0 * (_RADIUS + 1.0))

    def value_at(self, x_px: float) -> float:
        """Return the value at a pixel, within the range; the inverse of `x_of`."""
        fraction = (x_px - _RADIUS - 1.0) / max(1.0, self.width() - 2.0 * (_RADIUS + 1.0))
        return self._span.value_at(min(max(fraction, 0.0), 1.0))

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return a size for a hand."""
        return QSize(120, 24)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the smallest size that can still be grabbed."""
        return QSize(LEAST_TRACK, 24)

    def _pick(self, value: float) -> None:
        self.set_latent_value(value)
        self.value_picked.emit(value)

    def _on_action(self, action: int) -> None:  # noqa: ARG002 - Qt's signature
        position = min(max(self.sliderPosition(), 0), _POSITIONS)
        if position != self.value():
            self.grabbed.emit()
            self._pick(self._span.value_at(position / _POSITIONS))

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Go to the place under the mouse and follow it."""
        if event.button() != Qt.MouseButton.LeftButton:
            event.ignore()
            return
        self.setSliderDown(True)
        self.grabbed.emit()
        self._pick(self.value_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Follow the mouse while its button is down."""
        if self.isSliderDown() and event.buttons() & Qt.MouseButton.LeftButton:
            self._pick(self.value_at(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Let go."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(False)
            self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Ask for the reset of this dimension."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(False)
            self.reset_asked.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Move only when the slider has the focus; else the list scrolls."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def enterEvent(self, event: QEnterEvent) -> None:  # noqa: N802
        """Take note of the mouse."""
        super().enterEvent(event)
        self._hovered = True
        self.attended.emit(True)

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        """Take note that the mouse has gone."""
        super().leaveEvent(event)
        self._hovered = False
        self.attended.emit(self.hasFocus())

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        """Take note of the focus."""
        super().focusInEvent(event)
        self.attended.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        """Take note that the focus has gone."""
        super().focusOutEvent(event)
        self.attended.emit(self._hovered)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint groove, centre, the way from the centre, and the handle; an arrow for a value beyond the range."""
        colours = current_palette()
        enabled = self.isEnabled()
        strong = QColor(colours.accent if enabled else colours.border)
        painter = QPainter(self)
        paint_ground(painter, event.rect())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = self.height() / 2.0
        left, right = _RADIUS + 1.0, self.width() - _RADIUS - 1.0
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.border))
        painter.drawRoundedRect(QRectF(left, middle - _GROOVE / 2, right - left, _GROOVE), 2, 2)
        centre, at = self.x_of(self._centre), self.x_of(self._value)
        painter.setBrush(strong)
        painter.drawRect(QRectF(min(centre, at), middle - _GROOVE / 2, abs(at - centre), _GROOVE))
        painter.setPen(QPen(QColor(colours.muted_text), 1.0))
        painter.drawLine(QPointF(centre, middle - 7.0), QPointF(centre, middle + 7.0))
        painter.setPen(QPen(strong if enabled else QColor(colours.muted_text), 1.6))
        active = self.isSliderDown() or (self._hovered and enabled)
        painter.setBrush(strong if active and enabled else QColor(colours.base))
        if self._span.holds(self._value):
            painter.drawEllipse(QPointF(at, middle), _RADIUS - 1.0, _RADIUS - 1.0)
        else:
            painter.setPen(QPen(QColor(colours.note if enabled else colours.muted_text), 1.6))
            way = 1.0 if self._value > self._span.high else -1.0
            tip = [(at + way * _RADIUS, middle), (at - way * 4, middle - 6), (at - way * 4, middle + 6)]
            painter.drawPolygon(QPolygonF([QPointF(x, y) for x, y in tip]))
        if self.hasFocus():
            painter.setPen(QPen(QColor(colours.accent), 1.0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(0.5, 0.5, self.width() - 1.0, self.height() - 1.0), 4, 4)
