import math
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core.config import ModelConfig
from core.snapshots import ElboMeans, HeldOutReport, RunNote, StepReports, frozen
from explorer.settings import Settings
from explorer.theme import current_palette
from explorer.views.curves import CurvesPanel
from tests.explorer.curves.conftest import EPOCH, LEFT, STEPS, centre, held_out, history, pixel, steps, wheel


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


def test_what_a_run_reports_is_drawn_less_often_while_the_hand_moves(filled: CurvesPanel, qtbot: QtBot) -> None:
    waits = []
    for moving in (False, True, False):
        qtbot.waitUntil(lambda: not filled._timer.isActive())
        filled.set_hand_moving(moving)
        filled.add_steps(steps(filled._record.last_step + 1, 20))
        waits.append(filled._timer.interval())
    assert waits[0] == waits[2] < waits[1]


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


ROLLBACK = (
    "for 200 steps the loss was more than 10 times its best, 204.9 nats: "
    "back to the weights of step 0, learning rate 1.25"
)


@pytest.mark.parametrize("size", [(660, 230), (520, 260), (980, 500)])
def test_a_long_note_is_shown_whole(filled: CurvesPanel, qtbot: QtBot, size: tuple[int, int]) -> None:
    filled.add_note(RunNote(1500, "rollback", ROLLBACK))
    filled.resize(*size)
    plot = filled.plots["elbo"]
    qtbot.waitUntil(lambda: abs(plot.width() - size[0]) < 40)
    filled.refresh()
    plot.move_crosshair(pixel(plot, 1500, -150).x())
    crosshair = plot.crosshair
    assert crosshair.reading is not None
    font = crosshair.font()
    reading = crosshair.wrapped(crosshair.reading, font)
    box, places = crosshair.box(reading, font)
    note = [row for row, line in enumerate(reading.lines) if line.text in ROLLBACK]
    assert " ".join(reading.lines[row].text for row in note) == ROLLBACK
    assert len(places) > note[-1], "each row of it has a place"
    for row in note:
        assert crosshair.fontMetrics().horizontalAdvance(reading.lines[row].text) + 14 <= places[row].width() + 1
        assert crosshair.frame.left() <= places[row].left() <= places[row].right() <= crosshair.frame.right()
    assert crosshair.frame.top() <= box.top() <= box.bottom() <= crosshair.frame.bottom()


@pytest.mark.parametrize("nll", [140.0, 5e16, 1.25e-7])
def test_the_title_of_the_axis_stands_beside_its_numbers(panel: CurvesPanel, qtbot: QtBot, nll: float) -> None:
    values = np.linspace(0.2 * nll, nll, 50)
    step, kl = np.arange(50), np.zeros((50, 2))
    panel.add_steps(StepReports(frozen(step, np.int64), frozen(values), frozen(kl.sum(axis=1)), frozen(kl)))
    panel.refresh()
    plot = panel.plots["elbo"]
    axis = plot._item.getAxis("left")
    qtbot.waitUntil(lambda: axis.width() == axis.fixedWidth)
    title = axis.label.mapRectToParent(axis.label.boundingRect())
    widest = axis.room_for(*plot.view.viewRange()[1])
    assert axis.width() - 4 - widest >= title.right() - 4, "the frame around the text of the title is empty"


def test_a_low_plot_has_a_title_that_fits(filled: CurvesPanel, qtbot: QtBot) -> None:
    plot = filled.plots["elbo"]
    assert plot._item.getAxis("left").labelText == "ELBO, nats"
    filled.setMinimumSize(10, 10)
    filled.resize(980, 150)
    qtbot.waitUntil(lambda: plot.height() < 100)
    filled.refresh()
    assert plot._item.getAxis("left").labelText == "nats"


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


