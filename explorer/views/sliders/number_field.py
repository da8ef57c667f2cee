"""A field for a latent value: any way of writing a number is read, and what is none is refused in words."""

import re

from PySide6.QtCore import QLocale, QPoint, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QValidator, QWheelEvent
from PySide6.QtWidgets import QDoubleSpinBox, QToolTip, QWidget

from explorer.views.readouts import MINUS

LARGEST_VALUE = 1e6
"""Latent values beyond this are refused: decoders stay finite, and no posterior is that far out."""
_DECIMALS = 9
_NUMBER = re.compile(r"[+-]?([0-9]+([.,][0-9]*)?|[.,][0-9]+)([eE][+-]?[0-9]+)?")


def read_number(text: str) -> float:
    """Return the number a text means: point or comma for decimals, an exponent, either minus sign.

    Raises ValueError, with a sentence for the user, for any other text and for numbers beyond LARGEST_VALUE.
    """
    plain = text.strip().replace(MINUS, "-")
    if not plain:
        raise ValueError("A number is missing.")
    if not _NUMBER.fullmatch(plain):
        raise ValueError(f"“{text.strip()}” is no number; write for example −0.5 or 1e-3.")
    value = float(plain.replace(",", "."))
    if abs(value) > LARGEST_VALUE:
        raise ValueError(f"{text.strip()} lies beyond ±{LARGEST_VALUE:,.0f}.")
    return value


def shown_number(value: float) -> str:
    """Return a latent value in at most eight characters."""
    size = abs(value)
    if value and size < 5e-4:
        text = f"{value:.1e}"
    elif size >= 999_999.5:
        text = f"{value:.0e}"
    else:
        text = f"{value:.{3 if size < 100.0 else 2 if size < 1000.0 else 1 if size < 1e4 else 0}f}"
    return text.replace("-", MINUS, 1) if text.startswith("-") else text


class NumberField(QDoubleSpinBox):
    """A number in latent units, also beyond the slider's range.

    What is typed is never changed by the field: it is read whole, or refused whole and the old value kept.
    """

    let_go = Signal()
    """Typing has ended, by a number, a refusal or Escape."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # Points for decimals, as everywhere in the program.
        self.setLocale(QLocale.c())
        self.setRange(-LARGEST_VALUE, LARGEST_VALUE)
        self.setDecimals(_DECIMALS)
        self.setKeyboardTracking(False)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.lineEdit().textEdited.connect(self._on_edited)
        self.editingFinished.connect(self.let_go)

    @property
    def being_typed(self) -> bool:
        """Whether the user has begun to type a number and not ended it."""
        return self.hasFocus() and self.lineEdit().isModified()

    @property
    def refused(self) -> bool:
        """Whether what stands in the field was refused."""
        return bool(self.property("invalid"))

    def textFromValue(self, value: float) -> str:  # noqa: N802
        """Return the value as it is shown."""
        return shown_number(value)

    def valueFromText(self, text: str) -> float:  # noqa: N802
        """Return what a text means; the text shown means the whole value, not its rounded digits."""
        if text == self.textFromValue(self.value()):
            return self.value()
        try:
            return read_number(text)
        except ValueError:
            return self.value()

    def validate(self, text: str, position: int) -> object:
        """Take every key: a field that drops some reads another number than was typed."""
        try:
            read_number(text)
        except ValueError:
            return QValidator.State.Intermediate, text, position
        return QValidator.State.Acceptable, text, position

    def stepBy(self, steps: int) -> None:  # noqa: N802
        """Step from what was typed, unless it is no number."""
        if self._refusal():
            self._refuse()
        else:
            super().stepBy(steps)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Move only when the field has the focus; else the list scrolls."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Escape gives up what was typed; Enter keeps, for mending, what is no number."""
        if event.key() == Qt.Key.Key_Escape and self.being_typed:
            self._put_back()
            self.selectAll()
            self.let_go.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._refusal():
            self._refuse()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        """Leave no text behind that is not the value."""
        refusal = self._refusal()
        if refusal:
            self._put_back()
            self._say(f"{refusal} The value is still {self.text()}.")
        super().focusOutEvent(event)

    def _refusal(self) -> str:
        """Return why what was typed is refused; empty where it is not."""
        if not self.lineEdit().isModified():
            return ""
        try:
            read_number(self.lineEdit().text())
        except ValueError as problem:
            return str(problem)
        return ""

    def _refuse(self) -> None:
        self._show_invalid(invalid=True)
        self._say(self._refusal())

    def _put_back(self) -> None:
        self.lineEdit().setText(self.textFromValue(self.value()))
        self.lineEdit().setModified(False)
        self._show_invalid(invalid=False)

    def _on_edited(self) -> None:
        self._show_invalid(invalid=False)

    def _show_invalid(self, *, invalid: bool) -> None:
        if self.refused != invalid:
            self.setProperty("invalid", invalid)
            self.style().polish(self)
            self.update()

    def _say(self, text: str) -> None:
        QToolTip.showText(self.mapToGlobal(QPoint(0, self.height())), text, self)
