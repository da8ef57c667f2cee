"""Positions of the mouse at a minimum gap."""

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from explorer.views.canvas import pacing
from explorer.views.canvas.pacing import LEAST_REST_MS, MINIMUM_GAP_MS, PositionPacer


class Clock:
    """Stands still until it is put on."""

    def __init__(self) -> None:
        self.ms = 1000.0

    def now(self) -> float:
        return self.ms


class Followed:
    """Takes some milliseconds to follow each position."""

    def __init__(self, clock: Clock, takes_ms: float) -> None:
        self._clock, self._takes_ms = clock, takes_ms
        self.positions: list[float] = []
        self._parent = QObject()
        self.pacer = PositionPacer(self._parent)
        self.pacer.due.connect(self._follow)

    def _follow(self, x: float, _y: float) -> None:
        self.positions.append(x)
        self._clock.ms += self._takes_ms


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    result = Clock()
    monkeypatch.setattr(pacing, "_now_ms", result.now)
    return result


@pytest.mark.usefixtures("qapp")
def test_positions_of_an_ordinary_mouse_are_passed_on_at_once_after_a_late_one_too(clock: Clock) -> None:
    followed = Followed(clock, takes_ms=1.0)
    pacer = followed.pacer
    for at in (1000.0, 1008.0, 1022.0, 1024.5, 1032.0):
        clock.ms = at
        pacer.offer(at, 0.0)
        assert followed.positions[-1] == at


def test_of_positions_every_millisecond_one_in_four_is_followed_and_the_last_one(clock: Clock, qtbot: QtBot) -> None:
    followed = Followed(clock, takes_ms=0.5)
    pacer = followed.pacer
    for millisecond in range(400):
        clock.ms = 1000.0 + millisecond
        pacer.offer(float(millisecond), 0.0)
    assert len(followed.positions) == pytest.approx(400 / MINIMUM_GAP_MS, abs=2)
    qtbot.waitUntil(lambda: followed.positions[-1] == 399.0)


def test_where_following_takes_longer_than_the_mouse_the_newest_position_is_followed(
    clock: Clock, qtbot: QtBot
) -> None:
    followed = Followed(clock, takes_ms=20.0)
    pacer = followed.pacer
    pacer.offer(0.0, 0.0)
    # Two more came while the first was followed, and are handed out one after the other.
    pacer.offer(1.0, 0.0)
    pacer.offer(2.0, 0.0)
    assert followed.positions == [0.0]
    qtbot.waitUntil(lambda: len(followed.positions) == 2)
    assert followed.positions == [0.0, 2.0]
    assert pacer._timer.interval() == LEAST_REST_MS
