"""Formulas set as in a book: italic letters, upright names, lowered indices; painted run by run."""

from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QPointF
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

FAMILIES = ("STIX Two Text", "Cambria", "Times New Roman", "DejaVu Serif")
LOWERED_SIZE, LOWERED_BY = 0.72, 0.28
# An upright bracket after an italic letter would touch it.
ITALIC_GAP = 0.06


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
        """Draw runs in the painter's pen, the base line beginning at a place."""
        x = place.x()
        for run in runs:
            painter.setFont(self._of(run)[0])
            painter.drawText(QPointF(x, place.y() + (LOWERED_BY * self.ascent if run.lowered else 0.0)), run.text)
            x += self._advance(run)

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
