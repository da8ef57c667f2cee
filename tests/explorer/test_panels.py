from pathlib import Path
from typing import Any, TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QProgressBar, QPushButton, QWidget

from core.config import DataConfig, ExperimentConfig, ModelConfig, ObjectiveConfig
from core.snapshots import Progress
from explorer.messages import DataInfo, DocumentInfo, RunState
from explorer.theme import apply_theme
from explorer.views.editors import TextEditor
from explorer.views.forms import SectionForm
from explorer.views.panels import DataPanel, ModelPanel, TrainingPanel
from explorer.views.panels.summaries import (
    counts_of_data,
    document_line,
    duration,
    epochs,
    labels_of_data,
    model_line,
    parameters,
    progress_line,
)

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
Shown = TypeVar("Shown", bound=QWidget)
DIGITS = tuple("0123456789")


def data_info(**changes: Any) -> DataInfo:
    return DataInfo(
        **{
            "name": "MNIST",
            "config": DataConfig(),
            "num_train": 60_000,
            "num_held_out": 10_000,
            "height": 28,
            "width": 28,
            "label_names": DIGITS,
            **changes,
        }
    )


def document(**changes: Any) -> DocumentInfo:
    return DocumentInfo(
        **{
            "name": "mnist-2d",
            "path": Path("/models/mnist-2d.safetensors"),
            "config": ExperimentConfig(),
            "epochs": 12.0,
            "modified": False,
            "num_parameters": 902_312,
            **changes,
        }
    )


def shown(qtbot: Any, panel: Shown) -> Shown:
    panel.resize(320, 600)
    qtbot.addWidget(panel)
    with qtbot.waitActive(panel):
        panel.show()
    return panel


@pytest.fixture
def data(qtbot: Any) -> DataPanel:
    return shown(qtbot, DataPanel())


@pytest.fixture
def model(qtbot: Any) -> ModelPanel:
    return shown(qtbot, ModelPanel())


@pytest.fixture
def training(qtbot: Any) -> TrainingPanel:
    return shown(qtbot, TrainingPanel())


def text_editor(form: SectionForm, name: str) -> TextEditor:
    editor = form.editor(name)
    assert isinstance(editor, TextEditor)
    return editor


def texts(panel: QWidget) -> str:
    labels = [label.text() for label in panel.findChildren(QLabel) if label.isVisible()]
    return "\n".join(labels).replace("\N{NO-BREAK SPACE}", " ")


def button(panel: QWidget, name: str) -> QPushButton:
    found = panel.findChild(QPushButton, name)
    assert isinstance(found, QPushButton)
    return found


def box_of(panel: DataPanel) -> QComboBox:
    return next(box for box in panel.findChildren(QComboBox) if box.accessibleName() == "Data set")


def choose(qtbot: Any, box: QComboBox, text: str) -> None:
    box.showPopup()
    view = box.view()
    view.setCurrentIndex(box.model().index(box.findText(text), 0))
    qtbot.keyClick(view, Qt.Key.Key_Return)


# Data


def test_counts_size_and_labels_are_stated(data: DataPanel) -> None:
    data.set_data(data_info(note="3 pictures could not be read"))
    assert "60,000 train, 10,000 held out, 28 × 28" in texts(data)
    assert "10 labels: 0 … 9" in texts(data)
    assert "3 pictures could not be read" in texts(data)


def test_choosing_an_embedded_data_set_is_an_intent_and_the_open_one_stays_shown(data: DataPanel, qtbot: Any) -> None:
    data.set_data(data_info())
    with qtbot.waitSignal(data.data_chosen) as chosen:
        choose(qtbot, box_of(data), "Shapes")
    assert chosen.args == ["shapes"]
    assert box_of(data).currentText() == "MNIST"


@pytest.mark.parametrize(
    ("entry", "signal"),
    [("Open file…", "open_data_requested"), ("Open folder of pictures…", "open_folder_requested")],
)
def test_own_data_is_asked_for(data: DataPanel, qtbot: Any, entry: str, signal: str) -> None:
    with qtbot.waitSignal(getattr(data, signal)), qtbot.assertNotEmitted(data.data_chosen):
        choose(qtbot, box_of(data), entry)


