"""Pictures of small things that are painted at every move of the mouse: made once, then copied."""

import math
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen

from explorer.theme import Palette
from explorer.views.canvas.scales import veil

TAG_CORNER_PX, PANEL_CORNER_PX = 4.0, 6.0


def blank(width: int, height: int, ratio: float) -> tuple[QImage, QPainter]:
    """Return an empty picture of so many pixels, and a painter of it; `ratio` is device pixels for a pixel."""
    image = QImage(round(width * ratio), round(height * ratio), QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    return image, painter


def copy_face(painter: QPainter, face: QImage, x: float, y: float) -> None:
    """Copy a face, its middle to the nearest whole device pixel, where it stays sharp."""
    ratio = face.devicePixelRatio()
    reach = face.width() / ratio
    if not (-reach < x < 100_000.0 and -reach < y < 100_000.0):
        return
    left, top = x * ratio - 0.5 * face.width(), y * ratio - 0.5 * face.height()
    painter.drawImage(QPointF(round(left) / ratio, round(top) / ratio), face)


def paint_tag(painter: QPainter, box: QRectF, text: str, ink: str, colours: Palette, font: QFont) -> None:
    """Write a text in the middle of a box of the canvas colour; `ink` is an attribute of the palette."""
    ratio = painter.device().devicePixelRatioF()
    face = _tag(text, math.ceil(box.width()), math.ceil(box.height()), ink, colours, font.toString(), ratio)
    copy_face(painter, face, *box.center().toTuple())


def paint_panel(painter: QPainter, width: int, height: int, colours: Palette) -> None:
    """Fill a widget of this size with the canvas colour, nearly opaque, and a border."""
    painter.drawImage(0, 0, _panel(width, height, colours, painter.device().devicePixelRatioF()))


# An anti-aliased rectangle costs 0.1 ms where it is small and 0.5 where it is large, its picture a tenth.
@lru_cache(maxsize=8)
def _panel(width: int, height: int, colours: Palette, ratio: float) -> QImage:
    image, painter = blank(width, height, ratio)
    painter.setPen(QPen(QColor(colours.border), 1.0))
    painter.setBrush(veil(colours))
    painter.drawRoundedRect(QRectF(0.5, 0.5, width - 1.0, height - 1.0), PANEL_CORNER_PX, PANEL_CORNER_PX)
    painter.end()
    return image


@lru_cache(maxsize=64)
def _tag(text: str, width: int, height: int, ink: str, colours: Palette, font_text: str, ratio: float) -> QImage:
    image, painter = blank(width, height, ratio)
    box, font = QRectF(0.0, 0.0, width, height), QFont()
    font.fromString(font_text)
    painter.setFont(font)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(veil(colours))
    painter.drawRoundedRect(box, TAG_CORNER_PX, TAG_CORNER_PX)
    painter.setPen(QColor(getattr(colours, ink)))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
    painter.end()
    return image
