"""Curves of a million steps: from ten new steps to the painted plot, beside pyqtgraph's own ways."""

import os
import statistics
import sys
import time
from collections.abc import Callable

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pyqtgraph
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from benchmarks.report import row
from core.snapshots import StepReports, frozen
from explorer.theme import apply_theme
from explorer.views.curves import CurvesPanel

LIMIT_MS = 4.0
NUM_STEPS = 1_000_000
STEPS_PER_UPDATE = 10
ROUNDS = 60
SIZE = (1000, 270)


def reports(first: int, count: int, generator: np.random.Generator) -> StepReports:
    """Return steps of a run with two latent dimensions: a falling, noisy NLL and a rising KL."""
    step = np.arange(first, first + count)
    nll = 135.0 + 400.0 * np.exp(-step / 400.0) + generator.normal(0.0, 4.0, count)
    shares = (1.0 - np.exp(-step / 2000.0))[:, None] * np.array([4.0, 3.0]) + generator.normal(0.0, 0.1, (count, 2))
    return StepReports(frozen(step, np.int64), frozen(nll), frozen(shares.sum(axis=1)), frozen(shares))


def median_ms(update: Callable[[], None], rounds: int = ROUNDS) -> float:
    """Return the median time of an update in milliseconds, the first ones left out."""
    times = []
    for number in range(rounds + 5):
        start = time.perf_counter()
        update()
        if number >= 5:
            times.append(time.perf_counter() - start)
    return 1e3 * statistics.median(times)


class Growing:
    """The panel, given ten more steps and repainted at each update."""

    def __init__(self) -> None:
        self.generator = np.random.default_rng(0)
        self.next = 1
        self.panel = CurvesPanel()
        self.panel.resize(*SIZE)
        self.panel.show()
        QTest.qWaitForWindowExposed(self.panel)
        self.add(NUM_STEPS)
        self.panel.refresh()

    def add(self, count: int) -> None:
        """Append some steps."""
        self.panel.add_steps(reports(self.next, count, self.generator))
        self.next += count

    def update(self) -> None:
        """Append, draw and paint."""
        self.add(STEPS_PER_UPDATE)
        self.panel.refresh()
        for plot in self.panel.plots.values():
            if plot.isVisible():
                plot.widget.viewport().repaint()


class Peer:
    """pyqtgraph's own curve of as many points, given ten more at each update."""

    def __init__(self, *, downsampled: bool) -> None:
        self.widget = pyqtgraph.PlotWidget()
        self.widget.resize(*SIZE)
        self.values = np.random.default_rng(0).normal(0.0, 4.0, NUM_STEPS)
        self.curve = self.widget.plot(self.values)
        if downsampled:
            self.curve.setDownsampling(auto=True, method="peak")
            self.curve.setClipToView(True)
        self.widget.show()
        QTest.qWaitForWindowExposed(self.widget)

    def update(self) -> None:
        """Append, draw and paint."""
        self.values = np.append(self.values, self.values[:STEPS_PER_UPDATE])
        self.curve.setData(self.values)
        viewport: QWidget = self.widget.viewport()
        viewport.repaint()


def main() -> int:
    """Print the rows; return 0 when the promise is kept."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)  # noqa: S101
    apply_theme(app, "light")
    growing = Growing()
    kept = row("update of a curve of 1M steps, median", median_ms(growing.update), LIMIT_MS, "ms")
    growing.panel.controls.choose("all")
    growing.panel.refresh()
    row("the same, all four quantities side by side", median_ms(growing.update), None, "ms")
    start = time.perf_counter()
    growing.panel.controls.smoothing.setValue(80)
    growing.panel.refresh()
    row("new smoothing of all curves of 1M steps", 1e3 * (time.perf_counter() - start), None, "ms")
    row("pyqtgraph, peak downsampling and clip to view", median_ms(Peer(downsampled=True).update, 20), None, "ms")
    row("pyqtgraph, as it comes", median_ms(Peer(downsampled=False).update, 10), None, "ms")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
