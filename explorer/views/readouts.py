"""Tables of live numbers, painted: labels in a layout would arrange the whole panel anew for every digit."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QFont, QFontMetrics, QGuiApplication, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from explorer.theme import current_palette
from explorer.views.ground import paint_ground, stand_on_ground

_ROW_GAP = 3
_COLUMN_GAP = 10
_MOST_DECIMALS = 6
MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True, slots=True)
class NumberRow:
    """A row: its name, its numbers, and one sentence that says what they are."""

    name: str
    cells: tuple[str, ...]
    tip: str = ""


def number(value: float, decimals: int = 2) -> str:
    """Return a number as text with a true minus sign; values beyond six digits in scientific notation."""
    text = f"{value:.{decimals}e}" if abs(value) >= 1e6 else f"{value:.{decimals}f}"
    if float(text) == 0.0:
        text = text.removeprefix("-")
    return text.replace("-", MINUS, 1) if text.startswith("-") else text


def spread(value: float, digits: int = 3) -> str:
    """Return a standard deviation with as many significant digits, however small it is."""
    size = abs(value)
    if not 1e-4 <= size < 1e3:
        return "0" if value == 0.0 else f"{value:.{digits - 1}e}"
    return f"{value:.{max(0, digits - 1 - math.floor(math.log10(size)))}f}"


def with_error(value: float, error: float) -> str:
    """Return a figure and its error, both to the second digit of the error."""
    if not (math.isfinite(value) and 0.0 < error < math.inf):
        return f"{value:,.3g} ± {error:.2g}"
    decimals = min(max(0, 1 - math.floor(math.log10(error))), _MOST_DECIMALS)
    return f"{value:,.{decimals}f} ± {error:,.{decimals}f}".replace("-", MINUS)


class StatusLine(QWidget):
    """One muted line, cut at its end where there is no room; the whole of it can be copied."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = ""
        self.setAccessibleName(name)
        stand_on_ground(self)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self._copy = QAction("Copy line", self)
        self._copy.triggered.connect(self._copy_text)
        self.addAction(self._copy)

    def set_text(self, text: str) -> None:
        """Show a text."""
        if text != self.text:
            self.text = text
            self.setAccessibleDescription(text)
            self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the height of the line; any width will do."""
        return QSize(0, self.fontMetrics().height() + _ROW_GAP)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the size hint."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint the text."""
        painter = QPainter(self)
        paint_ground(painter, event.rect())
        painter.setPen(QColor(current_palette().muted_text))
        metrics = painter.fontMetrics()
        base = (self.height() + metrics.ascent() - metrics.descent()) / 2.0
        painter.drawText(QPointF(0.0, base), metrics.elidedText(self.text, Qt.TextElideMode.ElideRight, self.width()))
        painter.end()

    def _copy_text(self) -> None:
        QGuiApplication.clipboard().setText(self.text)


class NumberTable(QWidget):
    """A small table whose first column names the row and whose others are numbers, right-aligned."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._header: tuple[str, ...] = ()
        self._rows: tuple[NumberRow, ...] = ()
        self._widest = "\N{MINUS SIGN}000.00"
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self._copy = QAction("Copy numbers", self)
        self._copy.triggered.connect(self._copy_text)
        self.addAction(self._copy)

    def set_rows(self, header: Sequence[str], rows: Sequence[NumberRow]) -> None:
        """Show rows under a header that names each column, the first included."""
        resized = len(rows) != len(self._rows) or len(header) != len(self._header)
        self._header, self._rows = tuple(header), tuple(rows)
        if resized:
            self.updateGeometry()
        self.setAccessibleDescription(self.text())
        self.update()

    def text(self) -> str:
        """Return the table as text, cells separated by tabs."""
        lines = [self._header] if self._header else []
        return "\n".join("\t".join(line) for line in [*lines, *((row.name, *row.cells) for row in self._rows)])

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return room for every row at the width of usual numbers."""
        metrics = QFontMetrics(self.font())
        columns = max(len(self._header) - 1, 1)
        width = metrics.horizontalAdvance("ELBO") + columns * (metrics.horizontalAdvance(self._widest) + _COLUMN_GAP)
        return QSize(width, (len(self._rows) + bool(self._header)) * self._row_height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the size hint: cut numbers would be wrong numbers."""
        return self.sizeHint()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        """Paint header and rows."""
        colours = current_palette()
        painter = QPainter(self)
        height = self._row_height()
        top = 0
        if self._header:
            small = QFont(self.font())
            small.setPointSizeF(small.pointSizeF() * 0.9)
            painter.setFont(small)
            self._paint_line(painter, top, self._header, colours.muted_text, colours.muted_text)
            painter.setFont(self.font())
            top += height
        for row in self._rows:
            self._paint_line(painter, top, (row.name, *row.cells), colours.muted_text, colours.text)
            top += height
        painter.end()

    def event(self, event: QEvent) -> bool:
        """Show a row's sentence as its tool tip."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            index = event.pos().y() // self._row_height() - bool(self._header)
            tip = self._rows[index].tip if 0 <= index < len(self._rows) else ""
            QToolTip.showText(event.globalPos(), tip or self.toolTip(), self)
            return True
        return super().event(event)

    def _paint_line(self, painter: QPainter, top: int, cells: Sequence[str], name: str, value: str) -> None:
        columns = max(len(cells) - 1, 1)
        first = QFontMetrics(self.font()).horizontalAdvance("ELBO") + _COLUMN_GAP
        # Numbers stay near their names on a wide panel: the eye should not have to travel.
        each = min((self.width() - first) / columns, 1.6 * self.fontMetrics().horizontalAdvance(self._widest))
        height = self._row_height()
        painter.setPen(QColor(name))
        metrics = painter.fontMetrics()
        base = top + (height + metrics.ascent() - metrics.descent()) / 2.0
        painter.drawText(QPointF(0.0, base), cells[0])
        painter.setPen(QColor(value))
        for column, cell in enumerate(cells[1:]):
            # At a point: text in a rectangle takes several times as long to lay out.
            painter.drawText(QPointF(first + (column + 1) * each - metrics.horizontalAdvance(cell), base), cell)

    def _row_height(self) -> int:
        return self.fontMetrics().height() + _ROW_GAP

    def _copy_text(self) -> None:
        QGuiApplication.clipboard().setText(self.text())
