import csv
import math
import os
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core.config import ModelConfig
from core.snapshots import StepReports, frozen
from explorer.theme import apply_theme, current_palette
from explorer.views.curves import CurvesPanel
from tests.explorer.curves.conftest import LEFT, STEPS, centre, history, steps, wheel


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
    panel.set_model(ModelConfig(model="autoencoder"))
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
    assert panel._caption.text() == "train, smoothed; top 10 of 12 by KL"
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


def test_a_model_without_a_prior_shows_what_it_defines_and_the_next_one_the_bound_again(panel: CurvesPanel) -> None:
    assert panel.controls.quantity == "elbo"
    panel.set_model(ModelConfig(model="autoencoder"))
    assert panel.controls.quantity == "nll"
    panel.set_model(ModelConfig())
    assert panel.controls.quantity == "elbo"
