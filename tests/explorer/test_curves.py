"""The panel of curves, driven by mouse and keys."""

import csv
import math
import os
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from core.history import History
from core.snapshots import ElboMeans, HeldOutReport, RunNote, StepReports, frozen
from explorer.theme import apply_theme, current_palette
from explorer.views.curves import CurvesPanel
from explorer.views.curves.plot import QuantityPlot

# The offscreen platform says so whenever a window is shown.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

LEFT = Qt.MouseButton.LeftButton
STEPS = 2000
EPOCH = 500


def steps(first: int = 1, count: int = STEPS, dimensions: int = 2) -> StepReports:
    step = np.arange(first, first + count)
    generator = np.random.default_rng(first)
    nll = 140.0 + 300.0 * np.exp(-step / 50.0) + generator.normal(0.0, 3.0, count)
    kl = generator.normal(3.0, 0.1, (count, dimensions))
    return StepReports(frozen(step, np.int64), frozen(nll), frozen(kl.sum(axis=1)), frozen(kl))


def held_out(step: int, *, complete: bool, dimensions: int = 2) -> HeldOutReport:
    means = ElboMeans(141.0, 3.0 * dimensions, (3.0,) * dimensions)
    return HeldOutReport(step, step / EPOCH, means, 10_000 if complete else 2000, complete)


def history(dimensions: int = 2) -> History:
    result = History(dimensions)
    result.add_steps(steps(dimensions=dimensions))
    for step in range(125, STEPS + 1, 125):
        result.add_held_out(held_out(step, complete=step % EPOCH == 0, dimensions=dimensions))
    result.add_note(RunNote(1000, "setting", "β: 1 → 4"))
    return result


@pytest.fixture
def panel(qtbot: QtBot) -> CurvesPanel:
    result = CurvesPanel()
    qtbot.addWidget(result)
    result.resize(980, 270)
    result.show()
    result.activateWindow()
    qtbot.waitUntil(result.isActiveWindow)
    QTest.mouseMove(result, QPoint(1, 1))
    return result


@pytest.fixture
def filled(panel: CurvesPanel) -> CurvesPanel:
    panel.set_history(history())
    panel.refresh()
    return panel


def pixel(plot: QuantityPlot, x: float, y: float) -> QPoint:
    """Return the pixel of a place on a plot's axes, as pyqtgraph maps it."""
    scene = plot.view.mapViewToScene(QPointF(x, y))
    point: QPoint = plot.widget.mapFromScene(scene)
    return point


def wheel(plot: QuantityPlot, at: QPoint, notches: int) -> None:
    viewport: QWidget = plot.widget.viewport()
    event = QWheelEvent(
        QPointF(at),
        QPointF(viewport.mapToGlobal(at)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,  # not inverted
    )
    QApplication.sendEvent(viewport, event)


def centre(plot: QuantityPlot) -> QPoint:
    (left, right), (bottom, top) = plot.view.viewRange()
    return pixel(plot, (left + right) / 2, (bottom + top) / 2)


def test_new_steps_are_drawn_soon_and_not_at_once(filled: CurvesPanel, qtbot: QtBot) -> None:
    calls: list[object] = []
    plot = filled.plots["elbo"]

    def note(*changed: object) -> None:
        calls.append(changed)

    plot.view.sigXRangeChanged.connect(note)
    for number in range(50):
        filled.add_steps(steps(STEPS + 1 + 20 * number, 20))
    assert calls == []
    qtbot.waitUntil(lambda: plot.x_range[1] > STEPS + 900)
    assert len(calls) <= 2


def test_a_hidden_panel_draws_nothing_until_it_is_shown(filled: CurvesPanel, qtbot: QtBot) -> None:
    filled.hide()
    before = filled.plots["elbo"].x_range
    filled.add_steps(steps(STEPS + 1, 1000))
    qtbot.waitUntil(lambda: not filled._timer.isActive())
    filled.add_steps(steps(STEPS + 1001, 1000))
    assert not filled._timer.isActive()
    assert filled.plots["elbo"].x_range == before
    filled.show()
    qtbot.waitUntil(lambda: filled.plots["elbo"].x_range[1] > STEPS + 900)


@pytest.mark.parametrize("name", ["nll", "kl", "kl_per_dimension"])
def test_a_click_chooses_the_quantity(filled: CurvesPanel, name: str) -> None:
    QTest.mouseClick(filled.controls.quantity_button(name), LEFT)
    assert [key for key, plot in filled.plots.items() if plot.isVisible()] == [name]
    QTest.mouseClick(filled.controls.quantity_button("all"), LEFT)
    assert all(plot.isVisible() for plot in filled.plots.values())


def test_the_range_shows_the_curve_and_not_its_first_steep_fall(filled: CurvesPanel) -> None:
    low, high = filled.plots["elbo"].view.viewRange()[1]
    assert -250.0 < low < -150.0
    assert -145.0 < high < -120.0
    QTest.mouseClick(filled.controls.outliers, LEFT)
    filled.refresh()
    assert filled.plots["elbo"].view.viewRange()[1][0] < -400.0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e308, -1e308])