@pytest.mark.parametrize("chosen", ["elbo", "kl_per_dimension"])
@pytest.mark.parametrize("size", [(980, 150), (980, 210), (980, 600), (360, 170)])
def test_what_the_crosshair_says_leaves_the_curves_in_sight(
    panel: CurvesPanel, chosen: str, size: tuple[int, int], qtbot: QtBot
) -> None:
    panel.set_history(history(dimensions=10))
    panel.controls.choose(chosen)
    panel.resize(*size)
    plot = panel.plots[chosen]
    qtbot.waitUntil(lambda: plot.width() > 0.9 * (size[0] - 20))
    panel.refresh()
    plot.move_crosshair(centre(plot).x())
    crosshair = plot.crosshair
    assert crosshair.reading is not None
    box, places = crosshair.box(crosshair.reading, crosshair.font())
    one_line = crosshair.fontMetrics().height() + 10
    assert box.height() <= max(0.6 * crosshair.frame.height(), one_line)
    assert places
    assert crosshair.frame.left() <= box.left() <= box.right() <= crosshair.frame.right()
    if size[0] > 900 and size[1] > 200:
        assert len(places) == len(crosshair.reading.lines)
    for place in places:
        assert box.contains(place)
    if 200 < size[1] < 300:
        middle = crosshair.frame.center().y()
        dots = sorted(y for y, _ in crosshair.reading.dots)
        assert (box.center().y() > middle) == (dots[len(dots) // 2] < middle), "on the other side of the curves"
    if chosen == "kl_per_dimension":
        assert "smoothed" in crosshair.reading.lines[0].text


def test_a_plot_is_drawn_anew_for_another_size(filled: CurvesPanel, qtbot: QtBot) -> None:
    plot = filled.plots["elbo"]
    filled.resize(980, 110)
    filled.refresh()
    filled.resize(980, 500)
    qtbot.waitUntil(lambda: not filled._dirty)
    _, drawn = plot._traces[0]._lines["smoothed"].getData()
    half = len(drawn) // 2
    (bottom, top) = plot.view.viewRange()[1]
    between = np.nanmax(np.abs(drawn[:half] - drawn[half : 2 * half]))
    assert between < 3 * (top - bottom) / plot.view.height(), "the strokes of a bold line lie a pixel apart"


def test_a_start_is_marked_only_after_the_first(panel: CurvesPanel, qtbot: QtBot) -> None:
    given = history()
    given.add_note(RunNote(0, "start", "start"))
    panel.set_history(given)
    qtbot.waitUntil(lambda: panel.plots["elbo"].width() > 900)
    panel.refresh()
    starts = panel.plots["elbo"]._backdrop._notes[0]
    assert not starts.isVisible()
    panel.add_note(RunNote(1000, "start", "start"))
    panel.refresh()
    assert starts.getData()[0] == pytest.approx(np.full(2, 1000.0), abs=3.0)


def test_the_legend_stands_in_one_row_with_as_many_words_as_fit(filled: CurvesPanel) -> None:
    said = []
    for width in (1100, 700, 560):
        filled.resize(width, 270)
        filled.refresh()
        buttons = [filled.legend.button(entry.name) for entry in filled.legend.entries]
        QApplication.processEvents()  # noqa: TID251 - lets the legend take its places
        assert len({button.y() for button in buttons}) == 1
        said.append(buttons[-1].text())
    assert said == ["held-out, all 10,000", "all 10,000", "all"]


def test_the_chosen_quantity_and_smoothing_are_remembered(panel: CurvesPanel, qtbot: QtBot, tmp_path: Path) -> None:
    settings = Settings(tmp_path / "settings.ini")
    panel.remember(settings)
    assert panel.controls.quantity == "elbo"
    QTest.mouseClick(panel.controls.quantity_button("kl"), LEFT)
    panel.controls.smoothing.setFocus()
    QTest.keyClick(panel.controls.smoothing, Qt.Key.Key_Home)
    panel.set_model(ModelConfig(model="autoencoder"))
    assert (settings.curves_quantity, settings.smoothing) == ("kl", 0.0)
    other = CurvesPanel()
    qtbot.addWidget(other)
    settings.curves_quantity = "kl"
    other.remember(settings)
    assert (other.controls.quantity, other.options.smoothing) == ("kl", 0.0)
    settings.curves_quantity = "entropy"
    third = CurvesPanel()
    qtbot.addWidget(third)
    third.remember(settings)
    assert third.controls.quantity == "elbo"
