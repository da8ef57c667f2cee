"""The subject: the one image x whose bound, posterior and gaps are shown, and where it comes from."""

import numpy as np
from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal

from core.shapes import Code, PixelRow
from explorer.messages import Subject, SubjectSource
from explorer.session.drawing import DrawingSession
from explorer.session.latent import LatentSession
from explorer.session.shown_data import SPLIT_NAMES

PACE_MS = 40
"""Least time between two tellings, but for `EARLY_MS`: what follows from x costs several times what decoding does."""
STILL_MS = 10
"""Without a movement for so long, which a mouse makes every 8 ms, the hand may rest, and is told of at once."""
EARLY_MS = 4
"""So much sooner than that pace is soon enough right after a movement.

Its picture is painted, and there is time until the next one, which would else meet what follows from the image.
"""
NO_CODES = "An autoregressive model has no latent code: log p(x) is exact, and there is no bound beside it."


class SubjectSession(QObject):
    """Follows what was touched last: a data point, the pen, a dragged code; or stays with the source that is chosen."""

    changed = Signal(Subject)
    """The image under the hand is another one, or is seen by newer weights."""
    cleared = Signal(str)
    """There is none; why, in a sentence."""

    def __init__(self, latent: LatentSession, drawing: DrawingSession, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._latent = latent
        self._drawing = drawing
        self._chosen: SubjectSource | None = None
        self._touched = SubjectSource.CODE
        self._serial = 0
        self.subject: Subject | None = None
        self._code: Code | None = None
        """The selected code when the image was told of last."""
        # Several views tell of one movement of the hand: x is made once, when all of them are through.
        self._stopped = False
        self._told = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tell)
        latent.code_moved.connect(self._on_code_moved)
        latent.codes_changed.connect(self._on_codes_changed)
        latent.image_selected.connect(self._on_image_selected)
        drawing.seen_changed.connect(self._on_drawn)

    @property
    def source(self) -> SubjectSource:
        """Where the image under the hand comes from now."""
        return self._chosen or self._touched

    @property
    def settled(self) -> bool:
        """Whether the newest image has been told of."""
        return not self._timer.isActive()

    def choose(self, source: SubjectSource | None) -> None:
        """Stay with one source; None follows the hand again."""
        self._chosen = source
        self._tell_soon()

    def refresh(self) -> None:
        """Tell of the subject again, as when the weights changed."""
        self._tell_soon()

    def tell_now(self) -> None:
        """Tell of the newest image, if that is still to be done: what is begun now begins with it."""
        if self._timer.isActive():
            self._timer.stop()
            self._tell()

    def tell_again(self) -> None:
        """Tell of the image now, whether it is another one or not."""
        if not self._stopped:
            self._timer.stop()
            self._tell()

    def _on_code_moved(self) -> None:
        self._touch(SubjectSource.CODE)

    def _on_codes_changed(self) -> None:
        """Tell again where a handle has gone with the codes: one that nobody has touched, to amid newer ones."""
        code = self._latent.selected_code
        stands = code is not None and self._code is not None and np.array_equal(code, self._code)
        if self.source is SubjectSource.CODE and not stands:
            self._tell_soon()

    def _on_image_selected(self) -> None:
        self._touch(SubjectSource.DATA)

    def _on_drawn(self) -> None:
        if self._drawing.seen is not None:
            self._touch(SubjectSource.DRAWING)
        else:
            self._tell_soon()

    def _touch(self, source: SubjectSource) -> None:
        self._touched = source
        self._tell_soon()

    def stop(self) -> None:
        """Tell of nothing more, as the window closes: what is shown goes before what shows it."""
        self._stopped = True
        self._timer.stop()

    def _tell_soon(self) -> None:
        if not self._stopped:
            left = PACE_MS - self._told.elapsed() if self._told.isValid() else 0
            self._timer.start(0 if left <= EARLY_MS else STILL_MS)

    def _tell(self) -> None:
        self._told.start()
        self._code = self._latent.selected_code
        pixels, text = self._pixels()
        if pixels is None:
            self.subject = None
            self.cleared.emit(text)
            return
        self._serial += 1
        grey = bool(((pixels > 0.0) & (pixels < 1.0)).any())
        self.subject = Subject(self._serial, self.source, pixels, text, grey=grey)
        self.changed.emit(self.subject)

    def _pixels(self) -> tuple[PixelRow | None, str]:
        latent = self._latent
        if latent.config is not None and not latent.config.has_codes:
            # Neither a map to choose a point of nor a code to draw from: the pad alone has an image.
            drawn = self._drawing.seen if self.source is SubjectSource.DRAWING else None
            return drawn, NO_CODES if drawn is None else "the drawing"
        if latent.config is None or latent.hand is None:
            return None, "No model is open yet."
        match self.source:
            case SubjectSource.DRAWING:
                seen = self._drawing.seen
                return seen, "the drawing" if seen is not None else "Nothing is drawn on the pad."
            case SubjectSource.DATA:
                image = latent.selected_image
                if image is None:
                    return None, "No data point is selected: click one on the canvas."
                seen, name = latent.seen(image), f"{SPLIT_NAMES[latent.split_name]} image {image:,}"
                return seen, name if seen is not None else f"The pixels of {name} cannot be read."
            case SubjectSource.CODE:
                drawn = latent.hand.draw_at(latent.selected_code) if latent.selected_code is not None else None
                return drawn, "a draw from the dragged code" if drawn is not None else "No handle is selected."
