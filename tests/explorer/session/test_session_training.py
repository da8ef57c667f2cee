"""Training in view: begun, held, changed, ended and kept, by keys and buttons."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QProgressBar, QPushButton

from core.snapshots import RunNote
from core.storage.model_file import load_model
from explorer.messages import RunState, RunWeights
from tests.open_program import LONG, OpenProgram, bars_data, decoded_by_torch, model_file

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenProgram]:
    program = OpenProgram(tmp_path, model_file()).opened()
    yield program
    program.leave()


def state(opened: OpenProgram) -> RunState:
    return opened.session.training.state


def start(opened: OpenProgram, epochs: int) -> None:
    opened.set_field("epochs", str(epochs))
    opened.press(Qt.Key.Key_F5)
    opened.until("the run", lambda: state(opened) in {RunState.RUNNING, RunState.IDLE})


def finish(opened: OpenProgram) -> None:
    opened.until("the end of the run", lambda: not opened.session.training.active)


def button(opened: OpenProgram, name: str) -> QPushButton:
    found = opened.views.training.controls.findChild(QPushButton, name)
    assert isinstance(found, QPushButton)
    return found


def said(opened: OpenProgram) -> str:
    labels = opened.views.training.controls.findChildren(QLabel)
    return " ".join(label.text() for label in labels if not label.isHidden())


def steps_drawn(opened: OpenProgram) -> float:
    return float(opened.views.curves._record.last_step)


def notes(opened: OpenProgram) -> list[RunNote]:
    return opened.session.training.history.notes


def test_a_run_is_started_by_its_key_shown_while_it_goes_and_kept_at_its_end(opened: OpenProgram) -> None:
    before = opened.session.documents.saved
    bar = opened.views.training.controls.findChild(QProgressBar)
    assert isinstance(bar, QProgressBar)
    start(opened, 25)
    assert opened.window.windowTitle().startswith("Untitled")
    opened.until("progress", lambda: bar.isVisible() and bar.value() > 0 and "images/s" in said(opened))
    finish(opened)
    assert not bar.isVisible()
    saved = opened.session.documents.saved
    assert saved is not None
    assert saved is not before
    steps = saved.history.num_steps
    assert steps == 25 * -(-len(bars_data().train) // saved.config.training.batch_size)
    assert steps_drawn(opened) == steps
    assert "completed" in said(opened)
    (kept,) = opened.autosaves
    loaded = load_model(kept)
    for name, array in saved.weights.items():
        np.testing.assert_array_equal(loaded.weights[name], array)
    assert opened.settings.last_document == kept
    assert not opened.error


def test_after_the_end_the_picture_is_that_of_the_trained_weights(opened: OpenProgram) -> None:
    start(opened, 2)
    finish(opened)
    saved = opened.session.documents.saved
    assert saved is not None
    steps = saved.history.num_steps

    def shows_the_end() -> bool:
        hand, code = opened.session.latent.hand, opened.session.latent.selected_code
        if hand is None or code is None or opened.picture is None:
            return False
        return bool(np.abs(opened.picture.astype(int) - decoded_by_torch(saved, code).astype(int)).max() <= 1)

    opened.until("the trained weights under the hand", shows_the_end, timeout_s=5.0)
    assert steps > 0


def test_pause_resume_and_stop_by_the_buttons(opened: OpenProgram) -> None:
    opened.set_field("epochs", str(LONG))
    opened.click(button(opened, "model.start"))
    opened.until("steps", lambda: steps_drawn(opened) > 0)
    # Until then a click in the same place belongs to Start.
    opened.driver.wait(QApplication.doubleClickInterval() + 20)
    pause = button(opened, "model.pause_or_resume")
    opened.click(pause)
    opened.until("the pause", lambda: state(opened) is RunState.PAUSED)
    assert pause.text() == "Resume"
    held = opened.session.training.history.num_steps
    opened.driver.wait(120)
    assert opened.session.training.history.num_steps == held
    opened.click(pause)
    opened.until("more steps", lambda: steps_drawn(opened) > held)
    opened.click(button(opened, "model.stop"))
    finish(opened)
    assert "stopped" in said(opened)
    assert button(opened, "model.start").isVisible()
    assert len(opened.autosaves) == 1


def test_pause_resume_and_stop_by_keys(opened: OpenProgram) -> None:
    start(opened, LONG)
    opened.press(Qt.Key.Key_F6)
    opened.until("the pause", lambda: state(opened) is RunState.PAUSED)
    opened.press(Qt.Key.Key_F6)
    opened.until("the run", lambda: state(opened) is RunState.RUNNING)
    opened.press(Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
    finish(opened)
    assert not opened.error


def test_a_handle_can_be_dragged_while_the_run_goes_on_and_while_it_is_paused(opened: OpenProgram) -> None:
    start(opened, LONG)
    opened.until("weights under the hand", lambda: opened.picture is not None)
    seen = set()
    for place in ((1.0, 0.4), (-0.6, 1.0), (0.2, -1.1)):
        opened.drag_handle_to(*place)
        assert opened.picture is not None
        seen.add(opened.picture.tobytes())
        np.testing.assert_allclose(opened.handle.code, place, atol=0.05)
    assert len(seen) == 3
    opened.press(Qt.Key.Key_F6)
    opened.until("the pause", lambda: state(opened) is RunState.PAUSED)
    opened.drag_handle_to(0.9, 0.9)
    np.testing.assert_allclose(opened.handle.code, [0.9, 0.9], atol=0.05)


def test_the_canvas_follows_the_run_at_most_twice_a_second(opened: OpenProgram) -> None:
    sent: list[tuple[float, int]] = []

    def note_weights(weights: RunWeights) -> None:
        sent.append((time.monotonic(), weights.weights.step))

    opened.program.workers.training.weights_ready.connect(note_weights)
    start(opened, LONG)
    opened.until("three refreshes", lambda: len(sent) >= 3)
    gaps = np.diff([moment for moment, _ in sent])
    assert gaps.min() >= 0.45
    assert [step for _, step in sent] == sorted({step for _, step in sent})
    opened.until("codes on the canvas", lambda: opened.session.latent.codes is not None)
    opened.program.workers.training.weights_ready.disconnect(note_weights)


def test_the_subset_that_is_shown_during_a_run_is_said(opened: OpenProgram) -> None:
    start(opened, LONG)
    opened.until("codes", lambda: opened.session.latent.codes is not None)
    assert "64" in opened.views.canvas._note
    assert "held-out" in opened.views.canvas._note


def test_a_handle_keeps_its_z_and_a_pinned_one_follows_its_image(opened: OpenProgram) -> None:
    canvas = opened.views.canvas
    opened.drag_handle_to(2.2, 2.2)
    free = opened.handle
    codes = opened.session.latent.codes
    assert codes is not None
    row = int(np.argmin(((codes.mean - codes.mean.mean(axis=0)) ** 2).sum(axis=1)))
    place = opened.pixel_of(codes.mean[row])
    # Anything under the mouse there is grabbed: what counts is which image it is.
    shift = opened.pixel(0.2, 0.2) - opened.pixel(0.0, 0.0)
    opened.driver.drag(canvas, [place, place + shift / 2, place + shift], gap_ms=6)
    pinned = opened.handle
    assert pinned.anchor is not None
    image = int(codes.indices[pinned.anchor])
    canvas.setFocus()
    QTest.keyClick(canvas, Qt.Key.Key_P)
    assert opened.handle.pinned
    np.testing.assert_allclose(opened.handle.code, codes.mean[pinned.anchor], atol=1e-5)

    start(opened, LONG)
    assert opened.handle.pinned, "the pin outlives the start of a run on the same data"
    opened.until("other weights", lambda: opened.session.latent.codes is not None)

    def has_followed() -> bool:
        shown = opened.session.latent.codes
        if shown is None:
            return False
        mean = shown.mean[int(np.flatnonzero(shown.indices == image)[0])]
        return bool(np.allclose(opened.handle.code, mean, atol=1e-4) and not np.allclose(mean, pinned.code, atol=1e-2))

    opened.until("the pinned handle", has_followed)
    kept = next(handle for handle in opened.handles if handle.id == free.id)
    np.testing.assert_array_equal(kept.code, free.code)
    for dimension, value in enumerate(opened.handle.code):
        assert opened.views.sliders.row(dimension).value == pytest.approx(float(value), abs=1e-6)


def test_learning_rate_and_beta_typed_during_the_run_take_effect_and_are_noted(opened: OpenProgram) -> None:
    start(opened, LONG)
    assert not opened.field("batch_size").isEnabled()
    opened.set_field("learning_rate", "5e-4")
    opened.set_field("beta", "4")

    def is_noted() -> bool:
        text = " ".join(note.text for note in notes(opened) if note.kind == "setting")
        return "0.0005" in text and "beta 1 → 4" in text

    opened.until("the notes", is_noted)
    assert all(note.step > 0 for note in notes(opened) if note.kind == "setting")
    opened.press(Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
    finish(opened)
    saved = opened.session.documents.saved
    assert saved is not None
    assert saved.config.training.learning_rate == 5e-4
    assert saved.config.objective.beta == 4.0


def test_a_value_that_is_not_allowed_is_shown_at_its_field_and_changes_nothing(opened: OpenProgram) -> None:
    start(opened, LONG)
    opened.set_field("learning_rate", "-1")
    assert "learning" in opened.form.error("learning_rate").lower()
    opened.press(Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
    finish(opened)
    saved = opened.session.documents.saved
    assert saved is not None
    assert saved.config.training.learning_rate > 0
    assert not [note for note in saved.history.notes if note.kind == "setting"]


def test_a_wrong_setting_keeps_a_run_from_being_started(opened: OpenProgram) -> None:
    opened.set_field("latent_dim", "0")
    opened.press(Qt.Key.Key_F5)
    opened.driver.wait(20)
    assert state(opened) is RunState.IDLE
    assert opened.views.model.form.error("latent_dim")


def test_continue_trains_the_open_model_for_more_epochs_and_its_curves_go_on(opened: OpenProgram) -> None:
    before = opened.session.documents.saved
    assert before is not None
    steps, epochs = before.history.num_steps, before.history.epochs
    opened.set_field("epochs", "2")
    opened.press(Qt.Key.Key_F5, Qt.KeyboardModifier.ControlModifier)
    opened.until("the run", lambda: opened.session.training.active)
    finish(opened)
    saved = opened.session.documents.saved
    assert saved is not None
    assert saved.history.epochs == pytest.approx(epochs + 2)
    assert steps_drawn(opened) == saved.history.num_steps == steps * (epochs + 2) / epochs
    assert before.history.num_steps == steps, "the model that was open keeps its own curves"
    assert opened.window.windowTitle().startswith("bars")
    assert load_model(model_file()).history.num_steps == steps, "the opened file is not overwritten"
    assert len(opened.autosaves) == 1


def test_two_runs_leave_two_files(opened: OpenProgram) -> None:
    for _ in range(2):
        start(opened, 1)
        finish(opened)
    names = [path.name for path in opened.autosaves]
    assert len(names) == 2
    assert names[0].startswith("Untitled (")
    assert names[1].startswith("Untitled 2 (")
    assert opened.window.windowTitle().startswith("Untitled 2")


def test_a_run_that_cannot_begin_says_why_and_leaves_model_and_settings(
    opened: OpenProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.training import loop  # noqa: PLC0415 - the planted fault
    from core.training.errors import TrainingError  # noqa: PLC0415 - as above

    def refuse(*_values: object, **_named: object) -> None:
        raise TrainingError("the planted reason")

    monkeypatch.setattr(loop, "TrainingRun", refuse)
    before = opened.session.documents.saved
    opened.set_field("batch_size", "48")
    opened.press(Qt.Key.Key_F5)
    opened.until("the message", lambda: "planted reason" in opened.error)
    finish(opened)
    assert opened.session.documents.saved is before
    assert opened.window.windowTitle().startswith("bars")
    assert opened.field("batch_size").text() == "48"
    assert opened.autosaves == []
    monkeypatch.undo()
    opened.until("the picture", lambda: opened.picture is not None)
    opened.drag_handle_to(0.3, 0.3)
    start(opened, 1)
    finish(opened)
    assert len(opened.autosaves) == 1


def test_a_run_whose_file_cannot_be_written_is_not_mistaken_for_the_model_before(
    opened: OpenProgram, tmp_path: Path
) -> None:
    (tmp_path / "autosaves").write_text("a file, no folder")
    start(opened, 1)
    finish(opened)
    assert "could not be saved" in opened.error
    assert opened.window.windowTitle().startswith("Untitled")
    assert opened.session.documents.path_to_save is None, "Save would replace the file of another model"


def test_a_new_model_can_have_another_latent_dimension(opened: OpenProgram) -> None:
    opened.set_field("latent_dim", "3")
    start(opened, 2)
    finish(opened)
    opened.until("codes of three dimensions", opened.is_ready)
    codes = opened.session.latent.codes
    assert codes is not None
    assert codes.mean.shape[1] == 3
    assert len(opened.handle.code) == 3
    assert not opened.error
