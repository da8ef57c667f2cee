"""The docks around the canvas, their title bars and their first arrangement."""

from dataclasses import dataclass
from typing import NamedTuple

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QDockWidget,
    QFrame,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QSizePolicy,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from explorer.views.content_scroll import ContentScroll
from explorer.views.icon_button import IconButton
from explorer.views.later import Later, Place

LEFT_WIDTH, RIGHT_WIDTH, BELOW_HEIGHT, LEAST_BELOW = 320, 366, 284, 236
# Curves get about 60 % of the width below the canvas, the ledger the rest; with less than this they share one place.
CURVES_SHARE, SIDE_BY_SIDE = 0.6, 900
# With less height than this beyond the least they need, pictures and draw pad share one place with tabs.
_COMFORT = 80
# What the forms of the experiment may ask for: a form that scrolls sideways is no form.
FORM_WIDTH = 320
Area = Qt.DockWidgetArea
_BESIDE_CURVES = (
    ("dock_ladder", "Ladder"),
    ("dock_gaps", "Gaps"),
    ("dock_read_outs", "Read-outs"),
    ("dock_similar", "Similar"),
)
_LEDGER = (("dock_ledger", "Ledger"), ("dock_fit", "Fit q"))


class DockTitle(QFrame):
    """A dock's title bar: its name, a button to float it and one to close it; dragged as any title bar."""

    def __init__(self, dock: QDockWidget) -> None:
        super().__init__(dock)
        self.setObjectName("dock_title")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._dock = dock
        self._label = QLabel(dock.windowTitle())
        float_button = IconButton("float", f"Float or dock {dock.windowTitle()}", "Take out of the window, or back in")
        close_button = IconButton("close", f"Close {dock.windowTitle()}", "Close (back from the View menu)")
        float_button.clicked.connect(self._toggle_floating)
        close_button.clicked.connect(dock.close)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 2, 4, 2)
        row.setSpacing(0)
        row.addWidget(self._label)
        row.addStretch(1)
        for button in (float_button, close_button):
            button.setIconSize(QSize(14, 14))
            row.addWidget(button)

        for moved in (dock.visibilityChanged, dock.topLevelChanged, dock.dockLocationChanged):
            moved.connect(self.show_name)

    def show_name(self) -> None:
        """Leave the name to the tab where there is one."""
        window = self._dock.parent()
        tabbed = isinstance(window, QMainWindow) and bool(window.tabifiedDockWidgets(self._dock))
        self._label.setVisible(self._dock.isFloating() or not tabbed)

    def _toggle_floating(self) -> None:
        self._dock.setFloating(not self._dock.isFloating())


def made_docks(
    window: QMainWindow,
    experiment: tuple[QWidget, ...],
    controls: QWidget,
    hand: tuple[QWidget, ...],
    draw_pad: QWidget,
    curves: QWidget,
    beside_curves: tuple[Later[QWidget], ...] = (),
    ledger: tuple[Later[QWidget], ...] = (),
) -> "Docks":
    """Return the docks of `window` around these widgets; they are put in place by `Docks.arrange`.

    `controls` stay in sight below the panels of the experiment, which scroll.  What is made later comes into its dock
    then.
    """
    return Docks(
        _made(
            "dock_experiment",
            "Experiment",
            stacked(ContentScroll(stacked(*experiment), FORM_WIDTH), controls, grows=0),
            window,
        ),
        _made("dock_hand", "Under the hand", ContentScroll(stacked(*hand, grows=len(hand) - 1)), window),
        _made("dock_draw", "Draw", ContentScroll(stacked(draw_pad, grows=0)), window),
        _made("dock_curves", "Curves", ContentScroll(stacked(curves, grows=0)), window),
        tuple(_made_later(*name, later, window) for name, later in zip(_BESIDE_CURVES, beside_curves, strict=False)),
        tuple(_made_later(*name, later, window) for name, later in zip(_LEDGER, ledger, strict=False)),
    )


def _made(name: str, title: str, content: QWidget, window: QMainWindow) -> QDockWidget:
    """Return a dock around `content`, found again by `name` in a saved arrangement."""
    dock = QDockWidget(title, window)
    dock.setObjectName(name)
    dock.setAccessibleName(title)
    dock.setWidget(content)
    dock.setTitleBarWidget(DockTitle(dock))
    return dock


def _made_later(name: str, title: str, later: Later[QWidget], window: QMainWindow) -> QDockWidget:
    """Return a dock whose content is made when it is first seen."""
    place = Place(later)
    later.then(lambda content: place.put(ContentScroll(stacked(content, grows=0))))
    return _made(name, title, place, window)


def stacked(*contents: QWidget, grows: int | None = None) -> QWidget:
    """Return widgets below each other with hairlines between; the one numbered `grows` gets what height is spare."""
    holder = QWidget()
    holder.setObjectName("scrolled")
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    for number, content in enumerate(contents):
        if number:
            column.addWidget(rule())
        column.addWidget(content, 1 if number == grows else 0)
    if grows is None:
        column.addStretch(1)
    return holder


def rule() -> QFrame:
    """Return a hairline."""
    line = QFrame()
    line.setObjectName("rule")
    line.setFixedHeight(1)
    return line