def test_absurd_values_leave_the_plot_readable(filled: CurvesPanel, bad: float) -> None:
    good = steps(STEPS + 1, 20)
    nll = good.nll.copy()
    nll[3:6] = bad
    filled.add_steps(StepReports(good.step, frozen(nll), good.kl, good.kl_per_dimension))
    filled.add_held_out(HeldOutReport(STEPS + 10, 4.1, ElboMeans(bad, 3.0, (2.0, 1.0)), 2000, complete=False))
    for clip in (True, False):
        filled.controls.outliers.setChecked(clip)
        filled.controls.choose("all")
        filled.refresh()
        low, high = filled.plots["nll"].view.viewRange()[1]
        assert -1000.0 < low < 140.0 < high < 1000.0
        assert not filled.grab().isNull()


def test_zooming_ends_following_and_the_button_begins_it_again(filled: CurvesPanel) -> None:
    plot = filled.plots["elbo"]
    assert filled.controls.follow.isChecked()
    wheel(plot, centre(plot), 3)
    zoomed = plot.x_range
    assert zoomed[1] - zoomed[0] < STEPS
    assert not filled.controls.follow.isChecked()
    filled.add_steps(steps(STEPS + 1, 3000))
    filled.refresh()
    assert plot.x_range == zoomed
    QTest.mouseClick(filled.controls.follow, LEFT)
    filled.refresh()
    assert filled.following
    assert plot.x_range[1] >= STEPS + 3000


def test_dragging_pans_and_a_double_click_follows_again(filled: CurvesPanel, qtbot: QtBot) -> None:
    plot = filled.plots["elbo"]
    viewport = plot.widget.viewport()
    start = centre(plot)
    before = plot.x_range
    QTest.mousePress(viewport, LEFT, pos=start)
    for offset in (20, 60, 120):
        QTest.mouseMove(viewport, start + QPoint(offset, 0))
        qtbot.wait(15)
    QTest.mouseRelease(viewport, LEFT, pos=start + QPoint(120, 0))
    assert plot.x_range[0] < before[0]
    assert not filled.controls.follow.isChecked()
    QTest.mouseDClick(viewport, LEFT, pos=start)
    filled.refresh()
    assert filled.following
    assert plot.x_range == pytest.approx(before, abs=30)


def test_zooming_one_of_four_plots_zooms_the_others_along_x(filled: CurvesPanel) -> None:
    filled.controls.choose("all")
    filled.refresh()
    plot = filled.plots["nll"]
    wheel(plot, centre(plot), 4)
    filled.refresh()
    for other in filled.plots.values():
        assert other.x_range == pytest.approx(plot.x_range)
    # Only the zoomed plot keeps its y range.
    assert [other.follow_y for other in filled.plots.values()] == [True, False, True, True]


def test_the_legend_hides_curves_by_mouse_and_by_keyboard(filled: CurvesPanel) -> None:
    trace = filled.plots["elbo"]._traces[0]
    for name, item in trace._lines.items():
        assert item.isVisible(), name
    QTest.mouseClick(filled.legend.button("train"), LEFT)
    filled.refresh()
    assert not trace._lines["train"].isVisible()
    button = filled.legend.button("subset")
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Space)
    filled.refresh()
    assert not trace._lines["subset"].isVisible()
    assert not trace._markers["subset"].isVisible()
    assert trace._lines["smoothed"].isVisible()
    assert button.font().strikeOut()
    QTest.keyClick(button, Qt.Key.Key_Space)
    filled.refresh()
    assert trace._markers["subset"].isVisible()


