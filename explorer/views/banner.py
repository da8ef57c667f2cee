"""Messages above the canvas, not modal: one for errors, one for notes, each with an action and a close button."""

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from explorer.commands.icons import tinted_icon
from explorer.messages import Failed
from explorer.theme import current_palette
from explorer.views.icon_button import IconButton

# A note without an action goes by itself; an error, or a note that offers something, stays until it is closed.
NOTE_MS = 10_000
# Below this width the buttons stand under the text.
_NARROW = 640


class Banner(QWidget):
    """The newest error, a notice about the program, and the newest note; none hides another."""

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

    def clear_message(self) -> None:
        """Take the note away, unless the mouse is on it."""
        if self._note.underMouse() and self._note.isVisible():
            self._timer.start()
            return
        self._timer.stop()
        self._note.hide()

    def clear_error(self) -> None:
        """Take the error away."""
        self._error.hide()

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


class _Row(QFrame):
    action_given = Signal(str)
    closed = Signal()

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.setProperty("role", f"{kind}_banner")
        self._kind = kind
        self._command = ""
        self._details = ""
        self._symbol = QLabel()
        self._label = QLabel()
        self._label.setWordWrap(True)
        self._label.setTextInteractionFlags(self._label.textInteractionFlags().TextSelectableByMouse)
        self._copy = QPushButton("Copy details")
        self._copy.setToolTip("Copy the full error report to the clipboard.")
        self._copy.clicked.connect(self._copy_details)
        self._action = QPushButton()
        self._action.clicked.connect(self._give_action)
        self._close = IconButton("close", "Close this message", "Close (the message is not shown again)")
        self._close.clicked.connect(self._closed)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self._action, self._copy):
            buttons.addWidget(button)
        buttons.addStretch(1)
        self._body = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._body.setSpacing(6)
        self._body.addWidget(self._label, 1)
        self._body.addLayout(buttons)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 8, 6)
        row.setSpacing(10)
        top = Qt.AlignmentFlag.AlignTop
        row.addWidget(self._symbol, 0, top)
        row.addLayout(self._body, 1)
        row.addWidget(self._close, 0, top)
        self._tint()
        self.hide()

    @property
    def text(self) -> str:
        return self._label.text()

    def show_message(self, text: str, action_text: str, command: str, details: str) -> None:
        self._command, self._details = command, details
        self._label.setText(text)
        self.setAccessibleName(f"{'Error' if self._kind == 'error' else 'Note'}: {text}")
        self._action.setText(action_text)
        self._action.setAccessibleName(action_text)
        self._action.setToolTip(action_text)
        self._action.setVisible(bool(action_text))
        self._copy.setVisible(bool(details))
        self.show()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        super().resizeEvent(event)
        direction = QBoxLayout.Direction
        self._body.setDirection(direction.TopToBottom if event.size().width() < _NARROW else direction.LeftToRight)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_symbol"):
            self._tint()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Have symbol and first line at the height of the button that closes; the style that says it may come last."""
        super().showEvent(event)
        self._symbol.setFixedHeight(self._close.sizeHint().height())
        self._label.setMinimumHeight(self._close.sizeHint().height())

    def _tint(self) -> None:
        colours = current_palette()
        colour = colours.error if self._kind == "error" else colours.accent
        self._symbol.setPixmap(tinted_icon(self._kind, colour).pixmap(18, 18))

    def _copy_details(self) -> None:
        QGuiApplication.clipboard().setText(f"{self.text}\n\n{self._details}")

    def _give_action(self) -> None:
        self.hide()
        self.closed.emit()
        self.action_given.emit(self._command)

    def _closed(self) -> None:
        self.hide()
        self.closed.emit()
