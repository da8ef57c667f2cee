"""The sliders, driven by mouse and keys."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from core.shapes import Code
from explorer.messages import SliderSpec
from explorer.views.pacing import FOLLOW_MS
from explorer.views.sliders import SlidersPanel
from explorer.views.sliders.row import SliderRow

# The offscreen platform says so whenever a window is shown.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

LEFT = Qt.MouseButton.LeftButton


def make_specs(count: int, collapsed: int = 0, *, is_kl: bool = True) -> tuple[SliderSpec, ...]:
    return tuple(
        SliderSpec(d, -2.0, 3.0, 0.5, float(count - d), is_kl, active=d < count - collapsed) for d in range(count)
    )


def code(*values: float) -> Code:
    return np.array(values, np.float32)


Make = Callable[..., SlidersPanel]


@pytest.fixture
def make(qtbot: QtBot) -> Make:
    def build(count: int = 3, collapsed: int = 0) -> SlidersPanel:
        panel = SlidersPanel()
        qtbot.addWidget(panel)
        panel.resize(380, 420)
        panel.show()
        panel.activateWindow()
        qtbot.waitUntil(panel.isActiveWindow)
        # Where the tests before left the mouse, a row would take it for a hand.
        QTest.mouseMove(panel, QPoint(1, 1))
        panel.set_sliders(make_specs(count, collapsed))
        panel.set_code(np.zeros(count, np.float32))
        qtbot.waitUntil(lambda: panel.complete)
        # The next code is shown at once, as one is that does not come on another's heels.
        qtbot.wait(FOLLOW_MS + 10)
        return panel

    return build


class Heard:
    """What a panel emitted, in order."""

    def __init__(self, panel: SlidersPanel) -> None:
        self.events: list[tuple[Any, ...]] = []
        names = ("value_edited", "reset_requested", "dimension_reset_requested", "sample_requested")
        for name in (*names, "order_requested", "animate_toggled", "filmstrip_requested"):
            getattr(panel, name).connect(self._note(name))

    def _note(self, name: str) -> Callable[..., None]:
        def note(*values: object) -> None:
            self.events.append((name, *values))

        return note

    def of(self, name: str) -> list[tuple[Any, ...]]:
        return [event[1:] for event in self.events if event[0] == name]


def place(row: SliderRow, value: float) -> QPoint:
    return QPoint(round(row.track.x_of(value)), row.track.height() // 2)
