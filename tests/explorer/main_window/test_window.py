from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QMenu,
    QPushButton,
    QWidget,
)

from core.config import ExperimentConfig, ModelConfig
from explorer.messages import DocumentInfo, Failed, InterruptedRun, RunState
from explorer.settings import Settings
from explorer.theme import DARK, apply_theme, current_palette
from explorer.views.banner import Banner
from explorer.views.drop_hint import DropHint
from explorer.views.editors import TextEditor
from explorer.views.forms import SectionForm
from explorer.views.main_window import MainWindow
from tests.explorer.main_window.conftest import Maker, close_button


def _name_of(widget: QWidget) -> str:
    return widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton) else "")


def document(**changes: Any) -> DocumentInfo:
    values = {"name": "mnist-2d", "path": None, "config": ExperimentConfig(), "epochs": 12.0, "modified": False}
    return DocumentInfo(**{**values, **changes})


def text_editor(form: SectionForm, name: str) -> TextEditor:
    editor = form.editor(name)
    assert isinstance(editor, TextEditor)
    return editor


def menu(window: MainWindow, text: str) -> QMenu:
    found = next(action.menu() for action in window.menuBar().actions() if action.text().replace("&", "") == text)
    assert isinstance(found, QMenu)
    return found


def click(qtbot: Any, parent: QWidget, text: str) -> None:
    buttons = [found for found in parent.findChildren(QPushButton) if found.isVisible() and found.text() == text]
    assert len(buttons) == 1
    qtbot.mouseClick(buttons[0], Qt.MouseButton.LeftButton)


# Commands


def test_a_shortcut_gives_a_command_that_is_the_owners(window: MainWindow, qtbot: Any) -> None:
    window.set_document(document())
    with qtbot.waitSignal(window.command_given) as given:
        qtbot.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert given.args == ["file.save"]


def test_what_needs_a_model_waits_for_one(window: MainWindow, qtbot: Any) -> None:
    with qtbot.assertNotEmitted(window.command_given):
        qtbot.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    assert not window.commands["file.save_as"].isEnabled()


def test_f5_starts_and_takes_over_what_is_being_typed(window: MainWindow, qtbot: Any) -> None:
    editor = text_editor(window._panels.training.forms[0], "epochs")
    editor.setFocus()
    editor.selectAll()
    qtbot.keyClicks(editor, "7")
    order = [window._panels.training.setting_edited, window.command_given]
    with qtbot.waitSignal(window.command_given) as given, qtbot.waitSignals(order, order="strict"):
        qtbot.keyClick(editor, Qt.Key.Key_F5)
    assert given.args == ["model.start"]
    assert window._panels.training.forms[0].values()["epochs"] == 7


def test_f5_with_a_bad_number_being_typed_starts_nothing_and_goes_there(window: MainWindow, qtbot: Any) -> None:
    editor = text_editor(window._panels.model.form, "latent_dim")
    editor.setFocus()
    editor.selectAll()
    qtbot.keyClicks(editor, "0")
    with qtbot.assertNotEmitted(window.command_given):
        qtbot.keyClick(editor, Qt.Key.Key_F5)
    assert editor.hasFocus()
    assert "must lie in [1, 256], not 0" in window._panels.model.form.error("latent_dim")
    assert not window.commands["model.start"].isEnabled()


@pytest.mark.parametrize(
    ("state", "enabled"),
    [
        (RunState.IDLE, {"model.start", "model.continue"}),
        (RunState.STARTING, {"model.stop"}),
        (RunState.RUNNING, {"model.pause_or_resume", "model.stop"}),
        (RunState.PAUSED, {"model.pause_or_resume", "model.stop"}),
        (RunState.STOPPING, set()),
    ],
)
def test_the_model_menu_follows_the_run(window: MainWindow, state: RunState, enabled: set[str]) -> None:
    window.set_can_continue(True)
    window.set_run_state(RunState.RUNNING)
    window.set_run_state(state)
    actions = [action for action in menu(window, "Model").actions() if not action.isSeparator()]
    run = [action for action in actions if action.data() != "view.compare"]
    assert {action.data() for action in run if action.isEnabled()} == enabled
    resumes = [action.text() for action in actions if action.data() == "model.pause_or_resume"]
    assert resumes == ["&Resume" if state is RunState.PAUSED else "&Pause"]


