"""The program's icons: monochrome SVG files tinted to the theme."""

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from explorer.theme import current_palette
from resources import resource

_SIDES = (16, 18, 20, 24)
"""What the program's icons measure, in logical pixels."""
_LARGEST = 64
"""In device pixels: for what needs more than the other sizes have, as on a screen that is plugged in later."""


def tinted_icon(name: str, colour: str = "", disabled_colour: str = "") -> QIcon:
    """Return an icon in `colour` (#rrggbb; the theme's text where empty).  Raises FileNotFoundError for unknown names.

    An icon keeps its colours: make it anew on QEvent.PaletteChange.
    """
    colours = current_palette()
    return _icon(name, colour or colours.text, disabled_colour or colours.disabled_text, _sizes())


def _sizes() -> tuple[int, ...]:
    """Return the sizes in device pixels for the screens that there are.

    All sizes for 100 %, 150 % and 200 % scaling took 40 ms of each start, for icons of which a screen shows a few.
    """
    scalings = {screen.devicePixelRatio() for screen in QGuiApplication.screens()} or {1.0}
    return tuple(sorted({round(side * scaling) for side in _SIDES for scaling in scalings} | {_LARGEST}))


@lru_cache(maxsize=256)
def _icon(name: str, colour: str, disabled_colour: str, sizes: tuple[int, ...]) -> QIcon:
    source = resource("icons", f"{name}.svg").read_text(encoding="utf-8")
    icon = QIcon()
    for mode, tint in ((QIcon.Mode.Normal, colour), (QIcon.Mode.Disabled, disabled_colour)):
        renderer = QSvgRenderer(QByteArray(source.replace("currentColor", tint).encode()))
        for size in sizes:
            icon.addPixmap(_drawn(renderer, size), mode)
    return icon


def _drawn(renderer: QSvgRenderer, size: int) -> QPixmap:
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap
