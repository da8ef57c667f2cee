"""The panel of read-outs by itself, with mouse and clipboard."""

import csv
import io
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from core.config import ModelConfig
from core.snapshots import ElboMeans
from explorer.theme import DARK, LIGHT, apply_theme
from explorer.views.read_outs import PlanePoint, ReadOutsPanel
from explorer.views.read_outs.board_text import board_csv, board_html, board_text
from explorer.views.read_outs.plane import RateDistortionPlane
from tests.explorer.read_outs.found import entry, figures

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(qtbot: QtBot) -> Iterator[ReadOutsPanel]:
    panel = ReadOutsPanel()
    qtbot.addWidget(panel)
    panel.resize(900, 280)
    panel.set_model(ModelConfig())
    panel.set_num_held_out(10_000)
    panel.set_interval(5.0)
    panel.show()
    yield panel
    QToolTip.hideText()


def test_figures_stand_with_their_errors_and_their_cap(panel: ReadOutsPanel) -> None:
    panel.set_read_outs(figures())
    rows = {name.strip(): (value, note) for name, value, note in panel.figures.figures}
    assert rows["ELBO (β = 1)"] == ("−131.00", "± 1.04")
    assert rows["NLL, the distortion"][0] == "123.50"
    assert rows["KL, the rate"][0] == "7.50"
    assert rows["Mutual information"] == ("7.25", "± 0.001")
    assert rows["its cap, ln N"] == ("7.60", "N = 2,000")
    assert rows["Marginal KL"] == ("0.25", "± 0.001")
    assert rows["Active units"][0] == "2 of 2"
    assert "No dimension has collapsed" in panel.figures.collapse.text()


def test_the_images_and_the_interval_are_stated(panel: ReadOutsPanel) -> None:
    panel.set_read_outs(figures())
    subset = "Over 2,000 of 10,000 held-out images, always the same. Every 5 s while a model trains."
    assert panel.figures.basis.text() == subset
    assert panel.figures.basis.isVisible()
    panel.set_read_outs(figures(num_images=10_000))
    assert panel.figures.basis.text().startswith("Over all 10,000 held-out images.")


