"""A field for a whole number of things."""

from PySide6.QtWidgets import QSpinBox, QWidget

_PADDING_PX = 5


class CountField(QSpinBox):
    """How many: a spin box whose text stands off its border, as that of the other fields does."""

    def __init__(self, least: int, most: int, value: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # The padding that a style sheet gives a spin box does not reach its text.
        self.lineEdit().setTextMargins(_PADDING_PX, 0, 0, 0)
        self.setRange(least, most)
        self.setValue(value)
