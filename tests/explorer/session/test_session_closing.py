"""The end, in every state: within two seconds, every thread ended, nothing lost."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from PySide6.QtCore import Qt

from core.saved_model import SavedModel
from core.storage.model_file import ModelFileError, load_model, save_model
from explorer.messages import RunState
from explorer.workers import loading, training
from tests.open_program import CLOSING_S, LONG, OpenProgram, model_file
from tests.small_data import bars

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]


@pytest.fixture
def unopened(tmp_path: Path) -> Iterator[OpenProgram]:
    program = OpenProgram(tmp_path, model_file())
    yield program
    program.leave()


@pytest.fixture
def opened(unopened: OpenProgram) -> OpenProgram:
    return unopened.opened()


def begin_run(opened: OpenProgram) -> None:
    opened.set_field("epochs", str(LONG))
    opened.press(Qt.Key.Key_F5)


def check_kept(opened: OpenProgram) -> None:
    """Assert that the run lies in its own file and is what the next program opens."""
    (kept,) = opened.autosaves
    assert load_model(kept).history.num_steps > 0
    assert opened.settings.last_document == kept


def test_an_idle_program_closes_and_remembers_its_document(opened: OpenProgram) -> None:
    assert opened.close() < CLOSING_S
    assert opened.ended == [True]
    assert opened.settings.last_document == model_file()
    assert opened.autosaves == []


def test_closing_at_once_after_the_start_leaves_nothing_running(unopened: OpenProgram) -> None:
    unopened.start()
    assert unopened.close() < CLOSING_S
    unopened.driver.wait(50)
    assert not any(thread.isRunning() for thread in unopened.program.workers.all)
    assert unopened.ended == [True]


def test_closing_while_everything_is_still_being_opened(unopened: OpenProgram) -> None:
    unopened.start()
    unopened.until("the threads", lambda: all(thread.isRunning() for thread in unopened.program.workers.all))
    assert unopened.close() < CLOSING_S
    assert unopened.ended == [True]


def test_closing_while_a_run_begins(opened: OpenProgram) -> None:
    begin_run(opened)
    assert opened.session.training.state is RunState.STARTING
    assert opened.close() < CLOSING_S
    assert opened.ended == [True]


def test_closing_in_the_middle_of_a_run_keeps_it(opened: OpenProgram) -> None:
    begin_run(opened)
    opened.until("steps", lambda: opened.session.training.history.num_steps > 0)
    seen = opened.session.training.history.num_steps
    assert opened.close() < CLOSING_S
    assert opened.ended == [True]
    check_kept(opened)
    assert load_model(opened.autosaves[0]).history.num_steps >= seen


def test_closing_while_a_run_is_paused_keeps_it(opened: OpenProgram) -> None:
    begin_run(opened)
    opened.until("steps", lambda: opened.session.training.history.num_steps > 0)
    opened.press(Qt.Key.Key_F6)
    opened.until("the pause", lambda: opened.session.training.state is RunState.PAUSED)
    steps = opened.session.training.history.num_steps
    assert opened.close() < CLOSING_S
    check_kept(opened)
    assert load_model(opened.autosaves[0]).history.num_steps == steps


def test_closing_twice_ends_once(opened: OpenProgram) -> None:
    begin_run(opened)
    opened.until("steps", lambda: opened.session.training.history.num_steps > 0)
    opened.window.close()
    opened.window.close()
    assert opened.close() < CLOSING_S
    opened.driver.wait(20)
    assert opened.ended == [True]
    check_kept(opened)


def test_closing_while_a_folder_is_read(opened: OpenProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()

    def read_for_ever(_config: object, progress: Callable[[float, str], None]) -> None:
        begun.set()
        while True:  # ended by the exception that `progress` raises
            progress(0.5, "reading …")

    monkeypatch.setattr(loading, "load_dataset", read_for_ever)
    opened.views.data.data_chosen.emit("shapes")
    opened.until("the reading", begun.is_set)
    assert opened.close() < CLOSING_S
    assert opened.ended == [True]


def test_closing_during_a_save_waits_for_it(
    opened: OpenProgram, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_go_on = threading.Event(), threading.Event()

    def save_slowly(path: Path, saved: SavedModel) -> None:
        begun.set()
        may_go_on.wait(1.0)
        save_model(path, saved)

    monkeypatch.setattr(loading, "save_model", save_slowly)
    path = tmp_path / "mine.safetensors"
    opened.session.documents.save(path)
    opened.until("the save", begun.is_set)
    opened.window.close()
    assert not path.exists()
    may_go_on.set()
    assert opened.close() < CLOSING_S
    assert load_model(path).history.num_steps > 0
    assert opened.settings.last_document == path


def test_closing_with_a_dialog_open(opened: OpenProgram, tmp_path: Path) -> None:
    found = bars(50, seed=5)
    np.savez(tmp_path / "more.npz", images=found.images)
    opened.drop(tmp_path / "more.npz")
    opened.until("the import dialog", lambda: opened.session._importing.is_open)
    opened.press(Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
    assert opened.close() < CLOSING_S
    assert opened.ended == [True]


def test_a_thread_that_cannot_be_interrupted_does_not_hold_the_window(
    opened: OpenProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def read_deaf(_config: object, _progress: object) -> None:
        begun.set()
        may_end.wait(20.0)
        raise ModelFileError(Path("planted"), "the end")

    monkeypatch.setattr(loading, "load_dataset", read_deaf)
    opened.views.data.data_chosen.emit("shapes")
    opened.until("the reading", begun.is_set)
    opened.window.close()
    opened.until("the end", lambda: bool(opened.ended), timeout_s=CLOSING_S)
    assert opened.ended == [False], "the program's main() then leaves without waiting for it"
    assert not opened.window.isVisible()
    may_end.set()
    opened.until("the thread", lambda: not opened.program.workers.loading.isRunning())


def test_a_run_that_ends_after_the_window_has_closed_is_not_spoken_of(
    opened: OpenProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end = threading.Event()

    def write_slowly(*_: object, **__: object) -> tuple[None, str]:
        may_end.wait(20.0)
        return None, "planted"

    monkeypatch.setattr(training, "_written", write_slowly)
    begin_run(opened)
    opened.until("steps", lambda: opened.session.training.history.num_steps > 0)
    opened.window.close()
    opened.until("the end", lambda: bool(opened.ended), timeout_s=CLOSING_S)
    assert opened.ended == [False]
    may_end.set()
    opened.until("the thread", lambda: not opened.program.workers.training.isRunning())
    opened.driver.wait(20)
    assert (opened.session.closing, opened.error, opened.ended) == (True, "", [False])


def test_no_thread_begins_once_the_end_has_begun(unopened: OpenProgram) -> None:
    unopened.start()
    unopened.until("the threads", unopened.program.workers.beside.isRunning)
    assert unopened.close() < CLOSING_S
    for thread in unopened.program.workers.all:
        thread.start()
        assert not thread.isRunning()


def test_plots_that_are_imported_twice_in_one_moment_begin_the_rest_once(unopened: OpenProgram) -> None:
    program = unopened.program
    with (
        mock.patch.object(program.workers.beside, "import_plots") as asked,
        mock.patch.object(program.workers.training, "load_torch") as load,
    ):
        unopened.start()
        unopened.until("the first picture", lambda: asked.called)
        # Two that are on their way: that of the first picture, and that of a patience that has come to its end.
        program._on_plots_imported()
        program._on_plots_imported()
        unopened.driver.wait(500)
    assert load.call_count == 1
    assert unopened.close() < CLOSING_S


def test_what_is_typed_and_not_entered_is_in_the_run_that_its_key_starts(opened: OpenProgram) -> None:
    field = opened.field("epochs")
    field.setFocus()
    field.setText("3")
    opened.press(Qt.Key.Key_F5)
    opened.until("the run", lambda: opened.session.training.active)
    opened.until("its end", lambda: not opened.session.training.active)
    saved = opened.session.documents.saved
    assert saved is not None
    assert saved.history.epochs == pytest.approx(3.0)


def test_a_run_that_cannot_be_saved_keeps_the_window_open_and_says_why(opened: OpenProgram, tmp_path: Path) -> None:
    (tmp_path / "autosaves").write_text("a file, no folder")
    begin_run(opened)
    opened.until("steps", lambda: opened.session.training.history.num_steps > 0)
    opened.window.close()
    opened.until("the end of the run", lambda: not opened.session.training.active)
    opened.driver.wait(100)
    assert opened.window.isVisible()
    assert opened.ended == []
    assert "The model is in no file: " in opened.error
    assert "close the window once more to end the program without it" in opened.error
    assert opened.session.documents.saved is not None
    assert opened.close() < CLOSING_S
    assert opened.ended == [True]


def test_what_a_run_left_in_no_file_is_said_when_the_window_closes_and_not_once_it_is_saved(
    opened: OpenProgram, tmp_path: Path
) -> None:
    (tmp_path / "autosaves").write_text("a file, no folder")
    begin_run(opened)
    opened.until("steps", lambda: opened.session.training.history.num_steps > 0)
    opened.session.training.stop()
    opened.until("the end of the run", lambda: not opened.session.training.active)
    assert "The model could not be saved: " in opened.error
    opened.window.close()
    opened.driver.wait(100)
    assert (opened.window.isVisible(), opened.ended) == (True, [])
    assert "The model is in no file: " in opened.error
    opened.session.documents.save(tmp_path / "mine.safetensors")
    opened.until("the file", lambda: not opened.window.isWindowModified())
    assert opened.session.documents.unwritten == ""
    assert opened.close() < CLOSING_S


def test_a_second_model_that_could_not_be_saved_is_spoken_of_as_well(opened: OpenProgram, tmp_path: Path) -> None:
    (tmp_path / "autosaves").write_text("a file, no folder")
    for _ in range(2):
        begin_run(opened)
        opened.until("steps", lambda: opened.session.training.active and opened.session.training.history.num_steps > 0)
        opened.window.close()
        opened.until("the end of the run", lambda: not opened.session.training.active)
        opened.driver.wait(100)
        assert (opened.window.isVisible(), opened.ended) == (True, [])
    assert opened.close() < CLOSING_S
