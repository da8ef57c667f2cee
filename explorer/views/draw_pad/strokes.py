"""Strokes as vectors, and how they become ink: drawn as the pen moves, smoothed when it lifts, rendered small."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

from core.shapes import Picture
from core.snapshots import frozen

INK_SIZE = 280
"""Side of the ink in its own pixels; ten to one for MNIST's 28."""
DEFAULT_BRUSH = 25.0
"""Pen width in ink pixels, ten to one of MNIST's strokes."""
MNIST_SIZE = 28
MNIST_BOX = 20
MNIST_PEN = 2.5
"""Pixels; with 2.2, skeletons of a 0, 1 and 3 had 15 to 30 % less ink than MNIST's mean for these digits."""

_LEAST_EXTENT = 20.0
"""Ink pixels; a dot has no extent to scale by, so nothing smaller than this fills the whole box."""
_CURVE_STEP = 4.0
"""Ink pixels between the points of a smoothed curve."""
_SAMPLE_STEP = 0.6
"""Pixels of the picture between the samples that are drawn; on a curve of radius 3 this errs by 0.015 pixels."""

Ink = np.ndarray[Any, np.dtype[np.uint8]]
Samples = np.ndarray[Any, np.dtype[np.float64]]
"""One row a sample of the pen: x, y and width, in ink pixels."""


class PenPoint(NamedTuple):
    """Where the pen is, in ink pixels, and how wide it draws there."""

    x: float
    y: float
    width: float


@dataclass(frozen=True, slots=True, eq=False)
class Stroke:
    """The pen's way from touching the pad to leaving it."""

    samples: Samples
    erasing: bool


