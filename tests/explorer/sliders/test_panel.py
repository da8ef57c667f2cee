import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from explorer.messages import SliderSpec
from explorer.theme import apply_theme
from explorer.views.sliders import SlidersPanel
from explorer.views.sliders.stack import MOST_ROWS
from tests.explorer.sliders.conftest import LEFT, Heard, Make, code, place


def test_a_sweep_passes_low_and_high_and_comes_back(make: Make) -> None:
    panel = make()
    QTest.mouseClick(panel.row(0).animate, LEFT)
    QTest.mouseClick(panel.row(2).animate, LEFT)
    heard = Heard(panel)
    for _ in range(81):
        panel.sweeps.advance(0.05)
    values = [value for dimension, value in heard.of("value_edited") if dimension == 0]
    assert max(values) == pytest.approx(3.0, abs=0.01)
    assert min(values) == pytest.approx(-2.0, abs=0.01)
    assert max(np.abs(np.diff(values))) < 0.25
    assert values[79] == pytest.approx(0.0, abs=0.25)
    assert {dimension for dimension, _ in heard.of("value_edited")} == {0, 2}


def sweeping(panel: SlidersPanel) -> bool:
    return panel.sweeps.running


def test_nothing_is_swept_while_nobody_looks(make: Make) -> None:
    panel = make()
    QTest.mouseClick(panel.row(0).animate, LEFT)
    assert sweeping(panel)
    panel.hide()
    assert not sweeping(panel)
    panel.show()
    assert sweeping(panel)
    QTest.mouseClick(panel.row(0).animate, LEFT)
    assert not sweeping(panel)


def test_sampling_ends_every_sweep(make: Make) -> None:
    panel = make()
    QTest.mouseClick(panel.row(0).animate, LEFT)
    heard = Heard(panel)
    QTest.mouseClick(panel.sample, LEFT)
    assert heard.events[-2:] == [("animate_toggled", 0, False), ("sample_requested",)]


def test_collapsed_dimensions_are_folded_away_until_asked(make: Make) -> None:
    panel = make(6, collapsed=4)
    assert panel.expander.text() == "4 collapsed dimensions"
    with pytest.raises(KeyError):
        panel.row(3)
    QTest.mouseClick(panel.expander, LEFT)
    assert panel.row(3).isVisible()
    heard = Heard(panel)
    QTest.mouseClick(panel.row(3).track, LEFT, pos=place(panel.row(3), 1.0))
    assert [dimension for dimension, _ in heard.of("value_edited")] == [3]
    QTest.mouseClick(panel.expander, LEFT)
    with pytest.raises(KeyError):
        panel.row(3)


def test_a_wholly_collapsed_model_still_shows_its_sliders(make: Make) -> None:
    panel = make(2, collapsed=2)
    assert panel.row(0).isVisible()


def test_many_dimensions_share_few_rows_and_none_shows_anothers_value(make: Make, qtbot: QtBot) -> None:
    panel = make(256)
    values = np.linspace(-1.5, 2.5, 256, dtype=np.float32)
    panel.set_code(values)
    seen: set[int] = set()
    bar = panel._area.verticalScrollBar()
    for position in range(0, bar.maximum() + 200, 200):
        bar.setValue(position)
        qtbot.waitUntil(lambda: panel.complete)
        made = list(panel._made_rows())
        assert len(made) <= 2 * MOST_ROWS
        for row in made:
            assert row.value == float(values[row.dimension])
            seen.add(row.dimension)
    assert seen == set(range(256))
    heard = Heard(panel)
    last = panel.row(255)
    QTest.mouseClick(last.track, LEFT, pos=place(last, 0.0))
    assert [dimension for dimension, _ in heard.of("value_edited")] == [255]


