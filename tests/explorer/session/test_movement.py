"""Movement of the hand: what it tells, and what waits for its end."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.snapshots import ExecutionPlan
from explorer.messages import LedgerAnswer, Subject
from explorer.session import shown_data
from explorer.session.subject import EARLY_MS, PACE_MS, STILL_MS
from tests.open_program import OpenProgram, bars_data, model_file

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]

MOVES, GAP_MS = 60, 5
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[OpenProgram]:
    program = OpenProgram(tmp_path, model_file()).opened()
    program.driver.wait(500)
    yield program
    program.leave()


class Heard:
    def __init__(self, opened: OpenProgram) -> None:
        self.moving: list[bool] = []
        self.subjects: list[Subject] = []
        opened.session.hub.movement.changed.connect(self.moving.append)
        opened.session.subject.changed.connect(self.subjects.append)


def test_a_drag_is_told_of_seldom_and_its_end_always(opened: OpenProgram) -> None:
    heard, start = Heard(opened), time.monotonic()
    late, before = 0, start
    for step in range(MOVES):
        opened.session.latent._on_handle_dragged(opened.handle.id, 0.02 * step, -0.01 * step)
        opened.driver.wait(GAP_MS)
        now = time.monotonic()
        # Where the machine has other things to do, a hand that is late looks like one that rests, and is told of.
        late += 1e3 * (now - before) >= STILL_MS
        before = now
    told = len(heard.subjects)
    opened.until("the last image", lambda: opened.session.subject.settled)
    assert 2 <= told <= 1e3 * (before - start) / PACE_MS + 1 + late
    assert late == MOVES or told < MOVES
    code, hand = opened.session.latent.selected_code, opened.session.latent.hand
    assert code is not None
    assert hand is not None
    np.testing.assert_array_equal(heard.subjects[-1].pixels, hand.draw_at(code))
    opened.until("the rest", lambda: heard.moving[-1:] == [False])
    assert heard.moving == [True, False] * (len(heard.moving) // 2)


def test_what_is_begun_amid_a_drag_begins_with_the_newest_image(opened: OpenProgram) -> None:
    for a in (0.3, 0.6):
        opened.session.latent._on_handle_dragged(opened.handle.id, a, 0.2)
    opened.views.fit.inference.begin_requested.emit("factorised", "encoder")
    code, hand, subject = (
        opened.session.latent.selected_code,
        opened.session.latent.hand,
        opened.session.subject.subject,
    )
    assert code is not None
    assert hand is not None
    assert subject is not None
    np.testing.assert_array_equal(subject.pixels, hand.draw_at(code))
    opened.driver.wait(3 * PACE_MS)
    assert opened.session.analyses.fit._fit is not None


@pytest.mark.parametrize("floats", [False, True])
def test_what_a_movement_changes_is_painted_before_anything_else_has_its_turn(
    opened: OpenProgram, *, floats: bool
) -> None:
    views = opened.views
    opened.raise_dock(views.hand)
    opened.dock_of(views.hand).setFloating(floats)
    opened.driver.wait(100)
    painted: list[int] = []
    views.hand.deterministic.painted.connect(painted.append)
    views.canvas._move_handle(opened.handle.id, 0.2, 0.1)
    assert (views.hand.window() is opened.window) is not floats
    assert painted


def test_an_answer_is_painted_by_itself(opened: OpenProgram) -> None:
    opened.raise_dock(opened.views.ledger)
    answers: list[LedgerAnswer] = []
    opened.session.hub.evidence.answered.connect(answers.append)
    opened.session.subject.tell_again()
    ledger = opened.session.analyses.ledger
    opened.until("an exact answer", lambda: bool(answers) and ledger.settled, timeout_s=30.0)
    painted: list[bool] = []
    opened.views.ledger.bars.painted.connect(lambda: painted.append(True))
    ledger._on_answer(answers[-1])
    assert not painted
    hold(opened)
    ledger._on_answer(answers[-1])
    assert painted


def hold(opened: OpenProgram) -> None:
    """Press the mouse on the handle."""
    QTest.mousePress(opened.views.canvas, LEFT, pos=opened.pixel_of(opened.handle.code).toPoint())


def test_an_animated_slider_is_no_hand_and_all_images_are_encoded_meanwhile(
    opened: OpenProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    latent, row = opened.session.latent, opened.views.sliders.row(1)
    monkeypatch.setattr(shown_data, "REST_SUBSET", 20)
    opened.window.split_chosen.emit("train")
    opened.until("some codes", lambda: len(latent.codes or ()) == 20)
    heard, before = Heard(opened), latent.selected_code
    assert before is not None
    opened.raise_dock(opened.views.sliders)
    row.animate.setChecked(True)
    opened.until("the animation", lambda: latent.selected_code is not None and latent.selected_code[1] != before[1])
    opened.window.commands.trigger("view.encode_all")
    opened.until("all codes", lambda: len(latent.codes or ()) == len(bars_data().train))
    assert opened.views.sliders.sweeps.running
    assert heard.moving == []
    opened.views.sliders.row(0).value_edited.emit(0, 0.4)
    assert heard.moving == [True]
    assert opened.views.sliders.sweeps.running


def test_new_weights_under_a_drawing_are_no_movement(opened: OpenProgram) -> None:
    opened.session.drawing.take_from_data()
    opened.until("the rest", lambda: not opened.session.hub.movement._rest.isActive())
    heard = Heard(opened)
    hand = opened.session.latent.hand
    assert hand is not None
    opened.session.latent.hand_changed.emit(hand)
    assert opened.session.drawing.seen is not None
    assert heard.moving == []
    opened.session.drawing.take_from_data()
    assert heard.moving == [True]


def test_memory_is_given_back_as_long_after_a_run_has_begun_as_after_anything_else(opened: OpenProgram) -> None:
    tidying = opened.program._tidying
    wait = tidying.interval()
    plan = ExecutionPlan("processor", "float32", "captured", 1, 3, "2")
    opened.program.workers.training.run_started.emit(3, plan)
    assert tidying.isActive()
    assert tidying.interval() == wait > 3


def test_a_map_that_comes_is_painted_by_itself(opened: OpenProgram) -> None:
    painted: list[int] = []
    opened.views.canvas.painted.connect(painted.append)
    mosaic = opened.views.canvas._mosaic
    assert mosaic is not None
    hold(opened)
    opened.views.canvas.set_mosaic(None)
    opened.program.workers.inference.mosaic_ready.emit(mosaic, 1.0)
    assert painted
    assert opened.views.canvas._mosaic is mosaic


def test_an_image_is_told_of_right_after_a_movement_and_not_shortly_before_the_next(
    opened: OpenProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = opened.session.subject
    waits: list[int] = []
    monkeypatch.setattr(subject._timer, "start", waits.append)
    for elapsed in (PACE_MS, PACE_MS - EARLY_MS, PACE_MS - EARLY_MS - 1, 0):
        monkeypatch.setattr(subject, "_told", StoppedClock(elapsed))
        subject._on_code_moved()
    assert waits == [0, 0, STILL_MS, STILL_MS]


class StoppedClock:
    def __init__(self, elapsed_ms: int) -> None:
        self._elapsed_ms = elapsed_ms

    def isValid(self) -> bool:  # noqa: N802
        return True

    def elapsed(self) -> int:
        return self._elapsed_ms
