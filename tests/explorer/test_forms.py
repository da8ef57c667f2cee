from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QWidget

from core.config import SECTIONS, ExperimentConfig, ModelConfig
from core.settings import ConfigError, Declaration
from explorer.views.count_field import CountField
from explorer.views.editors import ChoiceEditor, SwitchEditor, TextEditor, stepped
from explorer.views.forms import SectionForm, commit_pending_edit, folded, relevant

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


def text_editor(form: SectionForm, name: str) -> TextEditor:
    editor = form.editor(name)
    assert isinstance(editor, TextEditor)
    return editor


class Shown:
    """A form in a window that has the keyboard."""

    def __init__(self, qtbot: Any, section: str, names: tuple[str, ...] | None = None) -> None:
        self.qtbot = qtbot
        self.window = QWidget()
        self.form = SectionForm(section, names, self.window)
        self.form.resize(320, 480)
        self.window.resize(320, 480)
        qtbot.addWidget(self.window)
        with qtbot.waitActive(self.window):
            self.window.show()

    def type(self, name: str, text: str, *, enter: bool = True) -> None:
        editor = self.form.editor(name)
        editor.setFocus()
        if isinstance(editor, QLineEdit):
            editor.selectAll()
        self.qtbot.keyClicks(editor, text)
        if enter:
            self.qtbot.keyClick(editor, Qt.Key.Key_Return)


@pytest.fixture
def training(qtbot: Any) -> Shown:
    return Shown(qtbot, "training")


@pytest.fixture
def model(qtbot: Any) -> Shown:
    return Shown(qtbot, "model")


@pytest.mark.parametrize("section", SECTIONS)
def test_every_declared_setting_has_an_editor_with_name_tooltip_and_default(qtbot: Any, section: str) -> None:
    form = SectionForm(section)
    qtbot.addWidget(form)
    defaults = SECTIONS[section]()
    for declared in SECTIONS[section].settings():
        editor = form.editor(declared.name)
        assert editor.accessibleName() == declared.declaration.label
        assert declared.declaration.help in editor.toolTip()
        assert editor.value() == getattr(defaults, declared.name)
    assert form.values() == {
        declared.name: getattr(defaults, declared.name) for declared in SECTIONS[section].settings()
    }


def test_a_choice_says_in_its_tooltips_what_it_means(qtbot: Any) -> None:
    form = SectionForm("model")
    qtbot.addWidget(form)
    box = form.editor("network")
    assert isinstance(box, ChoiceEditor)
    assert "Fully connected layers." in box.toolTip()
    assert box.itemData(1, Qt.ItemDataRole.ToolTipRole).startswith("Strided convolutions")


def test_a_label_that_has_no_room_ends_in_an_ellipsis(qtbot: Any) -> None:
    declared = next(setting for setting in SECTIONS["model"].settings() if setting.name == "model")
    box = ChoiceEditor(declared)
    qtbot.addWidget(box)
    box.resize(400, box.sizeHint().height())
    box.set_value("denoising_autoencoder")
    assert box.shown_text == box.currentText() == "Denoising autoencoder"
    box.resize(90, box.height())
    assert box.shown_text.endswith("…")
    assert box.shown_text.startswith("Deno")


def test_a_typed_number_is_given_on_once_with_its_type(training: Shown, qtbot: Any) -> None:
    with qtbot.waitSignal(training.form.edited) as edited:
        training.type("learning_rate", "3e-4")
    assert edited.args == ["learning_rate", 3e-4]
    assert training.form.values()["learning_rate"] == 3e-4
    with qtbot.assertNotEmitted(training.form.edited):
        qtbot.keyClick(training.form.editor("learning_rate"), Qt.Key.Key_Return)


