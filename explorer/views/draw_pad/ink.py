"""The ink on the pad with its history: pixels, the strokes they came from, undo and redo.  No widgets."""

from collections import deque
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRect

from core.data.normalisation import normalise_drawing
from core.shapes import Picture
from core.snapshots import frozen
from explorer.messages import Drawing
from explorer.views.draw_pad.strokes import (
    INK_SIZE,
    Brush,
    Ink,
    PenPoint,
    Samples,
    Stroke,
    StrokeRenderer,
    path_length,
)

UNDO_STEPS = 100
"""A step keeps 78 kB of ink, so a hundred keep 8 MB."""
_LEAST_MOVE = 0.5
"""Ink pixels; a pen reporting at 1000 Hz stands still for most of its reports."""
_LONGEST_RENDERED_LIVE = 2500.0
"""Ink pixels, two or three digits' worth.  Rendering takes longer the longer the strokes are; beyond this, pixels are
normalised while the pen moves, and strokes only when it lifts."""


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """The ink after a finished step."""

    pixels: Picture
    strokes: tuple[Stroke, ...] | None
    """What the ink consists of; None when it cannot be drawn anew from strokes (a picture, the eraser)."""
    source: Picture | None = None
    """The picture the ink shows, untouched, at its own size."""


_BLANK = _State(frozen(np.zeros((INK_SIZE, INK_SIZE), np.uint8)), ())


class InkSheet:
    """Owner of the ink, 280×280, light on black."""

    def __init__(self) -> None:
        self.pixels: Ink = np.zeros((INK_SIZE, INK_SIZE), np.uint8)
        """The ink as it stands, the unfinished stroke included; always the same array, so that an image can wrap it."""
        self._brush = Brush()
        self._state = _BLANK
        self._undone: list[_State] = []
        self._done: deque[_State] = deque(maxlen=UNDO_STEPS)
        self._renderer = StrokeRenderer((28, 28))
        self._samples = np.zeros((256, 3))
        self._count = 0
        self._erasing = False

    @property
    def empty(self) -> bool:
        """Whether there is no ink at all."""
        return not self.pixels.any()

    @property
    def stroke_open(self) -> bool:
        """Whether the pen is down."""
        return self._count > 0

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._done) and not self.stroke_open

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to do again."""
        return bool(self._undone) and not self.stroke_open

    def begin_stroke(self, point: PenPoint, *, erasing: bool) -> QRect:
        """Put the pen down.  Return the ink pixels that may have changed."""
        self._count = 0
        self._append(point)
        self._erasing = erasing
        return self._brush.draw_segment(self.pixels, point, point, erasing=erasing)

    def extend_stroke(self, point: PenPoint) -> QRect | None:
        """Draw on to a point.  Return the ink pixels that may have changed; None when the pen hardly moved or is up."""
        if not self.stroke_open:
            return None
        last = PenPoint(*self._samples[self._count - 1].tolist())
        if abs(point.x - last.x) < _LEAST_MOVE and abs(point.y - last.y) < _LEAST_MOVE:
            return None
        self._append(point)
        return self._brush.draw_segment(self.pixels, last, point, erasing=self._erasing)

    def end_stroke(self) -> None:
        """Lift the pen: the stroke is drawn anew as one smooth curve and becomes a step of the history."""
        if not self.stroke_open:
            return
        stroke = Stroke(frozen(self._samples[: self._count].copy()), self._erasing)
        self._count = 0
        pixels = self._state.pixels.copy()
        self._brush.draw_stroke(pixels, stroke)
        if np.array_equal(pixels, self._state.pixels):
            self._show(self._state)
            return
        strokes = self._state.strokes
        strokes = None if strokes is None or stroke.erasing or _leaves_sheet(stroke.samples) else (*strokes, stroke)
        self._commit(_State(frozen(pixels), strokes if pixels.any() else ()))

    def cancel_stroke(self) -> None:
        """Forget the stroke the pen is drawing."""
        self._count = 0
        self.pixels[...] = self._state.pixels

    def place(self, pixels: Picture, source: Picture | None = None) -> None:
        """Replace the ink by other ink (280, 280); `source` is the picture at model size it was enlarged from."""
        self._count = 0
        self._commit(_State(frozen(pixels), None, source))

    def clear(self) -> None:
        """Remove all ink; does nothing when there is none, so that undo never seems dead."""
        self._count = 0
        if self._state.pixels.any():
            self._commit(_BLANK)

    def undo(self) -> None:
        """Take the last step back."""
        if self.can_undo:
            self._undone.append(self._state)
            self._show(self._done.pop())

    def redo(self) -> None:
        """Do again what was taken back."""
        if self.can_redo:
            self._done.append(self._state)
            self._show(self._undone.pop())

    def drawing(self, size: tuple[int, int], *, centre: bool) -> Drawing:
        """Return the ink as a drawing, with its picture at the model's size (height, width)."""
        raw: Picture = self.pixels.copy()
        raw.flags.writeable = False
        empty = not raw.any()
        finished = not self.stroke_open
        strokes = self._strokes() if centre and not empty else None
        source = self._state.source if finished else None
        if source is not None and source.shape == size:
            # Data is shown as it is: normalising it a second time would change what the model was trained on.
            picture = source
        elif strokes:
            if self._renderer.size != size:
                self._renderer = StrokeRenderer(size)
            picture = self._renderer.picture(strokes)
        elif empty:
            # Normalising loads Pillow, which nobody should wait for when the window opens.
            picture = frozen(np.zeros(size, np.uint8))
        else:
            picture = frozen(normalise_drawing(raw, size, centre=centre))
        return Drawing(raw=raw, picture=picture, empty=empty, finished=finished)

    def _strokes(self) -> tuple[Samples, ...] | None:
        """Return the strokes that the ink consists of; None when it is no drawing of strokes, or too long a one."""
        if self._state.strokes is None or (self.stroke_open and self._erasing):
            return None
        strokes = tuple(stroke.samples for stroke in self._state.strokes)
        if not self.stroke_open:
            return strokes
        samples = self._samples[: self._count]
        if _leaves_sheet(samples):
            return None
        strokes = (*strokes, samples)
        return strokes if sum(map(path_length, strokes)) < _LONGEST_RENDERED_LIVE else None

    def _append(self, point: PenPoint) -> None:
        if self._count == len(self._samples):
            self._samples = np.concatenate([self._samples, np.zeros_like(self._samples)])
        self._samples[self._count] = point
        self._count += 1

    def _commit(self, state: _State) -> None:
        self._done.append(self._state)
        self._undone.clear()
        self._show(state)

    def _show(self, state: _State) -> None:
        self._state = state
        self.pixels[...] = state.pixels


def _leaves_sheet(samples: Samples) -> bool:
    """Whether the pen left the sheet; what it drew there is not seen, so it must not be rendered either."""
    return bool(samples[:, :2].min() < 0.0 or samples[:, :2].max() > INK_SIZE)
