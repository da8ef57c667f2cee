"""The program's icons: monochrome SVG files tinted to the theme."""

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from explorer.theme import current_palette
from resources import resource

# Sizes in device pixels: 16, 18, 20 and 24 px at 100 %, 150 % and 200 % scaling.
_SIZES = (16, 18, 20, 24, 27, 30, 32, 36, 40, 48, 64)


def tinted_icon(name: str, colour: str = "", disabled_colour: str = "") -> QIcon:
    """Return an icon in `colour` (#rrggbb; the theme's text where empty).  Raises FileNotFoundError for unknown names.

    An icon keeps its colours: make it anew on QEvent.PaletteChange.
    """
    colours = current_palette()
    return _icon(name, colour or colours.text, disabled_colour or colours.disabled_text)


@lru_cache(maxsize=256)
def _icon(name: str, colour: str, disabled_colour: str) -> QIcon:
    source = resource("icons", f"{name}.svg").read_text(encoding="utf-8")
    icon = QIcon()
    for mode, tint in ((QIcon.Mode.Normal, colour), (QIcon.Mode.Disabled, disabled_colour)):
        renderer = QSvgRenderer(QByteArray(source.replace("currentColor", tint).encode()))
        for size in _SIZES:
            icon.addPixmap(_drawn(renderer, size), mode)
    return icon


def _drawn(renderer: QSvgRenderer, size: int) -> QPixmap:
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap
