"""What is drawn next, how fast, and what the picture begins with."""

from enum import Enum, auto

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QPushButton, QSlider, QWidget


class StartOfSample(Enum):
    """What the first pixels of a picture are that an autoregressive model draws."""

    NOTHING = auto()
    IMAGE = auto()
    """A data image."""
    DRAWING = auto()
    """What is on the draw pad."""


SPEEDS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000)
"""Pixels a second."""
USUAL_SPEED = 250
_STARTS = (
    (StartOfSample.NOTHING, "nothing: every pixel is drawn", "The whole picture comes from the model."),
    (StartOfSample.IMAGE, "the first pixels of a data image", "The model goes on from the beginning of an image."),
    (StartOfSample.DRAWING, "the first pixels of the drawing", "The model goes on from what is on the draw pad."),
)


class SamplingControls(QWidget):
    """Buttons and sliders under the picture; setters emit nothing."""

    sample_requested = Signal()
    running_chosen = Signal(bool)
    """Whether pixels are to come by themselves."""
    step_requested = Signal()
    speed_changed = Signal(int)
    """Pixels a second."""
    start_chosen = Signal(StartOfSample)
    count_chosen = Signal(int)
    """So many of the first pixels are to be given."""
    other_image_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sample = QPushButton("New sample")
        self.sample.setToolTip("Draw another picture, with other random numbers (N)")
        self.run = QPushButton("Pause")
        self.step = QPushButton("One pixel")
        self.step.setToolTip("Draw the next pixel alone (right arrow)")
        self.speed = QSlider(Qt.Orientation.Horizontal)
        self.speed.setAccessibleName("Speed")
        self.speed.setRange(0, len(SPEEDS) - 1)
        self.speed.setPageStep(1)
        self.speed.setValue(SPEEDS.index(USUAL_SPEED))
        self.speed.setToolTip("How many pixels are drawn in a second")
        self._speed_text = QLabel()
        self.start = QComboBox()
        self.start.setAccessibleName("The picture begins with")
        for index, (start, label, tip) in enumerate(_STARTS):
            self.start.addItem(label, start)
            self.start.setItemData(index, tip, Qt.ItemDataRole.ToolTipRole)
        self.count = QSlider(Qt.Orientation.Horizontal)
        self.count.setAccessibleName("Given pixels")
        self.count.setToolTip("How many of the first pixels, in the model's ordering, are given and not drawn")
        self._count_text = QLabel()
        self.other = QPushButton("Other image")
        self.other.setToolTip("Begin with another image of the data")
        self._running = True
        self._arrange()
        self.sample.clicked.connect(self.sample_requested)
        self.run.clicked.connect(self._on_run)
        self.step.clicked.connect(self.step_requested)
        self.other.clicked.connect(self.other_image_requested)
        self.speed.valueChanged.connect(self._on_speed)
        self.start.activated.connect(self._on_start)
        self.count.valueChanged.connect(self._on_count)
        self.set_running(True)
        self.set_num_pixels(0)
        self._show_speed()

    @property
    def pixels_per_second(self) -> int:
        """The chosen speed."""
        return SPEEDS[self.speed.value()]

    def set_running(self, running: bool) -> None:  # noqa: FBT001 - a Qt setter
        """Show whether pixels come by themselves."""
        self._running = running
        self.run.setText("Pause" if running else "Continue")
        self.run.setToolTip("Hold the drawing (space)" if running else "Let the drawing go on (space)")

    def set_num_pixels(self, number: int) -> None:
        """Offer to give as many pixels as a picture has; half of them at first."""
        self.count.blockSignals(True)
        self.count.setRange(0, number)
        self.count.setPageStep(max(number // 28, 1))
        self.count.setValue(number // 2)
        self.count.blockSignals(False)
        self._show_start()

    def set_available(self, start: StartOfSample, available: bool) -> None:  # noqa: FBT001 - a Qt setter
        """Say whether a picture could begin with this."""
        model = self.start.model()
        row = next(index for index, (known, _, _) in enumerate(_STARTS) if known is start)
        flags = Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEnabled
        model.setData(model.index(row, 0), int(flags.value if available else 0), Qt.ItemDataRole.UserRole - 1)

    @property
    def chosen_start(self) -> StartOfSample:
        """What the picture is to begin with."""
        found = self.start.currentData()
        return found if isinstance(found, StartOfSample) else StartOfSample.NOTHING

    def _arrange(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        for button in (self.sample, self.run, self.step):
            buttons.addWidget(button)
        buttons.addStretch(1)
        for label, widest in ((self._speed_text, "1,000 pixels/s"), (self._count_text, "first 9,999 pixels")):
            label.setMinimumWidth(self.fontMetrics().horizontalAdvance(widest) + 4)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        grid.addLayout(buttons, 0, 0, 1, 4)
        grid.addWidget(QLabel("Speed"), 1, 0)
        grid.addWidget(self.speed, 1, 1)
        grid.addWidget(self._speed_text, 1, 2)
        grid.addWidget(QLabel("Begin with"), 2, 0)
        grid.addWidget(self.start, 2, 1, 1, 2)
        grid.addWidget(self.other, 2, 3)
        grid.addWidget(self.count, 3, 1)
        grid.addWidget(self._count_text, 3, 2)
        grid.setColumnStretch(1, 1)

    def _on_run(self) -> None:
        self.set_running(not self._running)
        self.running_chosen.emit(self._running)

    def _on_speed(self) -> None:
        self._show_speed()
        self.speed_changed.emit(self.pixels_per_second)

    def _on_start(self) -> None:
        self._show_start()
        self.start_chosen.emit(self.chosen_start)

    def _on_count(self, count: int) -> None:
        self._show_start()
        self.count_chosen.emit(count)

    def _show_speed(self) -> None:
        number = self.pixels_per_second
        self._speed_text.setText(f"{number:,} pixel{'' if number == 1 else 's'}/s")

    def _show_start(self) -> None:
        given = self.chosen_start is not StartOfSample.NOTHING
        self.count.setEnabled(given)
        self._count_text.setEnabled(given)
        self._count_text.setText(f"first {self.count.value():,} pixels")
        self.other.setVisible(self.chosen_start is StartOfSample.IMAGE)
