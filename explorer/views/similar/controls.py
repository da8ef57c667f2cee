"""What noise, how much of it, and how often."""

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QPushButton, QSlider, QWidget

from core.data.noises import NOISES
from explorer.views.count_field import CountField

USUAL_COPIES, MOST_COPIES = 200, 1_000


@dataclass(frozen=True, slots=True)
class NoiseSettings:
    """A kind of noise, its size, and how many copies get it."""

    kind: str
    level: float
    num_copies: int


class NoiseControls(QWidget):
    """Kind, size, number of copies, and a button for other noise; each kind keeps its size."""

    changed = Signal(NoiseSettings)
    new_noise_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._levels = {name: NOISES[name].usual for name in NOISES}
        self.kind = QComboBox()
        self.kind.setAccessibleName("Kind of noise")
        for name in NOISES:
            self.kind.addItem(NOISES[name].label, name)
            self.kind.setItemData(self.kind.count() - 1, NOISES[name].help, Qt.ItemDataRole.ToolTipRole)
        self.size_slider = QSlider(Qt.Orientation.Horizontal)
        self.size_slider.setAccessibleName("Size of the noise")
        self.size_slider.setMinimumWidth(70)
        self._value = QLabel()
        texts = (f"{NOISES[name].size_name} {self._text(name)}" for name in NOISES)
        self._value.setMinimumWidth(max(self.fontMetrics().horizontalAdvance(text) for text in texts) + 4)
        self.copies = CountField(1, MOST_COPIES, USUAL_COPIES)
        self.copies.setAccessibleName("Noisy copies")
        self.copies.setToolTip("How many noisy copies of the image are encoded.")
        self.copies.setSingleStep(50)
        self.copies.setSuffix(" ×")
        self.copies.setKeyboardTracking(False)
        self.again = QPushButton("New noise")
        self.again.setAccessibleName("New noise")
        self.again.setToolTip("Draw other noise of the same kind and size (R)")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(4)
        grid.addWidget(self.kind, 0, 0, 1, 2)
        grid.addWidget(self.size_slider, 1, 0)
        grid.addWidget(self._value, 1, 1)
        grid.addWidget(self.copies, 2, 0)
        grid.addWidget(self.again, 2, 1)
        self._show_kind()
        self.kind.activated.connect(self._on_kind)
        self.size_slider.valueChanged.connect(self._on_size)
        self.copies.valueChanged.connect(self._tell)
        self.again.clicked.connect(self.new_noise_requested)

    @property
    def settings(self) -> NoiseSettings:
        """What is chosen."""
        kind = self._name
        return NoiseSettings(kind, self._levels[kind], self.copies.value())

    @property
    def _name(self) -> str:
        return str(self.kind.currentData())

    def _show_kind(self) -> None:
        noise = NOISES[self._name]
        self.kind.setToolTip(noise.help)
        self.size_slider.blockSignals(True)
        self.size_slider.setRange(0, round(noise.largest / noise.step))
        self.size_slider.setValue(round(self._levels[self._name] / noise.step))
        self.size_slider.setPageStep(1 if noise.step == 1.0 else 5)
        self.size_slider.blockSignals(False)
        self._show_value()

    def _show_value(self) -> None:
        name = NOISES[self._name].size_name
        self._value.setText(f"{name} {self._text(self._name)}")
        self.size_slider.setToolTip(f"Size of the noise: {self._value.text()}. The cloud follows it.")

    def _text(self, kind: str) -> str:
        return f"{self._levels[kind]:.0f}" if NOISES[kind].step == 1.0 else f"{self._levels[kind]:.2f}"

    def _on_kind(self) -> None:
        self._show_kind()
        self._tell()

    def _on_size(self, steps: int) -> None:
        self._levels[self._name] = steps * NOISES[self._name].step
        self._show_value()
        self._tell()

    def _tell(self) -> None:
        self.changed.emit(self.settings)
