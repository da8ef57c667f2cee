"""Editors of single settings: each shows a value, and tells what was typed when the user is done with it."""

import math
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLineEdit,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QWidget,
)

from core.settings import ConfigError, Declaration, Setting, parse

_SERIES = (1.0, 2.0, 5.0)
_LABEL_GAP_PX = 2
"""What the style leaves free on both sides of a combo box's label together."""


def stepped(value: float, direction: int, declaration: Declaration) -> float:
    """Return the next value up (+1) or down (−1): steps of 0.05 for a share of one, else along 1, 2, 5, 10, 20, 50.

    The result is clipped to the declared range; from an exclusive minimum or zero the first step up is 0.01.
    """
    low = -math.inf if declaration.minimum is None else declaration.minimum
    high = math.inf if declaration.maximum is None else declaration.maximum
    if high <= 1.0:
        result = round(round(value / 0.05 + direction, 6) // 1 * 0.05, 10)
    elif value <= 0.0:
        result = 0.01 if direction > 0 else value
    else:
        # A hair inwards, so that a value on the series counts as on it whatever its rounding.
        decade = math.floor(math.log10(value) + 1e-9)
        candidates = [float(f"{factor:g}e{decade + shift}") for shift in (-1, 0, 1) for factor in _SERIES]
        if direction > 0:
            result = min(candidate for candidate in candidates if candidate > value * (1 + 1e-9))
        else:
            result = max(candidate for candidate in candidates if candidate < value * (1 - 1e-9))
            if declaration.minimum == 0.0 and not declaration.exclusive_minimum and result < 0.01:
                result = 0.0
    if declaration.exclusive_minimum and result <= low:
        return value
    return min(max(result, low), high)


class ChoiceEditor(QComboBox):
    """One of the declared choices."""

    edited = Signal()

    def __init__(self, declared: Setting, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        for choice in declared.declaration.choices:
            self.addItem(choice.label, choice.name)
            self.setItemData(self.count() - 1, choice.help, Qt.ItemDataRole.ToolTipRole)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        # `activated` comes from the user only.
        self.activated.connect(self._activated)

    def value(self) -> str:
        """Return the chosen name."""
        return str(self.currentData())

    def set_value(self, value: Any) -> None:  # noqa: ANN401 - a setting's value
        """Show a choice; an unknown name shows none."""
        self.setCurrentIndex(self.findData(value))

    def choice_help(self) -> str:
        """Return what the shown choice means."""
        return str(self.itemData(self.currentIndex(), Qt.ItemDataRole.ToolTipRole) or "")

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Scroll the panel, not the setting, unless the editor has the focus."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    @property
    def shown_text(self) -> str:
        """The label of the choice, with an ellipsis where there is no room for all of it."""
        return str(self._elided().currentText)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint the box; a style sheet's style would cut a long label in the middle of a letter."""
        option = self._elided()
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()
        event.accept()

    def _elided(self) -> QStyleOptionComboBox:
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        control, part = QStyle.ComplexControl.CC_ComboBox, QStyle.SubControl.SC_ComboBoxEditField
        room = self.style().subControlRect(control, option, part, self).width() - _LABEL_GAP_PX
        option.currentText = self.fontMetrics().elidedText(self.currentText(), Qt.TextElideMode.ElideRight, room)
        return option

    def _activated(self) -> None:
        self.edited.emit()


class TextEditor(QLineEdit):
    """A number or a list of numbers as text: 1e-3, or 512, 256, 128.  Up, Down and the wheel step a number."""

    edited = Signal()

    def __init__(self, declared: Setting, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._declared = declared
        self._shown = ""
        if declared.type is tuple:
            self.setPlaceholderText("512, 256, 128")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.editingFinished.connect(self._finished)

    def value(self) -> object:
        """Return what the text means.  Raises ConfigError."""
        return parse(self._declared, self.text())

    def set_value(self, value: Any) -> None:  # noqa: ANN401 - a setting's value
        """Show a value; no intent is emitted."""
        if isinstance(value, float):
            self._shown = f"{value:.6g}"
        elif isinstance(value, tuple | list):
            self._shown = ", ".join(str(part) for part in value)
        else:
            self._shown = str(value)
        self.setText(self._shown)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Step a number with Up and Down, whole ones by ten with Shift; everything else edits the text."""
        direction = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()), 0)
        if direction == 0 or self._declared.type is tuple:
            super().keyPressEvent(event)
            return
        by_ten = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self._step(direction * (10 if by_ten and self._declared.type is int else 1))

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Step a number that has the focus; else the panel scrolls."""
        turned = event.angleDelta().y()
        if self.hasFocus() and turned and self._declared.type is not tuple:
            self._step(1 if turned > 0 else -1)
            event.accept()
        else:
            event.ignore()

    def _step(self, direction: int) -> None:
        declaration = self._declared.declaration
        try:
            value = self.value()
        except ConfigError:
            return
        if isinstance(value, float) and math.isfinite(value):
            self.setText(f"{stepped(value, direction, declaration):.6g}")
        elif isinstance(value, int):
            low = value if declaration.minimum is None else int(declaration.minimum)
            high = value if declaration.maximum is None else int(declaration.maximum)
            self.setText(str(min(max(value + direction, low), high)))
        self._finished()

    def _finished(self) -> None:
        # Leaving a field untouched must neither emit nor round its value.
        if self.text() != self._shown:
            self._shown = self.text()
            self.edited.emit()


class SwitchEditor(QCheckBox):
    """Yes or no."""

    edited = Signal()

    def __init__(self, declared: Setting, parent: QWidget | None = None) -> None:
        super().__init__(declared.declaration.label, parent)
        # `clicked` comes from the user only.
        self.clicked.connect(self._clicked)

    def value(self) -> bool:
        """Return whether it is on."""
        return self.isChecked()

    def set_value(self, value: Any) -> None:  # noqa: ANN401 - a setting's value
        """Show on or off; no intent is emitted."""
        self.setChecked(bool(value))

    def _clicked(self) -> None:
        self.edited.emit()


Editor = ChoiceEditor | TextEditor | SwitchEditor


def editor_of(declared: Setting) -> Editor:
    """Return the editor that fits a setting's declaration."""
    if declared.declaration.choices:
        return ChoiceEditor(declared)
    if declared.type is bool:
        return SwitchEditor(declared)
    return TextEditor(declared)
