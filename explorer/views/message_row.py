"""A row above the canvas that says something: a symbol, a text, buttons, and one that closes it."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy

from explorer.commands.icons import tinted_icon
from explorer.theme import current_palette
from explorer.views.flow import FlowLayout
from explorer.views.icon_button import IconButton

# Below this width the buttons stand under the text.
_NARROW = 640


class MessageRow(QFrame):
    """Hidden until there is something to say; `kind` is `error` or `note`."""

    said = Signal()
    closed = Signal()

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.setProperty("role", f"{kind}_banner")
        self._kind = kind
        self._symbol = QLabel()
        self._label = QLabel()
        # A file's name may look like markup.
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setWordWrap(True)
        self._label.setTextInteractionFlags(self._label.textInteractionFlags().TextSelectableByMouse)
        self._close = IconButton("close", "Close this message", "Close (the message is not shown again)")
        self._close.clicked.connect(self.close_row)
        # The buttons take what they need, the words the rest; beneath them the buttons wrap.
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self._label.setSizePolicy(policy)
        self._buttons = FlowLayout(spacing=8)
        self._body = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._body.setSpacing(6)
        self._body.addWidget(self._label, 1)
        self._body.addLayout(self._buttons)
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
        """What it says."""
        return self._label.text()

    def add_button(self, text: str, tip: str) -> QPushButton:
        """Add a button behind the others and return it."""
        button = QPushButton(text)
        button.setAccessibleName(text)
        button.setToolTip(tip)
        self._buttons.addWidget(button)
        return button

    def say(self, text: str) -> None:
        """Show this text."""
        self._label.setText(text)
        # In the smallest window not every line may have room.
        self._label.setToolTip(text)
        self.setAccessibleName(f"{'Error' if self._kind == 'error' else 'Note'}: {text}")
        self.show()
        self.said.emit()

    def close_row(self) -> None:
        """Say nothing any more."""
        self.hide()
        self.closed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Put the buttons under the text where there is little room beside it."""
        super().resizeEvent(event)
        direction = QBoxLayout.Direction
        self._body.setDirection(direction.TopToBottom if event.size().width() < _NARROW else direction.LeftToRight)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Follow the theme."""
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
