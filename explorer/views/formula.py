"""Formulas set as in a book: italic letters, upright names, lowered indices; painted run by run."""

import math
from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPixmap

FAMILIES = ("STIX Two Text", "Cambria", "Times New Roman", "DejaVu Serif")
LOWERED_SIZE, LOWERED_BY = 0.72, 0.28
# An upright bracket after an italic letter would touch it.
ITALIC_GAP = 0.06
_RIM = 2.0
"""Pixels around a picture of a formula: italics lean out of their width."""
_MOST_PAINTED = 64


@dataclass(frozen=True, slots=True)
class Run:
    """Letters set alike."""

    text: str
    italic: bool = False
    bold: bool = False
    lowered: bool = False
    """As an index."""


class FormulaFont:
    """The fonts of formulas at one size, and what they measure."""

    def __init__(self, font: QFont, factor: float = 1.06) -> None:
        self._fonts: dict[tuple[bool, bool, bool], tuple[QFont, QFontMetricsF]] = {}
        self._advances: dict[Run, float] = {}
        self._painted: dict[tuple[tuple[Run, ...], int, float], QPixmap] = {}
        self._base = QFont(font)
        self._base.setFamilies(list(FAMILIES))
        self._base.setStyleHint(QFont.StyleHint.Serif)
        self._base.setPointSizeF(max(font.pointSizeF(), 6.0) * factor)
        upright = self._of(Run(""))[1]
        self.ascent, self.height = upright.ascent(), upright.height()

    def width(self, runs: tuple[Run, ...]) -> float:
        """Return how wide a line of runs is, in pixels."""
        return sum(self._advance(run) for run in runs)

    def paint(self, painter: QPainter, place: QPointF, runs: tuple[Run, ...]) -> None:
        """Draw runs in the painter's pen, the base line beginning at a place, moved to whole pixels."""
        scale, colour = painter.device().devicePixelRatioF(), painter.pen().color()
        key = (runs, colour.rgba(), scale)
        if key not in self._painted:
            if len(self._painted) >= _MOST_PAINTED:
                self._painted.clear()
            self._painted[key] = self._drawn(runs, colour, scale)
        left, top = place.x() - _RIM, place.y() - self.ascent - _RIM
        # Between pixels the picture of a text would be blurred.
        painter.drawPixmap(QPointF(round(left * scale) / scale, round(top * scale) / scale), self._painted[key])

    def _drawn(self, runs: tuple[Run, ...], colour: QColor, scale: float) -> QPixmap:
        """Return a picture of the runs.  Setting them takes ten times as long as copying it."""
        width, height = self.width(runs) + 2.0 * _RIM, self.height + LOWERED_BY * self.ascent + 2.0 * _RIM
        picture = QPixmap(math.ceil(width * scale), math.ceil(height * scale))
        picture.setDevicePixelRatio(scale)
        picture.fill(Qt.GlobalColor.transparent)
        painter = QPainter(picture)
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        painter.setPen(colour)
        x, base = _RIM, _RIM + self.ascent
        for run in runs:
            painter.setFont(self._of(run)[0])
            painter.drawText(QPointF(x, base + (LOWERED_BY * self.ascent if run.lowered else 0.0)), run.text)
            x += self._advance(run)
        painter.end()
        return picture

    def _advance(self, run: Run) -> float:
        # Shaping a text to measure it takes as long as painting it.
        if run not in self._advances:
            width = self._of(run)[1].horizontalAdvance(run.text)
            self._advances[run] = width + (ITALIC_GAP * self.ascent if run.italic else 0.0)
        return self._advances[run]

    def _of(self, run: Run) -> tuple[QFont, QFontMetricsF]:
        key = (run.italic, run.bold, run.lowered)
        if key not in self._fonts:
            font = QFont(self._base)
            font.setItalic(run.italic)
            font.setBold(run.bold)
            if run.lowered:
                font.setPointSizeF(font.pointSizeF() * LOWERED_SIZE)
            self._fonts[key] = font, QFontMetricsF(font)
        return self._fonts[key]


@lru_cache(maxsize=8)
def formula_font(description: str, factor: float) -> FormulaFont:
    """Return the fonts of formulas beside a font, which QFont.toString() describes; making them takes a millisecond."""
    font = QFont()
    font.fromString(description)
    return FormulaFont(font, factor)
