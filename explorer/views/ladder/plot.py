"""ELBO with L samples, IWAE-k and log p(x) over the number of samples.  Importing this imports pyqtgraph."""

from typing import Any

import numpy as np
import pyqtgraph
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QVBoxLayout, QWidget

from core.findings.sampling import Ladder
from explorer.theme import current_palette
from explorer.views.curves.axis import PlainAxis
from explorer.views.curves.trace import line_pen
from explorer.views.readouts import number

_LEAST_SPAN = 0.2
_PADDING = 0.08
_MOST_COUNT = 5000


class LadderPlot(QWidget):
    """The number of samples to the right on a logarithmic axis, nats upwards."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Bounds by number of samples")
        self._ladder: Ladder | None = None
        self._log_px: float | None = None
        bottom = PlainAxis("bottom")
        bottom.setLogMode(True)
        self.widget = pyqtgraph.PlotWidget(
            self, axisItems={"left": PlainAxis("left"), "bottom": bottom}, enableMenu=False
        )
        self.widget.setFrameStyle(0)
        self.widget.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._item = self.widget.getPlotItem()
        self._item.hideButtons()
        self._item.setMenuEnabled(False)
        self.view: Any = self._item.getViewBox()
        self.view.disableAutoRange()
        self.view.setLimits(xMin=-1.0, xMax=6.0, yMin=-1e9, yMax=1e9, minXRange=0.1, minYRange=1e-4)
        self.view.setXRange(-0.1, np.log10(_MOST_COUNT) + 0.2, padding=0)
        self._upper, self._lower = pyqtgraph.PlotCurveItem(), pyqtgraph.PlotCurveItem()
        self._band = pyqtgraph.FillBetweenItem(self._upper, self._lower)
        self._elbo = pyqtgraph.PlotCurveItem(antialias=True)
        self._iwae = pyqtgraph.PlotCurveItem(antialias=True)
        self._errors = pyqtgraph.ErrorBarItem(x=np.zeros(1), y=np.zeros(1), height=np.zeros(1), beam=0.03)
        self._rungs = pyqtgraph.ScatterPlotItem(size=6.0, pxMode=True)
        self._exact = pyqtgraph.PlotCurveItem(antialias=True)
        for item in (
            self._upper,
            self._lower,
            self._band,
            self._elbo,
            self._iwae,
            self._errors,
            self._rungs,
            self._exact,
        ):
            self._item.addItem(item, ignoreBounds=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.widget)
        self.setMinimumSize(200, 100)
        self._restyle()
        self._draw()

    @property
    def ladder(self) -> Ladder | None:
        """The ladder shown."""
        return self._ladder

    @property
    def log_px(self) -> float | None:
        """Where the line of log p(x) lies."""
        return self._log_px

    def set_ladder(self, ladder: Ladder | None) -> None:
        """Show a ladder, or none."""
        self._ladder = ladder
        self._draw()

    def set_log_px(self, log_px: float | None) -> None:
        """Show exact log p(x) as a line, or none where it is not known exactly."""
        if log_px != self._log_px:
            self._log_px = log_px
            self._draw()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._restyle()

    def _draw(self) -> None:
        ladder = self._ladder
        for item in (self._upper, self._lower, self._band, self._elbo, self._iwae, self._errors, self._rungs):
            item.setVisible(ladder is not None)
        ends = np.array([-1.0, 6.0])
        self._exact.setVisible(self._log_px is not None and ladder is not None)
        if self._log_px is not None:
            self._exact.setData(ends, np.full(2, self._log_px))
        if ladder is None:
            self.setAccessibleDescription("")
            return
        x = np.log10(ladder.counts)
        self._upper.setData(x, ladder.elbo_mean + ladder.elbo_spread)
        self._lower.setData(x, ladder.elbo_mean - ladder.elbo_spread)
        self._elbo.setData(x, ladder.elbo_mean)
        self._iwae.setData(x, ladder.iwae_mean)
        self._rungs.setData(x, ladder.iwae_mean)
        self._errors.setData(x=x, y=ladder.iwae_mean, height=2.0 * ladder.iwae_error)
        self._fit(ladder)
        exact = "" if self._log_px is None else f"; log p(x) {number(self._log_px)}"
        self.setAccessibleDescription(
            f"ELBO {number(ladder.elbo)} nats; IWAE-{ladder.counts[-1]:,} {number(float(ladder.iwae_mean[-1]))}{exact}"
        )

    def _fit(self, ladder: Ladder) -> None:
        shown = [*(ladder.elbo_mean - ladder.elbo_spread), *(ladder.elbo_mean + ladder.elbo_spread), *ladder.iwae_mean]
        if self._log_px is not None:
            shown.append(self._log_px)
        low, high = min(shown), max(shown)
        middle, span = 0.5 * (low + high), max(high - low, _LEAST_SPAN) * (1.0 + 2.0 * _PADDING)
        self.view.setYRange(middle - 0.5 * span, middle + 0.5 * span, padding=0)

    def _restyle(self) -> None:
        colours = current_palette()
        self.widget.setBackground(colours.canvas)
        style = {"color": colours.muted_text, "font-size": "8pt"}
        for side, text in (("left", "nats"), ("bottom", "samples: L of the ELBO, k of IWAE")):
            axis = self._item.getAxis(side)
            axis.setPen(line_pen(colours.border))
            axis.setTextPen(colours.muted_text)
            axis.setStyle(tickLength=-4, tickTextOffset=4, hideOverlappingLabels=True)
            self._item.setLabel(side, text, **style)
        band = QColor(colours.accent)
        band.setAlpha(50)
        self._band.setBrush(band)
        for edge in (self._upper, self._lower):
            edge.setPen(None)
        self._elbo.setPen(line_pen(colours.accent, 1.6))
        self._iwae.setPen(line_pen(colours.held_out, 1.6))
        self._errors.setOpts(pen=line_pen(colours.held_out, 1.2))
        self._rungs.setBrush(QColor(colours.held_out))
        self._rungs.setPen(line_pen(colours.canvas))
        dashed = line_pen(colours.density, 1.4)
        dashed.setStyle(Qt.PenStyle.DashLine)
        self._exact.setPen(dashed)
