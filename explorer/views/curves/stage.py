"""Where the plots stand beside each other, each made when it is first wanted."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from explorer.views.curves.controls import ALL
from explorer.views.curves.quantities import QUANTITIES, Quantity

if TYPE_CHECKING:
    from explorer.views.curves.plot import QuantityPlot


class Stage(QWidget):
    """The plots of the quantities, in their order."""

    zoomed = Signal(str, bool)
    range_changed = Signal()
    follow_requested = Signal()
    """As those of QuantityPlot, from any of the plots."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._made: dict[str, QuantityPlot] = {}
        self._kind: type[QuantityPlot] | None = None
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(4)

    @property
    def made(self) -> "tuple[QuantityPlot, ...]":
        """The plots there are so far, in their order."""
        return tuple(self._made[one.name] for one in QUANTITIES if one.name in self._made)

    def __getitem__(self, name: str) -> "QuantityPlot":
        """Return the plot of a quantity.  Raises KeyError where it is not made yet."""
        return self._made[name]

    def make_one(self, chosen: str) -> bool:
        """Make a plot that `chosen`, a quantity or ALL, shows and that is not there; return whether there was one.

        What plots are made of is imported by a call of its own: with it the first would take as long as the next two.
        """
        missing = [one for one in QUANTITIES if chosen in (one.name, ALL) and one.name not in self._made]
        if missing and self._kind is None:
            self._kind = _imported()
        elif missing:
            self._make(missing[0]).setVisible(True)
        return bool(missing)

    def plots(self) -> "dict[str, QuantityPlot]":
        """Return all plots by quantity; those that were not there are hidden."""
        for quantity in QUANTITIES:
            if quantity.name not in self._made:
                self._make(quantity).hide()
        return {one.name: self._made[one.name] for one in QUANTITIES}

    def shown(self, chosen: str) -> "list[QuantityPlot]":
        """Return the plots of `chosen`, made by now."""
        while self.make_one(chosen):
            pass
        return [self._made[one.name] for one in QUANTITIES if chosen in (one.name, ALL)]

    def show_only(self, chosen: str) -> None:
        """Show the plots of `chosen`, as far as they are there, and hide the others."""
        for name, plot in self._made.items():
            plot.setVisible(chosen in (name, ALL))

    def _make(self, quantity: Quantity) -> "QuantityPlot":
        self._kind = self._kind or _imported()
        plot = self._kind(quantity, self)
        plot.zoomed.connect(self.zoomed)
        plot.range_changed.connect(self.range_changed)
        plot.follow_requested.connect(self.follow_requested)
        before = [one.name for one in QUANTITIES[: QUANTITIES.index(quantity)]]
        self._row.insertWidget(sum(name in self._made for name in before), plot, 1)
        self._made[quantity.name] = plot
        return plot


def _imported() -> "type[QuantityPlot]":
    # Not before it is needed: pyqtgraph takes a third of a second to import.
    from explorer.views.curves.plot import QuantityPlot  # noqa: PLC0415

    return QuantityPlot
