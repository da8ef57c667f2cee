"""Panels that are made when they are first seen."""

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication, QDockWidget, QLabel, QWidget

from explorer.settings import Settings
from explorer.views.dock_panel import DockPanel
from explorer.views.later import Later
from explorer.views.main_window import MainWindow, Panels
from explorer.views.panels import DataPanel, ModelPanel, TrainingPanel

NAMES = ("dock_ladder", "dock_gaps", "dock_read_outs", "dock_similar", "dock_fit")
Maker = Callable[[], MainWindow]


class Roomy(DockPanel):
    """A panel that would like more room than there is."""

    def sizeHint(self) -> QSize:  # noqa: N802
        return QSize(900, 700)


class Counted:
    """Makes panels and counts them."""

    def __init__(self) -> None:
        self.made: list[DockPanel] = []
        self.later = Later(self._make)

    def _make(self) -> DockPanel:
        self.made.append(Roomy())
        return self.made[-1]


@pytest.fixture
def counted() -> dict[str, Counted]:
    return {name: Counted() for name in NAMES}


@pytest.fixture
def made(qtbot: Any, settings: Settings, counted: dict[str, Counted]) -> Maker:
    def make() -> MainWindow:
        below = tuple(counted[name].later for name in NAMES)
        ledger: Later[QWidget] = Later(QLabel)
        ledger()
        panels = Panels(DataPanel(), ModelPanel(), TrainingPanel(), *_plain(), below[:4], (ledger, below[4]))
        window = MainWindow(panels, settings)
        window.resize(1440, 900)
        qtbot.addWidget(window, before_close_func=MainWindow.close_now)
        with qtbot.waitActive(window):
            window.show()
        QApplication.processEvents()  # noqa: TID251 - lets the docks take their sizes, and paints
        return window

    return make


def _plain() -> tuple[QWidget, QWidget, QWidget, QWidget, QWidget]:
    return QWidget(), QWidget(), QWidget(), QWidget(), QWidget()


def dock_of(window: MainWindow, name: str) -> QDockWidget:
    return window.docks.by_command()[f"view.{name}"]


def bring(window: MainWindow, name: str) -> None:
    dock_of(window, name).show()
    dock_of(window, name).raise_()


@pytest.mark.parametrize("name", NAMES)
def test_a_panel_behind_a_tab_is_made_when_it_is_first_seen_and_once(
    made: Maker, counted: dict[str, Counted], qtbot: Any, name: str
) -> None:
    window = made()
    assert all(not one.made for one in counted.values())
    room = window.centralWidget().size()
    filled: list[QWidget] = []
    counted[name].later.then(filled.append)
    bring(window, name)
    qtbot.waitUntil(lambda: bool(counted[name].made))
    (panel,) = counted[name].made
    assert filled == [panel]
    assert dock_of(window, name).isAncestorOf(panel)
    qtbot.waitUntil(lambda: panel.in_sight)
    assert [other for other, one in counted.items() if one.made] == [name]
    assert window.centralWidget().size() == room, "nothing moves for it"
    bring(window, "dock_curves" if name != "dock_fit" else "dock_ledger")
    qtbot.waitUntil(lambda: not panel.in_sight)
    bring(window, name)
    qtbot.waitUntil(lambda: panel.in_sight)
    assert counted[name].made == [panel]


def test_a_panel_that_is_asked_for_before_it_is_seen_is_in_its_dock_then(
    made: Maker, counted: dict[str, Counted], qtbot: Any
) -> None:
    panel = counted["dock_gaps"].later()
    window = made()
    similar = counted["dock_similar"].later()
    for name, there in (("dock_gaps", panel), ("dock_similar", similar)):
        assert not there.in_sight, "it is behind the curves"
        bring(window, name)
        qtbot.waitUntil(lambda there=there: there.in_sight)
        assert dock_of(window, name).isAncestorOf(there)


def test_a_window_whose_last_arrangement_shows_a_panel_makes_it_at_once(
    made: Maker, counted: dict[str, Counted], qtbot: Any
) -> None:
    first = made()
    bring(first, "dock_read_outs")
    qtbot.waitUntil(lambda: bool(counted["dock_read_outs"].made))
    first.close()
    first.close_now()
    counted.update({name: Counted() for name in NAMES})
    made()
    qtbot.waitUntil(lambda: bool(counted["dock_read_outs"].made))
    assert [name for name, one in counted.items() if one.made] == ["dock_read_outs"]


def test_a_panel_out_of_its_dock_or_closed_knows_whether_it_is_seen(
    made: Maker, counted: dict[str, Counted], qtbot: Any
) -> None:
    window = made()
    bring(window, "dock_ladder")
    qtbot.waitUntil(lambda: bool(counted["dock_ladder"].made))
    panel = counted["dock_ladder"].made[0]
    told: list[bool] = []
    panel.sight_changed.connect(told.append)
    dock = dock_of(window, "dock_ladder")
    qtbot.waitUntil(lambda: panel.in_sight)
    dock.close()
    assert not panel.in_sight
    dock.setFloating(True)
    dock.show()
    qtbot.waitUntil(lambda: panel.in_sight)
    dock.setFloating(False)
    bring(window, "dock_ladder")
    qtbot.waitUntil(lambda: panel.in_sight)
    assert told[-1] is True


def test_a_panel_without_a_dock_is_seen_when_it_is_shown(qtbot: Any) -> None:
    panel = DockPanel()
    qtbot.addWidget(panel)
    told: list[bool] = []
    panel.sight_changed.connect(told.append)
    panel.show()
    panel.hide()
    assert told == [True, False]
    assert not panel.in_sight
