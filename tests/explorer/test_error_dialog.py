"""The window that tells of errors in the program itself."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPlainTextEdit, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from explorer.messages import Failed
from explorer.views import error_dialog
from explorer.views.error_dialog import ErrorDialog

STACK = 'Traceback (most recent call last):\n  File "a.py", line {line}, in f\n    fail()\nValueError: {reason}\n'


def failed(reason: str = "a planted fault", line: int = 1) -> Failed:
    return Failed(reason, STACK.format(line=line, reason=reason))


@pytest.fixture
def dialog(qtbot: QtBot) -> Iterator[ErrorDialog]:
    dialog = ErrorDialog()
    qtbot.addWidget(dialog)
    yield dialog
    dialog.close()


def button(dialog: ErrorDialog, text: str) -> QPushButton:
    return next(one for one in dialog.findChildren(QPushButton) if one.text() == text)


def test_it_says_what_happened_and_that_the_program_goes_on(dialog: ErrorDialog) -> None:
    dialog.tell(failed(), can_save=True)
    assert dialog.isVisible()
    assert not dialog.isModal()
    assert dialog.reason == "Something went wrong inside the program: a planted fault"
    assert dialog.count_text == ""
    assert "goes on" in dialog.accessibleDescription()
    assert button(dialog, "Save model as…").isVisible()


def test_repetitions_are_counted_and_do_not_stack(dialog: ErrorDialog) -> None:
    for number in range(1_000):
        # The message differs, the place is the same.
        dialog.tell(failed(f"number {number}"), can_save=False)
    dialog.tell(failed("elsewhere", line=9), can_save=False)
    assert dialog.reason.endswith("number 0")
    assert dialog.count_text == "It has happened 1,000 times. 1 other error followed; the details have them."
    assert dialog.report.count("Traceback") == 2
    assert not button(dialog, "Save model as…").isVisible()


def test_errors_of_ever_new_kinds_do_not_grow_without_end(dialog: ErrorDialog) -> None:
    for line in range(500):
        dialog.tell(failed("x" * 1_000, line), can_save=False)
    assert dialog.report.count("Traceback") == error_dialog._MOST_KINDS
    assert "480 errors of other kinds" in dialog.report
    assert len(dialog.reason) < 400


def test_what_was_closed_stays_closed_while_it_goes_on_to_come(
    dialog: ErrorDialog, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("explorer.views.error_dialog.time.monotonic", lambda: now)
    dialog.tell(failed(), can_save=False)
    dialog.reject()
    for _ in range(30):
        now += 1.0
        dialog.tell(failed(), can_save=False)
        assert not dialog.isVisible()
    dialog.tell(failed("another", line=2), can_save=False)
    assert dialog.isVisible()
    dialog.reject()
    now += error_dialog.QUIET_S + 1.0
    dialog.tell(failed(), can_save=False)
    assert dialog.isVisible()
    assert dialog.count_text == ""


def test_it_is_worked_by_the_keyboard_alone(dialog: ErrorDialog, qtbot: QtBot) -> None:
    dialog.tell(failed(), can_save=True)
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)
    seen = set()
    for _ in range(12):
        focused = dialog.focusWidget()
        seen.add(focused.accessibleName() or focused.property("text"))
        QTest.keyClick(focused, Qt.Key.Key_Tab)
    assert {"Details", "Save model as…", "Copy report", "Open log folder"} <= seen
    fold = dialog.findChild(QToolButton)
    assert fold is not None
    fold.setFocus()
    QTest.keyClick(fold, Qt.Key.Key_Space)
    details = dialog.findChild(QPlainTextEdit)
    assert details is not None
    assert details.isVisible()
    assert "in f" in details.toPlainText()
    QTest.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_the_report_names_versions_and_stack(dialog: ErrorDialog, qtbot: QtBot) -> None:
    dialog.tell(failed(), can_save=True)
    QTest.mouseClick(button(dialog, "Copy report"), Qt.MouseButton.LeftButton)
    text = QGuiApplication.clipboard().text()
    for part in ("Latent Explorer", "Python 3", "PySide6", "torch", "ValueError: a planted fault", "once"):
        assert part in text
    with qtbot.waitSignal(dialog.folder_requested):
        QTest.mouseClick(button(dialog, "Open log folder"), Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(dialog.save_requested):
        QTest.mouseClick(button(dialog, "Save model as…"), Qt.MouseButton.LeftButton)
