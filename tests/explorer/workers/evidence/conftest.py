"""A running evidence thread, and a record of what it said."""

import time
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from pytestqt.qtbot import QtBot

from core.shapes import PixelRow
from explorer.messages import Failed, LedgerAnswer, TableReady
from explorer.workers.evidence import EvidenceThread
from tests.open_program import bars_data

END_S = 2.0
"""What the program promises of every thread."""


class Listener:
    """Keeps what the thread said."""

    def __init__(self, thread: EvidenceThread) -> None:
        self.started: list[int] = []
        self.tables: list[TableReady] = []
        self.answers: list[LedgerAnswer] = []
        self.failures: list[Failed] = []
        thread.building.connect(self.started.append)
        thread.table_ready.connect(self.tables.append)
        thread.answered.connect(self.answers.append)
        thread.failed.connect(self.failures.append)

    def of(self, serial: int) -> list[LedgerAnswer]:
        return [answer for answer in self.answers if answer.serial == serial]


@pytest.fixture
def thread(qtbot: QtBot) -> Iterator[EvidenceThread]:
    thread = EvidenceThread()
    thread.set_torch(str(torch.__version__))
    thread.start()
    yield thread
    start = time.monotonic()
    thread.shut_down()
    assert thread.wait(round(1e3 * END_S))
    assert time.monotonic() - start < END_S
    qtbot.wait(1)


@pytest.fixture
def heard(thread: EvidenceThread) -> Listener:
    return Listener(thread)


def drawing() -> PixelRow:
    """Return an image of the bars as the model sees it."""
    pixels: PixelRow = (bars_data().held_out.images[3].ravel() >= 128).astype(np.float32)
    return pixels
