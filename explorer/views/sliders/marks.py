"""Small painted parts of a slider's row: the bar of its weight, and buttons with drawn signs."""

import math

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolButton, QWidget

from explorer.theme import current_palette

SIGN_WIDTH = 22
_LEAST_FULL_KL = 0.1
"""Nats of KL that fill a bar where no dimension carries more."""


def weight_width(widget: QWidget) -> int:
    """Return the width of a weight's column, for its heading too."""
    metrics = widget.fontMetrics()
    return max(metrics.horizontalAdvance(text) for text in ("KL, nats", "variance", "1.2e+06")) + 6


class WeightBar(QWidget):
    """A number with a bar: a dimension's KL in nats, or the variance of its codes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._weight, self._is_kl = 0.0, True
        self._share = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_weight(self, weight: float, largest: float, *, is_kl: bool) -> None:
        """Show a weight beside the largest of all; a KL beside 0.1 nats at least, lest nothing at all fills the bar."""
        self._weight, self._is_kl = weight, is_kl
        full = max(largest, _LEAST_FULL_KL) if is_kl else largest
        self._share = min(max(weight / full, 0.0), 1.0) if full > 0.0 else 0.0
        words = f"KL {weight:.4g} nats per image" if is_kl else f"variance of the codes {weight:.4g}"
        self.setAccessibleName(words)
        meaning = "mean over the images" if is_kl else "over the images, of the code's mean"
        self.setToolTip(f"{words} ({meaning})")
        self.update()

    @property
    def share(self) -> float:
        """How much of the bar is filled, 0 to 1."""
        return self._share

    @property
    def text(self) -> str:
        """The number as it is painted."""
        if not self._is_kl and 0.0 < self._weight < 0.1:
            # A hundredth of a nat is nothing; a variance has the scale of its codes, which may all be small.
            return f"{self._weight:.2g}"
        if self._weight < 100.0:
            return f"{self._weight:.2f}"
        return f"{self._weight:.0f}" if self._weight < 99_999.5 else f"{self._weight:.1e}"

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return room for the number above the bar."""
        return QSize(weight_width(self), 24)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802
        """Paint number and bar."""
        colours = current_palette()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QColor(colours.muted_text))
        area = QRectF(self.rect())
        painter.drawText(
            area.adjusted(0, 0, -2, -5), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self.text
        )
        groove = QRectF(2, area.bottom() - 5, area.width() - 4, 3)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.border))
        painter.drawRoundedRect(groove, 1.5, 1.5)
        if self._share > 0.0:
            painter.setBrush(QColor(colours.success))
            groove.setWidth(max(3.0, groove.width() * self._share))
            painter.drawRoundedRect(groove, 1.5, 1.5)


class SignButton(QToolButton):
    """A flat button with a drawn sign: `play` (pause while checked), `reset` or `fold`."""

    def __init__(self, sign: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sign = sign
        self.setAutoRaise(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedSize(SIGN_WIDTH, 24)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint the button and its sign."""
        super().paintEvent(event)
        colours = current_palette()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = QColor(colours.text if self.isEnabled() else colours.border)
        x, y = self.width() / 2.0, self.height() / 2.0
        if self._sign == "play" and self.isChecked():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colours.accent))
            painter.drawRect(QRectF(x - 4.5, y - 5, 3, 10))
            painter.drawRect(QRectF(x + 1.5, y - 5, 3, 10))
        elif self._sign == "play":
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawPolygon(QPolygonF([QPointF(x - 3.5, y - 5), QPointF(x + 5, y), QPointF(x - 3.5, y + 5)]))
        else:
            self._paint_reset(painter, colour, x, y)
        if self.hasFocus():
            painter.setPen(QPen(QColor(colours.accent), 1.0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(0.5, 0.5, self.width() - 1.0, self.height() - 1.0), 4, 4)

    @staticmethod
    def _paint_reset(painter: QPainter, colour: QColor, x: float, y: float) -> None:
        """Paint an arrow that turns back."""
        radius, start, turn = 4.5, 60.0, 285.0
        circle = QRectF(x - radius, y - radius, 2 * radius, 2 * radius)
        path = QPainterPath()
        path.arcMoveTo(circle, start)
        path.arcTo(circle, start, turn)
        painter.setPen(QPen(colour, 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path)
        angle = math.radians(start)
        tip = QPointF(x + radius * math.cos(angle), y - radius * math.sin(angle))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawPolygon(QPolygonF([tip + QPointF(-3.8, -1.6), tip + QPointF(1.6, -3.4), tip + QPointF(0.8, 3.0)]))
