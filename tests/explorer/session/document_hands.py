"""What tests of documents share: programs, a model file of their own, and what a title says."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLineEdit, QMenu

from tests.open_program import OpenProgram

Maker = Callable[..., OpenProgram]


def ready(opened: OpenProgram) -> OpenProgram:
    opened.until("all to be open", opened.is_ready)
    return opened


def answer_dialog(opened: OpenProgram, path: Path) -> None:
    """Type a path into the file dialog that is open, and accept it."""
    opened.until("the file dialog", lambda: opened.window.files.dialog is not None)
    dialog = opened.window.files.dialog
    assert isinstance(dialog, QFileDialog)
    field = dialog.findChild(QLineEdit, "fileNameEdit")
    assert isinstance(field, QLineEdit)
    field.setText(str(path))
    QTest.keyClick(field, Qt.Key.Key_Return)
    opened.until("the answer", lambda: opened.window.files.dialog is None)


def recent(opened: OpenProgram) -> dict[str, QAction]:
    menus = [action.menu() for top in opened.window.findChildren(QMenu) for action in top.actions()]
    menu = next(menu for menu in menus if isinstance(menu, QMenu) and menu.title() == "Open &recent")
    return {action.text(): action for action in menu.actions() if isinstance(action.data(), Path)}


def title(opened: OpenProgram) -> str:
    return opened.window.windowTitle().partition("[*]")[0]


def run_epochs(opened: OpenProgram, epochs: int) -> None:
    opened.set_field("epochs", str(epochs))
    opened.press(Qt.Key.Key_F5)
    opened.until("the run", lambda: opened.session.training.active)
    opened.until("its end", lambda: not opened.session.training.active)
