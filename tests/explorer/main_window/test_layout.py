from typing import Any

import pytest
from PySide6.QtCore import QByteArray, QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QApplication,
    QMainWindow,
    QPushButton,
    QTabWidget,
)

from core.snapshots import Progress
from explorer.messages import RunState
from explorer.settings import Settings
from explorer.views.docks import Docks, DockTitle
from explorer.views.main_window import MainWindow
from tests.explorer.main_window.conftest import Maker, close_button


@pytest.fixture
def unmoved(made: Maker, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> MainWindow:
    """Return a window that nobody has resized."""
    monkeypatch.setattr(MainWindow, "resize", lambda *_: None)
    assert settings.window_geometry.isEmpty()
    return made()


def widths_in_front(window: MainWindow) -> dict[str, int]:
    """Return the widths of the docks that are seen; behind a tab a dock has any."""
    return {dock.objectName(): dock.width() for dock in window.docks.all() if not dock.visibleRegion().isEmpty()}


def test_everything_is_inside_the_window(window: MainWindow) -> None:
    for panel in (window._panels.canvas, window._panels.hand, window._panels.sliders, window._panels.draw_pad):
        assert panel.isVisible()
        assert panel.visibleRegion().boundingRect().size() == panel.size()


def test_a_low_window_gives_pictures_and_pad_one_place_with_tabs(made: Maker) -> None:
    low = made(1100, 700)
    assert low.tabifiedDockWidgets(low.docks.hand) == [low.docks.draw]
    low.resize(1100, 1200)
    low.reset_layout()
    assert low.tabifiedDockWidgets(low.docks.hand) == []


def test_nothing_is_cut_off_at_the_side_at_the_smallest_useful_size(made: Maker) -> None:
    window = made(1100, 700)
    for panel in (window._panels.data, window._panels.model, window._panels.training):
        right = panel.mapTo(window, QPoint(panel.width(), 0)).x()
        assert right <= window.docks.experiment.geometry().right() + 1
        assert panel.width() >= panel.minimumSizeHint().width()


def test_a_closed_dock_is_unchecked_in_the_menu_and_comes_back(window: MainWindow, qtbot: Any) -> None:
    qtbot.mouseClick(close_button(window, "Close Curves"), Qt.MouseButton.LeftButton)
    assert not window.docks.curves.isVisible()
    assert not window.commands.is_checked("view.dock_curves")
    window.commands.trigger("view.dock_curves")
    assert window.docks.curves.isVisible()
    assert window.commands.is_checked("view.dock_curves")


def test_an_arrangement_survives_a_restart(made: Maker, settings: Settings) -> None:
    first = made(1200, 900)
    first.commands.trigger("view.dock_curves")
    first.close_now()
    assert not settings.window_state.isEmpty()
    second = made(1200, 900)
    assert not second.docks.curves.isVisible()
    assert second.docks.hand.isVisible()
    second.commands.trigger("view.reset_layout")
    assert second.docks.curves.isVisible()


def test_a_broken_arrangement_gives_the_first_one(made: Maker, settings: Settings) -> None:
    settings.window_state = QByteArray(b"broken")
    settings.window_geometry = QByteArray(b"broken")
    window = made()
    assert all(dock.isVisible() for dock in window.docks.all())


def test_the_first_window_is_on_the_screen_with_room_for_its_frame(unmoved: MainWindow) -> None:
    available = QGuiApplication.primaryScreen().availableGeometry()
    # The offscreen platform has a screen of 800 by 800.
    assert unmoved.width() == unmoved.minimumWidth()
    assert unmoved.frameGeometry().top() >= available.top()
    assert unmoved.geometry().bottom() < available.bottom()


def test_an_arrangement_whose_restoring_did_not_end_is_given_up_and_said_in_the_log(
    made: Maker, settings: Settings, caplog: pytest.LogCaptureFixture, qtbot: Any
) -> None:
    first = made(1200, 900)
    first.commands.trigger("view.dock_curves")
    first.close_now()
    settings.arranging = True
    second = made(1200, 900)
    assert second.docks.curves.isVisible()
    assert "is given up" in caplog.text
    second.commands.trigger("view.dock_curves")
    second.close_now()
    third = made(1200, 900)
    assert settings.arranging, "until the first events are through"
    assert not third.docks.curves.isVisible()
    qtbot.waitUntil(lambda: not settings.arranging, timeout=3000)


def test_names_are_on_tabs_or_in_title_bars_but_never_in_both(made: Maker, qtbot: Any) -> None:
    made(1100, 700).close_now()
    again = made(1100, 700)
    tabbed = (again.docks.curves, again.docks.hand, *again.docks.ledger)
    titles = [title for title in (dock.titleBarWidget() for dock in tabbed) if isinstance(title, DockTitle)]
    assert len(titles) == len(tabbed)
    qtbot.waitUntil(lambda: not any(title._label.isVisible() for title in titles))


def test_the_buttons_of_the_training_stay_in_sight_in_a_low_window(made: Maker) -> None:
    window = made(1100, 700)
    window.set_run_state(RunState.RUNNING)
    stop = window.findChild(QPushButton, "model.stop")
    assert isinstance(stop, QPushButton)
    assert stop.visibleRegion().boundingRect().size() == stop.size()


def test_the_next_window_stands_as_the_last_one_was_left(made: Maker, qtbot: Any) -> None:
    window = made(1440, 900)
    window.resizeDocks([window.docks.experiment], [420], Qt.Orientation.Horizontal)
    QApplication.processEvents()  # noqa: TID251 - lets the docks take their sizes
    widths = widths_in_front(window)
    window.close_now()
    again = made(1440, 900)
    qtbot.waitUntil(lambda: widths_in_front(again) == widths, timeout=2000)
    assert again.tabPosition(Qt.DockWidgetArea.RightDockWidgetArea) == QTabWidget.TabPosition.North


def test_the_buttons_of_the_training_stand_still_whatever_is_said_above_them(window: MainWindow) -> None:
    training = window._panels.training
    places = set()
    for state in (
        RunState.IDLE,
        RunState.STARTING,
        RunState.RUNNING,
        RunState.PAUSED,
        RunState.STOPPING,
        RunState.IDLE,
    ):
        window.set_run_state(state)
        training.set_plan("cpu, float32, 1 thread" if state is not RunState.IDLE else "")
        training.set_progress(Progress(340, 1000, 3.4, 10.0, 9812.0, 41.2) if state is RunState.RUNNING else None)
        training.set_status("Stopped after epoch 3." * 4 if state is RunState.IDLE else "")
        QApplication.processEvents()  # noqa: TID251 - lets the lines take their places
        first = next(found for found in training.controls.findChildren(QPushButton) if found.isVisible())
        places.add(first.mapTo(window, QPoint(0, 0)).toTuple())
    assert len(places) == 1


def test_the_field_that_a_run_fixes_gives_its_focus_to_pause(window: MainWindow) -> None:
    window._panels.model.form.editor("latent_dim").setFocus()
    # As the session does: first the panels, then the window.
    window._panels.model.set_running(True)
    for state in (RunState.STARTING, RunState.RUNNING):
        window.set_run_state(state)
    focused = QApplication.focusWidget()
    assert focused is not None
    assert focused.objectName() == "model.pause_or_resume"


def test_what_lies_below_spans_the_right_column_and_the_ledger_has_two_fifths_of_it(made: Maker) -> None:
    window = made(1440, 900)
    curves, ledger, hand = window.docks.curves, window.docks.ledger[0], window.docks.hand
    below = curves.width() + ledger.width()
    assert curves.width() == pytest.approx(0.6 * below, abs=12)
    assert ledger.width() >= 400
    assert ledger.mapTo(window, QPoint(ledger.width(), 0)).x() == hand.mapTo(window, QPoint(hand.width(), 0)).x()
    assert ledger.widget().height() >= 220
    assert hand.height() >= 480, "pictures and sliders keep the height they need"


@pytest.mark.parametrize("size", [(800, 560), (1100, 700)])
def test_a_small_window_gives_curves_and_ledger_one_place_and_the_right_column_its_height(
    made: Maker, size: tuple[int, int]
) -> None:
    window = made(*size)
    assert window.docks.ledger[0] in window.tabifiedDockWidgets(window.docks.curves)
    assert not window.docks.curves.visibleRegion().isEmpty(), "the curves are in front"
    assert window.docks.curves.height() < size[1] // 2
    window.commands.trigger("view.dock_ledger")
    window.commands.trigger("view.dock_ledger")
    assert not window.docks.ledger[0].visibleRegion().isEmpty(), "its command brings the ledger to the front"


@pytest.mark.parametrize("size", [(1440, 900), (1440, 1200), (1800, 1100)])
def test_a_wide_window_puts_its_docks_in_place_once_and_they_stand_as_when_it_does_so_again(
    made: Maker, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    arranged: list[int] = []
    arrange = Docks.arrange

    def counted(docks: Docks, window: QMainWindow, height: int) -> None:
        arranged.append(height)
        arrange(docks, window, height)

    monkeypatch.setattr(Docks, "arrange", counted)
    window = made(*size)
    assert arranged == [size[1]]
    first = [dock.geometry() for dock in window.docks.all() if not dock.visibleRegion().isEmpty()]
    window.reset_layout()
    QApplication.processEvents()  # noqa: TID251 - lets the docks take their sizes
    assert len(arranged) == 2
    assert [dock.geometry() for dock in window.docks.all() if not dock.visibleRegion().isEmpty()] == first