class Brush:
    """Draws one stroke's shape into a mask of its own, and the mask into the ink.

    The ink takes the larger of both values instead of blending them, because the anti-aliased edges of segments that
    overlap would otherwise add up and make a slow line thicker than a fast one.
    """

    def __init__(self) -> None:
        # Anti-aliased lines into RGB32 take 19 µs, into Grayscale8 123 µs: only RGB32 has the fast blending.
        self._pixels = np.zeros((INK_SIZE, INK_SIZE, 4), np.uint8)
        self._image = QImage(self._pixels.data, INK_SIZE, INK_SIZE, self._pixels.strides[0], QImage.Format.Format_RGB32)

    def draw_segment(self, ink: Ink, start: PenPoint, end: PenPoint, *, erasing: bool) -> QRect:
        """Draw a segment into the ink.  Return the rectangle of ink pixels that may have changed."""
        rect = _reach(start, end)
        painter = self._begin(rect)
        painter.setPen(_pen((start.width + end.width) / 2.0))
        if start[:2] == end[:2]:
            painter.drawPoint(QPointF(end.x, end.y))
        else:
            painter.drawLine(QPointF(start.x, start.y), QPointF(end.x, end.y))
        painter.end()
        self._merge(ink, rect, erasing=erasing)
        return rect

    def draw_stroke(self, ink: Ink, stroke: Stroke) -> None:
        """Draw a whole stroke into the ink, its corners rounded where the pen's samples were sparse."""
        rect = QRect(0, 0, INK_SIZE, INK_SIZE)
        painter = self._begin(rect)
        _Line(_smoothed(stroke.samples, _CURVE_STEP)).draw(painter, Qt.PenJoinStyle.RoundJoin)
        painter.end()
        self._merge(ink, rect, erasing=stroke.erasing)

    def _begin(self, rect: QRect) -> QPainter:
        self._pixels[rect.top() : rect.bottom() + 1, rect.left() : rect.right() + 1] = 0
        painter = QPainter(self._image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        return painter

    def _merge(self, ink: Ink, rect: QRect, *, erasing: bool) -> None:
        rows, columns = slice(rect.top(), rect.bottom() + 1), slice(rect.left(), rect.right() + 1)
        mask, target = self._pixels[rows, columns, 0], ink[rows, columns]
        if erasing:
            np.minimum(target, 255 - mask, out=target)
        else:
            np.maximum(target, mask, out=target)


class StrokeRenderer:
    """Renders strokes as MNIST's digits were normalised, from the vectors, with sub-pixel accuracy.

    The ink's longer side fills the 20×20 box and its centre of mass lies on pixel (14, 14), both to scale for other
    sizes (LeCun et al. 1998).  The pen keeps its width at the picture's scale, whatever the size of the drawing.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        height, width = size
        self._unit = min(size) / MNIST_SIZE
        self._pixels = np.zeros((height, width, 4), np.uint8)
        self._image = QImage(self._pixels.data, width, height, self._pixels.strides[0], QImage.Format.Format_RGB32)

    def picture(self, strokes: tuple[Samples, ...]) -> Picture:
        """Return the picture (height, width) of one or more strokes."""
        height, width = self.size
        placed = self._placed(strokes)
        # Bevelled joins and half the points take a quarter of the time, and the centre of mass is nearly the same.
        self._draw([_Line(_halved(samples)) for samples in placed], Qt.PenJoinStyle.BevelJoin)
        mass_x, mass_y = centre_of_mass(self._pixels[..., 0])
        # A shift by more than the box's margin would push ink out of the picture.
        margin = (MNIST_SIZE - MNIST_BOX) / 2.0 * self._unit
        shift_x = min(max(width / 2 - mass_x, -margin), margin)
        shift_y = min(max(height / 2 - mass_y, -margin), margin)
        shift = np.array([shift_x, shift_y, 0.0])
        self._draw([_Line(samples + shift) for samples in placed], Qt.PenJoinStyle.RoundJoin)
        return frozen(self._pixels[..., 0].copy())

    def _placed(self, strokes: tuple[Samples, ...]) -> list[Samples]:
        """Return the strokes scaled into the box, the box in the middle, with as few samples as the picture shows."""
        height, width = self.size
        pen_scale = self._unit * MNIST_PEN / DEFAULT_BRUSH
        everything = np.concatenate(strokes) if len(strokes) > 1 else strokes[0]
        low, high = everything.min(axis=0), everything.max(axis=0)
        side = MNIST_BOX * self._unit
        box = max(side - pen_scale * float(high[2]), 0.5 * side)
        scale = box / max(float(high[0] - low[0]), float(high[1] - low[1]), _LEAST_EXTENT)
        factor = np.array([scale, scale, pen_scale])
        middle = (low + high) / 2.0
        offset = np.array([width / 2.0 - scale * middle[0], height / 2.0 - scale * middle[1], 0.0])
        step = _SAMPLE_STEP * self._unit
        return [_smoothed(_thinned(samples * factor + offset, step), 1.5 * step) for samples in strokes]

    def _draw(self, lines: "list[_Line]", join: Qt.PenJoinStyle) -> None:
        self._pixels[...] = 0
        painter = QPainter(self._image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for line in lines:
            line.draw(painter, join)
        painter.end()


class _Line:
    """A stroke as Qt draws it fastest: polygons, each with one pen; a changed pressure begins a new one."""

    def __init__(self, samples: Samples) -> None:
        widths = samples[:, 2]
        self._parts: list[tuple[float, QPolygonF]] = []
        # Two hundredths of the width make no grey level, and a pen's pressure is noisy.
        if float(widths.max() - widths.min()) <= 0.02 * float(widths[0]):
            self._parts.append((float(widths[0]), QPolygonF([QPointF(x, y) for x, y, _ in samples.tolist()])))
            return
        last: list[float] | None = None
        for x, y, width in samples.tolist():
            if last is None or abs(width - self._parts[-1][0]) > 0.02 * self._parts[-1][0]:
                points = [] if last is None else [QPointF(last[0], last[1])]
                self._parts.append((width, QPolygonF(points)))
            self._parts[-1][1].append(QPointF(x, y))
            last = [x, y]

    def draw(self, painter: QPainter, join: Qt.PenJoinStyle) -> None:
        """Draw the line with round ends."""
        for width, polygon in self._parts:
            pen = _pen(width)
            pen.setJoinStyle(join)
            painter.setPen(pen)
            if polygon.size() == 1:
                painter.drawPoint(polygon.at(0))
            else:
                painter.drawPolyline(polygon)


def centre_of_mass(picture: Ink) -> tuple[float, float]:
    """Return the mean column and row of the ink, in pixels, where (0, 0) is the middle of the first pixel."""
    columns, rows = picture.sum(axis=0, dtype=np.float64), picture.sum(axis=1, dtype=np.float64)
    total = float(columns.sum())
    if total == 0.0:
        return (len(columns) - 1) / 2.0, (len(rows) - 1) / 2.0
    return float(columns @ np.arange(len(columns))) / total, float(rows @ np.arange(len(rows))) / total


def path_length(samples: Samples) -> float:
    """Return the length of a stroke in ink pixels."""
    return float(_segment_lengths(samples).sum())


def _segment_lengths(samples: Samples) -> Samples:
    # numpy.diff takes ten times as long for arrays this small.
    return np.hypot(samples[1:, 0] - samples[:-1, 0], samples[1:, 1] - samples[:-1, 1])


def _halved(samples: Samples) -> Samples:
    """Return every second sample and the last."""
    return samples if len(samples) < 8 else np.concatenate([samples[:-1:2], samples[-1:]])


def _thinned(samples: Samples, step: float) -> Samples:
    """Return the first and last sample and, between them, about one each `step` along the way."""
    if len(samples) < 3:
        return samples
    steps = np.floor(np.cumsum(_segment_lengths(samples)) / step)
    kept = np.ones(len(samples), np.bool_)
    kept[1] = steps[0] > 0
    kept[2:-1] = steps[1:-1] > steps[:-2]
    return samples[kept]


def _smoothed(samples: Samples, step: float) -> Samples:
    """Return samples at most `step` apart on a smooth curve through the given ones.

    A Hermite spline whose tangents halve the angle at each sample; where the pen turned back sharply a corner stays.
    """
    lengths = _segment_lengths(samples)
    if len(samples) < 3 or float(lengths.max()) <= step:
        return samples
    lengths = np.maximum(lengths, 1e-9)[:, None]
    points = samples[:, :2]
    directions = (points[1:] - points[:-1]) / lengths
    inner = directions[:-1] + directions[1:]
    # A turn of more than 90 degrees is meant: the corner of a seven, the cusp of a three.
    inner[(directions[:-1] * directions[1:]).sum(axis=1) <= 0.0] = 0.0
    tangents = np.zeros_like(points)
    tangents[1:-1] = inner / np.maximum(np.hypot(inner[:, 0], inner[:, 1]), 1e-9)[:, None]
    counts = np.ceil(lengths[:, 0] / step).astype(np.int64)
    segment = np.repeat(np.arange(len(counts)), counts)
    first = np.cumsum(counts) - counts
    t = ((np.arange(len(segment)) - first[segment]) / counts[segment])[:, None]
    start, end = samples[segment], samples[segment + 1]
    # Tangents as long as their segment: equal speeds, so that unequal segments make no loops.
    leaving, arriving = tangents[segment] * lengths[segment], tangents[segment + 1] * lengths[segment]
    curve = start + (end - start) * t
    curve[:, :2] = (
        (1.0 + 2.0 * t) * (1.0 - t) ** 2 * start[:, :2]
        + t * (1.0 - t) ** 2 * leaving
        + t * t * (3.0 - 2.0 * t) * end[:, :2]
        - t * t * (1.0 - t) * arriving
    )
    return np.concatenate([curve, samples[-1:]])


def _pen(width: float) -> QPen:
    return QPen(QColor(255, 255, 255), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)


def _reach(start: PenPoint, end: PenPoint) -> QRect:
    """Return the ink pixels that a segment can touch; never empty, so that arrays can always be sliced by it."""
    half = max(start.width, end.width) / 2.0 + 2.0
    left, right = min(start.x, end.x) - half, max(start.x, end.x) + half
    top, bottom = min(start.y, end.y) - half, max(start.y, end.y) + half
    low_x, high_x = (min(max(int(value), 0), INK_SIZE - 1) for value in (left, right + 1.0))
    low_y, high_y = (min(max(int(value), 0), INK_SIZE - 1) for value in (top, bottom + 1.0))
    return QRect(low_x, low_y, high_x - low_x + 1, high_y - low_y + 1)
