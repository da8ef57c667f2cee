"""Models that are saved: in their own file, under the right name, and never one over another."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt

from core.saved_model import SavedModel
from core.storage.model_file import load_model, save_model
from explorer.messages import Failed, RunState
from explorer.workers import loading
from tests.explorer.session.document_hands import Maker, answer_dialog, ready, recent, run_epochs, title
from tests.open_program import LONG, model_file

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]


def test_save_as_writes_the_model_and_takes_the_name(make: Maker, tmp_path: Path) -> None:
    opened = ready(make(model_file()))
    run_epochs(opened, 1)
    opened.press(Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    answer_dialog(opened, tmp_path / "mine")
    path = tmp_path / "mine.safetensors"
    opened.until("the file", lambda: title(opened) == "mine")
    saved = opened.session.documents.saved
    assert saved is not None
    for name, array in load_model(path).weights.items():
        np.testing.assert_array_equal(array, saved.weights[name])
    assert not opened.window.isWindowModified()
    assert path.name in recent(opened)


def test_save_as_makes_no_folder_and_says_so_until_the_model_is_saved(make: Maker, tmp_path: Path) -> None:
    opened = ready(make(model_file()))
    documents = opened.session.documents
    opened.window.files.chosen.emit("save", tmp_path / "slip of the pen" / "mine.safetensors")
    opened.until("the refusal", lambda: bool(opened.error))
    assert f"there is no folder '{tmp_path / 'slip of the pen'}'" in opened.error
    assert not (tmp_path / "slip of the pen").exists()
    opened.window.files.chosen.emit("save", tmp_path / "mine.safetensors")
    opened.until("the file", lambda: documents.path == tmp_path / "mine.safetensors")
    assert opened.error == ""


def test_a_save_that_succeeds_leaves_other_errors_where_they_are(make: Maker, tmp_path: Path) -> None:
    opened = ready(make(model_file()))
    opened.window.files.chosen.emit("save", tmp_path / "nowhere" / "mine.safetensors")
    opened.until("the refusal", lambda: bool(opened.error))
    opened.session.failed.emit(Failed("Something else."))
    opened.window.files.chosen.emit("save", tmp_path / "mine.safetensors")
    opened.until("the file", lambda: (tmp_path / "mine.safetensors").exists() and title(opened) == "mine")
    assert opened.error == "Something else."


def test_an_export_says_why_it_failed_until_it_has_succeeded(make: Maker, tmp_path: Path) -> None:
    opened = ready(make(model_file()))
    for purpose in ("canvas", "curves"):
        (tmp_path / "a folder.png").mkdir(exist_ok=True)
        for name, reason in (
            ("nowhere/picture.png", f"there is no folder {tmp_path / 'nowhere'}"),
            ("a folder.png", "that is a folder"),
            ("picture.xyz", ".xyz"),
        ):
            opened.window.files.chosen.emit(purpose, tmp_path / name)
            assert f"{tmp_path / name} could not be written" in opened.error
            assert reason in opened.error
        opened.window.files.chosen.emit(purpose, tmp_path / f"{purpose}.png")
        assert opened.error == ""
        assert (tmp_path / f"{purpose}.png").read_bytes().startswith(b"\x89PNG")
        assert sorted(path.name for path in tmp_path.glob(".*.part")) == []


def test_save_writes_to_the_document_s_own_file(make: Maker, own: Path) -> None:
    opened = ready(make(None, own))
    assert title(opened) == "my model"
    opened.set_field("epochs", "1")
    opened.press(Qt.Key.Key_F5, Qt.KeyboardModifier.ControlModifier)
    opened.until("the run", lambda: opened.session.training.active)
    opened.until("its end", lambda: not opened.session.training.active)
    steps = load_model(own).history.num_steps
    assert opened.window.isWindowModified()
    opened.press(Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    opened.until("the file", lambda: not opened.window.isWindowModified())
    assert load_model(own).history.num_steps > steps


def test_save_after_a_new_run_asks_for_a_name_instead_of_replacing_the_model_before(make: Maker, own: Path) -> None:
    opened = ready(make(None, own))
    before = own.read_bytes()
    run_epochs(opened, 1)
    opened.press(Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    opened.until("the question", lambda: opened.window.files.dialog is not None)
    opened.window.files.close()
    assert own.read_bytes() == before


def test_what_is_saved_during_a_run_is_the_model_in_training(make: Maker, own: Path, tmp_path: Path) -> None:
    opened = ready(make(None, own))
    before = own.read_bytes()
    opened.set_field("epochs", str(LONG))
    opened.press(Qt.Key.Key_F5)
    opened.until("steps", lambda: opened.session.training.history.num_steps > 0)
    opened.press(Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    answer_dialog(opened, tmp_path / "in training")
    path = tmp_path / "in training.safetensors"
    opened.until("the file", lambda: title(opened) == "in training")
    assert own.read_bytes() == before
    first = load_model(path).history
    assert first.num_steps > 0
    assert load_model(path).config.training.epochs == LONG
    assert opened.session.training.state is RunState.RUNNING, "saving does not end the run"
    opened.press(Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    opened.until("the second save", lambda: load_model(path).history.num_steps > first.num_steps)
    opened.press(Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
    opened.until("the end", lambda: not opened.session.training.active)
    assert title(opened) == "in training"
    assert opened.window.isWindowModified()


@pytest.fixture
def slow_save(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Let a save wait for this event."""
    may_go_on = threading.Event()

    def save_slowly(path: Path, saved: SavedModel) -> None:
        may_go_on.wait(20.0)
        save_model(path, saved)

    monkeypatch.setattr(loading, "save_model", save_slowly)
    yield may_go_on
    may_go_on.set()