def test_a_list_of_widths_is_given_on_as_a_tuple(model: Shown, qtbot: Any) -> None:
    with qtbot.waitSignal(model.form.edited) as edited:
        model.type("hidden", "64,32")
    assert edited.args == ["hidden", (64, 32)]
    assert text_editor(model.form, "hidden").text() == "64, 32"


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("learning_rate", "-2", "Learning rate must lie in (0, 100], not -2.0"),
        ("learning_rate", "fast", "Learning rate must be a number, not 'fast'"),
        ("learning_rate", "nan", "Learning rate must lie in (0, 100], not nan"),
        ("epochs", "0", "Epochs must lie in [1, 100,000], not 0"),
        ("epochs", "1.5", "Epochs must be a whole number, not '1.5'"),
    ],
)
def test_a_value_that_is_not_allowed_is_explained_and_kept_back(
    training: Shown, qtbot: Any, name: str, typed: str, said: str
) -> None:
    before = training.form.values()
    with qtbot.assertNotEmitted(training.form.edited), qtbot.waitSignal(training.form.validity_changed) as validity:
        training.type(name, typed)
    assert validity.args == [False]
    assert training.form.error(name) == said
    assert text_editor(training.form, name).text() == typed
    assert training.form.values() == before
    assert not training.form.is_valid


def test_a_corrected_value_takes_the_error_away(training: Shown, qtbot: Any) -> None:
    training.type("learning_rate", "-2")
    with qtbot.waitSignal(training.form.validity_changed) as validity:
        training.type("learning_rate", "0.01")
    assert validity.args == [True]
    assert training.form.error("learning_rate") == ""


def test_what_a_whole_section_refuses_is_shown_at_the_field(model: Shown) -> None:
    model.type("hidden", ", ".join(["8"] * 9))
    assert model.form.error("hidden") == "Hidden layers must name at most 8 layers, not 9"


def test_setters_emit_nothing(training: Shown, qtbot: Any) -> None:
    with qtbot.assertNotEmitted(training.form.edited):
        training.form.set_values({"epochs": 3, "schedule": "cosine", "learning_rate": 0.5})
        training.form.set_config(ExperimentConfig().with_values({"seed": 7}))
    assert training.form.values()["seed"] == 7
    assert training.form.values()["epochs"] == 10


def test_leaving_an_untouched_field_neither_emits_nor_rounds(training: Shown, qtbot: Any) -> None:
    training.form.set_values({"learning_rate": 0.123456789})
    with qtbot.assertNotEmitted(training.form.edited):
        training.form.editor("learning_rate").setFocus()
        training.form.editor("seed").setFocus()
    assert training.form.values()["learning_rate"] == 0.123456789


def test_a_setter_does_not_wipe_out_what_is_typed_in_error(training: Shown) -> None:
    training.type("learning_rate", "-2")
    training.form.set_config(ExperimentConfig().with_values({"seed": 7}))
    assert text_editor(training.form, "learning_rate").text() == "-2"
    training.form.set_config(ExperimentConfig().with_values({"learning_rate": 0.5}))
    assert text_editor(training.form, "learning_rate").text() == "0.5"
    assert training.form.is_valid


def test_a_value_that_is_not_allowed_cannot_be_set(training: Shown) -> None:
    with pytest.raises(ConfigError, match="epochs must lie in"):
        training.form.set_values({"epochs": 0})


def test_choosing_conv_shows_channels_instead_of_hidden(model: Shown, qtbot: Any) -> None:
    box = model.form.editor("network")
    box.setFocus()
    with qtbot.waitSignal(model.form.edited) as edited:
        qtbot.keyClick(box, Qt.Key.Key_Down)
    assert edited.args == ["network", "conv"]
    assert model.form.editor("channels").isVisible()
    assert not model.form.editor("hidden").isVisible()


def test_an_error_in_a_hidden_field_does_not_block(model: Shown) -> None:
    model.type("hidden", "0")
    assert not model.form.is_valid
    model.form.set_config(ExperimentConfig(model=ModelConfig(network="conv")))
    assert model.form.is_valid


