"""Everything that lies under marks and handles, composed into one pixmap."""

import math
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPixmap

from core.snapshots import Mosaic
from explorer.theme import Palette
from explorer.views.canvas import scales
from explorer.views.canvas.coordinates import View
from explorer.views.canvas.faces import paint_tag
from explorer.views.canvas.mosaic import STRENGTH_ALONE, STRENGTH_BEHIND_POINTS, MosaicLayer
from explorer.views.canvas.points import PointCloud
from explorer.views.canvas.prior import PriorLayer, paint_prior_strip
from explorer.views.canvas.scatter import Scatter


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What the backdrop shows; a layer that is hidden or missing is None."""

    view: View
    axes: tuple[int, int]
    cloud: PointCloud | None
    mosaic: Mosaic | None
    prior: bool
    strip_peak: float
    """Density that fills the strip of a one-dimensional model."""
    notes: tuple[str, ...]
    zooming: bool
    scaled: bool = True
    """Whether ticks and names of the axes are shown."""


class Backdrop:
    """Composes scenes; keeps what the next one can use again."""

    def __init__(self) -> None:
        self._scatter = Scatter()
        self._mosaic_layer = MosaicLayer()
        self._prior_layer = PriorLayer()

    def compose(self, scene: Scene, colours: Palette, font: QFont, ratio: float) -> QPixmap:
        """Return the picture of a scene; `ratio` is the number of device pixels for a pixel."""
        view = scene.view
        pixmap = QPixmap(math.ceil(view.width * ratio), math.ceil(view.height * ratio))
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(QColor(colours.canvas))
        painter = QPainter(pixmap)
        scales.paint_grid(painter, view, colours)
        if scene.mosaic is not None and (view.strip or scene.mosaic.axes == scene.axes):
            behind = scene.cloud is not None and not view.strip
            strength = STRENGTH_BEHIND_POINTS["dark" if colours.dark else "light"] if behind else STRENGTH_ALONE
            self._mosaic_layer.paint(painter, scene.mosaic, view, colours, strength, fast=scene.zooming)
        if scene.cloud is not None:
            self._scatter.paint(painter, scene.cloud, view, ratio, colours)
        if scene.prior and view.strip:
            paint_prior_strip(painter, view, colours, font, scene.strip_peak)
        elif scene.prior:
            self._prior_layer.paint(painter, view, colours, font)
        if scene.scaled:
            scales.paint_scales(painter, view, colours, font, scene.axes)
        _paint_notes(painter, view, colours, font, scene.notes)
        painter.end()
        return pixmap


def _paint_notes(painter: QPainter, view: View, colours: Palette, font: QFont, notes: tuple[str, ...]) -> None:
    """Draw lines in the lower left corner, the last one lowest."""
    left, bottom = scales.gutters(view, font)
    metrics = QFontMetricsF(font)
    room = max(view.width - left - 30.0, 10.0)
    y = view.height - bottom - 6.0
    for line in reversed(notes):
        text = metrics.elidedText(line, Qt.TextElideMode.ElideRight, room)
        height = metrics.height() + 2.0
        box = QRectF(left + 7.0, y - height, metrics.horizontalAdvance(text) + 12.0, height)
        paint_tag(painter, box, text, "muted_text", colours, font)
        y -= height + 3.0
