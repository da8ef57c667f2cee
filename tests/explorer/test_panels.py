from pathlib import Path
from typing import Any, TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QWidget

from core.config import DataConfig, ExperimentConfig, ModelConfig
from explorer.messages import DataInfo, DocumentInfo
from explorer.views.editors import TextEditor
from explorer.views.forms import SectionForm
from explorer.views.panels import DataPanel, ModelPanel
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
