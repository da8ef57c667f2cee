"""What the evidence thread does with time: the newest first, tables that never stand in the way, an end at once."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from core.config import ModelConfig
from core.data.dataset import Dataset
from core.findings.ledger import Ledger
from core.shapes import Pixels
from core.snapshots import Weights
from explorer.messages import LedgerRequest
from explorer.workers import evidence as module
from explorer.workers.evidence import EvidenceThread
from tests.explorer.workers.evidence.conftest import END_S, Listener, drawing
from tests.open_program import bars_data
from tests.small_data import SIDE

# Planted builders from here on: what the thread does with time, not what the numbers are.


@dataclass
class Planted:
    """Ledgers whose numbers are their version; each answer waits for the gate."""

    version: int
    memory_bytes: int = 1
    refines: bool = True
    covered: bool = True
    refined_calls: list[float] = field(default_factory=list)

    def covers(self, dataset: Dataset) -> bool:
        return self.covered and len(dataset.train) > 0

    def quick(self, pixels: Pixels) -> tuple[Ledger, None]:
        assert pixels.shape[0] == 1
        return Ledger.undefined("quick", self.version), None

    def refined(self, pixels: Pixels, should_stop: Callable[[], bool]) -> tuple[Ledger, None] | None:
        self.refined_calls.append(time.monotonic())
        return None if should_stop() else (Ledger.undefined(f"refined {pixels.shape}", self.version), None)


class Builder:
    """Stands in for make_ledgers: builds for as long as its gate is closed, polling as a real table does."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.calls: list[tuple[int, bool]] = []
        self.given_up: list[int] = []
        self.made: list[Planted] = []
        self.covered = True

    def __call__(
        self,
        config: ModelConfig,
        weights: Weights,
        dataset: Dataset | None,
        should_stop: Callable[[], bool],
        *,
        coarse: bool,
    ) -> Planted | None:
        assert config.latent_dim > 0
        assert dataset is None or len(dataset.train) > 0
        self.calls.append((weights.version, coarse))
        while not self.gate.wait(0.005):
            if should_stop():
                self.given_up.append(weights.version)
                return None
        self.made.append(Planted(weights.version, covered=self.covered))
        return self.made[-1]


@pytest.fixture
def builder(monkeypatch: pytest.MonkeyPatch) -> Builder:
    planted = Builder()
    monkeypatch.setattr(module, "make_ledgers", planted)
    return planted


def weights(version: int) -> Weights:
    return Weights(version, 0, {})


def begin_a_second_table(thread: EvidenceThread, heard: Listener, builder: Builder, qtbot: QtBot) -> None:
    """Have a run's first table made, and its second in the making until the gate opens."""
    thread.set_live(True)
    thread.set_model(SOME, weights(1))
    qtbot.waitUntil(lambda: bool(heard.tables))
    builder.gate.clear()
    thread.set_model(SOME, weights(2))


SIZE = {"image_height": SIDE, "image_width": SIDE}
SOME, OTHER = ModelConfig.from_mapping(SIZE), ModelConfig.from_mapping(SIZE | {"latent_dim": 1})


def test_only_the_newest_image_is_answered(
    thread: EvidenceThread, heard: Listener, builder: Builder, qtbot: QtBot
) -> None:
    builder.gate.clear()
    thread.set_model(SOME, weights(1))
    for serial in range(50):
        thread.ask(LedgerRequest(serial, drawing()))
    builder.gate.set()
    qtbot.waitUntil(lambda: len(heard.of(49)) == 2)
    assert {answer.serial for answer in heard.answers} == {49}


def test_an_image_that_a_newer_one_replaces_is_not_refined(
    thread: EvidenceThread, heard: Listener, builder: Builder, qtbot: QtBot
) -> None:
    thread.set_model(SOME, weights(1))
    qtbot.waitUntil(lambda: bool(heard.tables))
    for serial in range(20):
        thread.note_movement()
        thread.ask(LedgerRequest(serial, drawing()))
        qtbot.waitUntil(lambda serial=serial: bool(heard.of(serial)))  # type: ignore[misc]
        qtbot.wait(2)
    qtbot.waitUntil(lambda: len(heard.of(19)) == 2)
    moving = [answer for answer in heard.answers if answer.serial < 19]
    assert sum(answer.refined for answer in moving) <= 2, "but for a pause of this test itself"
    assert heard.of(19)[1].refined
    assert builder.made[0].refined_calls


def test_another_model_ends_a_table_in_the_making_and_is_not_answered_by_the_former(
    thread: EvidenceThread, heard: Listener, builder: Builder, qtbot: QtBot
) -> None:
    thread.set_model(SOME, weights(1))
    qtbot.waitUntil(lambda: bool(heard.tables))
    builder.gate.clear()
    thread.set_model(OTHER, weights(2))
    qtbot.waitUntil(lambda: len(builder.calls) == 2)
    thread.ask(LedgerRequest(5, drawing()))
    thread.set_model(SOME, weights(3))
    qtbot.waitUntil(lambda: builder.given_up == [2])
    assert not heard.answers
    builder.gate.set()
    qtbot.waitUntil(lambda: bool(heard.of(5)))
    assert heard.of(5)[0].ledger.version == 3
    assert [table.version for table in heard.tables] == [1, 3]


def test_while_a_run_goes_on_the_former_table_answers_and_says_of_which_weights(
    thread: EvidenceThread, heard: Listener, builder: Builder, qtbot: QtBot
) -> None:
    begin_a_second_table(thread, heard, builder, qtbot)
    qtbot.waitUntil(lambda: len(builder.calls) == 2)
    thread.set_model(SOME, weights(3))
    thread.ask(LedgerRequest(5, drawing()))
    qtbot.waitUntil(lambda: bool(heard.of(5)))
    assert heard.of(5)[0].ledger.version == 1
    assert not builder.given_up, "newer weights of the same run do not throw away what is nearly there"
    builder.gate.set()
    qtbot.waitUntil(lambda: heard.tables[-1].version >= 2)
    assert all(coarse for _, coarse in builder.calls)