def test_a_file_that_is_written_late_is_not_taken_for_that_of_the_model_opened_meanwhile(
    make: Maker, own: Path, tmp_path: Path, slow_save: threading.Event
) -> None:
    opened, path = ready(make(model_file())), tmp_path / "late.safetensors"
    opened.session.documents.save(path)
    opened.session.documents.open_model(own)
    opened.until("the other model", lambda: title(opened) == "my model")
    slow_save.set()
    opened.until("the file", lambda: path.name in recent(opened))
    assert load_model(path).history.num_steps > 0
    assert (title(opened), opened.session.documents.path_to_save) == ("my model", own)
    assert opened.settings.last_document == own


@pytest.mark.parametrize("new", [True, False])
def test_a_file_that_is_written_late_is_that_of_a_run_only_if_it_goes_on_with_what_was_saved(
    make: Maker, tmp_path: Path, slow_save: threading.Event, *, new: bool
) -> None:
    opened, path = ready(make(model_file())), tmp_path / "late.safetensors"
    opened.session.documents.save(path)
    opened.set_field("epochs", str(LONG))
    modifier = Qt.KeyboardModifier.NoModifier if new else Qt.KeyboardModifier.ControlModifier
    opened.press(Qt.Key.Key_F5, modifier)
    opened.until("steps", lambda: opened.session.training.history.num_steps > 0)
    slow_save.set()
    opened.until("the file", lambda: path.name in recent(opened))
    assert title(opened) == ("Untitled" if new else "late")
    opened.press(Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
    opened.until("the end", lambda: not opened.session.training.active)
    assert opened.session.documents.path_to_save == (None if new else path)
    assert opened.window.isWindowModified()


def test_a_save_that_fails_says_so_and_the_model_stays_modified(make: Maker, tmp_path: Path) -> None:
    opened = ready(make(model_file()))
    run_epochs(opened, 1)
    (tmp_path / "blocked").write_text("a file, no folder")
    opened.session.documents.save(tmp_path / "blocked" / "model.safetensors")
    opened.until("the message", lambda: "Could not save model" in opened.error)
    assert "blocked" in opened.error
    assert opened.window.isWindowModified()
    assert title(opened) == "Untitled"


def test_nothing_that_is_there_is_overwritten_when_two_runs_begin_in_the_same_second(
    make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = ready(make(model_file()))
    autosaves = opened.session.documents._autosaves
    moment = autosaves._now()
    monkeypatch.setattr(autosaves, "_now", lambda: moment)
    run_epochs(opened, 1)
    (first,) = opened.autosaves
    content = first.read_bytes()
    monkeypatch.setattr(autosaves, "untitled", lambda: "Untitled")
    run_epochs(opened, 1)
    assert len(opened.autosaves) == 2
    assert first.read_bytes() == content
