"""KL of each latent dimension as a column, so that a collapsed one is seen as one that is not there."""

import math
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from core.findings.read_outs import ACTIVE_ABOVE, COLLAPSED_BELOW
from explorer.theme import current_palette
from explorer.views.notation import dimension_name
from explorer.views.readouts import number

_MARGIN, _GAP = 4, 3
_LEAST_COLUMN, _WIDEST_COLUMN = 3.0, 44.0
_LOWEST_BAR = 2.0


class KlBars(QWidget):
    """One column a dimension, in the order of the dimensions; its height is the mean KL."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kl: tuple[float, ...] = ()
        self._spread: tuple[float, ...] = ()
        self._chain = False
        self.setAccessibleName("KL per dimension")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_figures(self, kl: Sequence[float], spread: Sequence[float], *, chain: bool) -> None:
        """Show mean KL and variance of the codes' means; `chain` where each KL is given the dimensions before it."""
        self._kl, self._spread, self._chain = tuple(kl), tuple(spread), chain
        self.setAccessibleDescription(", ".join(self.text_of(j) for j in range(len(self._kl))))
        self.update()

    def text_of(self, dimension: int) -> str:
        """Return what a column says."""
        kl = self._kl[dimension]
        words = f"{dimension_name(dimension)}: {number(kl, 3)} nats"
        if self._chain:
            words += ", given the dimensions before it"
        if dimension < len(self._spread):
            active = "active" if self._spread[dimension] > ACTIVE_ABOVE else "not active"
            words += f"; Var E[z] = {self._spread[dimension]:.3g}, {active}"
        return words + ("; collapsed" if kl < COLLAPSED_BELOW else "")

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return room for some columns."""
        return QSize(180, 150)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return room for a few columns with their numbers."""
        return QSize(100, 90)

    def column_of(self, x: float) -> int | None:
        """Return the dimension whose column is at this place; None beside all of them."""
        left, step = self._placed()
        index = math.floor((x - left) / step) if step > 0.0 else -1
        return index if 0 <= index < len(self._kl) else None

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        """Paint the columns over their names."""
        colours, painter = current_palette(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics = painter.fontMetrics()
        if not self._kl:
            painter.end()
            return
        painter.setPen(QColor(colours.muted_text))
        whole, short = "KL per dimension, nats", "KL, nats"
        title = whole if metrics.horizontalAdvance(whole) <= self.width() - _MARGIN else short
        painter.drawText(QPointF(_MARGIN, metrics.ascent() + 1.0), title)
        base = self.height() - metrics.height() - 3.0
        top = 2.0 * metrics.height() + 6.0
        finite = [kl for kl in self._kl if math.isfinite(kl)]
        highest = max([*finite, COLLAPSED_BELOW])
        left, step = self._placed()
        named = step >= metrics.horizontalAdvance(dimension_name(len(self._kl) - 1)) + _GAP
        numbered = step >= metrics.horizontalAdvance("0.00") + _GAP
        painter.setPen(QPen(QColor(colours.border), 1.0))
        painter.drawLine(QPointF(_MARGIN, base), QPointF(self.width() - _MARGIN, base))
        for index, kl in enumerate(self._kl):
            shown = min(max(kl, 0.0), highest) if math.isfinite(kl) else 0.0
            height = max(_LOWEST_BAR, (base - top) * shown / highest)
            width = max(step - _GAP, 1.0)
            column = QRectF(left + index * step + (step - width) / 2.0, base - height, width, height)
            collapsed = not kl >= COLLAPSED_BELOW
            painter.fillRect(column, QColor(colours.control if collapsed else colours.accent))
            middle = column.center().x()
            if numbered:
                self._centred(painter, middle, column.top() - 3.0, number(kl), colours.text)
            if named:
                self._centred(painter, middle, base + metrics.ascent() + 2.0, dimension_name(index), colours.muted_text)
        painter.end()

    def event(self, event: QEvent) -> bool:
        """Tell a column's figures in a tool tip."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            index = self.column_of(event.pos().x())
            QToolTip.showText(event.globalPos(), "" if index is None else self.text_of(index), self)
            return True
        return super().event(event)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Repaint in a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.update()

    def _placed(self) -> tuple[float, float]:
        """Return the left edge of the first column and the distance of two."""
        width = max(self.width() - 2.0 * _MARGIN, 1.0)
        step = min(max(width / max(len(self._kl), 1), _LEAST_COLUMN), _WIDEST_COLUMN + _GAP)
        return float(_MARGIN), step

    def _centred(self, painter: QPainter, x: float, base: float, text: str, colour: str) -> None:
        painter.setPen(QPen(QColor(colour), 1.0, Qt.PenStyle.SolidLine))
        painter.drawText(QPointF(x - painter.fontMetrics().horizontalAdvance(text) / 2.0, base), text)
