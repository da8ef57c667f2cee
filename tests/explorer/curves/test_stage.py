"""Plots that are made one at a time, when they are wanted."""

import pytest
from pytestqt.qtbot import QtBot

from explorer.views.curves import CurvesPanel
from explorer.views.curves.panel import NEWS_BESIDE_HAND_MS, REPAINT_MS
from explorer.views.curves.plot import QuantityPlot
from tests.explorer.curves.conftest import history

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@pytest.fixture
def panel(qtbot: QtBot) -> CurvesPanel:
    result = CurvesPanel()
    qtbot.addWidget(result)
    result.resize(980, 270)
    return result


def names(panel: CurvesPanel) -> list[str]:
    return [plot.quantity.name for plot in panel._stage.made]


def test_a_panel_that_waits_draws_nothing_until_it_is_told_to(panel: CurvesPanel, qtbot: QtBot) -> None:
    panel.wait()
    panel.set_history(history())
    panel.show()
    qtbot.wait(200)
    assert not names(panel)
    panel.draw_now()
    qtbot.waitUntil(lambda: names(panel) == ["elbo"] and not panel._dirty)
    assert not panel._stage["elbo"].message


def test_only_plots_that_are_shown_are_made_and_they_stand_in_their_order(panel: CurvesPanel, qtbot: QtBot) -> None:
    panel.set_history(history())
    panel.controls.choose("kl")
    panel.show()
    qtbot.waitUntil(lambda: names(panel) == ["kl"])
    panel.controls.choose("elbo")
    qtbot.waitUntil(lambda: names(panel) == ["elbo", "kl"] and not panel._dirty)
    assert [plot.isVisible() for plot in panel._stage.made] == [True, False]
    panel.controls.choose("all")
    qtbot.waitUntil(lambda: len(names(panel)) == 4 and not panel._dirty)
    places = [plot.x() for plot in panel._stage.made]
    assert places == sorted(set(places))


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list of the quantities of the plots that are drawn from now on."""
    result, draw = [], QuantityPlot.draw

    def noted(plot: QuantityPlot, *rest: object) -> None:
        result.append(plot.quantity.name)
        draw(plot, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(QuantityPlot, "draw", noted)
    return result


def test_one_turn_of_the_event_loop_imports_plots_or_makes_one_or_draws_one(
    panel: CurvesPanel, drawn: list[str]
) -> None:
    panel.set_history(history())
    panel.controls.choose("all")
    panel.show()
    for count in range(5):
        panel._on_timer()
        assert len(names(panel)) == count
    assert not drawn
    for count in range(1, 5):
        panel._on_timer()
        assert drawn == names(panel)[:count]
    assert not panel._dirty
    panel._on_timer()
    assert len(drawn) == 4


def test_plots_whose_turn_comes_while_the_panel_is_hidden_are_drawn_when_it_is_shown(
    panel: CurvesPanel, drawn: list[str], qtbot: QtBot
) -> None:
    panel.set_history(history())
    panel.controls.choose("all")
    panel.show()
    while not drawn:
        panel._on_timer()
    assert drawn == names(panel)[:1]
    panel.hide()
    panel._on_timer()
    assert len(drawn) == 1
    panel.show()
    qtbot.waitUntil(lambda: set(drawn) == set(names(panel)))


def test_news_that_come_while_plots_are_drawn_wait_as_long_as_any(panel: CurvesPanel) -> None:
    panel.set_history(history())
    panel.controls.choose("all")
    panel.show()
    panel.set_hand_moving(True)
    while panel._stage.make_one("all"):
        pass
    panel._on_timer()
    assert panel._undrawn
    panel._mark_news()
    while panel._undrawn:
        panel._on_timer()
    assert panel._timer.interval() == NEWS_BESIDE_HAND_MS
    panel._on_timer()
    panel._mark_dirty()
    while panel._undrawn:
        panel._on_timer()
    assert panel._timer.interval() == REPAINT_MS