def test_tab_goes_through_a_row_and_on_to_the_next(make: Make) -> None:
    panel = make()
    panel.activateWindow()
    panel.row(0).track.setFocus()
    order = []
    for _ in range(5):
        QTest.keyClick(QApplication.focusWidget() or panel, Qt.Key.Key_Tab)
        order.append(QApplication.focusWidget())
    first, second = panel.row(0), panel.row(1)
    assert order == [first.field, first.animate, first.reset, second.track, second.field]


def test_without_a_code_nothing_moves(make: Make) -> None:
    panel = make()
    QTest.mouseClick(panel.row(0).animate, LEFT)
    panel.set_enabled_for_code(False)
    heard = Heard(panel)
    row = panel.row(0)
    QTest.mouseClick(row.track, LEFT, pos=place(row, 1.0))
    QTest.mouseClick(panel.sample, LEFT)
    assert heard.events == []
    assert not panel.sweeps.running
    assert "handle" in panel._hint.text()
    panel.set_enabled_for_code(True)
    QTest.mouseClick(row.track, LEFT, pos=place(row, 1.0))
    assert len(heard.of("value_edited")) == 1


def test_a_resting_mouse_asks_for_pictures_and_gets_them(make: Make, qtbot: QtBot) -> None:
    panel = make()
    row = panel.row(1)
    with qtbot.waitSignal(panel.filmstrip_requested) as asked:
        QTest.mouseMove(row.track, place(row, 0.0))
    assert asked.args == [1]
    strip = np.zeros((28, 28 * 7), np.uint8)
    panel.set_filmstrip(0, strip)
    assert not panel.filmstrip.isVisibleTo(panel)
    before = [panel.row(d).y() for d in range(3)]
    panel.set_filmstrip(1, strip)
    assert panel.filmstrip.isVisible()
    last = panel.row(2)
    assert panel.filmstrip.y() >= last.mapTo(panel._content, last.rect().bottomLeft()).y(), "no slider is hidden"
    assert (row.track.toolTip(), panel.row(0).track.toolTip() != "") == ("", True)
    assert [panel.row(d).y() for d in range(3)] == before
    panel.set_filmstrip(1, None)
    assert not panel.filmstrip.isVisible()
    assert row.track.toolTip()


