"""Bars in nats that add up, on one axis: the farther right, the more probable."""

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from core.findings.ledger import Ledger
from explorer.theme import Palette, current_palette
from explorer.views.formula import FormulaFont
from explorer.views.ground import paint_ground, stand_on_ground
from explorer.views.ledger.scale import BarScale, bar_scale
from explorer.views.ledger.terms import ELBO, EXPECTED, KL_TO_POSTERIOR, KL_TO_PRIOR, LOG_PX, TERMS, Term

ROWS = ((LOG_PX,), (ELBO, KL_TO_POSTERIOR), (EXPECTED,), (KL_TO_PRIOR,))
_GAP, _AXIS_GAP = 3.0, 1.0
_LEAST_ROW, _HIGHEST_ROW = 11.0, 28.0
_TOOTH = 3.0
_LABEL_INSET = 8.0


class LedgerBars(QWidget):
    """log p(x); below it ELBO and divergence, which end where it ends; below them what the ELBO is made of."""

    painted = Signal()
    """The bars that were set last are on the screen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        stand_on_ground(self)
        self._ledger: Ledger | None = None
        self._scale: BarScale | None = None
        self._fonts()
        self.setAccessibleName("Bars of the bound, in nats")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_ledger(self, ledger: Ledger | None) -> None:
        """Show a ledger, or an empty axis for None."""
        self._ledger = ledger
        self._scale = None if ledger is None else bar_scale(ledger, self.width(), self._scale)
        self.update()

    @property
    def scale(self) -> BarScale | None:
        """Where nats lie now."""
        return self._scale

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return four rows and the axis."""
        return QSize(260, round(4 * (18.0 + _GAP) + self._axis_height()))

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the least at which the rows can be told apart."""
        return QSize(200, round(4 * (_LEAST_ROW + _GAP) + self._axis_height()))

    def boxes(self) -> dict[str, QRectF]:
        """Return the rectangle of each term's bar, in pixels; none for what is not known."""
        ledger, scale = self._ledger, self._scale
        if ledger is None or scale is None or ledger.log_px is None:
            return {}
        ends: dict[str, tuple[float, float]] = {LOG_PX: (0.0, scale.x(ledger.log_px))}
        if ledger.elbo is not None:
            elbo = scale.x(ledger.elbo)
            ends[ELBO] = (0.0, elbo)
            if ledger.kl_to_posterior is not None:
                ends[KL_TO_POSTERIOR] = (elbo, scale.x(ledger.elbo + ledger.kl_to_posterior))
            if ledger.expected_log_likelihood is not None:
                ends[EXPECTED] = (0.0, scale.x(ledger.expected_log_likelihood))
            if ledger.kl_to_prior is not None:
                ends[KL_TO_PRIOR] = (elbo, scale.x(ledger.elbo + ledger.kl_to_prior))
        height = self._row_height()
        found = {}
        for row, keys in enumerate(ROWS):
            for key in keys:
                if key in ends:
                    left, right = ends[key]
                    found[key] = QRectF(left, row * (height + _GAP), max(right - left, 0.0), height)
        return found

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint axis, guides and bars."""
        colours = current_palette()
        painter = QPainter(self)
        paint_ground(painter, event.rect())
        boxes = self.boxes()
        if self._ledger is not None and self._scale is not None and boxes:
            self._paint_axis(painter, self._scale, colours)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for key in (LOG_PX, ELBO):
                if key in boxes:
                    self._paint_guide(painter, boxes[key].right(), colours)
            for key, box in boxes.items():
                estimated = self._ledger.is_estimate and key == KL_TO_POSTERIOR
                self._paint_bar(painter, TERMS[key], box, colours, cut=box.left() == 0.0, estimated=estimated)
            self._paint_whisker(painter, self._ledger, self._scale, boxes[LOG_PX], colours)
        painter.end()
        self.painted.emit()

    def resizeEvent(self, _event: object) -> None:  # noqa: N802
        """Fit the axis to the new width."""
        if self._ledger is not None:
            self._scale = bar_scale(self._ledger, self.width(), None)

    def event(self, event: QEvent) -> bool:
        """Say what the bar under the mouse is."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            place = QPointF(event.pos())
            hit = next((TERMS[key].tip for key, box in self.boxes().items() if box.contains(place)), self.toolTip())
            QToolTip.showText(event.globalPos(), hit, self)
            return True
        return super().event(event)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Measure anew when the font changes."""
        super().changeEvent(event)
        if event.type() in {QEvent.Type.FontChange, QEvent.Type.StyleChange}:
            self._fonts()
            self.updateGeometry()

    def _fonts(self) -> None:
        self._small = QFont(self.font())
        self._small.setPointSizeF(max(self.font().pointSizeF() * 0.85, 6.0))
        self._formula = FormulaFont(self.font(), 0.9)

    def _axis_height(self) -> float:
        return QFontMetricsF(self._small).height() + _AXIS_GAP + 3.0

    def _row_height(self) -> float:
        free = self.height() - self._axis_height() - 4 * _GAP
        return min(max(free / 4.0, _LEAST_ROW), _HIGHEST_ROW)

    def _bottom(self) -> float:
        return 4.0 * (self._row_height() + _GAP)

    def _paint_axis(self, painter: QPainter, scale: BarScale, colours: Palette) -> None:
        bottom = self._bottom()
        metrics = QFontMetricsF(self._small)
        painter.setFont(self._small)
        painter.setPen(QPen(QColor(colours.border), 1.0))
        painter.drawLine(QPointF(0.0, bottom), QPointF(self.width(), bottom))
        unit = metrics.horizontalAdvance("nats") + 6.0
        for x, text in scale.ticks(self.width()):
            half = 0.5 * metrics.horizontalAdvance(text)
            if x - half < 0.0 or x + half > self.width() - unit:
                continue
            painter.setPen(QPen(QColor(colours.border), 1.0))
            painter.drawLine(QPointF(x, bottom), QPointF(x, bottom + 3.0))
            painter.setPen(QColor(colours.muted_text))
            painter.drawText(QPointF(x - half, bottom + _AXIS_GAP + 2.0 + metrics.ascent()), text)
        painter.setPen(QColor(colours.muted_text))
        painter.drawText(QPointF(self.width() - unit + 6.0, bottom + _AXIS_GAP + 2.0 + metrics.ascent()), "nats")

    def _paint_guide(self, painter: QPainter, x: float, colours: Palette) -> None:
        painter.setPen(QPen(QColor(colours.control), 1.0, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(x, 0.0), QPointF(x, self._bottom()))

    def _paint_bar(
        self, painter: QPainter, term: Term, box: QRectF, colours: Palette, *, cut: bool, estimated: bool
    ) -> None:
        colour = QColor(getattr(colours, term.colour))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        if cut:
            painter.drawPolygon(_torn(box))
        elif estimated:
            faint = QColor(colour)
            faint.setAlpha(70)
            painter.fillRect(box, faint)
            painter.fillRect(box, Qt.BrushStyle.BDiagPattern)
            painter.setPen(QPen(colour, 1.0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))
        else:
            painter.drawRect(box.adjusted(0.0, 0.0, 1.0 if box.width() < 1.0 else 0.0, 0.0))
        self._paint_name(painter, term, box, colours, inside=not estimated)

    def _paint_name(self, painter: QPainter, term: Term, box: QRectF, colours: Palette, *, inside: bool) -> None:
        """Write the term in its bar, or right of it where the bar is too short; nowhere where neither has room.

        Right of the ELBO lies what it lacks of log p(x).
        """
        width = self._formula.width(term.runs)
        base = box.center().y() + 0.5 * self._formula.ascent - 1.0
        if inside and width + _LABEL_INSET + 4.0 <= box.width():
            painter.setPen(QColor(colours.base))
            self._formula.paint(painter, QPointF(box.left() + _LABEL_INSET, base), term.runs)
        elif box.right() + width + 6.0 <= self.width() and term.key != ELBO:
            painter.setPen(QColor(getattr(colours, term.colour)))
            self._formula.paint(painter, QPointF(box.right() + 6.0, base), term.runs)

    def _paint_whisker(self, painter: QPainter, ledger: Ledger, scale: BarScale, box: QRectF, colours: Palette) -> None:
        """Draw how far log p(x) can be trusted to either side of the end of its bar."""
        doubt = ledger.standard_error if ledger.is_estimate else ledger.error_bar
        if doubt is None or doubt * scale.pixels_per_nat < 1.0:
            return
        reach, x, y = min(doubt * scale.pixels_per_nat, 1e4), box.right(), box.center().y()
        for ink, width in ((colours.window, 3.5), (colours.note, 1.5)):
            painter.setPen(QPen(QColor(ink), width))
            painter.drawLine(QPointF(x - reach, y), QPointF(x + reach, y))
            for end in (x - reach, x + reach):
                painter.drawLine(QPointF(end, y - 4.0), QPointF(end, y + 4.0))


def _torn(box: QRectF) -> QPolygonF:
    """Return a bar whose left end is torn off: it goes on for many nats, which are not shown."""
    teeth, corners = max(round(box.height() / (2.0 * _TOOTH)), 1), []
    for tooth in range(2 * teeth + 1):
        y = box.top() + box.height() * tooth / (2.0 * teeth)
        corners.append(QPointF(box.left() + (_TOOTH if tooth % 2 else 0.0), y))
    return QPolygonF([QPointF(box.right(), box.top()), *corners, QPointF(box.right(), box.bottom())])
