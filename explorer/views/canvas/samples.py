"""Clouds of a few hundred codes over the map: samples of q(z|x), or the codes of one image under noise."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRect, QRectF
from PySide6.QtGui import QColor, QPainter, QPen

from explorer.theme import Palette
from explorer.views.canvas.coordinates import View

RADIUS_PX = 2.5

Places = np.ndarray[Any, np.dtype[np.float32]]
Groups = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True, eq=False)
class SamplePoints:
    """Codes on the shown axes, each with its group, and where the line to it begins, if there is one."""

    places: Places
    """Shape (n, 2), latent units on the shown axes."""
    origins: Places | None
    """Shape (n, 2), or (1, 2) where all lines begin at one code."""
    groups: Groups
    """Shape (n,): which colour, counted from 0."""

    def bounds(self, view: View) -> QRect:
        """Return the pixels the points and lines paint on."""
        points = [self._pixels(self.places, view)]
        if self.origins is not None:
            points.append(self._pixels(self.origins, view))
        x, y = np.concatenate(points, axis=1)
        if not len(x):
            return QRect()
        reach = RADIUS_PX + 2.0
        box = QRectF(QPointF(x.min() - reach, y.min() - reach), QPointF(x.max() + reach, y.max() + reach))
        return box.intersected(QRectF(0.0, 0.0, view.width, view.height)).toAlignedRect()

    def paint(self, painter: QPainter, view: View, colours: Palette) -> None:
        """Draw lines, then points over them."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        x, y = self._pixels(self.places, view)
        names = group_colours(colours)
        if self.origins is not None:
            from_x, from_y = np.broadcast_to(self._pixels(self.origins, view), (2, len(x)))
            for group in np.unique(self.groups):
                line = QColor(names[group % len(names)])
                line.setAlpha(110)
                painter.setPen(QPen(line, 1.0))
                rows = np.flatnonzero(self.groups == group)
                painter.drawLines([QLineF(from_x[row], from_y[row], x[row], y[row]) for row in rows])
        painter.setPen(QPen(QColor(colours.handle_outline), 1.0))
        for group in np.unique(self.groups):
            painter.setBrush(QColor(names[group % len(names)]))
            for row in np.flatnonzero(self.groups == group):
                painter.drawEllipse(QPointF(x[row], y[row]), RADIUS_PX, RADIUS_PX)

    @staticmethod
    def _pixels(places: Places, view: View) -> Places:
        """Return x and y, as two rows; far outside the widget where a code is far outside or is no number."""
        x, y = view.to_pixels(places[:, 0], places[:, 1])
        pixels: Places = np.nan_to_num(np.clip(np.stack((x, y)), -1e5, 1e5), nan=-1e5)
        return pixels


def group_colours(colours: Palette) -> tuple[str, ...]:
    """Return the colours of the groups, the first of them that of q(z|x) itself."""
    return colours.accent, colours.held_out, colours.success, colours.fitted_mark, colours.note