def test_own_data_can_be_chosen_again_after_another(data: DataPanel, qtbot: Any) -> None:
    data.set_data(data_info(name="flowers", config=DataConfig(source="/home/me/flowers")))
    assert box_of(data).currentText() == "flowers"
    data.set_data(data_info())
    with qtbot.waitSignal(data.data_chosen) as chosen:
        choose(qtbot, box_of(data), "flowers")
    assert chosen.args == ["/home/me/flowers"]


def test_showing_data_is_no_intent(data: DataPanel, qtbot: Any) -> None:
    with qtbot.assertNotEmitted(data.data_chosen), qtbot.assertNotEmitted(data.setting_edited):
        data.set_data(data_info(config=DataConfig(source="shapes", binarisation="none")))
        data.set_config(ExperimentConfig(data=DataConfig(binarisation="fixed")))


def test_the_data_stays_during_a_run(data: DataPanel) -> None:
    data.set_running(True)
    assert not box_of(data).isEnabled()
    assert "while a model trains" in box_of(data).toolTip()


# Model


def test_the_open_model_is_described(model: ModelPanel) -> None:
    model.set_document(document())
    said = "VAE · MLP 512-256-128 · 2 latent dims · 0.9 M parameters · 12 epochs"
    assert said in texts(model)


def test_a_modified_model_is_marked(model: ModelPanel) -> None:
    model.set_document(document(modified=True))
    assert any(child.accessibleName() == "mnist-2d, modified" for child in model.findChildren(QWidget))
    model.set_document(document())
    assert any(child.accessibleName() == "mnist-2d" for child in model.findChildren(QWidget))


def test_without_a_model_the_panel_says_what_to_do(model: ModelPanel) -> None:
    model.set_document(document())
    model.set_document(None)
    assert "Start the training to make one" in texts(model)


def test_an_edit_names_its_section(model: ModelPanel, qtbot: Any) -> None:
    editor = model.form.editor("latent_dim")
    editor.setFocus()
    with qtbot.waitSignal(model.setting_edited) as edited:
        qtbot.keyClick(editor, Qt.Key.Key_Up)
    assert edited.args == ["model", "latent_dim", 3]


# Training


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
    assert "epoch" not in texts(training)


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


# Sentences


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0:00"), (41.2, "0:42"), (60, "1:00"), (725, "12:05"), (11_229, "3:07:09"), (float("nan"), "…"), (-1, "…")],
)
def test_times_read_like_a_clock(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [(1, "1 parameter"), (999, "999 parameters"), (12_345, "12.3 k parameters"), (902_312, "0.9 M parameters")],
)
def test_parameters_are_counted_in_two_or_three_digits(number: int, said: str) -> None:
    assert parameters(number) == said


@pytest.mark.parametrize(
    ("number", "said"), [(0, "untrained"), (1, "1 epoch"), (12, "12 epochs"), (3.44, "3.4 epochs")]
)
def test_epochs_are_counted(number: float, said: str) -> None:
    assert epochs(number) == said


def test_an_unfinished_epoch_is_not_rounded_up() -> None:
    assert progress_line(9.97, 10, 0.0, None) == "epoch 9.9 of 10"
    assert progress_line(2.3, 10, 1.0, 0.0) == "epoch 2.3 of 10 · 1 images/s · 0:00 left"


def test_a_convolutional_autoencoder_is_described() -> None:
    config = ModelConfig(model="autoencoder", network="conv", latent_dim=1)
    assert model_line(config) == "Autoencoder · Convolutional 32-64 · 1 latent dim"


def test_lines_of_facts_break_between_facts_only() -> None:
    assert document_line(document()).count(" ") == 2 * document_line(document()).count("·")


def test_labels_are_shortened_when_there_are_many() -> None:
    assert labels_of_data(data_info(label_names=())) == "no labels"
    assert labels_of_data(data_info(label_names=("cat", "dog"))) == "2 labels: cat, dog"
    assert counts_of_data(data_info(height=32, width=20)).endswith("32 × 20")


class Recorder(QWidget):
    """Notes intents in the order they come."""

    def __init__(self, order: list[str], parent: QWidget) -> None:
        super().__init__(parent)
        self._order = order

    def record(self) -> None:
        self._order.append("intent")

    def record_setting(self, _section: str, name: str, value: object) -> None:
        self._order.append(f"{name}={value}")