def test_subset_and_all_held_out_images_are_told_apart(filled: CurvesPanel) -> None:
    texts = [entry.text for entry in filled.legend.entries]
    assert texts == ["train", "train, smoothed", "held-out, 2,000", "held-out, all 10,000"]
    trace = filled.plots["elbo"]._traces[0]
    at_subset, _ = trace._markers["subset"].getData()
    at_complete, _ = trace._markers["complete"].getData()
    assert list(at_complete) == [500, 1000, 1500, 2000]
    assert len(at_subset) == 12
    full, hollow = trace._markers["complete"].opts["brush"], trace._markers["subset"].opts["brush"]
    assert QColor(full.color()).name() == current_palette().held_out
    assert QColor(hollow.color()).name() == current_palette().canvas


def test_the_crosshair_reads_the_values_under_the_mouse(filled: CurvesPanel) -> None:
    plot = filled.plots["elbo"]
    at = pixel(plot, 700, -150)
    QTest.mouseMove(plot.widget.viewport(), at)
    reading = plot.crosshair.reading
    assert reading is not None
    title = reading.lines[0].text
    assert title.endswith("epoch 1.40")
    step = int(title.split()[1].replace(",", ""))
    assert step == pytest.approx(700, abs=3)
    given = steps()
    expected = -(given.nll[step - 1] + given.kl[step - 1])
    assert f"{expected:.2f}".replace("-", "−") + "  train" in [line.text for line in reading.lines]
    texts = " | ".join(line.text for line in reading.lines)
    assert "−147.00  held-out, 2,000 (step 750)" in texts
    assert "−147.00  held-out, all 10,000 (step 500)" in texts
    assert "−" in plot.crosshair.accessibleDescription()
    QTest.mouseMove(filled, QPoint(1, 1))
    QApplication.sendEvent(plot.widget.viewport(), QEvent(QEvent.Type.Leave))
    assert plot.crosshair.reading is None


def test_a_note_shows_its_text_under_the_crosshair(filled: CurvesPanel) -> None:
    plot = filled.plots["elbo"]
    for step, shown in ((1000, True), (1200, False)):
        QTest.mouseMove(plot.widget.viewport(), pixel(plot, step, -150))
        reading = plot.crosshair.reading
        assert reading is not None
        assert ("β: 1 → 4" in [line.text for line in reading.lines]) is shown


def following(panel: CurvesPanel) -> bool:
    return panel.following


def test_arrow_keys_choose_among_the_quantities(filled: CurvesPanel) -> None:
    button = filled.controls.quantity_button("elbo")
    button.setFocus()
    QTest.keyClick(button, Qt.Key.Key_Right)
    assert filled.controls.quantity == "nll"


def test_arrow_keys_move_the_crosshair_and_home_shows_all(filled: CurvesPanel) -> None:
    plot = filled.plots["elbo"]
    plot.setFocus()
    QTest.keyClick(plot, Qt.Key.Key_Right)
    first = plot.crosshair.reading
    QTest.keyClick(plot, Qt.Key.Key_Right)
    second = plot.crosshair.reading
    assert first is not None
    assert second is not None
    assert second.x > first.x
    QTest.keyClick(plot, Qt.Key.Key_Plus)
    assert not following(filled)
    QTest.keyClick(plot, Qt.Key.Key_Home)
    assert following(filled)
    QTest.keyClick(plot, Qt.Key.Key_Escape)
    assert plot.crosshair.reading is None


def test_the_axis_counts_epochs_once_they_are_known(panel: CurvesPanel) -> None:
    panel.add_steps(steps())
    panel.refresh()
    assert not panel.controls.epochs.isEnabled()
    assert "first held-out" in panel.controls.epochs.toolTip()
    panel.add_held_out(held_out(EPOCH, complete=True))
    panel.refresh()
    QTest.mouseClick(panel.controls.epochs, LEFT)
    panel.refresh()
    assert panel.plots["elbo"].x_range[1] == pytest.approx(4.0, rel=0.05)


