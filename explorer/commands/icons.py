"""The program's icons: monochrome SVG files tinted to the theme."""

from functools import lru_cache
from typing import ClassVar

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from explorer.theme import current_palette
from resources import resource

_SIDES = (16, 18, 20, 24, 64)
"""What is drawn, in logical pixels; a size between two of them is made of the larger one."""


def tinted_icon(name: str, colour: str = "", disabled_colour: str = "") -> QIcon:
    """Return an icon in `colour` (#rrggbb; the theme's text where empty).  Raises FileNotFoundError for unknown names.

    An icon keeps its colours: make it anew on QEvent.PaletteChange.
    """
    colours = current_palette()
    return _icon(name, colour or colours.text, disabled_colour or colours.disabled_text)


@lru_cache(maxsize=256)
def _icon(name: str, colour: str, disabled_colour: str) -> QIcon:
    source = resource("icons", f"{name}.svg").read_text(encoding="utf-8")
    return QIcon(_Drawing(source, colour, disabled_colour))


class _Drawing(QIconEngine):
    """Draws an icon where it is shown: to draw all in every size took a tenth of the start, and a window shows few."""

    _copies: ClassVar[list["_Drawing"]] = []
    """Of icons that were changed, which nothing here does: Qt does not keep alive what `clone` returns."""

    def __init__(self, source: str, colour: str, disabled_colour: str) -> None:
        super().__init__()
        self._source = source
        self._colours = colour, disabled_colour

    def clone(self) -> "_Drawing":
        """Return a copy, for an icon that is changed."""
        self._copies.append(_Drawing(self._source, *self._colours))
        return self._copies[-1]

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Draw the icon into a rectangle."""
        scale = painter.device().devicePixelRatioF()
        painter.drawPixmap(rect.topLeft(), self.scaledPixmap(rect.size(), mode, state, scale))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """Return the icon for a screen at 100 %."""
        return self.scaledPixmap(size, mode, state, 1.0)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:  # noqa: ARG002, N802
        """Return the icon for a screen of this scaling, in a size in logical pixels."""
        wanted = min(size.width(), size.height())
        side = next((side for side in _SIDES if side >= wanted), wanted)
        pixmap = _drawn(self._source, self._colours[mode == QIcon.Mode.Disabled], round(side * scale))
        if side != wanted:
            device = round(wanted * scale)
            pixmap = pixmap.scaled(device, device, mode=Qt.TransformationMode.SmoothTransformation)
        pixmap.setDevicePixelRatio(scale)
        return pixmap


@lru_cache(maxsize=256)
def _drawn(source: str, colour: str, side: int) -> QPixmap:
    """Return the drawing in a size in device pixels."""
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer = QSvgRenderer(QByteArray(source.replace("currentColor", colour).encode()))
    renderer.render(painter, QRectF(0, 0, side, side))
    painter.end()
    return pixmap