def test_space_presses_the_focused_button_and_pauses_nothing(window: MainWindow, qtbot: Any) -> None:
    window.set_run_state(RunState.RUNNING)
    stop = window.findChild(QPushButton, "model.stop")
    assert isinstance(stop, QPushButton)
    stop.setFocus()
    with qtbot.waitSignal(window._panels.training.stop_requested), qtbot.assertNotEmitted(window.command_given):
        qtbot.keyClick(stop, Qt.Key.Key_Space)


def test_a_layer_switched_off_is_announced_and_remembered(window: MainWindow, qtbot: Any, settings: Settings) -> None:
    with qtbot.waitSignal(window.switch_changed) as changed:
        qtbot.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    assert changed.args == ["view.mosaic", False]
    assert window.shown_layers() == settings.layers == frozenset({"codes", "prior", "posterior"})


def test_a_layer_that_the_model_has_not_says_so_and_is_remembered(window: MainWindow, settings: Settings) -> None:
    prior = window.commands["view.prior"]
    window.set_model(ModelConfig(model="autoencoder"))
    assert not prior.isEnabled()
    assert "no prior" in prior.toolTip()
    window.commands.trigger("view.codes")
    assert settings.layers == {"mosaic", "prior", "posterior"}
    window.set_model(ModelConfig())
    assert prior.isEnabled()
    assert "no prior" not in prior.toolTip()


def test_pasting_brings_the_pad_to_the_front(made: Maker, qtbot: Any) -> None:
    window = made(1100, 620)
    pad = window.docks.draw.widget()
    assert window.tabifiedDockWidgets(window.docks.hand) == [window.docks.draw]
    assert pad.visibleRegion().isEmpty()
    with qtbot.waitSignal(window.command_given) as given:
        window.commands.trigger("edit.paste_picture")
    assert given.args == ["edit.paste_picture"]
    assert not pad.visibleRegion().isEmpty()
    window.docks.draw.close()
    window.commands.trigger("edit.paste_picture")
    assert window.docks.draw.isVisible()


def test_a_theme_is_put_on_and_remembered(window: MainWindow, qapp: Any, settings: Settings) -> None:
    window.commands.trigger("view.theme_dark")
    try:
        assert current_palette() is DARK
        assert settings.theme == "dark"
    finally:
        apply_theme(qapp, "light")


def test_the_canvas_has_the_keyboard_at_first(window: MainWindow) -> None:
    assert window._panels.canvas.hasFocus()


def test_every_button_of_the_window_has_a_name_and_a_tooltip(window: MainWindow) -> None:
    window.show_error(Failed("reason", "details"), "Do it", "model.start")
    found_ones = (*window.findChildren(QAbstractButton), *window.findChildren(QComboBox))
    own = [found for found in found_ones if found.isVisible() and found.objectName() != "qt_menubar_ext_button"]
    assert len(own) > 15
    nameless = [(type(found), found.toolTip()) for found in own if not _name_of(found)]
    assert nameless == []
    assert [found.accessibleName() for found in own if not found.toolTip()] == []


# Documents and files


def test_the_title_names_the_model_and_marks_a_change(window: MainWindow) -> None:
    window.set_document(document(modified=True))
    assert window.windowTitle() == "mnist-2d[*] – Latent Explorer"
    assert window.isWindowModified()
    window.set_document(None)
    assert window.windowTitle() == "Latent Explorer"
    assert not window.isWindowModified()


