"""Formulas: painted once and copied from then on, in the painter's colour, at the screen's resolution."""

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter

from explorer.views.formula import FormulaFont, Run, formula_font

pytestmark = pytest.mark.usefixtures("qapp")

RUNS = (Run("log "), Run("p", italic=True), Run("("), Run("x", italic=True), Run("i", lowered=True), Run(")"))
BASE = 30.0


def painted(
    formula: FormulaFont, *, colour: str = "#000000", x: float = 5.0, scale: float = 1.0
) -> np.ndarray[Any, Any]:
    """Return how dark each pixel is of a white picture on which the runs were painted."""
    image = QImage(round(120 * scale), round(50 * scale), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    image.fill(Qt.GlobalColor.white)
    painter = QPainter(image)
    painter.setPen(QColor(colour))
    formula.paint(painter, QPointF(x, BASE), RUNS)
    painter.end()
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)[:, :, :3]
    return 255 - pixels.astype(np.int64)


def test_a_second_time_it_is_the_same() -> None:
    formula = FormulaFont(QFont())
    first = painted(formula)
    assert first.sum() > 0
    np.testing.assert_array_equal(painted(formula), first)


def test_it_stands_on_its_base_line_within_its_width() -> None:
    formula = FormulaFont(QFont())
    rows, columns = np.nonzero(painted(formula, x=20.0).sum(axis=2))
    assert BASE - formula.ascent - 1 <= rows.min() < rows.max() <= BASE + formula.height
    assert 18 <= columns.min() < columns.max() <= 20 + formula.width(RUNS) + 3


def test_between_pixels_it_is_as_sharp_as_on_them() -> None:
    formula = FormulaFont(QFont())
    on, between = painted(formula, x=20.0), painted(formula, x=20.4)
    np.testing.assert_array_equal(on, between)


def test_it_takes_the_colour_of_the_pen() -> None:
    formula = FormulaFont(QFont())
    painted(formula)
    red = painted(formula, colour="#ff0000")
    # Blue, green, red: red ink takes away the other two alone.
    assert red[:, :, 2].sum() == 0
    assert red[:, :, 0].sum() > 0


@pytest.mark.parametrize("scale", [1.5, 2.0])
def test_a_finer_screen_gets_a_finer_picture(scale: float) -> None:
    formula = FormulaFont(QFont())
    coarse, fine = painted(formula), painted(formula, scale=scale)
    assert fine.sum() == pytest.approx(scale**2 * coarse.sum(), rel=0.15)
    _, coarse_columns = np.nonzero(coarse.sum(axis=2))
    _, fine_columns = np.nonzero(fine.sum(axis=2))
    assert fine_columns.max() / scale == pytest.approx(coarse_columns.max(), abs=2.5)


def test_many_colours_do_not_fill_the_memory() -> None:
    formula = FormulaFont(QFont())
    for number in range(200):
        painted(formula, colour=f"#0000{number:02x}")
    assert len(formula._painted) <= 64


def test_one_font_makes_one_set_of_formula_fonts() -> None:
    font = QFont()
    assert formula_font(font.toString(), 1.0) is formula_font(QFont(font).toString(), 1.0)
    font.setPointSizeF(font.pointSizeF() + 3.0)
    assert formula_font(font.toString(), 1.0).height > formula_font(QFont().toString(), 1.0).height
