"""Forms made from the declarations of the settings: labels, editors, units, ranges, help and errors."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from core.config import SECTIONS, ExperimentConfig
from core.settings import ConfigError, Section, Setting
from explorer.views.editors import ChoiceEditor, Editor, SwitchEditor, TextEditor, editor_of
from explorer.views.icon_button import IconButton

# All forms of the window share the width of their label column, so that their editors line up.
_WIDEST_LABEL = "Latent dimensions"
_FIXED_DURING_RUN = "Fixed while a model trains."
_EMBEDDED = ("mnist", "shapes")
OBJECTIVE_SETTINGS: dict[str, tuple[str, ...]] = {
    "vae": ("beta", "warm_up_epochs", "free_bits", "num_samples"),
    "iwae": ("num_samples",),
    "autoencoder": (),
    "denoising_autoencoder": ("corruption", "corruption_level"),
    "sparse_autoencoder": ("sparsity_weight", "sparsity_target"),
    "made": (),
}
"""What of the objective's settings each model's training depends on."""
_IMPORT_SETTINGS = ("image_size", "fit", "invert", "subfolder_labels", "held_out_fraction")


def relevant(config: ExperimentConfig, section: str, name: str) -> bool:
    """Return whether a setting has any effect beside the others of `config`; forms hide it where not."""
    model, made = config.model, not config.model.has_codes
    if section == "model":
        return {
            "network": not made,
            "latent_dim": not made,
            "hidden": model.network == "mlp",
            "channels": model.network == "conv",
            "grey_levels": model.likelihood == "categorical",
            "variance": model.likelihood == "gaussian",
            "pixel_std": model.likelihood == "gaussian",
            "posterior": model.has_prior,
            "sparsity": model.model == "sparse_autoencoder",
            "ordering": made,
            "ordering_seed": made,
            # Height and width are those of the data.
            "image_height": False,
            "image_width": False,
        }.get(name, True)
    if section == "objective":
        return name in OBJECTIVE_SETTINGS[model.model]
    if section == "data":
        # The number of levels is that of a categorical likelihood.
        return name != "num_levels" and (name not in _IMPORT_SETTINGS or config.data.source not in _EMBEDDED)
    return True


def folded(declared: Setting) -> bool:
    """Return whether a setting waits under More: one for experts, or one with nothing to choose from yet."""
    return declared.declaration.advanced or len(declared.declaration.choices) == 1


def commit_pending_edit() -> None:
    """Take over what is typed in the focused field but not finished, as before a command given by its shortcut."""
    focused = QApplication.focusWidget()
    if isinstance(focused, QLineEdit | QAbstractSpinBox):
        focused.clearFocus()
        focused.setFocus(Qt.FocusReason.OtherFocusReason)


@dataclass(slots=True)
class _Row:
    """A setting with its editor."""

    declared: Setting
    editor: Editor
    label: QLabel | None
    holder: QWidget
    column: QVBoxLayout
    """Of the holder: the editor, and what is wrong with it."""
    layout: QFormLayout
    error: QLabel | None = None
    """Made when there is something to say."""


class SectionForm(QWidget):
    """A form of some settings of one section of ExperimentConfig.

    A row is made when it is first shown or asked for: of the window's settings two in five are, when it opens.
    """

    edited = Signal(str, object)
    """Name and valid new value of a setting the user changed; the value's type is the setting's own."""
    validity_changed = Signal(bool)

    def __init__(self, section: str, names: Iterable[str] | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.section = section
        self._config = ExperimentConfig()
        declared = {entry.name: entry for entry in SECTIONS[section].settings()}
        self._declared = {name: declared[name] for name in (declared if names is None else names)}
        self._rows: dict[str, _Row] = {}
        """Those that are made, in the order of the making."""
        self._running = False
        self._more = IconButton("chevron-right", "More settings", "Show the settings for experts.")
        self._main = _form_layout()
        self._folded = _form_layout()
        self._folded_holder = QWidget()
        self._build()
        self.set_config(self._config)

    def values(self) -> dict[str, object]:
        """Return the last valid value of every setting of the form."""
        current = self._current()
        return {name: getattr(current, name) for name in self._declared}

    def set_values(self, values: Mapping[str, object]) -> None:
        """Show values by name; others stay.  No intent is emitted.  Raises ConfigError where one is not allowed."""
        self.set_config(self._config.with_values(self._keyed(values)))

    def set_config(self, config: ExperimentConfig) -> None:
        """Show a whole configuration; what it makes meaningless is hidden.  No intent is emitted.

        A field that is in error keeps what was typed as long as its setting stays what it was.
        """
        before, self._config = self._current(), config
        current = self._current()
        for name, row in self._rows.items():
            value = getattr(current, name)
            if self.is_in_error(name) and value == getattr(before, name):
                continue
            row.editor.set_value(value)
            self._set_error(row, "")
            _describe(row)
        self._show_relevant()
        self._announce_validity()

    def set_running(self, running: bool) -> None:  # noqa: FBT001 - a Qt setter
        """Leave only the settings that can change during a run."""
        self._running = running
        for row in self._rows.values():
            self._allow(row)

    def show_error(self, name: str, text: str) -> None:
        """Show what is wrong under a field; an empty text takes it away.  Raises KeyError for names not shown."""
        self._set_error(self._row(name), text)
        self._announce_validity()

    def error(self, name: str) -> str:
        """Return the text shown under a field; empty where all is well."""
        row = self._rows.get(name)
        return "" if row is None or row.error is None else row.error.text()

    def is_in_error(self, name: str) -> bool:
        """Return whether a field holds something that is not allowed."""
        return bool(self.error(name))

    @property
    def is_valid(self) -> bool:
        """Whether every field that is shown holds an allowed value."""
        return not any(self.is_in_error(name) and self._is_relevant(name) for name in self._declared)

    def focus_first_error(self) -> bool:
        """Go to the first field in error; return whether there is one."""
        for name in self._declared:
            if self.is_in_error(name) and self._is_relevant(name):
                row = self._rows[name]
                if row.layout is self._folded and not self._more.isChecked():
                    self._more.click()
                row.editor.setFocus(Qt.FocusReason.OtherFocusReason)
                return True
        return False

    def editor(self, name: str) -> Editor:
        """Return the editor of a setting.  Raises KeyError for names not shown."""
        return self._row(name).editor

    def _build(self) -> None:
        for name, declared in self._declared.items():
            if self._is_relevant(name) and not folded(declared):
                self._row(name)
        self._more.setText("More")
        self._more.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._more.setIconSize(QSize(12, 12))
        self._more.setCheckable(True)
        self._more.setProperty("fold", True)
        self._more.toggled.connect(self._unfold)
        self._folded_holder.setLayout(self._folded)
        self._folded_holder.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(self._main)
        layout.addWidget(self._more, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._folded_holder)

    def _row(self, name: str) -> _Row:
        """Return the row of a setting, made by now.  Raises KeyError for names not shown."""
        if name not in self._rows:
            self._rows[name] = row = self._made(self._declared[name])
            row.editor.set_value(getattr(self._current(), name))
            row.editor.setAccessibleDescription(row.declared.declaration.help)
            self._allow(row)
            if self.isVisible():
                self._align(row)
            if self.layout() is not None:
                QWidget.setTabOrder(self._before(name), row.editor)
                row.layout.setRowVisible(row.holder, self._is_relevant(name))
        return self._rows[name]

    def _made(self, declared: Setting) -> _Row:
        editor = editor_of(declared)
        editor.setObjectName(declared.name)
        editor.setAccessibleName(declared.declaration.label)
        editor.edited.connect(self._editor_edited)
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        if isinstance(editor, TextEditor) and declared.declaration.unit:
            line = QHBoxLayout()
            line.addWidget(editor, 1)
            line.addWidget(QLabel(declared.declaration.unit))
            column.addLayout(line)
        else:
            column.addWidget(editor)
        label = self._blank_label() if isinstance(editor, SwitchEditor) else self._label(declared, editor)
        layout = self._folded if folded(declared) else self._main
        layout.insertRow(len(self._made_before(declared.name, layout)), label, holder)
        return _Row(declared, editor, None if isinstance(editor, SwitchEditor) else label, holder, column, layout)

    def _label(self, declared: Setting, editor: Editor) -> QLabel:
        label = self._blank_label()
        label.setText(declared.declaration.label)
        label.setProperty("role", "field")
        label.setBuddy(editor)
        # At the height of the editor's text, also when an error stands below the editor.
        label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        label.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        return label

    def _made_before(self, name: str, layout: QFormLayout) -> list[_Row]:
        """Return the rows above that of a setting in a layout."""
        above = takewhile(lambda other: other != name, self._declared)
        return [row for row in map(self._rows.get, above) if row is not None and row.layout is layout]

    def _before(self, name: str) -> QWidget:
        """Return what has the focus before the editor of a setting."""
        layout = self._rows[name].layout
        above = self._made_before(name, layout)
        first = self._more if layout is self._folded else self
        return above[-1].editor if above else first

    def _allow(self, row: _Row) -> None:
        able = row.declared.declaration.live or not self._running
        if not able and self.window().focusWidget() is row.editor:
            # Qt would pass the focus of a disabled field to whatever comes next, a dock's button perhaps.
            row.editor.clearFocus()
        row.editor.setEnabled(able)
        if row.label is not None:
            row.label.setEnabled(able)
        _describe(row, "" if able else _FIXED_DURING_RUN)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Put the labels at the height of the text in their editors; the style that says it may come last."""
        super().showEvent(event)
        for row in self._rows.values():
            self._align(row)

    def _align(self, row: _Row) -> None:
        if row.label is not None:
            above = (row.editor.sizeHint().height() - self.fontMetrics().height()) // 2
            row.label.setContentsMargins(0, above, 0, 0)

    def _blank_label(self) -> QLabel:
        blank = QLabel()
        blank.setFixedWidth(self.fontMetrics().horizontalAdvance(_WIDEST_LABEL) + 4)
        return blank

    def _editor_edited(self) -> None:
        sender = self.sender()
        row = next(row for row in self._rows.values() if row.editor is sender)
        name = row.declared.name
        try:
            changed = self._config.with_values(self._keyed({name: row.editor.value()}))
        except ConfigError as problem:
            self._set_error(row, _for_reader(row.declared, str(problem)))
            self._announce_validity()
            return
        self._set_error(row, "")
        before, self._config = getattr(self._current(), name), changed
        value = getattr(self._current(), name)
        row.editor.set_value(value)
        _describe(row)
        self._show_relevant()
        self._announce_validity()
        if value != before:
            self.edited.emit(name, value)

    def _keyed(self, values: Mapping[str, object]) -> dict[str, object]:
        return {f"{self.section}.{name}": value for name, value in values.items()}

    def _current(self) -> Section:
        section = getattr(self._config, self.section)
        if not isinstance(section, Section):
            raise TypeError(f"{self.section} is no section of ExperimentConfig")
        return section

    def _is_relevant(self, name: str) -> bool:
        return relevant(self._config, self.section, name)

    def _show_relevant(self) -> None:
        for name, declared in self._declared.items():
            shown = self._is_relevant(name) and (self._more.isChecked() or not folded(declared))
            row = self._row(name) if shown else self._rows.get(name)
            if row is not None:
                row.layout.setRowVisible(row.holder, self._is_relevant(name))
        some_folded = any(folded(declared) and self._is_relevant(name) for name, declared in self._declared.items())
        self._more.setVisible(some_folded)
        self._folded_holder.setVisible(some_folded and self._more.isChecked())

    def _unfold(self, shown: bool) -> None:  # noqa: FBT001 - Qt's signature
        self._more.set_icon_name("chevron-down" if shown else "chevron-right")
        self._show_relevant()

    def _set_error(self, row: _Row, text: str) -> None:
        if row.error is None and text:
            row.error = _error_line()
            row.column.addWidget(row.error)
        if row.error is not None:
            row.error.setText(text)
            row.error.setVisible(bool(text))
        row.editor.setAccessibleDescription(text or row.declared.declaration.help)
        if row.editor.property("invalid") != bool(text):
            row.editor.setProperty("invalid", bool(text))
            row.editor.style().polish(row.editor)

    def _announce_validity(self) -> None:
        valid = self.is_valid
        if self.property("valid") != valid:
            self.setProperty("valid", valid)
            self.validity_changed.emit(valid)


def _form_layout() -> QFormLayout:
    layout = QFormLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setHorizontalSpacing(8)
    layout.setVerticalSpacing(6)
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return layout


def _error_line() -> QLabel:
    line = QLabel()
    line.setProperty("role", "error")
    line.setWordWrap(True)
    return line


def _describe(row: _Row, hint: str = "") -> None:
    declaration = row.declared.declaration
    parts = [declaration.help]
    if isinstance(row.editor, ChoiceEditor) and row.editor.choice_help():
        parts.append(f"{row.editor.currentText()}: {row.editor.choice_help()}")
    elif declaration.minimum is not None or declaration.maximum is not None:
        parts.append(f"Allowed: {declaration.allowed.removeprefix('in ')}.")
    if declaration.live:
        parts.append("Can be changed while a model trains.")
    if hint:
        parts.append(hint)
    row.editor.setToolTip("\n".join(parts))
    if row.label is not None:
        row.label.setToolTip("\n".join(parts))


def _for_reader(declared: Setting, text: str) -> str:
    """Return core's message with the setting's name as the form shows it."""
    label = declared.declaration.label
    return f"{label}{text.removeprefix(declared.name)}" if text.startswith(declared.name) else text
