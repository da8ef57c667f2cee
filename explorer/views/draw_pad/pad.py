"""The draw pad: the sheet with its tools, and what the model makes of the drawing."""

from pathlib import Path

import numpy as np
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QGuiApplication, QImage, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.config import DataConfig, ModelConfig
from core.findings.pixel_sampling import PixelScore
from core.shapes import Picture
from core.snapshots import PictureEncoding
from explorer.messages import Drawing
from explorer.settings import Settings
from explorer.views.draw_pad.image_ink import PictureError, enlarged, ink_from_image, offered_picture, read_image
from explorer.views.draw_pad.ink import InkSheet
from explorer.views.draw_pad.note import DrawingNote
from explorer.views.draw_pad.results import EncodingView
from explorer.views.draw_pad.surface import PadSurface
from explorer.views.draw_pad.tools import DrawingTools, SourceTools
from explorer.views.pacing import RequestPacer

LEAST_GAP_MS = 4
"""Shorter gaps help no screen; a longer one, of a 120 Hz frame, doubles the latency of a 125 Hz mouse."""
_EMPTY = "Draw something, paste a picture or take one from the data."


class DrawPad(QWidget):
    """A sheet to draw an input on, and below it how the model encodes and reconstructs it."""

    drawing_changed = Signal(Drawing)
    """While the pen moves, at most every 4 ms and the last never lost; finished when it lifts or for any other step."""
    from_data_requested = Signal()
    send_to_canvas_requested = Signal()
    history_changed = Signal(bool, bool)
    """Whether a stroke can be taken back, and whether one can be drawn again."""
    failed = Signal(str)
    """A picture could not be saved: which file and why."""

    def __init__(self) -> None:
        super().__init__()
        self._size = (28, 28)
        self._import: DataConfig | None = None
        self._unavailable = ""
        self._settings: Settings | None = None
        self._enabled: tuple[bool, ...] = ()
        self._ink = InkSheet()
        self._pacer = RequestPacer(self, LEAST_GAP_MS)
        self.surface = PadSurface(self._ink)
        self.tools = DrawingTools()
        self.sources = SourceTools()
        self.note = DrawingNote()
        self.results = EncodingView()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        layout.addWidget(self.tools)
        layout.addWidget(self.surface, 1)
        layout.addWidget(self.note)
        layout.addWidget(self.sources)
        layout.addWidget(self.results)
        self.setAcceptDrops(True)
        self._connect()
        self._follow_ink(self.drawing())
        self.results.set_encoding(None, _EMPTY)

    def drawing(self) -> Drawing:
        """Return what is on the pad, its picture at the model's size."""
        return self._ink.drawing(self._size, centre=self.sources.centre.isChecked())

    @property
    def centre_drawings(self) -> bool:
        """Whether drawings are normalised as MNIST's digits were."""
        return self.sources.centre.isChecked()

    def set_model_size(self, height: int, width: int) -> None:
        """Set the size of the pictures that the model takes; ask `drawing` for the drawing at the new size."""
        if height < 1 or width < 1:
            raise ValueError(f"a model's pictures have at least 1×1 pixels, not {height}×{width}")
        self._size = (height, width)

    def set_model(self, model: ModelConfig) -> None:
        """Make room for what a model of this kind says of a drawing."""
        self.results.set_model(model)
        # Without a canvas there is nowhere to send a drawing.
        self.sources.to_canvas.setVisible(model.has_codes)

    def set_centre_drawings(self, centre: bool) -> None:  # noqa: FBT001
        """Switch MNIST's normalisation of drawings on or off."""
        self.sources.centre.setChecked(centre)

    def set_import_config(self, config: DataConfig | None) -> None:
        """Set how foreign pictures become ink: as the model's data were imported; None recognises paper by itself."""
        self._import = config

    def set_usual_ink(self, least: float, most: float) -> None:
        """Set the shares of ink, 0 to 1, between which the data's pictures lie; other drawings are remarked on."""
        self.note.set_usual_ink(least, most)

    def remember(self, settings: Settings) -> None:
        """Take the brush that was chosen last, and keep the one chosen from now on."""
        self.tools.brush_size.setValue(round(settings.brush_size))
        self._settings = settings

    def set_hint(self, text: str) -> None:
        """Set the words on an empty sheet."""
        self.surface.set_hint(text)

    def set_data_available(self, available: bool) -> None:  # noqa: FBT001
        """Say whether there are data that a picture could be taken from."""
        self.sources.from_data.setEnabled(available)

    def set_picture(self, picture: Picture) -> None:
        """Put a picture of the data (height, width) on the pad; the model sees it as it is."""
        self._ink.place(enlarged(picture), picture)
        self.note.say("")
        self.surface.update()
        self._follow_ink(self.drawing())

    def set_encoding(self, encoding: PictureEncoding | None) -> None:
        """Show how the drawing is encoded; one that comes after the ink was removed is not shown."""
        self._unavailable = ""
        if self._ink.empty:
            encoding = None
        self.results.set_encoding(encoding, _EMPTY if self._ink.empty else "")
        self._follow_state()

    def set_score(self, score: PixelScore) -> None:
        """Show what an autoregressive model says of the drawing; not when the ink was removed meanwhile."""
        self._unavailable = ""
        if not self._ink.empty:
            self.results.set_score(score)
        self._follow_state()

    def set_unavailable(self, reason: str) -> None:
        """Say in one sentence why drawings cannot be encoded now; drawing stays possible."""
        self._unavailable = reason
        self.results.set_encoding(None, reason)
        self._follow_state()

    def clear(self) -> None:
        """Remove all ink."""
        self._ink.clear()
        self._step_done()

    def undo(self) -> None:
        """Take the last step back."""
        self._ink.undo()
        self._step_done()

    def redo(self) -> None:
        """Do again what was taken back."""
        self._ink.redo()
        self._step_done()

    def paste(self) -> None:
        """Draw the clipboard's picture."""
        mime = QGuiApplication.clipboard().mimeData()
        offered = None if mime is None else offered_picture(mime)
        if offered is None:
            self.note.complain("The clipboard holds no picture.")
        else:
            self.insert(offered)

    def insert(self, offered: Path | QImage) -> None:
        """Replace the ink by a picture from a file or the clipboard; a bad one changes nothing but the note."""
        try:
            image = read_image(offered) if isinstance(offered, Path) else offered
            ink = ink_from_image(image, self._import)
        except PictureError as error:
            self.note.complain(f"{error}.")
            return
        self._ink.place(ink.pixels)
        self.note.say(ink.note)
        self._step_done(keep_note=True)

    def event(self, event: QEvent) -> bool:
        """Claim the pad's keys before the window's shortcuts, which undo other things."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _command_of(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Undo, redo, paste, clear; E for the eraser, brackets for the brush."""
        match _command_of(event):
            case "undo":
                self.undo()
            case "redo":
                self.redo()
            case "paste":
                self.paste()
            case "clear":
                self.clear()
            case "eraser":
                self.tools.eraser.click()
            case "thinner":
                self.tools.brush_size.triggerAction(self.tools.brush_size.SliderAction.SliderSingleStepSub)
            case "thicker":
                self.tools.brush_size.triggerAction(self.tools.brush_size.SliderAction.SliderSingleStepAdd)
            case _:
                super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        """Take one picture; leave everything else to the window."""
        if offered_picture(event.mimeData()) is None:
            event.ignore()
            return
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self.surface.set_drop_offered(True)

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:  # noqa: N802
        """Take the frame off."""
        self.surface.set_drop_offered(False)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        """Draw the dropped picture."""
        self.surface.set_drop_offered(False)
        offered = offered_picture(event.mimeData())
        if offered is None:
            event.ignore()
            return
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self.insert(offered)

    def _connect(self) -> None:
        self.surface.ink_changed.connect(self._pacer.request)
        self.surface.stroke_ended.connect(self._step_done)
        self._pacer.due.connect(self._emit_drawing)
        self.tools.brush_chosen.connect(self._set_brush)
        self.tools.eraser.toggled.connect(self._set_erasing)
        self.tools.undo.clicked.connect(self.undo)
        self.tools.redo.clicked.connect(self.redo)
        self.tools.clear.clicked.connect(self.clear)
        self.sources.from_data.clicked.connect(self.from_data_requested)
        self.sources.paste.clicked.connect(self.paste)
        self.sources.to_canvas.clicked.connect(self.send_to_canvas_requested)
        # `clicked` and not `toggled`: only the user's own switching changes the drawing.
        self.sources.centre.clicked.connect(self._pacer.request_now)
        self.results.failed.connect(self.failed)

    def _step_done(self, *, keep_note: bool = False) -> None:
        if not keep_note:
            self.note.say("")
        self.surface.update()
        self._pacer.request_now()

    def _emit_drawing(self) -> None:
        drawing = self.drawing()
        self._follow_ink(drawing)
        self.drawing_changed.emit(drawing)

    def _follow_ink(self, drawing: Drawing) -> None:
        self.results.set_raw(None if drawing.empty else drawing.raw)
        if drawing.empty:
            self.results.set_encoding(None, self._unavailable or _EMPTY)
        if drawing.finished:
            self.note.judge(None if drawing.empty else float(drawing.picture.mean(dtype=np.float64)) / 255.0)
        self._follow_state()

    def _follow_state(self) -> None:
        state = (
            self._ink.can_undo,
            self._ink.can_redo,
            self.results.raw.picture is not None,
            self.results.encoding is not None,
        )
        # This is asked for at every move of the pen, and changes at few.
        if state == self._enabled:
            return
        self._enabled = state
        buttons = (self.tools.undo, self.tools.redo, self.tools.clear, self.sources.to_canvas)
        for button, enabled in zip(buttons, state, strict=True):
            button.setEnabled(enabled)
        self.history_changed.emit(self._ink.can_undo, self._ink.can_redo)

    def _set_brush(self, width: float) -> None:
        if self._settings is not None:
            self._settings.brush_size = width
        self.surface.brush = width
        self.surface.update()

    def _set_erasing(self, erasing: bool) -> None:  # noqa: FBT001
        self.surface.erasing = erasing


def _command_of(event: QKeyEvent) -> str:
    """Return what a key means on the pad; empty for keys that are none of its."""
    standard = QKeySequence.StandardKey
    for name, keys in (("redo", standard.Redo), ("undo", standard.Undo), ("paste", standard.Paste)):
        if event.matches(keys):
            return name
    key, modifiers = event.key(), event.modifiers()
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    if key == Qt.Key.Key_Z and modifiers == control | shift:
        return "redo"
    if modifiers & ~shift:
        return ""
    return {
        Qt.Key.Key_Delete: "clear",
        Qt.Key.Key_E: "eraser",
        Qt.Key.Key_BracketLeft: "thinner",
        Qt.Key.Key_BracketRight: "thicker",
    }.get(Qt.Key(key), "")
