"""The signals that ask a program to end: the first is heard by an idle loop, the second ends one that hears nothing."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from explorer.system_signals import GRACE_S, SignalHook

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals")
ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
# A program whose event loop stands still on purpose as soon as it has begun.
STUCK = """
import ctypes, os, signal, sys, threading
from PySide6.QtCore import QCoreApplication, QTimer
from explorer.system_signals import SignalHook
app, hook = QCoreApplication([]), SignalHook()
hook.install()

def on_first():
    print("heard", flush=True)

def stand():
    print("stands", flush=True)
{stand}

hook.received.connect(on_first)
QTimer.singleShot(0, stand)
app.exec()
"""
WAYS = {
    "in a call that holds the interpreter's lock": "ctypes.PyDLL(None).sleep(600)",
    "in a call without the lock": "threading.Event().wait(600)",
    "in python": "while True: pass",
}


@pytest.fixture
def hook(qapp: QObject) -> Iterator[SignalHook]:
    before = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    hook = SignalHook(qapp)
    hook.install()
    yield hook
    hook.remove()
    for name, handler in before.items():
        signal.signal(name, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_heard_while_the_event_loop_is_idle(qtbot: QtBot, hook: SignalHook, number: int) -> None:
    with qtbot.waitSignal(hook.received, timeout=2_000) as heard:
        os.kill(os.getpid(), number)
    assert heard.args == [number]


def test_a_signal_that_comes_twice_in_a_moment_is_one_request(qtbot: QtBot, hook: SignalHook) -> None:
    heard: list[int] = []
    hook.received.connect(heard.append)
    for number in (signal.SIGHUP, signal.SIGHUP, signal.SIGTERM):
        os.kill(os.getpid(), number)
        qtbot.wait(10)
    assert heard == [signal.SIGHUP]


@pytest.mark.usefixtures("hook")
def test_after_the_first_the_system_handles_the_next_itself(qtbot: QtBot) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    # Where it kills, the interpreter has no say.
    qtbot.waitUntil(lambda: signal.getsignal(signal.SIGINT) is signal.SIG_DFL, timeout=round(4e3 * GRACE_S))
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL


def stuck(stand: str) -> subprocess.Popen[str]:
    """Return a process whose event loop stands still."""
    process = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", STUCK.format(stand=textwrap.indent(stand, "    "))],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "stands"
    return process


def signalled_twice(process: subprocess.Popen[str], first: int, second: int) -> int:
    """Send two signals, further apart than what counts as one request; return the status."""
    try:
        process.send_signal(first)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.5 * GRACE_S)
        process.send_signal(second)
        return process.wait(PATIENCE_S)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.skipif(sys.platform != "linux", reason="needs the GNU library")
def test_the_second_signal_ends_a_program_that_stands_still(way: str, number: int) -> None:
    assert signalled_twice(stuck(WAYS[way]), number, number) == -number


def test_two_different_signals_end_a_program_that_stands_still_in_python() -> None:
    assert signalled_twice(stuck(WAYS["in python"]), signal.SIGINT, signal.SIGTERM) == -signal.SIGTERM


def test_one_signal_does_not_end_a_program_that_stands_still_for_a_while() -> None:
    process = stuck("ctypes.PyDLL(None).sleep(2)")
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.stdout is not None
    # Told as soon as the loop runs again, and not lost.
    assert process.stdout.readline().strip() == "heard"
    assert time.monotonic() - began < PATIENCE_S
    process.kill()
    process.communicate()
