"""Threads that end with the test that began them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from pytestqt.qtbot import QtBot

from explorer.workers.serving import ServingThread

T = TypeVar("T", bound=ServingThread)


@contextmanager
def running(thread: T, qtbot: QtBot) -> Iterator[T]:
    """Begin a thread, and end it also where the test fails."""
    thread.start()
    try:
        yield thread
    finally:
        thread.shut_down()
        assert thread.wait(10_000)
        qtbot.wait(1)