def test_where_rows_fill_the_panel_the_pictures_leave_the_hands_own_row_and_its_neighbours_free(
    make: Make, qtbot: QtBot
) -> None:
    panel = make(40)
    strip = np.zeros((28, 28 * 7), np.uint8)
    shown = panel._area.viewport().height()
    for dimension in (0, shown // panel.row(0).height() - 1):
        row = panel.row(dimension)
        with qtbot.waitSignal(panel.filmstrip_requested):
            row.track.setFocus()
        panel.set_filmstrip(dimension, strip)
        place_of_row = row.geometry().translated(panel._active.pos())
        distance = max(
            panel.filmstrip.y() - place_of_row.bottom(), place_of_row.top() - panel.filmstrip.geometry().bottom()
        )
        assert distance > 3 * row.height()
        assert panel.filmstrip.visibleRegion().boundingRect() == panel.filmstrip.rect()


def test_a_model_without_kl_has_no_collapsed_dimensions(make: Make) -> None:
    panel = make()
    panel.set_sliders(tuple(SliderSpec(d, -1e-3, 1e-3, 0.0, 1e-4, False, active=False) for d in range(3)))
    assert panel.expander.isHidden()
    assert all(panel.row(d).isVisible() and "collapsed" not in panel.row(d).label.toolTip() for d in range(3))


def test_a_bar_is_full_only_for_a_weight_worth_showing(make: Make) -> None:
    panel = make()
    panel.set_sliders(tuple(SliderSpec(d, -1.0, 1.0, 0.0, kl, True, True) for d, kl in enumerate((0.001, 0.05))))
    assert [panel.row(d).weight.share for d in range(2)] == pytest.approx([0.01, 0.5])
    panel.set_sliders(tuple(SliderSpec(d, -1.0, 1.0, 0.0, spread, False, True) for d, spread in enumerate((1e-4, 1e6))))
    assert [panel.row(d).weight.share for d in range(2)] == pytest.approx([1e-10, 1.0])
    bar = panel.row(1).weight
    assert bar.fontMetrics().horizontalAdvance(bar.text) <= bar.width() - 2
    assert bar.fontMetrics().horizontalAdvance("variance") <= bar.width()


def test_pictures_are_asked_anew_when_another_dimension_moves(make: Make, qtbot: QtBot) -> None:
    panel = make()
    with qtbot.waitSignal(panel.filmstrip_requested):
        panel.row(1).track.setFocus()
    with qtbot.assertNotEmitted(panel.filmstrip_requested, wait=150):
        panel.set_code(code(0.0, 1.0, 0.0))
    with qtbot.waitSignal(panel.filmstrip_requested) as asked:
        panel.set_code(code(0.5, 1.0, 0.0))
    assert asked.args == [1]


def test_the_mark_on_the_pictures_follows_the_slider(make: Make, qtbot: QtBot) -> None:
    panel = make()
    with qtbot.waitSignal(panel.filmstrip_requested):
        panel.row(0).track.setFocus()
    panel.set_filmstrip(0, np.full((10, 50), 90, np.uint8))
    tile = (panel.filmstrip.width() - 24.0 - 6.0) / 5
    for value, middle in ((-2.0, 0.5), (3.0, 4.5), (0.5, 2.5)):
        panel.set_code(code(value, 0.0, 0.0))
        expected = pytest.approx(24.0 + 3.0 + middle * tile, abs=0.5)
        qtbot.waitUntil(lambda expected=expected: panel.filmstrip._mark_x == expected)  # type: ignore[misc]


def test_an_empty_filmstrip_is_refused(make: Make, qtbot: QtBot) -> None:
    panel = make()
    with qtbot.waitSignal(panel.filmstrip_requested):
        panel.row(0).track.setFocus()
    with pytest.raises(ValueError, match="must have pixels"):
        panel.set_filmstrip(0, np.zeros((0, 0), np.uint8), 3)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_handle_is_painted_where_the_value_is(make: Make, qapp: QApplication, qtbot: QtBot, theme: str) -> None:
    apply_theme(qapp, theme)
    try:
        panel = make()
        track = panel.row(0).track
        pictures = []
        for value in (-1.5, 2.5):
            panel.set_code(code(value, 0.0, 0.0))
            qtbot.waitUntil(lambda value=value: panel.row(0).value == value)  # type: ignore[misc]
            pictures.append(track.grab().toImage())
        ends = [(round(track.x_of(-1.5)), 0), (round(track.x_of(2.5)), 1)]
        for x, index in ends:
            # Above the groove only the handle leaves ink.
            y = track.height() // 2 - 6
            assert pictures[index].pixelColor(x, y) != pictures[1 - index].pixelColor(x, y)
    finally:
        apply_theme(qapp, "light")


def test_every_control_has_a_name_and_a_tip(make: Make) -> None:
    panel = make(4, collapsed=2)
    for row in panel._made_rows():
        for widget in (row.track, row.field, row.animate, row.reset):
            assert widget.accessibleName()
            assert widget.toolTip()
            assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    for button in (panel.reset_all, panel.sample, panel.order, panel.expander):
        assert button.accessibleName()
        assert button.toolTip()


def test_a_field_that_is_committed_as_its_row_goes_finds_the_new_code(make: Make, qtbot: QtBot) -> None:
    panel = make(4)

    def move(dimension: int, value: float) -> None:
        # As the session does: it knows of the next model, with fewer dimensions, already.
        assert np.isfinite(value), dimension
        panel.set_code(code(0.5, value))

    panel.value_edited.connect(move)
    field = panel.row(3).field
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "1.25")
    panel._values = {0: 0.0, 1: 0.0}
    QTest.keyClick(field, Qt.Key.Key_Return)
    qtbot.wait(10)
    assert (panel._values[0], panel._values[1]) == (0.5, 1.25)
