"""Panels that are first seen long after model, data and image are there: they begin with all of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget

from explorer.messages import SubjectSource
from tests.explorer.session.test_subject import click_a_point, subject_from
from tests.open_program import OpenProgram, bars_data, model_file

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenProgram]:
    program = OpenProgram(tmp_path, model_file()).opened()
    click_a_point(program)
    subject_from(program, SubjectSource.DATA)
    program.until("the last answer", lambda: program.session.analyses.ledger.settled, timeout_s=60.0)
    yield program
    assert not program.error
    program.leave()


def made(opened: OpenProgram) -> list[str]:
    late = opened.views.late
    return [name for name in ("fit", "ladder", "gaps", "read_outs", "similar") if getattr(late, name).is_made]


def see(opened: OpenProgram, name: str) -> None:
    """Choose a panel in the View menu, and see it made."""
    action = opened.window.commands[f"view.dock_{name}"]
    action.trigger()
    if not action.isChecked():
        action.trigger()  # it was there, behind a tab: now it is in front
    opened.until(f"the panel {name}", lambda: name in made(opened))


def test_nothing_is_made_before_it_is_seen(opened: OpenProgram) -> None:
    assert made(opened) == []
    assert opened.session.analyses._compare is None
    assert "_beside" not in vars(opened.views.compare)


def test_the_ladder_begins_with_the_image_under_the_hand_and_its_exact_line(opened: OpenProgram) -> None:
    see(opened, "ladder")
    assert made(opened) == ["ladder"]
    panel, subject = opened.views.ladder, opened.session.subject.subject
    assert subject is not None
    assert panel.compute.isEnabled()
    assert panel.subject.text() == f"x: {subject.text}"
    opened.until("log p(x)", lambda: panel.plot.log_px is not None, timeout_s=60.0)
    opened.until("the ledger again", lambda: opened.session.analyses.ledger.settled, timeout_s=60.0)


def test_the_fit_begins_with_the_image_and_what_is_known_of_it(opened: OpenProgram) -> None:
    see(opened, "fit")
    fit = opened.session.analyses.fit
    assert fit._subject.pixels is not None
    opened.until("what is known", lambda: fit._subject.answer is not None, timeout_s=60.0)
    assert opened.views.fit.inference.isEnabled()
    opened.session.analyses.redraw()


def test_gaps_can_be_measured_at_once(opened: OpenProgram) -> None:
    see(opened, "gaps")
    assert opened.views.gaps.measure.isEnabled()
    wanted: list[bool] = []
    opened.session.analyses.held_out_wanted.connect(lambda: wanted.append(True))
    opened.session.analyses.gaps.held_out_wanted.emit()
    assert wanted == [True]


def test_read_outs_come_by_themselves(opened: OpenProgram) -> None:
    see(opened, "read_outs")
    panel = opened.views.read_outs
    opened.until("figures", lambda: bool(panel.figures.figures), timeout_s=60.0)
    assert f"{len(bars_data().held_out):,}" in panel.measure.text()


def test_similar_images_come_by_themselves(opened: OpenProgram) -> None:
    see(opened, "similar")
    panel = opened.views.similar
    assert panel.clean.picture is not None
    opened.until("a cloud", lambda: panel.columns[0].cloud is not None, timeout_s=60.0)
    assert opened.session.hub.name in panel.columns[0].title


def test_a_panel_behind_a_tab_has_nothing_computed_for_it(opened: OpenProgram) -> None:
    see(opened, "read_outs")
    panel, session = opened.views.read_outs, opened.session.analyses.read_outs
    opened.until("figures", lambda: bool(panel.figures.figures) and not session._following, timeout_s=60.0)
    opened.raise_dock(opened.views.curves)
    opened.until("it to be out of sight", lambda: not panel.in_sight)
    session._timer.stop()
    session._on_weights_changed()
    assert session._stale
    assert not session._following
    opened.raise_dock(panel)
    opened.until("it to be followed again", lambda: not session._stale)
    opened.until("figures again", lambda: not session._following, timeout_s=60.0)


def test_a_panel_that_was_in_front_at_the_end_is_there_again_at_the_next_start(tmp_path: Path) -> None:
    before = OpenProgram(tmp_path, model_file()).opened()
    see(before, "read_outs")
    before.leave()
    again = OpenProgram(tmp_path, model_file())
    running: list[bool] = []
    workers = again.program.workers
    workers.training.torch_loaded.connect(lambda: running.append(workers.analysis.isRunning()))
    again.opened()
    again.until("the panel", lambda: made(again) == ["read_outs"])
    again.until("figures", lambda: bool(again.views.read_outs.figures.figures), timeout_s=60.0)
    assert running == [False], "analyses began before torch was there, and beside its import"
    assert not again.error
    again.leave()


class WindowsShown(QObject):
    """Notes every window that is shown, if only for a moment."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.names.append(watched.objectName() or type(watched).__name__)
        return False


def test_no_part_of_a_panel_is_a_window_of_its_own_for_a_moment(qapp: QApplication, tmp_path: Path) -> None:
    shown = WindowsShown()
    qapp.installEventFilter(shown)
    program = OpenProgram(tmp_path, model_file()).opened()
    for name in ("fit", "ladder", "gaps", "read_outs", "similar"):
        see(program, name)
    assert not program.views.compare.second.isVisible()
    qapp.removeEventFilter(shown)
    # It would take the keys from the window, and the next shortcut would go nowhere.
    assert shown.names == ["main_window"]
    program.leave()