class Shape(NamedTuple):
    """Which docks stand beside each other."""

    ledger_beside_curves: bool
    draw_below_hand: bool


class _Heights(NamedTuple):
    """What docks need, and what none of them does, in pixels."""

    hand: int
    draw: int
    below: int
    spare: int


@dataclass(frozen=True, slots=True)
class Docks:
    """The docks of the window."""

    experiment: QDockWidget
    hand: QDockWidget
    draw: QDockWidget
    curves: QDockWidget
    beside_curves: tuple[QDockWidget, ...]
    ledger: tuple[QDockWidget, ...]

    def all(self) -> tuple[QDockWidget, ...]:
        """Return the docks in reading order."""
        return self.experiment, self.hand, self.draw, self.curves, *self.beside_curves, *self.ledger

    def by_command(self) -> dict[str, QDockWidget]:
        """Return the docks by the command that shows them."""
        return {f"view.{dock.objectName()}": dock for dock in self.all()}

    def show_names(self) -> None:
        """Leave the names of docks behind tabs to the tabs; Qt says of no dock that it got a tab or lost it."""
        for dock in self.all():
            title = dock.titleBarWidget()
            if isinstance(title, DockTitle):
                title.show_name()

    @staticmethod
    def prepare(window: QMainWindow) -> None:
        """Set what a remembered arrangement does not hold: who has the corners, and where tabs are."""
        window.setCorner(Qt.Corner.BottomLeftCorner, Area.LeftDockWidgetArea)
        window.setCorner(Qt.Corner.BottomRightCorner, Area.BottomDockWidgetArea)
        window.setTabPosition(Area.AllDockWidgetAreas, QTabWidget.TabPosition.North)

    def shape(self, window: QMainWindow, height: int) -> "Shape":
        """Return which docks stand beside each other at first, in a window of this height in pixels."""
        return Shape(window.width() - LEFT_WIDTH >= SIDE_BY_SIDE, self._heights(window, height).spare >= _COMFORT)

    def arrange(self, window: QMainWindow, height: int) -> None:
        """Put all docks where they are at first, for a window of this height in pixels."""
        shape = self.shape(window, height)
        for dock in self.all():
            if dock.isFloating():
                dock.setFloating(False)
            window.removeDockWidget(dock)
        window.addDockWidget(Area.LeftDockWidgetArea, self.experiment)
        window.addDockWidget(Area.RightDockWidgetArea, self.hand)
        window.addDockWidget(Area.BottomDockWidgetArea, self.curves)
        self._arrange_below(window, side_by_side=shape.ledger_beside_curves)
        if shape.draw_below_hand:
            window.splitDockWidget(self.hand, self.draw, Qt.Orientation.Vertical)
        else:
            window.addDockWidget(Area.RightDockWidgetArea, self.draw)
            window.tabifyDockWidget(self.hand, self.draw)
        for dock in self.all():
            dock.show()
        for dock in (*self.ledger[:1], self.hand, self.curves):
            dock.raise_()
        self.show_names()
        self.resize(window, height)

    def resize(self, window: QMainWindow, height: int) -> None:
        """Give docks that are where they are at first the sizes that they have then."""
        horizontal, vertical = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        heights, below, shape = self._heights(window, height), window.width() - LEFT_WIDTH, self.shape(window, height)
        window.resizeDocks([self.experiment, self.hand], [LEFT_WIDTH, RIGHT_WIDTH], horizontal)
        window.resizeDocks([self.curves], [heights.below], vertical)
        if self.ledger and shape.ledger_beside_curves:
            curves = round(CURVES_SHARE * below)
            window.resizeDocks([self.curves, self.ledger[0]], [curves, below - curves], horizontal)
        if shape.draw_below_hand:
            quarter = heights.spare // 4
            sizes = [heights.hand + quarter, heights.draw + heights.spare - quarter]
            window.resizeDocks([self.hand, self.draw], sizes, vertical)

    def _heights(self, window: QMainWindow, height: int) -> "_Heights":
        hand, draw = _needed_height(self.hand), _needed_height(self.draw)
        room = height - window.menuBar().sizeHint().height()
        # What lies below takes no more than the pictures and sliders at the right can spare, down to its least.
        below = max(min(BELOW_HEIGHT, room - hand), LEAST_BELOW)
        return _Heights(hand, draw, below, room - below - hand - draw)

    def _arrange_below(self, window: QMainWindow, *, side_by_side: bool) -> None:
        """Put the ledger to the right of the curves, or behind them; other panels share their places with tabs."""
        first, *others = self.ledger or (None,)
        if first is not None and side_by_side:
            window.splitDockWidget(self.curves, first, Qt.Orientation.Horizontal)
        for dock in self.beside_curves:
            window.tabifyDockWidget(self.curves, dock)
        if first is not None and not side_by_side:
            window.tabifyDockWidget(self.curves, first)
        for dock in others:
            window.tabifyDockWidget(first or self.curves, dock)


def _needed_height(dock: QDockWidget) -> int:
    area = dock.widget()
    content = area.needed_height(RIGHT_WIDTH) if isinstance(area, ContentScroll) else area.minimumSizeHint().height()
    return content + dock.titleBarWidget().sizeHint().height()
