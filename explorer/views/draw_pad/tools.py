"""The pad's buttons: those that draw, and those that bring a picture or take it away."""

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QSizePolicy, QSlider, QVBoxLayout, QWidget

from explorer.theme import current_palette
from explorer.views.draw_pad.strokes import DEFAULT_BRUSH, INK_SIZE
from explorer.views.icon_button import IconButton

_LEAST_BRUSH = 6
_MOST_BRUSH = 60


class BrushSample(QWidget):
    """A dot of the brush's size."""

    def __init__(self) -> None:
        super().__init__()
        self._width = DEFAULT_BRUSH
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_width(self, width: float) -> None:
        """Show a width in ink pixels."""
        self._width = width
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return room for the thickest brush at a third of its size."""
        return QSize(_MOST_BRUSH // 3 + 2, _MOST_BRUSH // 3 + 2)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        """Paint the dot."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(current_palette().text))
        diameter = self._width / 3.0
        painter.drawEllipse(QRectF((self.width() - diameter) / 2, (self.height() - diameter) / 2, diameter, diameter))
        painter.end()


class DrawingTools(QWidget):
    """Eraser, brush size, undo, redo, clear."""

    brush_chosen = Signal(float)
    """Width of the brush in ink pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.eraser = IconButton("eraser", "Eraser", "Eraser (E); the right mouse button always erases")
        self.eraser.setCheckable(True)
        self.undo = IconButton("undo", "Undo", "Take the last stroke back (Ctrl+Z)")
        self.redo = IconButton("redo", "Redo", "Draw it again (Ctrl+Shift+Z)")
        self.clear = IconButton("clear", "Clear", "Remove all ink (Delete)")
        self.brush_size = QSlider(Qt.Orientation.Horizontal)
        self.brush_size.setRange(_LEAST_BRUSH, _MOST_BRUSH)
        self.brush_size.setSingleStep(2)
        self.brush_size.setPageStep(8)
        self.brush_size.setValue(int(DEFAULT_BRUSH))
        self.brush_size.setAccessibleName("Brush size")
        self.sample = BrushSample()
        self._describe(self.brush_size.value())
        self.brush_size.valueChanged.connect(self._choose)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.eraser)
        layout.addSpacing(4)
        layout.addWidget(self.sample)
        layout.addWidget(self.brush_size, 1)
        layout.addSpacing(4)
        for button in (self.undo, self.redo, self.clear):
            layout.addWidget(button)

    def _choose(self, width: int) -> None:
        self._describe(width)
        self.sample.set_width(float(width))
        self.brush_chosen.emit(float(width))

    def _describe(self, width: int) -> None:
        self.brush_size.setToolTip(f"Brush size: {width} of the sheet's {INK_SIZE} pixels ([ and ])")


class SourceTools(QWidget):
    """Take a picture from the data or the clipboard, normalise, send the code to the canvas."""

    def __init__(self) -> None:
        super().__init__()
        self.from_data = _text_button("pictures", "From data", "Put an image of the data on the pad")
        self.paste = _text_button("paste", "Paste", "Draw the clipboard's picture (Ctrl+V); files can be dropped, too")
        self.to_canvas = _text_button(
            "to-canvas", "To canvas", "Put a handle on the canvas at the mean of this drawing's posterior"
        )
        self.to_canvas.setAccessibleName("Send to canvas")
        self.centre = QCheckBox("Centre like MNIST")
        self.centre.setAccessibleName("Centre like MNIST")
        self.centre.setToolTip(
            "Scale the ink into a 20×20 box and put its centre of mass in the middle, as MNIST was made."
        )
        self.centre.setChecked(True)
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        buttons.addWidget(self.from_data)
        buttons.addWidget(self.paste)
        buttons.addStretch(1)
        buttons.addWidget(self.to_canvas)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(buttons)
        layout.addWidget(self.centre)


def _text_button(icon: str, text: str, tip: str) -> IconButton:
    button = IconButton(icon, text, tip)
    button.setText(text)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    return button
