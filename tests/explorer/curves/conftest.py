"""The panel of curves, driven by mouse and keys."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from core.history import History
from core.snapshots import ElboMeans, HeldOutReport, RunNote, StepReports, frozen
from explorer.views.curves import CurvesPanel
from explorer.views.curves.plot import QuantityPlot

# The offscreen platform says so whenever a window is shown.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

LEFT = Qt.MouseButton.LeftButton
STEPS = 2000
EPOCH = 500


def steps(first: int = 1, count: int = STEPS, dimensions: int = 2) -> StepReports:
    step = np.arange(first, first + count)
    generator = np.random.default_rng(first)
    nll = 140.0 + 300.0 * np.exp(-step / 50.0) + generator.normal(0.0, 3.0, count)
    kl = generator.normal(3.0, 0.1, (count, dimensions))
    return StepReports(frozen(step, np.int64), frozen(nll), frozen(kl.sum(axis=1)), frozen(kl))


def held_out(step: int, *, complete: bool, dimensions: int = 2) -> HeldOutReport:
    means = ElboMeans(141.0, 3.0 * dimensions, (3.0,) * dimensions)
    return HeldOutReport(step, step / EPOCH, means, 10_000 if complete else 2000, complete)


def history(dimensions: int = 2) -> History:
    result = History(dimensions)
    result.add_steps(steps(dimensions=dimensions))
    for step in range(125, STEPS + 1, 125):
        result.add_held_out(held_out(step, complete=step % EPOCH == 0, dimensions=dimensions))
    result.add_note(RunNote(1000, "setting", "β: 1 → 4"))
    return result


@pytest.fixture
def panel(qtbot: QtBot) -> CurvesPanel:
    result = CurvesPanel()
    qtbot.addWidget(result)
    result.resize(980, 270)
    result.show()
    result.activateWindow()
    qtbot.waitUntil(result.isActiveWindow)
    QTest.mouseMove(result, QPoint(1, 1))
    return result


@pytest.fixture
def filled(panel: CurvesPanel) -> CurvesPanel:
    panel.set_history(history())
    panel.refresh()
    return panel


def pixel(plot: QuantityPlot, x: float, y: float) -> QPoint:
    """Return the pixel of a place on a plot's axes, as pyqtgraph maps it."""
    scene = plot.view.mapViewToScene(QPointF(x, y))
    point: QPoint = plot.widget.mapFromScene(scene)
    return point


def wheel(plot: QuantityPlot, at: QPoint, notches: int) -> None:
    viewport: QWidget = plot.widget.viewport()
    event = QWheelEvent(
        QPointF(at),
        QPointF(viewport.mapToGlobal(at)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,  # not inverted
    )
    QApplication.sendEvent(viewport, event)


def centre(plot: QuantityPlot) -> QPoint:
    (left, right), (bottom, top) = plot.view.viewRange()
    return pixel(plot, (left + right) / 2, (bottom + top) / 2)
