"""Numbers that no model should ever give, and a clock that jumps: the window shows what it can and goes on."""

import math
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from core.snapshots import Progress
from explorer.messages import RunReport
from tests.e2e.test_window import Started
from tests.open_program import LONG, OpenProgram, model_file


@pytest.fixture
def opened(tmp_path: Path, qapp: object) -> Iterator[OpenProgram]:  # noqa: ARG001 - a program needs one
    opened = OpenProgram(tmp_path).opened(model_file())
    # Tests have the shapes of core checked, and so import it slowly: closing is not to wait for that.
    opened.until("the table", lambda: opened.program.workers.evidence._ledgers is not None, timeout_s=60.0)
    yield opened
    opened.leave()


@pytest.mark.parametrize("far", [1e6, -1e6])
def test_a_handle_dragged_to_the_end_of_the_plane_still_decodes(opened: OpenProgram, far: float) -> None:
    canvas = opened.views.canvas
    canvas.handle_dragged.emit(opened.handle.id, far, -far)
    opened.driver.wait(20)
    code = opened.session.latent.selected_code
    assert code is not None
    assert np.isfinite(code).all()
    assert opened.picture is not None
    canvas.fit_view()
    canvas.handle_dragged.emit(opened.handle.id, math.nan, math.inf)
    opened.driver.wait(20)
    code = opened.session.latent.selected_code
    assert code is not None
    assert np.isfinite(code).all()
    assert opened.error == ""


def test_the_farthest_zoom_either_way_can_be_painted_and_left(opened: OpenProgram) -> None:
    canvas = opened.views.canvas
    for factor in (1e12, 1e-12, 1e12):
        canvas._zoom(factor, QPointF(10.0, 10.0))
        opened.driver.wait(20)
        canvas.grab()
    canvas.fit_view()
    before = opened.picture
    opened.drag_handle_to(0.5, 0.4)
    opened.until("another picture", lambda: bool(np.any(opened.picture != before)))


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "1e308", "-1e308", "1e6"])
def test_no_text_in_a_slider_s_field_makes_a_code_that_is_not_finite(opened: OpenProgram, text: str) -> None:
    field = opened.views.sliders.row(0).findChild(QLineEdit)
    assert field is not None
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)
    opened.driver.wait(20)
    code = opened.session.latent.selected_code
    assert code is not None
    assert np.isfinite(code).all()
    assert opened.picture is not None


def test_a_clock_of_the_wall_that_jumps_changes_no_rate_and_no_time_that_is_left(
    opened: OpenProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    reports: list[Progress] = []

    def keep(report: RunReport) -> None:
        if report.progress is not None:
            reports.append(report.progress)

    opened.program.workers.training.reported.connect(keep)
    opened.session.edit("training", "epochs", LONG)
    opened.window.commands.trigger("model.start")
    opened.until("a report", lambda: len(reports) > 5)
    wall, day = time.time, 86_400.0
    for jump in (-day, day):
        monkeypatch.setattr(time, "time", lambda jump=jump: wall() + jump)
        seen = len(reports)
        opened.until("more reports", lambda seen=seen: len(reports) > seen + 5)  # type: ignore[misc]
    opened.window.commands.trigger("model.stop")
    opened.until("the end", lambda: not opened.session.training.active)
    for progress in reports:
        for name in progress.__dataclass_fields__:
            value = getattr(progress, name)
            if isinstance(value, int | float):
                assert value >= 0.0, name


@pytest.mark.skipif(os.name != "posix", reason="stops a process")
def test_a_program_that_slept_goes_on_without_catching_up(tmp_path: Path) -> None:
    started = Started(
        tmp_path,
        str(model_file()),
        look="""
from PySide6.QtCore import QTimer
training = self.session.training
if not self.is_ready():
    return
if not hasattr(self, "paints"):
    self.paints, self.most, self.marks = 0, 0, []
    def on_painted(*_):
        self.paints += 1
    self.on_painted = on_painted
    self.views.canvas.painted.connect(on_painted)
    self.views.curves.grab()
    self.session.edit("training", "epochs", 100000)
    self.window.commands.trigger("model.start")
    self.slept = False
if training.history.num_steps < 50:
    return
import time
now = time.monotonic()
if not self.marks:
    self.say("trains")
if self.marks and now - self.marks[-1][0] > 1.0 and not self.slept:
    self.slept, self.woken, self.at = True, now, (self.paints, training.history.num_steps)
self.marks.append((now, self.paints))
if self.slept and now - self.woken > 1.0 and training.history.num_steps > self.at[1]:
    self.timer.stop()
    self.say(f"woke {self.paints - self.at[0]}")
""",
    )
    try:
        assert started.line() == "trains"
        started.process.send_signal(signal.SIGSTOP)
        time.sleep(3.0)  # noqa: TID251 - the sleep is what is tried
        started.process.send_signal(signal.SIGCONT)
        said, _, paints = started.line().partition(" ")
        assert said == "woke"
        # A second of training paints the canvas a few times; 3 s of missed pictures do not come on top.
        assert int(paints) < 90
        status, _, complaints = started.end(signal.SIGTERM)
        assert status == 0, complaints
    finally:
        started.process.kill()
        started.process.communicate()