def test_collapse_is_said_and_a_column_tells_its_figures(panel: ReadOutsPanel, qtbot: QtBot) -> None:
    panel.set_read_outs(figures((3.0, 0.5, 0.001, 0.0)))
    assert panel.figures.collapse.text() == "2 of 4 dimensions carry less than 0.01 nats: collapsed."
    bars = panel.figures.bars
    qtbot.waitUntil(lambda: bars.width() > 100)
    third = next(x for x in range(bars.width()) if bars.column_of(float(x)) == 2)
    place = QPoint(third, bars.height() // 2)
    QApplication.sendEvent(bars, QHelpEvent(QEvent.Type.ToolTip, place, bars.mapToGlobal(place)))
    qtbot.waitUntil(QToolTip.isVisible)
    assert QToolTip.text() == "z₃: 0.001 nats; Var E[z] = 0, not active; collapsed"
    assert bars.column_of(-1.0) is None
    panel.set_model(ModelConfig(posterior="full"))
    panel.set_read_outs(figures())
    assert "given the dimensions before it" in bars.text_of(1)


def test_what_is_not_defined_has_its_reason_and_no_columns(panel: ReadOutsPanel) -> None:
    panel.set_read_outs(
        figures((), means=ElboMeans(80.0, None, ()), spread=(1.0, 0.0), surgery=None, undefined_reason="No prior.")
    )
    assert [name for name, *_ in panel.figures.figures] == ["NLL", "Active units"]
    assert panel.figures.reason.text() == "No prior."
    assert not panel.figures.bars.isVisible()
    panel.set_read_outs(
        figures((), means=ElboMeans(95.0, None, ()), spread=(), surgery=None, undefined_reason="No codes.")
    )
    assert list(panel.figures.figures) == [("−log p(x)", "95.00", "exact ± 1.04")]
    panel.set_read_outs(figures(likelihood_normalised=False))
    assert "not a likelihood" in panel.figures.reason.text()
    panel.set_read_outs(None)
    assert not panel.figures.figures


def test_figures_that_are_not_finite_are_said_not_to_be(panel: ReadOutsPanel) -> None:
    nan = float("nan")
    panel.set_read_outs(figures((nan, 1.0), means=ElboMeans(nan, nan, (nan, 1.0)), surgery=None))
    rows = {name: value for name, value, _ in panel.figures.figures}
    assert rows["ELBO (β = 1)"] == "not finite"
    assert rows["Mutual information"] == "–"
    panel.set_plane([PlanePoint("m", nan, nan, ())], [], 0)
    assert panel.figures.plane is not None
    assert panel.figures.plane.shown == ()
    panel.grab()


def test_the_plane_shows_the_way_of_a_run_and_the_other_models(panel: ReadOutsPanel) -> None:
    plane = panel.figures.plane
    assert plane is not None
    trail = [PlanePoint("run", 1.0 + step, 150.0 - 4.0 * step, ()) for step in range(5)]
    panel.set_plane(trail, [PlanePoint("other", 9.0, 120.0, ())], 2)
    assert plane.isVisible()
    assert plane.shown == (*trail, PlanePoint("other", 9.0, 120.0, ()))
    assert plane.message == "2 models of this session left out"
    (left, right), (bottom, top) = plane.view.viewRange()
    for point in plane.shown:
        assert left < point.rate < right
        assert bottom < point.distortion < top
    x, y = plane._same_bound.getData()
    assert x + y == pytest.approx(5.0 + 134.0)
    panel.set_plane([], [], 0)
    assert not plane.isVisible()


def test_the_plane_is_made_when_it_is_seen_first(qtbot: QtBot) -> None:
    panel = ReadOutsPanel()
    qtbot.addWidget(panel)
    panel.set_plane([PlanePoint("run", 1.0, 2.0, ())], [], 0)
    assert panel.figures.plane is None
    panel.show()
    (plane,) = panel.figures.findChildren(RateDistortionPlane)
    assert len(plane.shown) == 1


def test_buttons_ask_and_a_bar_shows_how_much_is_done(panel: ReadOutsPanel, qtbot: QtBot) -> None:
    assert panel.measure.text() == "Measure on all 10,000"
    with qtbot.waitSignal(panel.measure_requested):
        QTest.mouseClick(panel.measure, LEFT)
    panel.set_progress("Measuring…", 0.25)
    assert panel.progress.value() == 250
    assert not panel.measure.isEnabled()
    with qtbot.waitSignal(panel.cancel_requested):
        QTest.mouseClick(panel.cancel, LEFT)
    panel.set_progress("It failed: too bad")
    assert panel.status.text() == "It failed: too bad"
    assert panel.measure.isEnabled()
    assert not panel.cancel.isVisible()
    panel.set_num_held_out(0)
    assert not panel.measure.isEnabled()


def _to_the_scoreboard(panel: ReadOutsPanel) -> None:
    bar = panel.tabs.tabBar()
    QTest.mouseClick(bar, LEFT, Qt.KeyboardModifier.NoModifier, bar.tabRect(1).center())
    assert panel.board.isVisible()


def test_a_row_is_asked_for_with_its_images_and_samples(panel: ReadOutsPanel, qtbot: QtBot) -> None:
    _to_the_scoreboard(panel)
    assert not panel.board.samples.isVisible()
    assert "exact" in panel.board.how.text()
    panel.set_model(ModelConfig(latent_dim=10))
    assert panel.board.samples.isVisible()
    assert "estimate" in panel.board.how.text()
    QTest.keyClick(panel.board.images, Qt.Key.Key_Down)
    QTest.keyClick(panel.board.samples, Qt.Key.Key_Down)
    with qtbot.waitSignal(panel.scoreboard_requested) as asked:
        QTest.mouseClick(panel.board.add, LEFT)
    assert asked.args == [200, 100]
    panel.set_model(ModelConfig(model="autoencoder"))
    assert not panel.board.add.isEnabled()
    assert "defines no p(x)" in panel.board.how.text()
    panel.set_model(ModelConfig(model="made"))
    assert panel.board.add.isEnabled()


ROWS = (
    entry("two-d", 128.2),
    entry("made <500>", 95.1, "product", model="made"),
    entry("fifty", 93.4, "importance", latent_dim=50),
    entry("greys", -612.3, likelihood="gaussian", binarisation="none"),
)


def test_rows_are_grouped_and_the_groups_say_why(panel: ReadOutsPanel) -> None:
    _to_the_scoreboard(panel)
    assert "No rows yet" in panel.board.board.toPlainText()
    assert not panel.board.copy_csv.isEnabled()
    panel.set_entries(ROWS)
    text = panel.board.board.toPlainText()
    assert text.index("fifty") < text.index("made <500>") < text.index("two-d") < text.index("greys")
    assert "≤ 93.40" in text
    assert "IWAE-1,000 estimate" in text
    assert "a density of continuous pixels is no probability" in text
    assert "too large in expectation" in text
    assert "Rows last until the program ends." in text


def test_a_row_is_taken_away_by_its_link(panel: ReadOutsPanel, qtbot: QtBot) -> None:
    panel.resize(1100, 500)
    _to_the_scoreboard(panel)
    panel.set_entries(ROWS)
    board = panel.board.board
    place = _place_of_link(panel, "remove:1")
    with qtbot.waitSignal(panel.row_removed) as removed:
        QTest.mouseClick(board.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, place)
    assert removed.args == [1]


def _place_of_link(panel: ReadOutsPanel, address: str) -> QPoint:
    board = panel.board.board
    for y in range(0, board.viewport().height(), 4):
        for x in range(0, board.viewport().width(), 4):
            if board.anchorAt(QPoint(x, y)) == address:
                return QPoint(x, y)
    raise AssertionError(f"no link {address} can be seen")


def test_the_scoreboard_is_copied_as_text_and_as_csv(panel: ReadOutsPanel) -> None:
    _to_the_scoreboard(panel)
    panel.set_entries(ROWS)
    QTest.mouseClick(panel.board.copy_text, LEFT)
    text = QApplication.clipboard().text()
    assert text == board_text(ROWS)
    assert "made <500>\tMADE (autoregressive)\tBernoulli\tnone\t95.10" in text
    QTest.mouseClick(panel.board.copy_csv, LEFT)
    rows = list(csv.DictReader(io.StringIO(QApplication.clipboard().text())))
    assert board_csv(ROWS) == QApplication.clipboard().text()
    assert [row["model"] for row in rows] == ["fifty", "made <500>", "two-d", "greys"]
    assert float(rows[0]["nll_nats"]) == 93.4
    assert rows[0]["how"] == "IWAE-1,000 estimate"
    assert rows[3]["measure"] == "density"
    assert rows[3]["bits_per_dim"] == ""


def test_figures_are_copied_as_text(panel: ReadOutsPanel) -> None:
    panel.set_read_outs(figures())
    (action,) = panel.figures.actions()
    action.trigger()
    text = QApplication.clipboard().text()
    assert "its cap, ln N\t7.60\tN = 2,000" in text
    assert "KL of z1\t3.80" in text


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_are_followed(panel: ReadOutsPanel, qapp: QApplication, theme: str) -> None:
    colours = DARK if theme == "dark" else LIGHT
    panel.set_entries(ROWS)
    panel.set_read_outs(figures())
    panel.set_plane([PlanePoint("run", 1.0, 2.0, ())], [], 0)
    try:
        apply_theme(qapp, theme)
        assert panel.figures.plane is not None
        assert panel.figures.plane.widget.backgroundBrush().color().name() == colours.canvas
        assert colours.muted_text in panel.board.board.toHtml()
        bars = panel.figures.bars
        picture = bars.grab().toImage()
        inside = QPointF(10.0, bars.height() * 0.6).toPoint() * picture.devicePixelRatio()
        assert picture.pixelColor(inside).name() == colours.accent
    finally:
        apply_theme(qapp, "light")
    assert board_html(ROWS, LIGHT) != board_html(ROWS, DARK)


def test_a_narrow_panel_stands_its_parts_one_above_another(panel: ReadOutsPanel) -> None:
    panel.set_read_outs(figures())
    beside = panel.figures.bars.mapTo(panel, QPoint(0, 0))
    panel.resize(420, 280)
    QTest.qWait(0)
    below = panel.figures.bars.mapTo(panel, QPoint(0, 0))
    assert below.x() < beside.x()
    assert below.y() > beside.y()
