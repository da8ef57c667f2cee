from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QProgressBar, QPushButton, QWidget

from core.config import ExperimentConfig, ModelConfig, ObjectiveConfig
from core.snapshots import Progress
from explorer.messages import RunState
from explorer.theme import apply_theme
from explorer.views.panels import TrainingPanel
from tests.explorer.test_panels import button, shown, text_editor, texts

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


class Recorder(QWidget):
    """Notes intents in the order they come."""

    def __init__(self, order: list[str], parent: QWidget) -> None:
        super().__init__(parent)
        self._order = order

    def record(self) -> None:
        self._order.append("intent")

    def record_setting(self, _section: str, name: str, value: object) -> None:
        self._order.append(f"{name}={value}")


@pytest.fixture
def training(qtbot: Any) -> TrainingPanel:
    return shown(qtbot, TrainingPanel())


def test_start_and_continue_are_two_buttons_with_different_meanings(training: TrainingPanel, qtbot: Any) -> None:
    training.set_can_continue(True)
    assert "Start makes a new model; Continue trains the open one further." in texts(training)
    with qtbot.waitSignal(training.start_requested), qtbot.assertNotEmitted(training.continue_requested):
        qtbot.mouseClick(button(training, "model.start"), Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(training.continue_requested), qtbot.assertNotEmitted(training.start_requested):
        qtbot.mouseClick(button(training, "model.continue"), Qt.MouseButton.LeftButton)


def test_without_a_model_nothing_can_be_continued(training: TrainingPanel) -> None:
    assert button(training, "model.start").isEnabled()
    assert not button(training, "model.continue").isEnabled()
    assert "Continue" not in texts(training)


@pytest.mark.parametrize(
    ("state", "visible", "enabled"),
    [
        (RunState.IDLE, {"Start", "Continue"}, {"Start", "Continue"}),
        (RunState.STARTING, {"Starting…", "Stop"}, {"Stop"}),
        (RunState.RUNNING, {"Pause", "Stop"}, {"Pause", "Stop"}),
        (RunState.PAUSED, {"Resume", "Stop"}, {"Resume", "Stop"}),
        (RunState.STOPPING, {"Pause", "Stopping…"}, set()),
    ],
)
def test_the_buttons_follow_the_run(
    training: TrainingPanel, state: RunState, visible: set[str], enabled: set[str]
) -> None:
    training.set_can_continue(True)
    training.set_run_state(RunState.RUNNING)
    training.set_run_state(state)
    buttons = [found for found in training.findChildren(QPushButton) if found.isVisible()]
    assert {found.text() for found in buttons} == visible
    assert {found.text() for found in buttons if found.isEnabled()} == enabled


def test_pause_resume_and_stop_are_given_on(training: TrainingPanel, qtbot: Any) -> None:
    training.set_run_state(RunState.RUNNING)
    with qtbot.waitSignal(training.pause_requested), qtbot.assertNotEmitted(training.resume_requested):
        qtbot.mouseClick(button(training, "model.pause_or_resume"), Qt.MouseButton.LeftButton)
    training.set_run_state(RunState.PAUSED)
    with qtbot.waitSignal(training.resume_requested), qtbot.assertNotEmitted(training.pause_requested):
        qtbot.mouseClick(button(training, "model.pause_or_resume"), Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(training.stop_requested):
        qtbot.mouseClick(button(training, "model.stop"), Qt.MouseButton.LeftButton)


def test_a_state_that_is_shown_is_no_intent(training: TrainingPanel) -> None:
    signals = (training.start_requested, training.pause_requested, training.resume_requested, training.stop_requested)
    emitted: list[str] = []
    for signal in signals:
        signal.connect(Recorder(emitted, training).record)
    for state in (*RunState, RunState.IDLE):
        training.set_run_state(state)
    assert emitted == []


def test_the_focus_of_start_goes_to_pause_and_back(training: TrainingPanel) -> None:
    button(training, "model.start").setFocus()
    training.set_run_state(RunState.RUNNING)
    assert button(training, "model.pause_or_resume").hasFocus()
    training.set_run_state(RunState.IDLE)
    assert button(training, "model.start").hasFocus()


@pytest.mark.parametrize("state", [RunState.RUNNING, RunState.IDLE])
def test_the_focus_waits_while_a_run_starts_or_stops(training: TrainingPanel, state: RunState) -> None:
    running = state is RunState.RUNNING
    training.set_run_state(RunState.IDLE if running else RunState.RUNNING)
    target = button(training, "model.pause_or_resume" if running else "model.start")
    button(training, "model.start" if running else "model.stop").setFocus()
    training.set_run_state(RunState.STARTING if running else RunState.STOPPING)
    assert QApplication.focusWidget() is None
    training.set_run_state(state)
    assert target.hasFocus()


def test_a_field_that_a_run_fixes_gives_its_focus_to_pause(training: TrainingPanel) -> None:
    training.forms[0].editor("batch_size").setFocus()
    training.set_run_state(RunState.STARTING)
    training.set_run_state(RunState.RUNNING)
    assert button(training, "model.pause_or_resume").hasFocus()


def test_a_field_that_stays_open_in_a_run_keeps_the_focus(training: TrainingPanel) -> None:
    rate = training.forms[0].editor("learning_rate")
    rate.setFocus()
    training.set_run_state(RunState.STARTING)
    training.set_run_state(RunState.RUNNING)
    assert rate.hasFocus()


def test_the_second_click_on_start_does_not_pause(
    training: TrainingPanel, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = Qt.MouseButton.LeftButton
    qtbot.mouseClick(button(training, "model.start"), left)
    training.set_run_state(RunState.RUNNING)
    with qtbot.assertNotEmitted(training.pause_requested), qtbot.assertNotEmitted(training.stop_requested):
        qtbot.mouseClick(button(training, "model.pause_or_resume"), left)
        qtbot.mouseClick(button(training, "model.stop"), left)
    monkeypatch.setattr(QApplication, "doubleClickInterval", staticmethod(lambda: 0))
    with qtbot.waitSignal(training.pause_requested):
        qtbot.mouseClick(button(training, "model.pause_or_resume"), left)


def test_a_start_that_is_not_possible_says_why(training: TrainingPanel, qtbot: Any) -> None:
    training.set_can_start(False)
    assert "Start waits for training images" in texts(training)
    training.set_can_start(False, "The training images are still being read.")
    assert "still being read" in texts(training)
    assert "still being read" in button(training, "model.start").toolTip()
    training.set_can_start(True)
    training.set_model_valid(False)
    assert "every setting is allowed" in texts(training)
    assert "every setting is allowed" in button(training, "model.start").toolTip()
    training.set_model_valid(True)
    assert "Start makes a new model" in texts(training)
    editor = text_editor(training.forms[0], "epochs")
    editor.setFocus()
    editor.selectAll()
    qtbot.keyClick(editor, Qt.Key.Key_Backspace)
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert "Epochs must be a whole number; it is empty" in texts(training)
    assert "every setting is allowed" in texts(training)


def test_a_setting_that_is_not_allowed_blocks_the_start(training: TrainingPanel, qtbot: Any) -> None:
    editor = text_editor(training.forms[0], "learning_rate")
    editor.setFocus()
    editor.selectAll()
    with qtbot.waitSignal(training.validity_changed) as validity:
        qtbot.keyClicks(editor, "-1\r")
    assert validity.args == [False]
    assert not button(training, "model.start").isEnabled()


def test_a_click_on_start_takes_over_what_is_being_typed_first(training: TrainingPanel, qtbot: Any) -> None:
    editor = text_editor(training.forms[0], "epochs")
    editor.setFocus()
    editor.selectAll()
    qtbot.keyClicks(editor, "3")
    order: list[str] = []
    recorder = Recorder(order, training)
    training.setting_edited.connect(recorder.record_setting)
    training.start_requested.connect(recorder.record)
    qtbot.mouseClick(button(training, "model.start"), Qt.MouseButton.LeftButton)
    assert order == ["epochs=3", "intent"]


def test_an_invalid_model_blocks_start_but_not_continue(training: TrainingPanel) -> None:
    training.set_can_continue(True)
    training.set_model_valid(False)
    assert training.available == {"model.continue"}


def test_progress_is_stated_and_drawn(training: TrainingPanel) -> None:
    training.set_run_state(RunState.RUNNING)
    training.set_progress(Progress(340, 1000, 3.4, 10.0, 9812.0, 41.2))
    assert "epoch 3.4 of 10 · 9,800 images/s · 0:42 left" in texts(training)
    bar = training.findChild(QProgressBar)
    assert isinstance(bar, QProgressBar)
    assert bar.value() / bar.maximum() == pytest.approx(0.34)
    training.set_progress(None)
    assert "epoch 3.4" not in texts(training)


def test_live_settings_stay_open_during_a_run_and_name_their_section(training: TrainingPanel, qtbot: Any) -> None:
    training.set_run_state(RunState.RUNNING)
    beta = training.forms[1].editor("beta")
    assert beta.isEnabled()
    assert training.forms[0].editor("learning_rate").isEnabled()
    assert not training.forms[0].editor("batch_size").isEnabled()
    beta.setFocus()
    with qtbot.waitSignal(training.setting_edited) as edited:
        qtbot.keyClick(beta, Qt.Key.Key_Up)
    assert edited.args == ["objective", "beta", 2.0]


def test_beta_is_not_offered_for_an_autoencoder(training: TrainingPanel) -> None:
    training.set_config(ExperimentConfig(model=ModelConfig(model="autoencoder"), objective=ObjectiveConfig(beta=2.0)))
    assert not training.forms[1].editor("beta").isVisible()
    training.set_config(ExperimentConfig())
    assert training.forms[1].editor("beta").isVisible()


def test_how_a_run_ended_and_what_was_chosen_are_said(training: TrainingPanel) -> None:
    training.set_plan("cpu, float32, 1 thread")
    training.set_status("The disk is full.", failed=True)
    status = next(label for label in training.findChildren(QLabel) if label.text() == "The disk is full.")
    assert status.property("role") == "error"
    training.set_status("Completed.")
    assert status.property("role") == "muted"
    assert "cpu, float32, 1 thread" in texts(training)


def test_every_button_says_its_shortcut(training: TrainingPanel) -> None:
    for name, keys in (("model.start", "F5"), ("model.stop", "Shift+F5"), ("model.pause_or_resume", "F6")):
        assert keys in button(training, name).toolTip()
        assert button(training, name).accessibleName()


def test_icons_follow_the_theme(training: TrainingPanel, qapp: Any) -> None:
    apply_theme(qapp, "light")
    before = button(training, "model.stop").icon().pixmap(32).toImage().pixelColor(16, 16).name()
    apply_theme(qapp, "dark")
    after = button(training, "model.stop").icon().pixmap(32).toImage().pixelColor(16, 16).name()
    apply_theme(qapp, "light")
    assert (before, after) == ("#1b1f24", "#e8eaed")
