"""One row: name, slider, number, weight, animate and reset of a latent dimension."""

import math

from PySide6.QtCore import QEvent, QSignalBlocker, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from explorer.messages import SliderSpec
from explorer.views.notation import dimension_name
from explorer.views.sliders.marks import SIGN_WIDTH, SignButton, WeightBar
from explorer.views.sliders.number_field import NumberField, shown_number
from explorer.views.sliders.span import Span
from explorer.views.sliders.track import LEAST_TRACK, Track

LABEL_WIDTH, FIELD_WIDTH, MARGIN, SPACING = 30, 68, 4, 4
NARROW = 270
"""Below this width in pixels a row leaves its weight out; the slider keeps what can be grabbed."""
LEAST_ROW = LABEL_WIDTH + LEAST_TRACK + FIELD_WIDTH + 2 * SIGN_WIDTH + 4 * SPACING + 2 * MARGIN


def is_collapsed(spec: SliderSpec) -> bool:
    """Return whether a dimension says nothing of the images."""
    # Without a KL no scale is fixed: a code of small variance may say as much as any other.
    return spec.weight_is_kl and not spec.active


class SliderRow(QWidget):
    """The controls of one latent dimension; says what the user did, by its dimension."""

    value_edited = Signal(int, float)
    grabbed = Signal(int)
    reset_asked = Signal(int)
    animate_asked = Signal(int, bool)
    attended = Signal(int, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.dimension = 0
        self.span = Span(-1.0, 1.0)
        self._slider_tip_shown = True
        self.label = QLabel(self)
        self.label.setFixedWidth(LABEL_WIDTH)
        self.track = Track(self)
        self.field = NumberField(self)
        self.field.setFixedWidth(FIELD_WIDTH)
        self.weight = WeightBar(self)
        self.animate = SignButton("play", self)
        self.animate.setCheckable(True)
        self.reset = SignButton("reset", self)
        row = QHBoxLayout(self)
        row.setContentsMargins(MARGIN, 2, MARGIN, 2)
        row.setSpacing(SPACING)
        row.addWidget(self.label)
        row.addWidget(self.track, 1)
        for widget in (self.field, self.weight, self.animate, self.reset):
            row.addWidget(widget)
        self.label.setBuddy(self.field)
        self.track.value_picked.connect(self._on_picked)
        self.track.grabbed.connect(self._on_grabbed)
        self.track.reset_asked.connect(self._on_reset)
        self.track.attended.connect(self._on_attended)
        self.field.valueChanged.connect(self._on_typed)
        self.animate.toggled.connect(self._on_animate)
        self.reset.clicked.connect(self._on_reset)

    def set_spec(self, spec: SliderSpec, largest_weight: float) -> None:
        """Take another dimension or another range.  Raises ValueError for values that are not finite."""
        self.span = Span.of(spec)
        self.dimension = spec.dimension
        name = dimension_name(spec.dimension)
        self.label.setText(name)
        self.track.set_span(self.span, spec.centre)
        # A hundredth of the range, rounded to one digit.
        step = (self.span.high - self.span.low) / 100.0
        self.field.setSingleStep(float(f"{step:.0e}"))
        self.weight.set_weight(spec.weight, largest_weight, is_kl=spec.weight_is_kl)
        plain = f"z{spec.dimension + 1}"
        self.label.setToolTip(f"Latent dimension {spec.dimension + 1}" + (", collapsed" if is_collapsed(spec) else ""))
        low, high = shown_number(self.span.low), shown_number(self.span.high)
        self._describe(self.track, f"Slider of {plain}", f"{name} from {low} to {high}, double click resets")
        self.show_slider_tip(self._slider_tip_shown)
        self._describe(self.field, f"Value of {plain}", f"{name} in latent units, also beyond the slider's range")
        self._describe(self.animate, f"Animate {plain}", f"Sweep {name} from low to high and back")
        self._describe(self.reset, f"Reset {plain}", f"Set {name} to {shown_number(spec.centre)}")

    @staticmethod
    def _describe(widget: QWidget, name: str, tip: str) -> None:
        widget.setAccessibleName(name)
        widget.setAccessibleDescription(tip)
        widget.setToolTip(tip)

    def show_slider_tip(self, shown: bool) -> None:  # noqa: FBT001 - a setter
        """Let the slider have its tooltip, or not while there are pictures that it would cover."""
        self._slider_tip_shown = shown
        self.track.setToolTip(self.track.accessibleDescription() if shown else "")

    @property
    def tab_order(self) -> tuple[QWidget, ...]:
        """The controls in the order of the tabulator key."""
        return self.track, self.field, self.animate, self.reset

    @property
    def busy(self) -> bool:
        """Whether the user's hand is here: the row must not become another dimension's."""
        return self.track.isSliderDown() or self.underMouse() or any(widget.hasFocus() for widget in self.tab_order)

    @property
    def value(self) -> float:
        """The value shown, in latent units."""
        return self.track.latent_value

    def show_value(self, value: float) -> None:
        """Show a value; no signal says so."""
        if value != self.track.latent_value:
            self.track.set_latent_value(value)
        shown = round(value, self.field.decimals())
        if shown != self.field.value() and not self.field.being_typed:
            with QSignalBlocker(self.field):
                self.field.setValue(value)

    def show_animated(self, animated: bool) -> None:  # noqa: FBT001 - a setter
        """Show whether this dimension is being swept; no signal says so."""
        with QSignalBlocker(self.animate):
            self.animate.setChecked(animated)
        self.animate.update()

    def _on_picked(self, value: float) -> None:
        self.show_value(value)
        self.value_edited.emit(self.dimension, value)

    def _on_typed(self, value: float) -> None:
        if math.isfinite(value):
            self.grabbed.emit(self.dimension)
            self.track.set_latent_value(value)
            self.value_edited.emit(self.dimension, value)

    def _on_grabbed(self) -> None:
        self.grabbed.emit(self.dimension)

    def _on_reset(self) -> None:
        self.reset_asked.emit(self.dimension)

    def _on_animate(self, animated: bool) -> None:  # noqa: FBT001 - Qt's signature
        self.animate_asked.emit(self.dimension, animated)

    def _on_attended(self, attended: bool) -> None:  # noqa: FBT001 - Qt's signature
        self.attended.emit(self.dimension, attended)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Leave the weight out where there is no room: nothing lies over anything."""
        super().resizeEvent(event)
        self.weight.setVisible(self.width() >= NARROW)

    def event(self, event: QEvent) -> bool:
        """Repaint in the colours of a new theme."""
        if event.type() == QEvent.Type.PaletteChange:
            for widget in (self.track, self.weight, self.animate, self.reset):
                widget.update()
        return super().event(event)