@pytest.mark.parametrize(
    ("values", "section", "name", "expected"),
    [
        ({}, "model", "hidden", True),
        ({}, "model", "channels", False),
        ({"network": "conv"}, "model", "hidden", False),
        ({"network": "conv"}, "model", "channels", True),
        ({"model": "autoencoder"}, "model", "likelihood", True),
        ({}, "model", "grey_levels", False),
        ({"likelihood": "categorical"}, "model", "grey_levels", True),
        ({}, "model", "pixel_std", False),
        ({"likelihood": "gaussian"}, "model", "variance", True),
        ({"likelihood": "gaussian"}, "model", "pixel_std", True),
        ({"model": "sparse_autoencoder"}, "model", "sparsity", True),
        ({}, "model", "sparsity", False),
        ({"model": "made"}, "model", "latent_dim", False),
        ({"model": "made"}, "model", "network", False),
        ({"model": "made"}, "model", "posterior", False),
        ({"model": "made"}, "model", "ordering", True),
        ({}, "model", "ordering", False),
        ({"model": "iwae"}, "objective", "num_samples", True),
        ({"model": "iwae"}, "objective", "beta", False),
        ({"model": "denoising_autoencoder"}, "objective", "corruption", True),
        ({"model": "sparse_autoencoder"}, "objective", "sparsity_target", True),
        ({"model": "made"}, "objective", "num_samples", False),
        ({}, "data", "num_levels", False),
        ({"model": "autoencoder"}, "model", "posterior", False),
        ({"model": "autoencoder"}, "objective", "beta", False),
        ({}, "objective", "beta", True),
        ({}, "data", "image_size", False),
        ({"source": "/pictures"}, "data", "image_size", True),
        ({}, "data", "binarisation", True),
        ({}, "training", "seed", True),
    ],
)
def test_only_settings_with_an_effect_are_relevant(
    values: dict[str, object], section: str, name: str, *, expected: bool
) -> None:
    keys = {("model.model" if key == "model" else key): value for key, value in values.items()}
    assert relevant(ExperimentConfig().with_values(keys), section, name) is expected


def test_settings_for_experts_wait_under_more(training: Shown, qtbot: Any) -> None:
    device = training.form.editor("device")
    assert folded(next(entry for entry in SECTIONS["training"].settings() if entry.name == "device"))
    assert not device.isVisible()
    more = next(button for button in training.form.findChildren(QWidget) if button.accessibleName() == "More settings")
    qtbot.mouseClick(more, Qt.MouseButton.LeftButton)
    assert device.isVisible()


def test_an_error_under_more_is_unfolded_and_focused(training: Shown) -> None:
    training.form.show_error("threads", "Threads must lie in [0, 256], not 999")
    assert training.form.focus_first_error()
    assert training.form.editor("threads").isVisible()
    assert training.form.editor("threads").hasFocus()


def test_only_live_settings_can_be_changed_during_a_run(training: Shown) -> None:
    training.form.set_running(True)
    able = {name for name in training.form.values() if training.form.editor(name).isEnabled()}
    assert able == {"learning_rate"}
    assert "Fixed while a model trains." in training.form.editor("epochs").toolTip()
    training.form.set_running(False)
    assert training.form.editor("epochs").isEnabled()
    assert "Fixed" not in training.form.editor("epochs").toolTip()


def test_the_wheel_over_a_field_without_focus_changes_nothing(training: Shown, qtbot: Any) -> None:
    training.form.editor("seed").setFocus()
    for name in ("epochs", "schedule"):
        with qtbot.assertNotEmitted(training.form.edited):
            QApplication.sendEvent(training.form.editor(name), _wheel(-120))
    editor = training.form.editor("epochs")
    editor.setFocus()
    with qtbot.waitSignal(training.form.edited) as edited:
        QApplication.sendEvent(editor, _wheel(120))
    assert edited.args == ["epochs", 11]


