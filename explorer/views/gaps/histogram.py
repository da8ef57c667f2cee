"""Histograms of both gaps, one above the other on the same axis of nats."""

import math

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.findings.fitting import Gaps, PerImage
from explorer.theme import current_palette
from explorer.views.canvas.scales import nice_step
from explorer.views.readouts import number

_BINS = 40
_UPPER_QUANTILE = 0.98
_LEAST_RANGE = 0.5
_GAP_PX = 4.0


def mean_and_error(values: PerImage) -> tuple[float, float | None]:
    """Return the mean and its standard error; a single image has none."""
    if len(values) < 2:
        return float(values.mean()), None
    return float(values.mean()), float(values.std(ddof=1) / len(values) ** 0.5)


def mean_text(values: PerImage) -> str:
    """Return the mean with its standard error, in nats."""
    mean, error = mean_and_error(values)
    return f"{number(mean, 3)} nats" if error is None else f"{number(mean, 3)} ± {number(error, 3)} nats"


class GapHistograms(QWidget):
    """How many images have which gap; what lies beyond the axis is counted in the last bar and said."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Histograms of the gaps")
        self.setToolTip(
            "Approximation gap: log p(x) − max ELBO, what the family of q costs.\n"
            "Amortisation gap: max ELBO − ELBO of the encoder's q, what it costs that one network serves all images.\n"
            "The vertical line is the mean.  The last bar holds every image beyond it too."
        )
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._gaps: Gaps | None = None

    def set_gaps(self, gaps: Gaps | None) -> None:
        """Show the gaps measured so far."""
        self._gaps = gaps
        text = ""
        if gaps is not None and len(gaps):
            text = f"Approximation gap {mean_text(gaps.approximation)}; amortisation gap {mean_text(gaps.amortisation)}"
        self.setAccessibleDescription(text)
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return a size in which the bars can be told apart."""
        return QSize(320, 150)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the least size."""
        return QSize(200, 90)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802
        """Paint both histograms, their captions and the axis."""
        colours = current_palette()
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(colours.canvas))
        gaps = self._gaps
        if gaps is None or not len(gaps):
            painter.setPen(QColor(colours.muted_text))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "no image measured yet")
            painter.end()
            return
        line = QFontMetricsF(self.font()).height()
        top = axis_end(gaps)
        edges = np.linspace(0.0, top, _BINS + 1)
        half = (self.height() - line - 2.0 * _GAP_PX) / 2.0
        kind = "" if gaps.exact else ", from estimates of log p(x)"
        rows = (
            (f"approximation{kind}", gaps.approximation, colours.density),
            ("amortisation", gaps.amortisation, colours.accent),
        )
        for row, (name, values, colour) in enumerate(rows):
            area = QRectF(_GAP_PX, row * (half + _GAP_PX), self.width() - 2.0 * _GAP_PX, half)
            self._paint_bars(painter, area, values, edges, QColor(colour))
            beyond = int((values > top).sum())
            caption = f"{name}: {mean_text(values)}" + (f"; {beyond} beyond {number(top, 1)}" if beyond else "")
            painter.setPen(QColor(colours.text))
            width = QFontMetricsF(self.font()).horizontalAdvance(caption)
            painter.drawText(QPointF(max(area.right() - width, area.left()), area.top() + line), caption)
        self._paint_axis(painter, top)
        painter.end()

    def _paint_bars(self, painter: QPainter, area: QRectF, values: PerImage, edges: PerImage, colour: QColor) -> None:
        counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
        width = area.width() / len(counts)
        room = area.height() - QFontMetricsF(self.font()).height() - 4.0
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        fill = QColor(colour)
        fill.setAlpha(150)
        for column, count in enumerate(counts):
            if count:
                height = max(1.0, room * count / counts.max())
                left = area.left() + column * width
                painter.fillRect(QRectF(left, area.bottom() - height, max(width - 1.0, 1.0), height), fill)
        painter.setPen(QPen(colour, 2.0))
        mean = min(float(values.mean()) / edges[-1], 1.0)
        x = area.left() + area.width() * max(mean, 0.0)
        painter.drawLine(QPointF(x, area.bottom() - room), QPointF(x, area.bottom()))

    def _paint_axis(self, painter: QPainter, top: float) -> None:
        colours = current_palette()
        metrics = QFontMetricsF(self.font())
        base = self.height() - metrics.descent()
        width = self.width() - 2.0 * _GAP_PX
        painter.setPen(QColor(colours.muted_text))
        step = nice_step(top / max(width / 60.0, 2.0))
        for index in range(math.floor(top / step) + 1):
            text = number(index * step, 0 if step >= 1.0 else 1 if step >= 0.1 else 2)
            text += " nats" if index == 0 else ""
            x = _GAP_PX + width * index * step / top
            half = 0.0 if index == 0 else 0.5 * metrics.horizontalAdvance(text)
            if x - half + metrics.horizontalAdvance(text) <= self.width():
                painter.drawText(QPointF(x - half, base), text)


def axis_end(gaps: Gaps) -> float:
    """Return where the common axis ends: beyond it lie at most two images in a hundred of either gap."""
    quantiles = [float(np.quantile(values, _UPPER_QUANTILE)) for values in (gaps.approximation, gaps.amortisation)]
    return max(*quantiles, _LEAST_RANGE)
