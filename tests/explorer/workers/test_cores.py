"""A core for one thread alone: asked of the system itself."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from explorer.messages import RunState
from explorer.workers.cores import MOST_CORES, OwnCore
from explorer.workers.training import TrainingThread
from tests.explorer.workers.running import running
from tests.explorer.workers.test_training_thread import LONG, Listener, request_for

CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
pytestmark = pytest.mark.skipif(
    not 2 <= len(CORES) <= MOST_CORES, reason="needs two to four cores, and a system that tells"
)


@pytest.fixture
def other() -> Iterator[int]:
    """The number of a thread that waits."""
    ready, done = threading.Event(), threading.Event()
    number = [0]

    def wait() -> None:
        number[0] = threading.get_native_id()
        ready.set()
        done.wait()

    thread = threading.Thread(target=wait)
    thread.start()
    ready.wait()
    yield number[0]
    done.set()
    thread.join()


@pytest.fixture
def training(qtbot: QtBot) -> Iterator[TrainingThread]:
    """A training thread, which ends and gives every core back also where a test fails."""
    with running(TrainingThread(), qtbot) as thread:
        yield thread


def test_the_thread_has_the_last_core_and_all_others_the_rest_until_it_is_given_back(other: int) -> None:
    every = os.sched_getaffinity(0)
    own = OwnCore()
    here = threading.get_native_id()
    own.take()
    try:
        assert os.sched_getaffinity(here) == {max(every)}
        assert os.sched_getaffinity(other) == every - {max(every)}
        own.take()  # a second time changes nothing, nor what is given back
    finally:
        own.give_back()
    assert os.sched_getaffinity(here) == os.sched_getaffinity(other) == every


def test_a_run_has_a_core_for_itself_only_while_the_hand_moves(
    qtbot: QtBot, training: TrainingThread, tmp_path: Path
) -> None:
    every, here, thread = os.sched_getaffinity(0), threading.get_native_id(), training
    heard = Listener(thread)
    thread.set_hand_moving(True)
    assert os.sched_getaffinity(here) == every, "nothing is trained"
    thread.start_run(request_for(tmp_path, epochs=LONG))
    qtbot.waitUntil(lambda: bool(heard.reports), timeout=30_000)
    assert os.sched_getaffinity(here) == every - {max(every)}
    thread.set_hand_moving(False)
    assert os.sched_getaffinity(here) == every
    thread.set_hand_moving(True)
    assert os.sched_getaffinity(here) == every - {max(every)}
    thread.pause()
    qtbot.waitUntil(lambda: heard.states[-1] is RunState.PAUSED)
    assert os.sched_getaffinity(here) == every, "a paused run computes nothing"
    thread.resume()
    qtbot.waitUntil(lambda: heard.states[-1] is RunState.RUNNING)
    assert os.sched_getaffinity(here) == every - {max(every)}
    thread.stop()
    qtbot.waitUntil(lambda: bool(heard.results))
    assert os.sched_getaffinity(here) == every
