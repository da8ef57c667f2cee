"""Read-outs and scoreboard in the whole program: asked for, followed, given up."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.inference.coders import make_coder
from core.inference.evaluation import evaluate
from explorer.session.analyses.read_outs import ReadOutsSession
from explorer.views.read_outs import ReadOutsPanel
from tests.open_program import LEFT, LONG, OpenProgram, bars_data, model_file, trained

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenProgram]:
    program = OpenProgram(tmp_path, model_file()).opened()
    yield program
    program.leave()


def panel_of(opened: OpenProgram) -> ReadOutsPanel:
    return opened.views.read_outs


def session_of(opened: OpenProgram) -> ReadOutsSession:
    return opened.session.analyses.read_outs


def seen(opened: OpenProgram) -> dict[str, str]:
    """Return the figures after the dock was brought to the front."""
    opened.raise_dock(panel_of(opened))
    opened.until("figures", lambda: bool(panel_of(opened).figures.figures))
    return {name: value for name, value, _ in panel_of(opened).figures.figures}


def test_figures_come_by_themselves_once_the_panel_is_seen(opened: OpenProgram) -> None:
    assert panel_of(opened).figures.figures == ()
    rows = seen(opened)
    held_out = bars_data().held_out
    saved = trained()
    found = evaluate(make_coder(saved.config.model, saved.as_weights(1)), held_out, bars_data().config)
    assert found.means.elbo is not None
    assert float(rows["ELBO (β = 1)"].replace("−", "-")) == pytest.approx(found.means.elbo, abs=0.5)
    assert float(rows["KL, the rate"]) == pytest.approx(found.means.kl, abs=0.01)
    assert panel_of(opened).figures.figures[4][1:] == (f"{math.log(len(held_out)):.2f}", f"N = {len(held_out)}")
    plane = panel_of(opened).figures.plane
    assert plane is not None
    opened.until("a point", lambda: len(plane.shown) == 1)
    assert plane.shown[0].rate == pytest.approx(found.means.kl, abs=0.01)


def test_all_held_out_images_are_measured_when_asked(opened: OpenProgram) -> None:
    seen(opened)
    panel = panel_of(opened)
    count = len(bars_data().held_out)
    assert f"all {count}" in panel.measure.text()
    QTest.mouseClick(panel.measure, LEFT)
    opened.until("the bar", panel.cancel.isVisible)
    opened.until("the end", lambda: not panel.cancel.isVisible())
    assert panel.figures.basis.text().startswith(f"Over all {count} held-out images.")
    assert panel.figures._found is not None
    assert "36 codes" in panel.figures._found.method


def test_a_run_leaves_a_trail_and_the_model_before_it_a_mark(opened: OpenProgram) -> None:
    seen(opened)
    panel = panel_of(opened)
    session_of(opened)._timer.setInterval(50)
    plane = panel.figures.plane
    assert plane is not None
    opened.until("the point of the open model", lambda: bool(plane._trail))
    opened.set_field("epochs", str(LONG))
    opened.press(Qt.Key.Key_F5)
    opened.until("a trail", lambda: len({point.distortion for point in plane._trail}) >= 3, timeout_s=30.0)
    assert [point.name for point in plane._others] == ["bars"]
    opened.press(Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
    opened.until("the end of the run", lambda: not opened.session.training.active)
    assert len({point.distortion for point in plane._trail}) >= 3


def test_rows_of_models_that_cannot_be_compared_stand_apart(opened: OpenProgram) -> None:
    panel = panel_of(opened)
    opened.raise_dock(panel)
    bar = panel.tabs.tabBar()
    QTest.mouseClick(bar, LEFT, Qt.KeyboardModifier.NoModifier, bar.tabRect(1).center())
    QTest.mouseClick(panel.board.add, LEFT)
    opened.until("a row", lambda: len(panel.board.entries) == 1, timeout_s=60.0)
    row = panel.board.entries[0]
    assert row.nll.how == "exact (quadrature)"
    assert row.name == "bars"
    opened.session.open_paths((model_file(latent_dim=3),))
    opened.until("the other model", panel.board.samples.isVisible)
    opened.until("its weights", opened.is_ready)
    panel.board.samples.setCurrentIndex(1)
    QTest.mouseClick(panel.board.add, LEFT)
    opened.until("another row", lambda: len(panel.board.entries) == 2, timeout_s=60.0)
    other = panel.board.entries[1]
    assert other.nll.how == "IWAE-100 estimate"
    assert other.group.key == row.group.key
    session_of(opened)._on_row_removed(0)
    assert panel.board.entries == (other,)


def test_a_measurement_can_be_given_up(opened: OpenProgram) -> None:
    panel = panel_of(opened)
    opened.raise_dock(panel)
    panel.board.samples.setCurrentIndex(2)
    opened.session.open_paths((model_file(latent_dim=3),))
    opened.until("the other model", lambda: "estimate" in panel.board.how.text())
    opened.until("its weights", opened.is_ready)
    panel.board.add_requested.emit(0, 500_000)
    opened.until("some progress", lambda: panel.progress.value() > 0, timeout_s=30.0)
    QTest.mouseClick(panel.cancel, LEFT)
    assert not panel.cancel.isVisible()
    assert panel.measure.isEnabled()
    # The thread is free again: what is asked for next is answered.
    QTest.mouseClick(panel.measure, LEFT)
    opened.until("figures of all", lambda: panel.figures.basis.text().startswith("Over all"))
    assert panel.board.entries == ()


def test_an_autoencoder_says_what_it_does_not_define(opened: OpenProgram) -> None:
    rows = seen(opened)
    assert "Mutual information" in rows
    opened.session.open_paths((model_file(model="autoencoder"),))
    panel = panel_of(opened)
    opened.until("a reason", lambda: "no prior" in panel.figures.reason.text())
    assert [name for name, *_ in panel.figures.figures] == ["NLL", "Active units"]
    assert not panel.board.add.isEnabled()
    plane = panel.figures.plane
    assert plane is not None
    assert plane._trail == ()


def test_an_autoregressive_model_has_its_exact_cost_and_a_row(opened: OpenProgram) -> None:
    panel = panel_of(opened)
    opened.raise_dock(panel)
    opened.session.open_paths((model_file(model="made"),))
    opened.until("its cost", lambda: [name for name, *_ in panel.figures.figures] == ["−log p(x)"])
    assert "no codes" in panel.figures.reason.text()
    bar = panel.tabs.tabBar()
    QTest.mouseClick(bar, LEFT, Qt.KeyboardModifier.NoModifier, bar.tabRect(1).center())
    QTest.mouseClick(panel.board.add, LEFT)
    opened.until("a row", lambda: len(panel.board.entries) == 1, timeout_s=60.0)
    row = panel.board.entries[0]
    assert row.nll.how == "exact (product)"
    assert panel.figures._found is not None
    assert row.nll.nll == pytest.approx(panel.figures._found.means.nll, rel=1e-5)
