"""The figures of how quickly the program follows drag, slider and pen."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import SIGNAL

from explorer.session import timing as module
from explorer.settings import Settings
from explorer.views.timing_bar import TimingBar
from tests.open_program import OpenProgram, model_file

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]

FIGURES = r"{} \d+\.\d ms · \d+ FPS"


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenProgram]:
    program = OpenProgram(tmp_path, model_file()).opened()
    yield program
    program.leave()


@pytest.fixture
def bar(opened: OpenProgram) -> TimingBar:
    assert not opened.window.timing.isVisible()
    opened.window.commands.trigger("view.timing")
    assert opened.window.timing.isVisible()
    assert opened.window.timing.text == module.AT_REST
    return opened.window.timing


def until(opened: OpenProgram, bar: TimingBar, pattern: str) -> None:
    opened.until(f"the figures {pattern}", lambda: re.fullmatch(pattern, bar.text) is not None)


def test_a_drag_is_timed(opened: OpenProgram, bar: TimingBar) -> None:
    opened.drag_handle_to(0.5, -0.5)
    until(opened, bar, FIGURES.format("drag"))


def test_a_slider_is_timed(opened: OpenProgram, bar: TimingBar) -> None:
    opened.program.views.sliders.row(0).value_edited.emit(0, 0.3)
    until(opened, bar, FIGURES.format("slider"))


def test_the_pen_is_timed(opened: OpenProgram, bar: TimingBar) -> None:
    opened.window.docks.draw.raise_()
    opened.driver.wait(50)
    opened.draw((100.0, 100.0), (140.0, 180.0), (180.0, 100.0))
    until(opened, bar, FIGURES.format("pen"))


def test_at_rest_the_last_figure_stays_and_no_pictures_are_counted(
    opened: OpenProgram, bar: TimingBar, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.drag_handle_to(0.5, -0.5)
    until(opened, bar, FIGURES.format("drag"))
    monkeypatch.setattr(module, "_WINDOW_S", 0.2)
    until(opened, bar, r"at rest · last drag \d+\.\d ms")


def test_switched_off_it_is_gone_and_listens_to_nothing(opened: OpenProgram, bar: TimingBar) -> None:
    canvas = opened.program.views.canvas
    signal = SIGNAL("touched()")
    listening = canvas.receivers(signal)
    opened.window.commands.trigger("view.timing")
    assert not bar.isVisible()
    assert canvas.receivers(signal) == listening - 1
    opened.drag_handle_to(0.5, -0.5)
    opened.window.commands.trigger("view.timing")
    assert bar.text == module.AT_REST


def test_it_stands_in_sight_at_the_lower_right_whatever_panel_is_in_front(opened: OpenProgram, bar: TimingBar) -> None:
    for dock in opened.window.docks.all():
        dock.show()
        dock.raise_()
        opened.driver.wait(20)
        assert not bar.visibleRegion().isEmpty()
        assert bar.geometry().bottom() == opened.window.rect().bottom()
        assert bar._figures.geometry().right() > bar.width() - 12


def test_the_choice_is_remembered(opened: OpenProgram, bar: TimingBar) -> None:
    assert bar.isVisible()
    settings = opened.program.settings
    assert isinstance(settings, Settings)
    assert settings.show_timing
