"""The identity as formulas, each term with its live number below it, in the colour of its bar."""

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from core.findings.ledger import Ledger
from explorer.theme import current_palette
from explorer.views.formula import FormulaFont, Run
from explorer.views.ground import paint_ground, stand_on_ground
from explorer.views.ledger.terms import CONDITIONALS, ELBO, EXPECTED, KL_TO_POSTERIOR, KL_TO_PRIOR, LOG_PX, TERMS, Term
from explorer.views.readouts import number

DECIMALS = 3
_OPERATOR_GAP = 7.0
_LINE_GAP = 6.0

Piece = Term | str
LINES: tuple[tuple[Piece, ...], ...] = (
    (TERMS[LOG_PX], "=", TERMS[ELBO], "+", TERMS[KL_TO_POSTERIOR]),
    (TERMS[ELBO], "=", TERMS[EXPECTED], "−", TERMS[KL_TO_PRIOR]),
)
CONDITIONAL = Term(
    "conditionals",
    "∑ log p(x_i | x_<i)",
    CONDITIONALS,
    "text",
    "Each pixel given those before it in the ordering: a product of conditionals is exact, and needs no bound.",
)
PRODUCT_LINES: tuple[tuple[Piece, ...], ...] = ((TERMS[LOG_PX], "=", CONDITIONAL),)


@dataclass(frozen=True, slots=True)
class Placed:
    """A term or an operator where it is painted."""

    piece: Piece
    box: QRectF


class Identities(QWidget):
    """log p(x) = ELBO + KL(q ‖ p(z|x)) and ELBO = E_q[log p(x|z)] − KL(q ‖ p(z)), with their numbers."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        stand_on_ground(self)
        self._ledger: Ledger | None = None
        self._formula = FormulaFont(self.font())
        self._metrics = QFontMetricsF(self.font())
        # Where everything stands depends on the font and the lines alone, while the numbers change at every stroke.
        self._placed: tuple[tuple[tuple[Piece, ...], ...], list[Placed]] | None = None
        self.setAccessibleName("The identity of the bound")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_ledger(self, ledger: Ledger | None) -> None:
        """Show numbers, or dashes for None."""
        self._ledger = ledger
        self.setAccessibleDescription(as_text(ledger))
        self.update()

    @property
    def numbers(self) -> dict[str, str]:
        """What is written below each term."""
        return {key: self._number(term) for key, term in TERMS.items()}

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the size that both lines need with usual numbers."""
        widths = [max(self._piece_width(piece) for piece in column) for column in zip(*LINES, strict=True)]
        width = sum(widths) + _OPERATOR_GAP * (len(widths) - 1)
        return QSize(round(width), round(2 * self._line_height() + _LINE_GAP))

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the size hint: a cut number would be a wrong number."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint terms and numbers."""
        colours = current_palette()
        painter = QPainter(self)
        paint_ground(painter, event.rect())
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        for placed in self.placed():
            box, piece = placed.box, placed.piece
            base = box.top() + self._formula.ascent
            runs = (Run(piece),) if isinstance(piece, str) else piece.runs
            painter.setPen(QColor(colours.muted_text if isinstance(piece, str) else getattr(colours, piece.colour)))
            middle = box.center().x()
            self._formula.paint(painter, QPointF(middle - 0.5 * self._formula.width(runs), base), runs)
            text = piece if isinstance(piece, str) else self._number(piece)
            painter.setFont(self.font())
            painter.setPen(QColor(colours.muted_text if isinstance(piece, str) else colours.text))
            below = QPointF(
                middle - 0.5 * self._metrics.horizontalAdvance(text), box.bottom() - self._metrics.descent() - 1.0
            )
            painter.drawText(below, text)
        painter.end()

    def placed(self) -> list[Placed]:
        """Return every term and operator of the shown lines with its box, in pixels."""
        lines = self._lines()
        if self._placed is None or self._placed[0] is not lines:
            self._placed = lines, self._place(lines)
        return self._placed[1]

    def _place(self, lines: tuple[tuple[Piece, ...], ...]) -> list[Placed]:
        found: list[Placed] = []
        top = 0.0
        for line in lines:
            left = 0.0
            # Columns of the same width in both lines: the signs stand below each other.
            for piece, *column in zip(line, *LINES, strict=False):
                width = max(self._piece_width(other) for other in (piece, *column))
                found.append(Placed(piece, QRectF(left, top, width, self._line_height())))
                left += width + _OPERATOR_GAP
            top += self._line_height() + _LINE_GAP
        return found

    def event(self, event: QEvent) -> bool:
        """Say what the term under the mouse is."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            place = QPointF(event.pos())
            hit = next((placed.piece for placed in self.placed() if placed.box.contains(place)), None)
            QToolTip.showText(event.globalPos(), hit.tip if isinstance(hit, Term) else self.toolTip(), self)
            return True
        return super().event(event)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Measure anew when the font changes."""
        super().changeEvent(event)
        if event.type() in {QEvent.Type.FontChange, QEvent.Type.StyleChange}:
            self._formula, self._metrics = FormulaFont(self.font()), QFontMetricsF(self.font())
            self._placed = None
            self.updateGeometry()

    def _lines(self) -> tuple[tuple[Piece, ...], ...]:
        ledger = self._ledger
        if ledger is not None and ledger.log_px is not None and ledger.elbo is None:
            return PRODUCT_LINES
        return LINES

    def _number(self, term: Term) -> str:
        if self._ledger is None:
            return "–"
        value = self._ledger.log_px if term is CONDITIONAL else term.value(self._ledger)
        return "–" if value is None else number(value, DECIMALS)

    def _piece_width(self, piece: Piece) -> float:
        if isinstance(piece, str):
            return self._formula.width((Run("+"),))
        # Room for the widest usual number, so that nothing moves sideways while the digits change.
        usual = "−0000.000" if piece.key in {LOG_PX, ELBO, EXPECTED, CONDITIONAL.key} else "000.000"
        return max(self._formula.width(piece.runs), self._metrics.horizontalAdvance(usual))

    def _line_height(self) -> float:
        return self._formula.height + self._metrics.height()


def as_text(ledger: Ledger | None) -> str:
    """Return the numbers as text, one term a line, in nats."""
    if ledger is None:
        return ""
    lines = []
    for term in TERMS.values():
        value = term.value(ledger)
        if value is not None:
            lines.append(f"{term.plain}\t{number(value, DECIMALS)} nats")
    return "\n".join(lines)
