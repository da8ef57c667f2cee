"""Rows of sliders that exist only near what is seen, so that 256 dimensions are as light as ten."""

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from explorer.messages import SliderSpec
from explorer.views.sliders.row import SliderRow

MOST_ROWS = 40
"""Up to so many specs each keep a row; with more, rows far from the view are used again."""
_ROWS_AT_ONCE = 10
_MARGIN_ROWS = 4


class RowStack(QWidget):
    """One place for each spec, in their order, all of the same height."""

    row_made = Signal(SliderRow)
    row_filled = Signal(SliderRow)
    """A row has taken a dimension and waits for its value."""
    rows_made = Signal()
    """The order of the tabulator key is no longer that of the places."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._specs: tuple[SliderSpec, ...] = ()
        self._largest = 0.0
        self._rows: dict[int, SliderRow] = {}
        """Rows by their place."""
        self._spare: list[SliderRow] = []
        self._row_height = 0
        self._seen = (0, _ROWS_AT_ONCE)
        # Zero: a turn whenever the event loop has nothing else to do.
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._on_turn)

    @property
    def complete(self) -> bool:
        """Whether all rows that are wanted here have been made."""
        return not self._missing()

    def rows(self) -> Iterator[SliderRow]:
        """Yield the rows that exist, in their order."""
        for place in sorted(self._rows):
            yield self._rows[place]

    def order_tabs(self, before: QWidget) -> QWidget:
        """Have the tabulator key go from `before` through the rows in their order; return where it ends."""
        for row in self.rows():
            for widget in row.tab_order:
                QWidget.setTabOrder(before, widget)
                before = widget
        return before

    def set_specs(self, specs: Sequence[SliderSpec], largest_weight: float) -> None:
        """Show these; rows that exist are used again."""
        self._specs, self._largest = tuple(specs), largest_weight
        for place in [place for place in self._rows if place >= len(specs)]:
            self._lay_aside(place)
        for place, row in self._rows.items():
            self._fill(row, place)
        for place in self._missing()[:_ROWS_AT_ONCE]:
            self._take(place)
        self._fit()
        self.rows_made.emit()

    def set_seen(self, top: int, bottom: int) -> None:
        """Say which pixels of the stack can be seen; rows near them are made."""
        height = max(self._row_height, 1)
        self._seen = (top // height, bottom // height + 1)
        if self._row_height:
            self._fit()

    def _wanted(self) -> range:
        if len(self._specs) <= MOST_ROWS:
            return range(len(self._specs))
        first, last = self._seen
        return range(max(first - _MARGIN_ROWS, 0), min(max(last, 0) + _MARGIN_ROWS, len(self._specs)))

    def _missing(self) -> list[int]:
        first, last = self._seen
        middle = (first + last) / 2.0
        missing = [place for place in self._wanted() if place not in self._rows]
        return sorted(missing, key=lambda place: abs(place - middle))

    def _fit(self) -> None:
        taken = False
        for place in self._missing():
            free = [each for each, row in self._rows.items() if each not in self._wanted() and not row.busy]
            if not self._spare and (len(self._rows) < MOST_ROWS or not free):
                break
            if not self._spare:
                self._lay_aside(max(free, key=lambda each: abs(each - place)))
            self._take(place)
            taken = True
        if self.complete:
            self._timer.stop()
        else:
            self._timer.start()
        self.setFixedHeight(self._row_height * len(self._specs))
        if taken:
            self.rows_made.emit()

    def _lay_aside(self, place: int) -> None:
        row = self._rows.pop(place)
        row.hide()
        self._spare.append(row)

    def _take(self, place: int) -> None:
        row = self._spare.pop() if self._spare else self._new_row()
        self._rows[place] = row
        row.setGeometry(0, place * self._row_height, self.width(), self._row_height)
        self._fill(row, place)
        row.show()

    def _new_row(self) -> SliderRow:
        row = SliderRow(self)
        row.ensurePolished()
        self._row_height = max(self._row_height, row.sizeHint().height())
        self.row_made.emit(row)
        return row

    def _fill(self, row: SliderRow, place: int) -> None:
        row.set_spec(self._specs[place], self._largest)
        self.row_filled.emit(row)

    def _on_turn(self) -> None:
        missing = self._missing()
        if missing:
            self._take(missing[0])
            self.rows_made.emit()
        if len(missing) <= 1:
            self._timer.stop()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Keep the rows as wide as the stack."""
        super().resizeEvent(event)
        for place, row in self._rows.items():
            row.setGeometry(0, place * self._row_height, self.width(), self._row_height)
