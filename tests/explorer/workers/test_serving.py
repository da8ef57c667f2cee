"""What every worker thread stands on: it is not dropped before its end, and does not begin once it was told to end."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from explorer.workers.serving import ServingThread

ROOT = Path(__file__).parents[3]
# A thread that is inside a call when it is told to end, as in an import of torch.
DROPPED = """
import gc, sys, threading
from PySide6.QtCore import QCoreApplication
from explorer.workers.serving import ServingThread

class Deaf(ServingThread):
    begun = threading.Event()

    def serve(self):
        self.begun.set()
        threading.Event().wait(0.5)
        print("ended", flush=True)

app = QCoreApplication([])
{act}
"""


class Brief(ServingThread):
    """Serves once."""

    def __init__(self) -> None:
        super().__init__()
        self.served = threading.Event()

    def serve(self) -> None:
        self.served.set()


@pytest.mark.parametrize(
    "act",
    [
        "thread = Deaf(); thread.start(); thread.begun.wait(); sys.exit(0)",
        "Deaf().start(); Deaf.begun.wait(); gc.collect(); print('went on')",
        "thread = Deaf(); thread.start(); thread.begun.wait(); thread.shut_down(); del thread; gc.collect()",
    ],
    ids=["when the process ends", "that nobody knows", "that was told to end"],
)
def test_a_thread_is_awaited(act: str) -> None:
    command = [sys.executable, "-c", DROPPED.format(act=act)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("ended\n")


@pytest.mark.usefixtures("qapp")
def test_a_thread_begins() -> None:
    thread = Brief()
    thread.start()
    assert thread.wait(5_000)
    assert thread.served.is_set()


@pytest.mark.usefixtures("qapp")
def test_a_thread_that_was_told_to_end_begins_no_more() -> None:
    thread = Brief()
    thread.shut_down()
    thread.start()
    assert not thread.isRunning()
    assert thread.wait(5_000)
    assert not thread.served.is_set()
