"""Messages above the canvas, not modal: an interrupted run, the newest error and the newest note."""

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QVBoxLayout, QWidget

from explorer.messages import Failed
from explorer.views.message_row import MessageRow
from explorer.views.run_offer import RunOffer

# A note without an action goes by itself; an error, or a note that offers something, stays until it is closed.
NOTE_MS = 10_000


class Banner(QWidget):
    """The newest error, a notice about the program, and the newest note; only a notice waits while a run is offered."""

    banner_action = Signal(str)
    """The command that the message offered."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Messages")
        self._error = _Row("error")
        self._notice = _Row("note")
        self._note = _Row("note")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(NOTE_MS)
        self._timer.timeout.connect(self.clear_message)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.offer = RunOffer()
        self.offer.said.connect(self._keep_notice)
        self.offer.closed.connect(self._show_kept_notice)
        self._notice_waits = False
        column.addWidget(self.offer)
        for row in (self._error, self._notice, self._note):
            row.action_given.connect(self.banner_action)
            column.addWidget(row)
        self._note.closed.connect(self._timer.stop)

    def show_error(self, failed: Failed, action_text: str = "", command: str = "") -> None:
        """Show what went wrong, until it is closed or the next error comes."""
        self._error.show_message(failed.reason, action_text, command, failed.details)

    def show_message(self, text: str, action_text: str = "", command: str = "") -> None:
        """Show a note; one without an action goes by itself."""
        self._note.show_message(text, action_text, command, "")
        if action_text:
            self._timer.stop()
        else:
            self._timer.start()

    def show_notice(self, text: str, action_text: str = "", command: str = "") -> None:
        """Show what concerns no model and no data, and stays whatever is opened, until it is closed."""
        self._notice.show_message(text, action_text, command, "")
        if not self.offer.isHidden():
            self._keep_notice()

    def clear_message(self) -> None:
        """Take the note away, unless the mouse is on it."""
        if self._note.underMouse() and self._note.isVisible():
            self._timer.start()
            return
        self._timer.stop()
        self._note.hide()

    def clear_error(self, reason: str = "") -> None:
        """Take the error away; with a reason, only that one, which is mended now."""
        if not reason or reason == self._error.text:
            self._error.hide()

    def _keep_notice(self) -> None:
        # After a kill both have something to say, and a small window has no room for both: the question comes first.
        if not self._notice.isHidden():
            self._notice.hide()
            self._notice_waits = True

    def _show_kept_notice(self) -> None:
        if self._notice_waits:
            self._notice_waits = False
            self._notice.show()

    @property
    def error_text(self) -> str:
        """The error that is shown; empty where there is none."""
        return "" if self._error.isHidden() else self._error.text

    @property
    def notice_text(self) -> str:
        """The notice that is shown; empty where there is none."""
        return "" if self._notice.isHidden() else self._notice.text

    @property
    def message_text(self) -> str:
        """The note that is shown; empty where there is none."""
        return "" if self._note.isHidden() else self._note.text


class _Row(MessageRow):
    action_given = Signal(str)

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self._command = ""
        self._details = ""
        self._action = self.add_button("", "")
        self._action.clicked.connect(self._give_action)
        self._copy = self.add_button("Copy details", "Copy the full error report to the clipboard.")
        self._copy.clicked.connect(self._copy_details)

    def show_message(self, text: str, action_text: str, command: str, details: str) -> None:
        self._command, self._details = command, details
        self._action.setText(action_text)
        self._action.setAccessibleName(action_text)
        self._action.setToolTip(action_text)
        self._action.setVisible(bool(action_text))
        self._copy.setVisible(bool(details))
        self.say(text)

    def _copy_details(self) -> None:
        QGuiApplication.clipboard().setText(f"{self.text}\n\n{self._details}")

    def _give_action(self) -> None:
        self.close_row()
        self.action_given.emit(self._command)