def test_logarithmic_axes_draw_logarithms_and_minus_the_elbo(filled: CurvesPanel) -> None:
    QTest.mouseClick(filled.controls.log_x, LEFT)
    QTest.mouseClick(filled.controls.log_y, LEFT)
    filled.refresh()
    plot = filled.plots["elbo"]
    assert plot.x_range[0] == pytest.approx(0.0, abs=0.05)
    assert plot.x_range[1] == pytest.approx(math.log10(STEPS), rel=0.05)
    _, y = plot._traces[0]._markers["complete"].getData()
    np.testing.assert_allclose(y, math.log10(147.0))
    assert "−ELBO" in plot._item.getAxis("left").labelText
    assert "−ELBO" in filled.controls.log_y.toolTip()


def test_more_smoothing_makes_a_smoother_curve(filled: CurvesPanel) -> None:
    def roughness() -> float:
        filled.refresh()
        _, y = filled.plots["kl"]._traces[0]._lines["smoothed"].getData()
        return float(np.nanmean(np.abs(np.diff(y[: len(y) // 2]))))

    filled.controls.choose("kl")
    slider = filled.controls.smoothing
    before = roughness()
    slider.setFocus()
    QTest.keyClick(slider, Qt.Key.Key_End)
    after = roughness()
    QTest.keyClick(slider, Qt.Key.Key_Home)
    none = roughness()
    assert after < before < none


def test_an_autoencoder_has_no_bound(panel: CurvesPanel) -> None:
    given = steps()
    nothing = frozen(np.full(STEPS, np.nan))
    panel.add_steps(StepReports(given.step, given.nll, nothing, frozen(np.zeros((STEPS, 0)))))
    panel.controls.choose("all")
    panel.refresh()
    messages = {name: plot.message for name, plot in panel.plots.items()}
    assert messages.pop("nll") == ""
    assert all(message.endswith("not defined for an autoencoder") for message in messages.values())
    panel.set_history(history())
    panel.refresh()
    assert all(plot.message == "" for plot in panel.plots.values())


def test_an_empty_panel_says_so(panel: CurvesPanel) -> None:
    panel.refresh()
    assert panel.plots["elbo"].message == "ELBO: no training yet"


def test_of_many_dimensions_the_ten_largest_are_shown_and_called_so(panel: CurvesPanel) -> None:
    panel.set_history(history(dimensions=12))
    panel.controls.choose("kl_per_dimension")
    panel.refresh()
    assert panel._caption.text() == "top 10 of 12 by KL"
    assert len([entry for entry in panel.legend.entries if entry.name.startswith("z")]) == 10
    QTest.mouseClick(panel.legend.button("z0"), LEFT)
    panel.refresh()
    traces = panel.plots["kl_per_dimension"]._traces
    assert not traces[0]._lines["smoothed"].isVisible()
    assert traces[1]._lines["smoothed"].isVisible()


def test_clearing_forgets_everything(filled: CurvesPanel) -> None:
    wheel(filled.plots["elbo"], centre(filled.plots["elbo"]), 3)
    filled.clear()
    filled.refresh()
    assert filled.following
    assert filled.plots["elbo"].message
    filled.add_steps(steps(1, 10))
    filled.refresh()
    assert filled.plots["elbo"].x_range[1] == pytest.approx(10.0, rel=0.05)


def test_a_note_on_the_unit_is_shown_until_taken_back(filled: CurvesPanel) -> None:
    filled.set_unit_note("Bernoulli nats of grey pixels are not a likelihood")
    assert filled._unit_note.isVisible()
    filled.set_unit_note("")
    assert not filled._unit_note.isVisible()


def test_a_saved_table_holds_every_number(filled: CurvesPanel, tmp_path: Path) -> None:
    path = tmp_path / "curves.csv"
    filled.save_csv(path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    train = [row for row in rows if row["split"] == "train"]
    given = steps()
    assert [int(row["step"]) for row in train] == given.step.tolist()
    assert [float(row["nll"]) for row in train] == given.nll.tolist()
    assert [float(row["kl"]) for row in train] == given.kl.tolist()
    np.testing.assert_allclose([float(row["kl_2"]) for row in train], given.kl_per_dimension[:, 1], rtol=1e-6)
    np.testing.assert_allclose([float(row["elbo"]) for row in train], -(given.nll + given.kl))
    assert float(train[749]["epoch"]) == 1.5
    held = [row for row in rows if row["split"] == "held_out"]
    assert len(held) == 16
    assert held[3] | {"epoch": "1.0", "num_images": "10000", "complete": "1", "nll": "141.0"} == held[3]
    assert [row["note"] for row in rows if row["split"] == "note"] == ["setting: β: 1 → 4"]


def test_a_failed_save_leaves_the_old_file(
    filled: CurvesPanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "curves.csv"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        filled.save_csv(path)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["curves.csv"]


def test_a_saved_file_has_the_users_usual_mode(filled: CurvesPanel, tmp_path: Path) -> None:
    mask = os.umask(0o022)
    try:
        filled.save_csv(tmp_path / "curves.csv")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "curves.csv").stat().st_mode) == 0o644


def colours_in(image: QImage) -> set[str]:
    return {image.pixelColor(x, y).name() for x in range(0, image.width(), 2) for y in range(0, image.height(), 2)}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_saved_pictures_show_the_curves_in_the_themes_colours(
    filled: CurvesPanel, qapp: QApplication, tmp_path: Path, theme: str
) -> None:
    apply_theme(qapp, theme)
    try:
        filled.save_picture(tmp_path / "curves.png")
        filled.save_picture(tmp_path / "curves.svg")
        picture = QImage(str(tmp_path / "curves.png"))
        assert picture.width() > 1.8 * filled.plots["elbo"].width()
        colours = current_palette()
        assert {colours.canvas, colours.held_out} <= colours_in(picture)
        drawing = QSvgRenderer(str(tmp_path / "curves.svg"))
        assert drawing.isValid()
        assert "held-out, all 10,000" in (tmp_path / "curves.svg").read_text(encoding="utf-8")
        assert colours_in(filled.plots["elbo"].grab().toImage()) & {colours.held_out}
    finally:
        apply_theme(qapp, "light")


def test_other_formats_are_refused(filled: CurvesPanel, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.png or \.svg, not '\.gif'"):
        filled.save_picture(tmp_path / "curves.gif")


def test_every_control_has_a_name_a_tip_and_a_place_in_the_tabs(filled: CurvesPanel) -> None:
    controls = filled.controls
    buttons = [*controls.quantities.buttons(), controls.steps, controls.epochs, controls.log_x, controls.log_y]
    # Of buttons that exclude each other the keyboard reaches the chosen one; arrow keys choose among them.
    exclusive = {*controls.quantities.buttons(), controls.steps, controls.epochs}
    for widget in (*buttons, controls.smoothing, controls.outliers, controls.follow, controls.save):
        assert widget.accessibleName()
        assert widget.toolTip()
        reachable = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
        assert reachable or (widget in exclusive and not widget.isChecked())
    for quantity in ("elbo", "nll", "kl", "kl_per_dimension"):
        tip = controls.quantity_button(quantity).toolTip()
        assert tip.endswith(".")
        assert tip.count(". ") == 0


def test_a_narrow_panel_wraps_its_controls(filled: CurvesPanel, qtbot: QtBot) -> None:
    wide = filled.controls.height()
    filled.resize(480, 300)
    qtbot.waitUntil(lambda: filled.controls.height() > wide)
    for widget in (filled.controls.smoothing, filled.controls.outliers):
        right = widget.mapTo(filled, QPoint(widget.width(), 0)).x()
        assert right <= filled.width()


Setter = Callable[[CurvesPanel], None]


@pytest.mark.parametrize(
    "setter",
    [
        lambda panel: panel.add_steps(steps(1, 5)),
        lambda panel: panel.set_history(history()),
        lambda panel: panel.clear(),
        lambda panel: panel.set_unit_note("x"),
    ],
)
def test_setters_emit_nothing(panel: CurvesPanel, setter: Setter, qtbot: QtBot) -> None:
    controls = panel.controls
    with (
        qtbot.assertNotEmitted(controls.options_changed),
        qtbot.assertNotEmitted(controls.follow_asked),
        qtbot.assertNotEmitted(panel.saved),
    ):
        setter(panel)
        panel.refresh()
