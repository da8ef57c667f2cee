"""The decoded mosaic behind the points, at its place in the latent plane and in the theme's own ink."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from core.snapshots import Mosaic
from explorer.theme import Palette
from explorer.views.canvas.coordinates import View
from explorer.views.canvas.scatter import Inks

# How far a white pixel of a picture goes from the canvas colour to the text colour: points stay readable on it.
# Dark strokes on white weigh more than light ones on black.
STRENGTH_BEHIND_POINTS = {"dark": 0.42, "light": 0.33}
STRENGTH_ALONE = 0.95
# Pictures at least this much enlarged show their pixels; below that, uneven pixel sizes look broken.
CRISP_FROM = 2.5
STRIP_SHARE = 0.24


def ink_of_grey(colours: Palette, strength: float) -> Inks:
    """Return RGB32 for each grey level: from the canvas colour (0) towards the text colour (255)."""
    paper, ink = QColor(colours.canvas), QColor(colours.text)
    share = np.linspace(0.0, strength, 256)
    table: Inks = np.full(256, 0xFF, dtype=np.uint32)
    for low, high in ((paper.red(), ink.red()), (paper.green(), ink.green()), (paper.blue(), ink.blue())):
        table = (table << np.uint32(8)) | np.rint(low + share * (high - low)).astype(np.uint32)
    return table


class MosaicLayer:
    """Draws a mosaic; the tinted and the scaled picture are kept, since a pan needs neither anew."""

    def __init__(self) -> None:
        self._mosaic: Mosaic | None = None
        self._tint: tuple[Palette, float] | None = None
        self._pixels: Inks = np.zeros((0, 0), dtype=np.uint32)
        self._scaled: QImage | None = None
        self._scaled_for: tuple[int, int] = (0, 0)

    def place(self, mosaic: Mosaic, view: View) -> QRectF:
        """Return the rectangle, in pixels, that the mosaic covers."""
        if not view.strip:
            left, top = view.to_pixels(mosaic.low[0], mosaic.high[1])
            right, bottom = view.to_pixels(mosaic.high[0], mosaic.low[1])
            return QRectF(left, top, right - left, bottom - top)
        left, _ = view.to_pixels(mosaic.low[0], 0.0)
        right, _ = view.to_pixels(mosaic.high[0], 0.0)
        rows, columns = mosaic.picture.shape
        height = min((right - left) * rows / max(columns, 1), STRIP_SHARE * view.height)
        return QRectF(left, 0.86 * view.height - 0.5 * height, right - left, height)

    def paint(
        self, painter: QPainter, mosaic: Mosaic, view: View, colours: Palette, strength: float, *, fast: bool
    ) -> None:
        """Draw the mosaic; `fast` while the zoom changes, when its enlargement would be made for one frame."""
        target = self.place(mosaic, view)
        if not mosaic.picture.size or target.width() < 1.0 or target.height() < 1.0:
            return
        if mosaic is not self._mosaic or self._tint != (colours, strength):
            self._mosaic, self._tint, self._scaled = mosaic, (colours, strength), None
            self._pixels = ink_of_grey(colours, strength)[mosaic.picture]
        rows, columns = self._pixels.shape
        image = QImage(self._pixels.data, columns, rows, 4 * columns, QImage.Format.Format_RGB32)
        ratio = painter.device().devicePixelRatioF()
        enlargement = target.width() * ratio / columns
        size = (round(target.width() * ratio), round(target.height() * ratio))
        fits = size[0] <= 2 * view.width * ratio and size[1] <= 2 * view.height * ratio
        if enlargement < CRISP_FROM and fits and not fast:
            self._paint_scaled(painter, image, target, size, ratio)
            return
        # Drawing only what is seen keeps the numbers small enough for the painter at any zoom.
        seen = target.intersected(QRectF(0.0, 0.0, view.width, view.height))
        if seen.isEmpty():
            return
        across, down = columns / target.width(), rows / target.height()
        source = QRectF(
            (seen.left() - target.left()) * across,
            (seen.top() - target.top()) * down,
            seen.width() * across,
            seen.height() * down,
        )
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(seen, image, source)

    def _paint_scaled(
        self, painter: QPainter, image: QImage, target: QRectF, size: tuple[int, int], ratio: float
    ) -> None:
        if self._scaled is None or self._scaled_for != size:
            mode = Qt.TransformationMode.SmoothTransformation
            self._scaled = image.scaled(*size, Qt.AspectRatioMode.IgnoreAspectRatio, mode)
            self._scaled.setDevicePixelRatio(ratio)
            self._scaled_for = size
        corner = QPointF(round(target.left() * ratio) / ratio, round(target.top() * ratio) / ratio)
        painter.drawImage(corner, self._scaled)