def test_arrow_keys_step_numbers(training: Shown, qtbot: Any) -> None:
    rate, epochs = training.form.editor("learning_rate"), training.form.editor("epochs")
    rate.setFocus()
    qtbot.keyClick(rate, Qt.Key.Key_Up)
    assert training.form.values()["learning_rate"] == 0.002
    epochs.setFocus()
    qtbot.keyClick(epochs, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert training.form.values()["epochs"] == 1


def test_an_unfinished_edit_is_taken_over_before_a_command(training: Shown, qtbot: Any) -> None:
    training.type("epochs", "42", enter=False)
    assert training.form.values()["epochs"] == 10
    with qtbot.waitSignal(training.form.edited):
        commit_pending_edit()
    assert training.form.values()["epochs"] == 42
    assert training.form.editor("epochs").hasFocus()


def test_a_switch_is_given_on(qtbot: Any) -> None:
    shown = Shown(qtbot, "data", ("invert",))
    shown.form.set_config(ExperimentConfig().with_values({"source": "/pictures"}))
    editor = shown.form.editor("invert")
    assert isinstance(editor, SwitchEditor)
    with qtbot.waitSignal(shown.form.edited) as edited:
        qtbot.keyClick(editor, Qt.Key.Key_Space)
    assert edited.args == ["invert", True]


def test_editors_fit_the_declarations(qtbot: Any) -> None:
    form = SectionForm("model")
    qtbot.addWidget(form)
    assert isinstance(form.editor("network"), QComboBox)
    assert isinstance(form.editor("hidden"), TextEditor)


SHARE = Declaration("", "", minimum=0.0, maximum=0.9, exclusive_minimum=True)
RATE = Declaration("", "", minimum=0.0, maximum=100.0, exclusive_minimum=True)
BETA = Declaration("", "", minimum=0.0, maximum=1000.0)


@pytest.mark.parametrize(
    ("value", "direction", "declaration", "expected"),
    [
        (1e-3, 1, RATE, 2e-3),
        (1e-3, -1, RATE, 5e-4),
        (3e-3, 1, RATE, 5e-3),
        (3e-3, -1, RATE, 2e-3),
        (100.0, 1, RATE, 100.0),
        (1.0, 1, BETA, 2.0),
        (0.0, 1, BETA, 0.01),
        (0.01, -1, BETA, 0.0),
        (0.0, -1, BETA, 0.0),
        (0.1, 1, SHARE, 0.15),
        (0.05, -1, SHARE, 0.05),
        (0.9, 1, SHARE, 0.9),
    ],
)
def test_steps_follow_one_two_five(value: float, direction: int, declaration: Declaration, expected: float) -> None:
    assert stepped(value, direction, declaration) == pytest.approx(expected)


@given(value=st.floats(1e-12, 100.0), direction=st.sampled_from([-1, 1]))
def test_a_step_stays_in_range_and_never_turns_back(value: float, direction: int) -> None:
    result = stepped(value, direction, RATE)
    assert 0.0 < result <= 100.0
    assert (result - value) * direction >= 0.0


def test_a_config_survives_a_form_unchanged(qtbot: Any) -> None:
    config = replace(ExperimentConfig(), model=ModelConfig(latent_dim=7, hidden=(9, 8)))
    form = SectionForm("model")
    qtbot.addWidget(form)
    form.set_config(config)
    assert ModelConfig(**form.values()) == config.model  # type: ignore[arg-type]


def _wheel(amount: int) -> QWheelEvent:
    return QWheelEvent(
        QPointF(5, 5),
        QPointF(5, 5),
        QPoint(),
        QPoint(0, amount),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )


def test_the_text_of_a_count_stands_off_its_border(qtbot: Any) -> None:
    field = CountField(1, 500, 50)
    qtbot.addWidget(field)
    assert (field.minimum(), field.maximum(), field.value()) == (1, 500, 50)
    assert field.lineEdit().textMargins().left() > 0
