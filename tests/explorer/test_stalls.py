"""The watch on the event loop: stacks of what stood in its way, and for how long."""

import ctypes
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from explorer import stalls
from explorer.stalls import StallWatch


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[StallWatch]:
    watch = StallWatch(tmp_path / "log", limit_s=0.1)
    watch.start()
    yield watch
    watch.stop()


def stand_in_the_way(seconds: float) -> None:
    threading.Event().wait(seconds)


def stand_with_the_lock(seconds: float) -> None:
    """Sleep in a C call that keeps the interpreter's lock, as an import of a library does."""
    ctypes.PyDLL(None).usleep(round(1e6 * seconds))


@pytest.mark.parametrize("stand", [stand_in_the_way, stand_with_the_lock])
def test_what_stands_in_the_way_is_named_with_its_time(
    stand: Callable[[float], None], watch: StallWatch, qtbot: QtBot
) -> None:
    qtbot.wait(200)
    stand(0.5)
    qtbot.waitUntil(lambda: watch.stalls == 1)
    text = watch.path.read_text("utf-8")
    assert stand.__name__ in text
    stood = re.search(r"stood still for (\d+) ms", text)
    assert stood is not None
    assert 450 <= int(stood[1]) <= 5_000


def test_an_event_loop_that_runs_leaves_no_trace(watch: StallWatch, qtbot: QtBot) -> None:
    for _ in range(20):
        qtbot.wait(20)
        stand_in_the_way(0.01)
    if not watch.stalls:  # another program may have held this one up
        assert watch.path.read_text("utf-8") == ""


def test_after_the_end_nothing_is_written(watch: StallWatch) -> None:
    watch.stop()
    stand_in_the_way(0.3)
    assert watch.path.read_text("utf-8") == ""


def test_a_folder_that_cannot_be_written_to_is_no_hindrance(tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "file").write_text("not a folder")
    watch = StallWatch(tmp_path / "file" / "log", limit_s=0.1)
    watch.start()
    qtbot.wait(100)
    stand_in_the_way(0.3)
    qtbot.wait(100)
    watch.stop()
    assert watch.stalls == 0


def test_a_machine_that_crawls_does_not_fill_its_disk(
    watch: StallWatch, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stalls, "_MOST_STALLS", 2)
    for count in (1, 2, 3):
        stand_in_the_way(0.3)
        qtbot.waitUntil(lambda count=count: watch.stalls >= count)  # type: ignore[misc]
    assert watch.path.read_text("utf-8").count("in stand_in_the_way") == 2


def test_a_large_file_of_former_stalls_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stalls, "_LARGEST_FILE", 10)
    for text, kept in (("short", True), ("longer than ten", False)):
        watch = StallWatch(tmp_path)
        watch.path.write_text(text)
        watch.start()
        watch.stop()
        assert (watch.path.read_text("utf-8") == text) is kept