def test_a_whole_table_is_let_go_of_before_the_first_one_of_a_run_is_made(
    thread: EvidenceThread, heard: Listener, builder: Builder, qtbot: QtBot
) -> None:
    thread.set_model(SOME, weights(1))
    qtbot.waitUntil(lambda: bool(heard.tables))
    thread.set_live(True)
    builder.gate.clear()
    thread.set_model(SOME, weights(2))
    qtbot.waitUntil(lambda: len(builder.calls) == 2)
    assert thread._ledgers is None
    thread.ask(LedgerRequest(5, drawing()))
    builder.gate.set()
    qtbot.waitUntil(lambda: bool(heard.of(5)))
    assert heard.of(5)[0].ledger.version == 2


def test_tables_of_a_run_take_at_most_a_tenth_of_the_time(
    thread: EvidenceThread, heard: Listener, builder: Builder, qtbot: QtBot
) -> None:
    thread.set_live(True)
    builder.gate.clear()
    thread.set_model(SOME, weights(1))
    qtbot.waitUntil(lambda: len(builder.calls) == 1)
    qtbot.wait(30)
    builder.gate.set()
    qtbot.waitUntil(lambda: len(heard.tables) == 1)
    built_s = heard.tables[0].milliseconds / 1e3
    start = time.monotonic()
    thread.set_model(SOME, weights(2))
    qtbot.waitUntil(lambda: len(heard.tables) == 2)
    assert time.monotonic() - start >= 8.0 * built_s
    thread.set_live(False)
    thread.set_model(SOME, weights(3))
    qtbot.waitUntil(lambda: len(heard.tables) == 3)
    assert builder.calls[-1] == (3, False), "the end of the run is worth a whole table at once"


@pytest.mark.usefixtures("builder")
def test_newer_tables_of_a_run_wait_while_the_hand_moves_and_images_do_not(
    thread: EvidenceThread, heard: Listener, qtbot: QtBot
) -> None:
    thread.set_live(True)
    thread.set_model(SOME, weights(1))
    qtbot.waitUntil(lambda: bool(heard.tables))
    thread.set_hand_moving(True)
    thread.set_model(SOME, weights(2))
    for serial in range(5):
        thread.ask(LedgerRequest(serial, drawing()))
        qtbot.waitUntil(lambda serial=serial: bool(heard.of(serial)))  # type: ignore[misc]
    assert heard.started == [1]
    assert {answer.ledger.version for answer in heard.answers} == {1}
    thread.set_hand_moving(False)
    qtbot.waitUntil(lambda: len(heard.tables) == 2)
    assert heard.started == [1, 2]


def test_a_table_in_the_making_rests_while_the_hand_moves(
    thread: EvidenceThread, heard: Listener, builder: Builder, qtbot: QtBot
) -> None:
    begin_a_second_table(thread, heard, builder, qtbot)
    qtbot.waitUntil(lambda: heard.started == [1, 2])
    thread.set_hand_moving(True)
    qtbot.wait(50)
    builder.gate.set()
    for serial in range(5):
        thread.ask(LedgerRequest(serial, drawing()))
        qtbot.waitUntil(lambda serial=serial: bool(heard.of(serial)))  # type: ignore[misc]
    assert len(heard.tables) == 1
    thread.set_hand_moving(False)
    qtbot.waitUntil(lambda: len(heard.tables) == 2)


def test_a_table_that_the_data_leave_is_built_again(
    thread: EvidenceThread, heard: Listener, builder: Builder, qtbot: QtBot
) -> None:
    builder.covered = False
    thread.set_model(SOME, weights(1))
    qtbot.waitUntil(lambda: bool(heard.tables))
    builder.covered = True
    thread.set_data(bars_data())
    qtbot.waitUntil(lambda: len(heard.tables) == 2)
    assert [version for version, _ in builder.calls] == [1, 1]
    thread.set_data(bars_data())
    thread.ask(LedgerRequest(1, drawing()))
    qtbot.waitUntil(lambda: len(heard.of(1)) == 2)
    assert len(builder.calls) == 2, "a table that covers them stays"


def test_the_thread_ends_while_a_table_is_being_built(
    thread: EvidenceThread, heard: Listener, builder: Builder, qtbot: QtBot
) -> None:
    builder.gate.clear()
    thread.set_model(SOME, weights(1))
    qtbot.waitUntil(lambda: heard.started == [1])
    start = time.monotonic()
    thread.shut_down()
    assert thread.wait(round(1e3 * END_S))
    assert time.monotonic() - start < END_S
    assert builder.given_up == [1]


def test_an_error_is_told_and_the_next_image_is_answered(
    thread: EvidenceThread, heard: Listener, builder: Builder, qtbot: QtBot
) -> None:
    thread.set_model(SOME, weights(1))
    qtbot.waitUntil(lambda: bool(heard.tables))
    quick = builder.made[0].quick

    def fail(_pixels: Pixels) -> Any:
        raise RuntimeError("shape mismatch")

    builder.made[0].quick = fail  # type: ignore[method-assign, assignment]
    thread.ask(LedgerRequest(1, drawing()))
    qtbot.waitUntil(lambda: bool(heard.failures))
    assert heard.failures[0].reason == "shape mismatch"
    builder.made[0].quick = quick  # type: ignore[method-assign]
    thread.ask(LedgerRequest(2, drawing()))
    qtbot.waitUntil(lambda: bool(heard.of(2)))
