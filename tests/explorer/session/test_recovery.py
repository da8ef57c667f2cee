"""Runs that were interrupted: found at the next start, offered, resumed, and never written over."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QFile, Qt

from core.storage.model_file import load_model
from core.storage.run_folder import CHECKPOINTS, MANIFEST, RUN, interrupted_runs, load_checkpoint, load_record, read_run
from core.storage.run_lock import RunLock
from core.storage.run_writer import RunWriter
from core.training import keeping
from core.training.loop import TrainingRun
from explorer.messages import RunState
from explorer.views.run_offer import RunOffer
from tests.open_program import LONG, OpenProgram, bars_config, bars_data, model_file
from tests.small_data import small_config

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]

EPOCHS = 6


def a_run(**changes: object) -> TrainingRun:
    config = small_config(**{"epochs": EPOCHS, **changes})
    own = type(config)(bars_config(), config.model, config.objective, config.training)
    return TrainingRun(own, bars_data(), steps_per_chunk=2)


def interrupted(folder: Path, name: str = "Bars", steps: int = 20, **changes: object) -> Path:
    """Leave a run as a kill leaves it; return its folder."""
    run = a_run(**changes)
    writer = RunWriter.create(folder / "runs" / name, name, run.config, run.total_epochs)
    events = run.events()
    while run.step < steps:
        writer.record(next(events))
    events.close()
    writer.checkpoint(run.saved())
    writer.close()
    return writer.path


@pytest.fixture
def program(tmp_path: Path) -> Iterator[OpenProgram]:
    opened = OpenProgram(tmp_path, model_file())
    yield opened
    opened.leave()


def offer_of(program: OpenProgram) -> RunOffer:
    return program.window.banner.offer


def offered(program: OpenProgram) -> RunOffer:
    program.opened()
    program.until("an offer", offer_of(program).isVisible)
    return offer_of(program)


def test_an_interrupted_run_is_offered_and_goes_on_as_if_it_had_not_been(program: OpenProgram) -> None:
    path = interrupted(program.folder)
    unbroken = a_run()
    list(unbroken.events())
    offer = offered(program)
    assert "The training of Bars was interrupted just now, at epoch" in offer.text
    assert f"of {EPOCHS} (step 20)." in offer.text
    program.click(offer.resume)
    program.until("the run", lambda: program.session.training.active)
    program.until("its end", lambda: not program.session.training.active, timeout_s=60)
    assert not offer.isVisible()
    (kept,) = program.autosaves
    saved = load_model(kept)
    assert saved.history.last_step == unbroken.total_steps
    for name, array in unbroken.weights().arrays.items():
        np.testing.assert_array_equal(saved.weights[name], array)
    assert program.session.training.history.last_step == unbroken.total_steps
    assert any("as if it had not been interrupted" in note.text for note in saved.history.notes)
    assert read_run(path).ending == "completed"
    assert program.session.documents.name == "Bars"
    assert program.error == ""


def test_a_run_in_progress_is_kept_and_found_after_a_kill(
    program: OpenProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    # However long a busy disk takes.
    monkeypatch.setattr(keeping, "_SHARE", 1.0)
    monkeypatch.setattr(keeping, "FIRST_S", 0.2)
    monkeypatch.setattr(keeping, "GAP_S", 0.3)
    program.opened()
    program.set_field("epochs", str(LONG))
    program.press(Qt.Key.Key_F5)
    runs = program.folder / "runs"
    program.until("a folder", lambda: bool(list(runs.glob(f"*/{RUN}"))))
    (path,) = runs.iterdir()
    program.until("three checkpoints", lambda: len(read_run(path).checkpoints) == 3)
    # A kill leaves what lies on the disk at this moment, and no lock.
    assert interrupted_runs(runs) == ()
    assert not RunLock(path).is_free()
    assert load_record(read_run(path))[0].last_step > 0
    program.press(Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
    program.until("the end", lambda: not program.session.training.active)
    record = read_run(path)
    assert (record.ending, record.name) == ("stopped", "Untitled")
    assert RunLock(path).is_free()
    (kept,) = program.autosaves
    assert kept.stem == path.name
    history, problem = load_record(record)
    assert problem == ""
    assert history.last_step == load_model(kept).history.last_step


def test_a_pause_is_kept_at_once(program: OpenProgram) -> None:
    program.opened()
    program.set_field("epochs", str(LONG))
    program.press(Qt.Key.Key_F5)
    program.until("steps", lambda: program.session.training.history.num_steps > 10)
    program.press(Qt.Key.Key_F6)
    program.until("a pause", lambda: program.session.training.state is RunState.PAUSED)
    (path,) = (program.folder / "runs").iterdir()
    program.until("a checkpoint", lambda: bool(read_run(path).checkpoints))
    assert read_run(path).checkpoints[-1].step == program.session.training.history.last_step


def test_a_run_that_could_not_be_written_is_left_to_be_recovered(program: OpenProgram) -> None:
    program.opened()
    program.set_field("epochs", str(LONG))
    program.press(Qt.Key.Key_F5)
    program.until("steps", lambda: program.session.training.history.num_steps > 10)
    (program.folder / "autosaves").write_text("a file, no folder")
    program.press(Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
    program.until("the end", lambda: not program.session.training.active)
    (record,) = interrupted_runs(program.folder / "runs")
    assert load_checkpoint(record)[0].history.last_step == program.session.training.history.last_step


def test_not_now_leaves_the_run_and_the_menu_offers_it_again(program: OpenProgram) -> None:
    path = interrupted(program.folder)
    older = interrupted(program.folder, "Older", steps=4)
    manifest = (older / MANIFEST).read_text("utf-8")
    written = read_run(older).checkpoints[-1].written
    (older / MANIFEST).write_text(manifest.replace(written, "2020-02-02T00:00:00+00:00"), "utf-8")
    offer = offered(program)
    assert "1 more: File, Interrupted runs." in offer.text
    offer._close.click()
    assert not offer.isVisible()
    menu = program.window.runs_menu
    assert [action.data() for action in menu.actions()] == [path, older]
    menu.actions()[1].trigger()
    assert offer.isVisible()
    assert "The training of Older was interrupted" in offer.text
    assert "days ago" in offer.text
    assert len(interrupted_runs(program.folder / "runs")) == 2


def test_its_model_can_be_opened_and_trained_further_with_the_run_as_it_was(program: OpenProgram) -> None:
    path = interrupted(program.folder)
    before = {each: each.read_bytes() for each in (path / CHECKPOINTS).iterdir()}
    offer = offered(program)
    program.session.documents.conversion_note = "of the model before"
    program.click(offer.open)
    program.until("the model", lambda: program.session.documents.name == "Bars")
    program.until("a note", offer.isVisible)
    assert "This is the checkpoint of step 20 of the run Bars, which is left as it is." in offer.text
    assert not offer.resume.isVisible()
    assert program.session.documents.conversion_note == ""
    assert program.session.documents.saved is not None
    assert program.session.documents.saved.history.last_step == 20
    assert program.session.documents.modified
    program.until("everything", program.is_ready)
    program.set_field("epochs", "1")
    program.press(Qt.Key.Key_F5, Qt.KeyboardModifier.ControlModifier)
    program.until("the run", lambda: program.session.training.active)
    program.until("its end", lambda: not program.session.training.active, timeout_s=60)
    program.session.documents.open_model(model_file())
    program.until("the other model", lambda: program.session.documents.name != "Bars")
    assert not offer.isVisible(), "what was said of the run is none of this model's"
    assert {each: each.read_bytes() for each in (path / CHECKPOINTS).iterdir()} == before
    assert [record.path for record in interrupted_runs(program.folder / "runs")] == [path]


def test_a_second_program_reads_a_run_that_the_first_one_writes(program: OpenProgram) -> None:
    path = interrupted(program.folder)
    lock = RunLock(path)
    assert lock.acquire()
    program.opened()
    program.driver.wait(100)
    assert not offer_of(program).isVisible()
    program.drop(path)
    program.until("a note", offer_of(program).isVisible)
    assert "opened to be read only: it is being written by process" in offer_of(program).text
    program.session.recovery.resume(path)
    program.until("the same again", lambda: program.session.documents.name == "Bars")
    program.driver.wait(100)
    assert not program.session.training.active
    lock.release()
    assert read_run(path).ending == ""


def test_a_run_that_was_taken_meanwhile_is_not_written_by_two(program: OpenProgram) -> None:
    path = interrupted(program.folder)
    offer = offered(program)
    load = program.session.documents.open_run

    def taken(loaded: object) -> None:
        assert lock.acquire()
        load(loaded)  # type: ignore[arg-type]

    lock = RunLock(path)
    program.session.documents.open_run = taken  # type: ignore[method-assign]
    program.click(offer.resume)
    program.until("an error", lambda: bool(program.error))
    assert "the run is being written by process" in program.error
    assert not program.session.training.active
    lock.release()
    assert len(interrupted_runs(program.folder / "runs")) == 1


def test_a_damaged_checkpoint_is_passed_over_and_said(program: OpenProgram) -> None:
    path = interrupted(program.folder)
    saved, _ = load_checkpoint(read_run(path))
    run = TrainingRun(saved.config, bars_data(), start=saved, resume=True)
    events = run.events()
    while run.step < 24:
        next(events)
    events.close()
    writer = RunWriter.take_up(path, 20)
    writer.checkpoint(run.saved())
    writer.close()
    newest = max((path / CHECKPOINTS).iterdir())
    newest.write_bytes(newest.read_bytes()[:-100])
    offer = offered(program)
    program.click(offer.open)
    program.until("an error", lambda: bool(program.error))
    assert "Of the run Bars: the checkpoint of step" in program.error
    assert program.session.documents.saved is not None
    assert program.session.documents.saved.history.last_step == 20


def test_of_a_run_without_a_whole_checkpoint_curves_and_settings_are_shown(program: OpenProgram) -> None:
    path = interrupted(program.folder, learning_rate=0.00321)
    (checkpoint,) = (path / CHECKPOINTS).iterdir()
    checkpoint.write_bytes(b"nothing")
    offer = offered(program)
    name = program.session.documents.name
    program.click(offer.resume)
    program.until("an error", lambda: bool(program.error))
    assert "none of its checkpoints can be read" in program.error
    assert program.session.documents.name == name, "the open model stays"
    assert program.session.training.history.last_step == 20
    assert program.session.config.training.learning_rate == 0.00321
    assert not program.session.training.active


def test_other_images_need_a_yes(program: OpenProgram) -> None:
    path = interrupted(program.folder)
    record = read_run(path)
    saved, _ = load_checkpoint(record)
    foreign = replace(saved, provenance={**saved.provenance, "data_fingerprint": "another"})
    writer = RunWriter.create(program.folder / "runs" / "b", "Foreign", saved.config, EPOCHS)
    writer.checkpoint(foreign)
    writer.close()
    program.opened()
    program.session.recovery.resume(writer.path)
    program.until("a question", lambda: "are not those the run was trained on" in program.note)
    assert not program.session.training.active
    assert program.session.documents.name == "Foreign"


def test_a_run_that_is_not_wanted_goes_to_the_trash(program: OpenProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    path = interrupted(program.folder)
    offer = offered(program)
    trash = program.folder / "trash"
    with monkeypatch.context() as patch:
        patch.setattr(QFile, "moveToTrash", lambda _: False)
        program.click(offer.remove)
        program.until("a reason", lambda: "there is no trash" in program.error)
    program.until("the offer", offer.isVisible)
    monkeypatch.setattr(QFile, "moveToTrash", lambda name: bool(Path(name).rename(trash)))
    program.click(offer.remove)
    program.until("an empty menu", lambda: not program.window.runs_menu.actions()[0].isEnabled())
    assert not path.exists()
    assert (trash / MANIFEST).exists()
    assert not offer.isVisible()


def test_a_run_that_another_program_has_taken_up_is_not_moved_to_the_trash(program: OpenProgram) -> None:
    path = interrupted(program.folder)
    offer = offered(program)
    lock = RunLock(path)
    assert lock.acquire()
    program.click(offer.remove)
    program.until("a reason", lambda: "it is being written by process" in program.error)
    assert (path / MANIFEST).exists()
    assert not offer.isVisible()
    lock.release()


def test_the_run_that_was_resumed_is_not_offered_any_more(program: OpenProgram) -> None:
    interrupted(program.folder, epochs=LONG)
    offer = offered(program)
    program.click(offer.resume)
    program.until("the run", lambda: program.session.training.state is RunState.RUNNING)
    program.until("an empty menu", lambda: not program.window.runs_menu.actions()[0].isEnabled())
    other = interrupted(program.folder, "Other")
    program.window.runs_menu.aboutToShow.emit()
    program.until("the other", lambda: program.window.runs_menu.actions()[0].data() == other)
    assert not offer.isVisible()


def test_nothing_is_resumed_while_a_model_is_trained(program: OpenProgram) -> None:
    interrupted(program.folder)
    offer = offered(program)
    program.set_field("epochs", str(LONG))
    program.press(Qt.Key.Key_F5)
    program.until("the run", lambda: program.session.training.state is RunState.RUNNING)
    program.click(offer.resume)
    assert "can be resumed when it has ended" in program.error
    assert program.session.training.active


def test_a_full_disk_is_said_once_and_the_run_goes_on(program: OpenProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "_SHARE", 1.0)
    monkeypatch.setattr(keeping, "FIRST_S", 0.1)
    monkeypatch.setattr(keeping, "GAP_S", 0.1)
    program.opened()
    said: list[str] = []
    program.program.workers.training.keeping_failed.connect(said.append)
    (program.folder / "runs").write_text("a file, no folder")
    program.set_field("epochs", str(LONG))
    program.press(Qt.Key.Key_F5)
    program.until("an error", lambda: "The run cannot be kept on the disk, and goes on all the same" in program.error)
    steps = program.session.training.history.num_steps
    program.until("more steps", lambda: program.session.training.history.num_steps > steps + 50)
    assert len(said) == 1
    (program.folder / "runs").unlink()
    program.until("peace", lambda: said[-1] == "")
    program.until(
        "a checkpoint", lambda: any(read_run(path).checkpoints for path in (program.folder / "runs").iterdir())
    )
    assert program.error == ""


def test_runs_that_ended_are_removed_but_for_the_newest(program: OpenProgram) -> None:
    run = a_run()
    for number in range(8):
        writer = RunWriter.create(program.folder / "runs" / f"{number}", "Bars", run.config, 1.0)
        writer.end("completed")
        writer.close()
    path = interrupted(program.folder)
    offered(program)
    names = sorted(each.name for each in (program.folder / "runs").iterdir())
    assert names == ["3", "4", "5", "6", "7", path.name]