def test_recent_files_are_listed_and_chosen(made: Maker, settings: Settings, tmp_path: Path, qtbot: Any) -> None:
    settings.add_recent_file(tmp_path / "old.safetensors")
    window = made()
    settings.add_recent_file(tmp_path / "new.safetensors")
    window.refresh_recent_files()
    listed = window._recent_menu.actions()
    assert [action.text() for action in listed][:2] == ["new.safetensors", "old.safetensors"]
    with qtbot.waitSignal(window.recent_chosen) as chosen:
        listed[1].trigger()
    assert chosen.args == [tmp_path / "old.safetensors"]
    listed[-1].trigger()
    assert settings.recent_files == ()
    assert [action.text() for action in window._recent_menu.actions()] == ["Nothing opened yet"]


@pytest.mark.parametrize(
    ("command", "purpose"), [("file.open_model", "model"), ("file.open_data", "data"), ("file.save_as", "save")]
)
def test_a_file_dialog_is_no_question_of_its_own_and_answers_with_its_purpose(
    window: MainWindow, qtbot: Any, tmp_path: Path, command: str, purpose: str
) -> None:
    window.set_document(document())
    window.files.folder = tmp_path
    window.commands.trigger(command)
    dialog = window.files.dialog
    assert dialog is not None
    with qtbot.waitSignal(window.files.chosen) as chosen:
        dialog.fileSelected.emit(str(tmp_path / "x"))
    assert chosen.args == [purpose, tmp_path / "x"]
    window.commands.trigger(command)
    assert window.files.dialog is dialog
    dialog.reject()
    assert window.files.dialog is None


def test_dropped_files_and_folders_are_handed_over(window: MainWindow, qtbot: Any, tmp_path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path)), QUrl("https://example.org/x"), QUrl.fromLocalFile("/a b.npz")])
    enter = QDragEnterEvent(QPoint(5, 5), _COPY, mime, _LEFT, _NO_KEYS)
    QApplication.sendEvent(window, enter)
    hint = window.findChild(DropHint)
    assert enter.isAccepted()
    assert isinstance(hint, DropHint)
    assert hint.isVisible()
    drop = QDropEvent(QPointF(5, 5), _COPY, mime, _LEFT, _NO_KEYS)
    with qtbot.waitSignal(window.files_dropped) as dropped:
        QApplication.sendEvent(window, drop)
    assert dropped.args == [(tmp_path, Path("/a b.npz"))]
    assert not hint.isVisible()


def test_a_dropped_link_is_refused(window: MainWindow) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl("https://example.org/x")])
    enter = QDragEnterEvent(QPoint(5, 5), _COPY, mime, _LEFT, _NO_KEYS)
    enter.ignore()
    QApplication.sendEvent(window, enter)
    assert not enter.isAccepted()


# Messages


def test_an_error_stays_beside_a_later_note_and_closes_by_itself_only_when_told(window: MainWindow, qtbot: Any) -> None:
    window.show_error(Failed("model.safetensors is cut off", "Traceback"))
    window.show_message("Saved.")
    assert window.banner.error_text == "model.safetensors is cut off"
    assert window.banner.message_text == "Saved."
    qtbot.mouseClick(close_button(window.banner, "Close this message"), Qt.MouseButton.LeftButton)
    assert window.banner.error_text == ""
    window.clear_message()
    assert window.banner.message_text == ""


def test_an_error_goes_when_its_owner_says_that_all_is_well(window: MainWindow) -> None:
    window.show_error(Failed("model.safetensors is cut off"))
    window.show_message("Saved.")
    window.clear_error()
    assert (window.banner.error_text, window.banner.message_text) == ("", "Saved.")


def test_a_banner_offers_a_command_of_the_table(window: MainWindow, qtbot: Any) -> None:
    window.show_message("This data does not fit the open model.", "Train a new one on this", "model.start")
    with qtbot.waitSignal(window.command_given) as given, qtbot.assertNotEmitted(window.banner_action):
        click(qtbot, window.banner, "Train a new one on this")
    assert given.args == ["model.start"]
    assert window.banner.message_text == ""


def test_a_banner_offers_what_only_its_owner_knows(window: MainWindow, qtbot: Any) -> None:
    window.show_error(Failed("The file is gone."), "Forget it", "recent.forget")
    with qtbot.waitSignal(window.banner_action) as given:
        click(qtbot, window.banner, "Forget it")
    assert given.args == ["recent.forget"]


