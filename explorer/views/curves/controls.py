"""The row of controls above the curves."""

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSlider,
    QToolButton,
    QWidget,
)

from explorer.views.curves.options import CurveOptions
from explorer.views.curves.quantities import ELBO, QUANTITIES
from explorer.views.flow import FlowLayout

ALL = "all"
SAVE_FORMATS = (
    ("png", "Picture (PNG)…", "The plots as they are shown, at twice the size"),
    ("svg", "Drawing (SVG)…", "The plots as they are shown, as lines that scale"),
    ("csv", "Table (CSV)…", "Every number behind the curves, nothing left out, in nats per image"),
)
_SLIDER_STEPS = 100
_EPOCHS_HELP = "Count the x axis in passes over the training images"


def smoothing_at(position: int) -> float:
    """Return the weight of smoothing at a position 0..100: finer towards 1, where it matters."""
    return float(round(1.0 - 10.0 ** (-3.0 * position / _SLIDER_STEPS), 4)) if position else 0.0


def position_of(smoothing: float) -> int:
    """Return the position whose weight of smoothing is nearest; the inverse of `smoothing_at`."""
    return min(range(_SLIDER_STEPS + 1), key=lambda position: abs(smoothing_at(position) - smoothing))


class CurveControls(QWidget):
    """Which quantity, which axes, how smooth; follow and save."""

    quantity_chosen = Signal(str)
    options_changed = Signal()
    follow_asked = Signal(bool)
    save_asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layout = FlowLayout(self, spacing=6)
        self._make_quantities()
        self._make_axes()
        self._make_smoothing()
        self.outliers = self._toggle("Clip", "Clip outliers: values far out do not stretch the y axis, but are drawn")
        self.outliers.setChecked(True)
        """Placed by the panel, as are `follow` and `save`."""
        self.outliers.toggled.connect(self._on_option)
        self.follow = self._toggle("Follow", "Show everything up to the newest step; zooming or dragging ends it")
        self.follow.setChecked(True)
        self.follow.toggled.connect(self._on_follow)
        self._make_save()

    @property
    def options(self) -> CurveOptions:
        """What the controls say; nothing is hidden by them."""
        return CurveOptions(
            in_epochs=self.epochs.isChecked(),
            log_x=self.log_x.isChecked(),
            log_y=self.log_y.isChecked(),
            smoothing=smoothing_at(self.smoothing.value()),
            without_outliers=self.outliers.isChecked(),
        )

    @property
    def quantity(self) -> str:
        """The name of the quantity shown, or `all`."""
        chosen = self.quantities.checkedButton()
        return str(chosen.property("choice")) if chosen is not None else ELBO.name

    def choose(self, quantity: str) -> None:
        """Show this quantity, or `all`, as if its button had been clicked."""
        for button in self.quantities.buttons():
            if button.property("choice") == quantity and not button.isChecked():
                button.click()

    def set_smoothing(self, weight: float) -> None:
        """Smooth by this weight, 0 to 0.999."""
        self.smoothing.setValue(position_of(weight))

    def quantity_button(self, name: str) -> QAbstractButton:
        """Return the button of a quantity, or of `all`.  Raises KeyError."""
        return {str(button.property("choice")): button for button in self.quantities.buttons()}[name]

    def set_epochs_known(self, known: bool) -> None:  # noqa: FBT001 - a setter
        """Allow the x axis in epochs only once a held-out report has tied steps to epochs."""
        self.epochs.setEnabled(known)
        self.epochs.setToolTip(_EPOCHS_HELP if known else _EPOCHS_HELP + "; known after the first held-out evaluation")

    def set_following(self, following: bool) -> None:  # noqa: FBT001 - a setter
        """Show whether the plots follow."""
        with QSignalBlocker(self.follow):
            self.follow.setChecked(following)

    def set_quantity_help(self, quantity: str, text: str) -> None:
        """Say what a quantity is for the kind of model whose curves are shown."""
        button = self.quantity_button(quantity)
        button.setToolTip(text)
        button.setAccessibleDescription(text)

    def show_log_help(self, quantity: str) -> None:
        """Say what a logarithmic y axis means for the quantity shown."""
        text = "Logarithmic y axis"
        if quantity in (ELBO.name, ALL):
            text += "; the ELBO is negative, so −ELBO is drawn, where smaller is better"
        self.log_y.setToolTip(text)

    def _segments(self, choices: list[tuple[str, str, str]], name: str) -> tuple[QButtonGroup, QWidget]:
        holder = QWidget(self)
        holder.setAccessibleName(name)
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        group = QButtonGroup(self)
        for index, (choice, label, tip) in enumerate(choices):
            button = self._toggle(label, tip)
            button.setParent(holder)
            button.setProperty("choice", choice)
            ends = {0: "first", len(choices) - 1: "last"}
            button.setProperty("segment", ends.get(index, "middle"))
            group.addButton(button)
            row.addWidget(button)
        group.buttons()[0].setChecked(True)
        return group, holder

    def _toggle(self, label: str, tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName("control")
        button.setText(label)
        button.setCheckable(True)
        button.setToolTip(tip)
        button.setAccessibleName(label)
        button.setAccessibleDescription(tip)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        return button

    def _make_quantities(self) -> None:
        choices = [(quantity.name, quantity.short or quantity.label, quantity.help) for quantity in QUANTITIES]
        self.quantities, holder = self._segments(
            [*choices, (ALL, "All", "All four quantities side by side.")], "Quantity shown"
        )
        self.quantities.buttonToggled.connect(self._on_quantity)
        self._layout.addWidget(holder)

    def _make_axes(self) -> None:
        axes, holder = self._segments(
            [("steps", "Steps", "Count the x axis in training steps"), ("epochs", "Epochs", _EPOCHS_HELP)], "Unit of x"
        )
        self.steps, self.epochs = axes.buttons()
        self.epochs.toggled.connect(self._on_option)
        self._layout.addWidget(holder)
        logs = QWidget(self)
        row = QHBoxLayout(logs)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        self.log_x = self._toggle("log x", "Logarithmic x axis, for what happens early")
        self.log_y = self._toggle("log y", "Logarithmic y axis")
        for button in (self.log_x, self.log_y):
            button.toggled.connect(self._on_option)
            row.addWidget(button)
        self._layout.addWidget(logs)
        self.set_epochs_known(False)
        self.show_log_help(ELBO.name)

    def _make_smoothing(self) -> None:
        holder = QWidget(self)
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        self.smoothing = QSlider(Qt.Orientation.Horizontal, holder)
        self.smoothing.setRange(0, _SLIDER_STEPS)
        self.smoothing.setValue(40)
        self.smoothing.setFixedWidth(64)
        self.smoothing.setAccessibleName("Smoothing")
        tip = (
            "Exponential smoothing of the training curve: the weight of the past at each step, less at the start, "
            "where it spans at most a tenth of the steps so far. 0 shows every step as it is."
        )
        self.smoothing.setToolTip(tip)
        self.smoothing.setAccessibleDescription(tip)
        self.smoothing.valueChanged.connect(self._on_option)
        label = QLabel("Smooth", holder)
        label.setBuddy(self.smoothing)
        self._smoothing_text = QLabel(holder)
        self._smoothing_text.setFixedWidth(self.fontMetrics().horizontalAdvance("0.999") + 4)
        for widget in (label, self.smoothing, self._smoothing_text):
            row.addWidget(widget)
        self._layout.addWidget(holder)
        self._show_smoothing()

    def _make_save(self) -> None:
        self.save = QToolButton(self)
        self.save.setObjectName("control")
        self.save.setText("Save")
        self.save.setToolTip("Save the curves as a picture, a drawing or a table")
        self.save.setAccessibleName("Save the curves")
        self.save.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.save.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.save)
        menu.setToolTipsVisible(True)
        group = QActionGroup(menu)
        for name, label, tip in SAVE_FORMATS:
            action = menu.addAction(label)
            action.setData(name)
            action.setToolTip(tip)
            group.addAction(action)
        group.triggered.connect(self._on_save)
        self.save.setMenu(menu)

    def _show_smoothing(self) -> None:
        self._smoothing_text.setText(f"{self.options_smoothing:.3f}".rstrip("0").rstrip("."))

    @property
    def options_smoothing(self) -> float:
        """The weight of smoothing in force."""
        return smoothing_at(self.smoothing.value())

    def _on_quantity(self, button: QAbstractButton, checked: bool) -> None:  # noqa: FBT001 - Qt's signature
        if checked:
            name = str(button.property("choice"))
            self.show_log_help(name)
            self.quantity_chosen.emit(name)

    def _on_option(self) -> None:
        self._show_smoothing()
        self.options_changed.emit()

    def _on_follow(self, checked: bool) -> None:  # noqa: FBT001 - Qt's signature
        self.follow_asked.emit(checked)

    def _on_save(self, action: QAction) -> None:
        self.save_asked.emit(str(action.data()))


def with_hidden(options: CurveOptions, hidden: frozenset[str], *, in_epochs: bool) -> CurveOptions:
    """Return the options with what the legend hides and the unit of x that can be shown."""
    return replace(options, hidden=hidden, in_epochs=in_epochs)
