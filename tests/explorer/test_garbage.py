"""Garbage is collected by the GUI thread alone, and not under a dragging hand."""

import gc
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from explorer.garbage import GarbageCollector, collect_if_due
from tests.open_program import OpenProgram, model_file

A_FEW_TURNS_MS = 3500


class Knot:
    """Garbage that only the collector can free; it notes which thread did."""

    freed_by: list[int] = []  # noqa: RUF012 - one list for the test that empties it

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        Knot.freed_by.append(threading.get_ident())


@pytest.fixture(autouse=True)
def _nothing_freed() -> Iterator[None]:
    gc.collect()
    Knot.freed_by.clear()
    yield
    gc.collect()


@pytest.fixture
def collector(qapp: object) -> Iterator[GarbageCollector]:
    assert qapp
    collector = GarbageCollector()
    collector.take_over()
    yield collector
    collector.stop()


def make_garbage_elsewhere(count: int) -> int:
    """Make knots in another thread; return that thread's number."""
    makers: list[int] = []

    def make() -> None:
        makers.append(threading.get_ident())
        for _ in range(count):
            Knot()

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    return makers[0]


def test_what_another_thread_dropped_is_freed_by_the_gui_thread(qtbot: QtBot, collector: GarbageCollector) -> None:
    gc.enable()
    collector.take_over()
    maker = make_garbage_elsewhere(5_000)
    assert not Knot.freed_by
    qtbot.waitUntil(lambda: len(Knot.freed_by) == 5_000, timeout=A_FEW_TURNS_MS)
    assert set(Knot.freed_by) == {threading.get_ident()} != {maker}


@pytest.mark.usefixtures("collector")
def test_nothing_is_freed_while_a_button_is_held(qtbot: QtBot) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    widget.show()
    make_garbage_elsewhere(5_000)
    QTest.mousePress(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(3, 3))
    qtbot.wait(A_FEW_TURNS_MS)
    held = len(Knot.freed_by)
    QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(3, 3))
    qtbot.waitUntil(lambda: len(Knot.freed_by) == 5_000, timeout=A_FEW_TURNS_MS)
    assert held == 0


def test_a_stopped_collector_leaves_the_garbage(qtbot: QtBot, collector: GarbageCollector) -> None:
    make_garbage_elsewhere(5_000)
    collector.stop()
    qtbot.wait(A_FEW_TURNS_MS)
    assert not Knot.freed_by
    assert not gc.isenabled()


def test_each_generation_comes_in_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    collected: list[int] = []
    counts = [(700, 10, 10), (701, 0, 0), (701, 11, 0), (0, 11, 11), (701, 0, 11)]
    with monkeypatch.context() as patch:
        patch.setattr(gc, "get_threshold", lambda: (700, 10, 10))
        patch.setattr(gc, "collect", collected.append)
        for count in counts:
            patch.setattr(gc, "get_count", lambda count=count: count)
            collect_if_due()
    assert collected == [0, 1, 2, 2]


def test_a_generation_that_is_switched_off_is_never_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "get_threshold", lambda: (0, 0, 0))
    assert collect_if_due() is None


@pytest.mark.usefixtures("qapp")
def test_a_running_program_has_its_garbage_collected_by_the_gui_thread(tmp_path: Path) -> None:
    gc.enable()
    program = OpenProgram(tmp_path, model_file()).opened()
    make_garbage_elsewhere(20_000)
    assert not gc.isenabled()
    program.until("the knots to be freed", lambda: len(Knot.freed_by) == 20_000)
    assert set(Knot.freed_by) == {threading.get_ident()}
    program.leave()