def test_the_details_of_an_error_can_be_copied(window: MainWindow, qtbot: Any) -> None:
    window.show_error(Failed("It failed.", "Traceback: line 7"))
    click(qtbot, window.banner, "Copy details")
    assert QGuiApplication.clipboard().text() == "It failed.\n\nTraceback: line 7"


def test_a_note_goes_by_itself_but_not_one_that_offers_something(qtbot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.views.banner.NOTE_MS", 1)
    banner = Banner()
    qtbot.addWidget(banner)
    banner.show_message("Saved.")
    qtbot.waitUntil(lambda: banner.message_text == "")
    banner.show_message("Does not fit.", "Train", "model.start")
    assert not banner._timer.isActive()


def test_what_was_killed_is_told_when_the_run_it_interrupted_has_been_answered(window: MainWindow, qtbot: Any) -> None:
    banner = window.banner
    run = InterruptedRun(Path("digits"), "digits", 20, 1.0, 6.0, "2026-01-01")
    banner.show_notice("It was killed.", "Open log folder", "help.log_folder")
    banner.offer.show_run(run, 0)
    assert (banner.offer.isVisible(), banner.notice_text) == (True, "")
    qtbot.mouseClick(close_button(banner.offer, "Not now"), Qt.MouseButton.LeftButton)
    assert (banner.offer.isVisible(), banner.notice_text) == (False, "It was killed.")
    banner.offer.show_run(run, 0)
    banner.show_notice("It crashed.")
    assert banner.notice_text == ""


def test_loading_is_shown_and_goes_when_done(window: MainWindow) -> None:
    window.show_progress(0.4, "Reading 12,000 pictures")
    assert window._strip.status == "Reading 12,000 pictures"
    assert window._strip._progress.isVisible()
    window.show_status("Opened.")
    assert window._strip.status == "Opened."
    assert not window._strip._progress.isVisible()


# Help


@pytest.mark.parametrize(
    ("command", "title", "said"),
    [
        ("help.shortcuts", "Keyboard and mouse", ["F6", "Pause", "Ctrl+Q", "Drag a handle"]),
        ("help.about", "About Latent Explorer", ["Yann LeCun", "ShareAlike 3.0", "PySide6", "torch", "LGPL"]),
    ],
)
def test_help_is_a_window_of_its_own_that_opens_once(
    window: MainWindow, command: str, title: str, said: list[str]
) -> None:
    window.commands.trigger(command)
    window.commands.trigger(command)
    assert list(window._help) == [title]
    opened = window._help[title]
    assert not opened.isModal()
    text = opened.text.replace("Qt for Python", "PySide6").replace("PyTorch", "torch")
    assert [part for part in said if part not in text] == []
    opened.close()


# The end


def test_closing_asks_the_owner_once_and_waits(window: MainWindow, qtbot: Any) -> None:
    with qtbot.waitSignal(window.close_requested):
        assert not window.close()
    assert window.isVisible()
    with qtbot.assertNotEmitted(window.close_requested):
        assert not window.close()
    window.close_now()
    assert not window.isVisible()


def test_after_a_failed_save_closing_asks_again(window: MainWindow, qtbot: Any) -> None:
    window.close()
    window.stay_open()
    with qtbot.waitSignal(window.close_requested):
        window.close()


def test_control_q_quits_and_escape_does_not(window: MainWindow, qtbot: Any) -> None:
    with qtbot.assertNotEmitted(window.close_requested):
        qtbot.keyClick(window, Qt.Key.Key_Escape)
    with qtbot.waitSignal(window.close_requested):
        qtbot.keyClick(window, Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)


def test_closing_takes_its_other_windows_along(window: MainWindow) -> None:
    window.commands.trigger("help.about")
    about = window._help["About Latent Explorer"]
    window.commands.trigger("file.open_model")
    assert about.isVisible()
    window.close_now()
    assert not about.isVisible()
    assert window.files.dialog is None


_COPY, _LEFT, _NO_KEYS = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
