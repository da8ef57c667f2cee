"""The real program in a process of its own: started, signalled, ended."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.storage.model_file import load_model
from tests.conftest import USER_FOLDERS
from tests.open_program import model_file

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals")
# What the program promises, and what the end of a process may take besides on a busy machine.
CLOSING_S = 2.0 + 1.0
# The start of the program in front of which a test can put its own hands.
HANDS = """
import sys
from PySide6.QtCore import QPoint, QTimer, Qt
from PySide6.QtTest import QTest
import explorer.app
from explorer.messages import RunState

class Program(explorer.app.Program):
    planted = False

    def start(self, paths=()):
        super().start(paths)
        self.timer = QTimer(self)
        self.timer.setInterval(20)
        self.timer.timeout.connect(self.look)
        self.timer.start()

    def say(self, text):
        print(text, flush=True)

    def is_ready(self):
        pictured = self.views.hand.deterministic.picture is not None and self.session.latent.codes is not None
        return pictured and self.session.documents.data_complete

    def fail(self):
        raise RuntimeError("a planted fault")

    def look(self):
{look}

explorer.app.Program = Program
sys.exit(explorer.app.main(sys.argv[1:]))
"""
SAY_WHEN_READY = """
if self.is_ready():
    self.say("ready")
    self.timer.stop()
"""
TRAIN = """
training = self.session.training
if not self.is_ready() and not training.active:
    return
if not training.active:
    field = self.views.training.forms[0].editor("epochs")
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "100000")
    QTest.keyClick(self.window, Qt.Key.Key_F5)
elif training.history.num_steps > 50:
    self.say(f"steps {training.history.num_steps}")
    self.timer.stop()
"""


class Started:
    """A process of the program."""

    def __init__(self, folder: Path, *arguments: str, look: str = "") -> None:
        command = [sys.executable, "main.py", *arguments]
        if look:
            # Not main.py itself, but what it runs.
            text = HANDS.format(look=textwrap.indent(look.strip(), " " * 8))
            command = [sys.executable, "-c", text, *arguments]
        self.folder = folder
        self.process = subprocess.Popen(  # noqa: S603 - the program itself
            command, cwd=ROOT, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def line(self) -> str:
        """Return the next line that the program says."""
        assert self.process.stdout is not None
        said = self.process.stdout.readline().strip()
        assert said, (self.process.communicate(timeout=10.0)[1], self.process.returncode)
        return said

    def end(self, number: int) -> tuple[int, float, str]:
        """Send a signal; return the exit status, the seconds until the end, and what was complained of."""
        start = time.monotonic()
        self.process.send_signal(number)
        _, complaints = self.process.communicate(timeout=10.0)
        return self.process.returncode, time.monotonic() - start, complaints

    @property
    def log(self) -> str:
        """What is in the program's log."""
        (path,) = self.folder.rglob("latent-explorer.log")
        return path.read_text("utf-8")


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a user who has never started the program."""
    user = {name: str(folder / name.lower()) for name in USER_FOLDERS}
    return os.environ | user | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}


@pytest.fixture
def processes() -> Iterator[list[Started]]:
    started: list[Started] = []
    yield started
    for process in started:
        process.process.kill()
        process.process.wait()
        for stream in (process.process.stdout, process.process.stderr):
            if stream is not None:
                stream.close()


def without_noise(complaints: str) -> str:
    """Return what was complained of, but for what Qt says of its off-screen platform."""
    return "\n".join(line for line in complaints.splitlines() if "This plugin does not support" not in line)


def run(*arguments: str, folder: Path, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """Return the program that ended by itself."""
    variables = environment(folder)
    for name, value in changes.items():
        if value is None:
            variables.pop(name, None)
        else:
            variables[name] = value
    return subprocess.run(  # noqa: S603 - the program itself
        [sys.executable, "main.py", *arguments],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_without_a_display_the_program_says_so_and_what_to_do(tmp_path: Path) -> None:
    done = run(folder=tmp_path, DISPLAY=None, WAYLAND_DISPLAY=None, QT_QPA_PLATFORM=None)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("latent-explorer: no display")
    assert "ssh -X" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there is always a display")
def test_a_display_that_leads_nowhere_is_no_abort(tmp_path: Path) -> None:
    done = run(folder=tmp_path, DISPLAY=":4711", WAYLAND_DISPLAY=None, QT_QPA_PLATFORM=None)
    assert done.returncode == 1
    assert "DISPLAY=:4711" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_version_and_the_help_need_no_display(tmp_path: Path) -> None:
    for argument in ("--help", "--version"):
        done = run(argument, folder=tmp_path, DISPLAY=None, WAYLAND_DISPLAY=None, QT_QPA_PLATFORM=None)
        assert (done.returncode, done.stderr) == (0, "")
        assert "latent-explorer" in done.stdout


def test_a_wrong_option_is_refused(tmp_path: Path) -> None:
    done = run("--no-such-option", folder=tmp_path)
    assert done.returncode == 2
    assert "--no-such-option" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_idle_program_cleanly(tmp_path: Path, processes: list[Started], number: int) -> None:
    started = Started(tmp_path, str(model_file()), look=SAY_WHEN_READY)
    processes.append(started)
    assert started.line() == "ready"
    status, seconds, complaints = started.end(number)
    assert status == 0, complaints
    assert seconds < CLOSING_S
    assert without_noise(complaints) == ""


def test_the_program_itself_ends_on_a_signal(tmp_path: Path, processes: list[Started]) -> None:
    started = Started(tmp_path)
    processes.append(started)
    deadline = time.monotonic() + 20.0
    # The log is opened just before the signals are heard.
    while not list(tmp_path.rglob("latent-explorer.log")):
        assert time.monotonic() < deadline
        assert started.process.poll() is None
    status, _, complaints = started.end(signal.SIGTERM)
    # A signal that came a moment too early ends it as any program; what may not happen is an abort.
    assert status in {0, -signal.SIGTERM}, complaints


@pytest.mark.slow
def test_a_signal_in_the_middle_of_a_run_keeps_it_and_the_next_program_opens_it(
    tmp_path: Path, processes: list[Started]
) -> None:
    started = Started(tmp_path, str(model_file()), look=TRAIN)
    processes.append(started)
    steps = int(started.line().removeprefix("steps "))
    status, seconds, complaints = started.end(signal.SIGTERM)
    assert status == 0, complaints
    assert seconds < CLOSING_S
    assert without_noise(complaints) == ""
    (kept,) = tmp_path.rglob("Untitled*.safetensors")
    assert load_model(kept).history.num_steps >= steps

    again = Started(
        tmp_path,
        look="""
if self.is_ready():
    self.say(self.window.windowTitle() + "|" + self.views.model._summary.text())
    self.timer.stop()
    self.window.close()
""",
    )
    processes.append(again)
    title, _, summary = again.line().partition("|")
    assert title.startswith("Untitled[*]")
    assert re.search(r"[\d.,]+\sepoch", summary)
    _, complaints = again.process.communicate(timeout=10.0)
    assert again.process.returncode == 0, complaints
    assert without_noise(complaints) == ""


def test_the_shipped_model_can_be_dragged_before_torch_is_there(tmp_path: Path, processes: list[Started]) -> None:
    started = Started(
        tmp_path,
        look="""
latent, canvas = self.session.latent, self.views.canvas
if latent.hand is None or self.views.hand.deterministic.picture is None:
    return
self.timer.stop()
before = self.views.hand.deterministic.picture
x, y = canvas.view.to_pixels(*latent.selected_code)
place, left, none = QPoint(round(float(x)), round(float(y))), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
QTest.mousePress(canvas, left, none, place)
QTest.mouseMove(canvas, place + QPoint(60, -40))
QTest.mouseRelease(canvas, left, none, place + QPoint(60, -40))
after = self.views.hand.deterministic.picture
self.say(f"{self.window.windowTitle()} {'torch' in sys.modules} {bool((before != after).any())}")
self.window.close()
""",
    )
    processes.append(started)
    assert started.line() == "mnist-2d[*] \N{EN DASH} Latent Explorer False True"
    _, complaints = started.process.communicate(timeout=10.0)
    assert started.process.returncode == 0, complaints


def test_an_error_in_a_slot_is_shown_and_logged_and_the_program_goes_on(
    tmp_path: Path, processes: list[Started]
) -> None:
    started = Started(
        tmp_path,
        str(model_file()),
        look="""
if not self.is_ready():
    return
if self._errors is None:
    if self.planted:
        return
    self.planted = True
    self.views.sliders.sample_requested.connect(self.fail)
    QTest.mouseClick(self.views.sliders.sample, Qt.MouseButton.LeftButton)
    return
before = self.views.hand.deterministic.picture
QTest.keyClick(self.views.sliders.row(0).track, Qt.Key.Key_PageUp)
moved = bool((self.views.hand.deterministic.picture != before).any())
self.say(f"{self._errors.reason} {self._errors.isVisible()} | {moved}")
self.timer.stop()
self.window.close()
""",
    )
    processes.append(started)
    text, _, moved = started.line().partition(" | ")
    assert text == "Something went wrong inside the program: a planted fault True"
    assert moved == "True"
    _, complaints = started.process.communicate(timeout=10.0)
    assert started.process.returncode == 0
    assert "a planted fault" in complaints
    assert "RuntimeError: a planted fault" in started.log


def test_a_second_signal_does_not_wait_for_a_thread_that_hears_nothing(
    tmp_path: Path, processes: list[Started]
) -> None:
    started = Started(
        tmp_path,
        str(model_file()),
        look="""
if self.is_ready():
    self.timer.stop()
    self.workers.storage.shut_down = lambda: None
    self.say("ready")
""",
    )
    processes.append(started)
    assert started.line() == "ready"
    # Two in one moment are heard as one.
    deadline = time.monotonic() + CLOSING_S
    while started.process.poll() is None and time.monotonic() < deadline:
        started.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.process.wait(0.1)
    # By the system itself: that needs nobody in the program.
    assert started.process.returncode == -signal.SIGTERM


def test_a_signal_that_comes_again_at_once_does_not_spoil_a_good_end(tmp_path: Path, processes: list[Started]) -> None:
    """As from a terminal that closes, or from a script that makes sure."""
    started = Started(
        tmp_path,
        str(model_file()),
        look="""
if self.is_ready():
    self.timer.stop()
    self.say("ready")
""",
    )
    processes.append(started)
    assert started.line() == "ready"
    first = time.monotonic()
    while started.process.poll() is None and time.monotonic() - first < 0.4:
        started.process.send_signal(signal.SIGHUP)
        with contextlib.suppress(subprocess.TimeoutExpired):
            started.process.wait(0.01)
    started.process.wait(CLOSING_S)
    assert started.process.returncode == 0


def test_a_program_that_was_killed_is_spoken_of_once_at_the_next_start(
    tmp_path: Path, processes: list[Started]
) -> None:
    look = """
if self.is_ready():
    self.timer.stop()
    self.say(f"notice: {self.window.banner.notice_text}")
"""
    first = Started(tmp_path, str(model_file()), look=look)
    processes.append(first)
    assert first.line() == "notice:"
    beside = Started(tmp_path, str(model_file()), look=look)
    processes.append(beside)
    # The first still runs.
    assert beside.line() == "notice:"
    assert first.end(signal.SIGKILL)[0] == -signal.SIGKILL
    assert beside.end(signal.SIGSEGV)[0] == -signal.SIGSEGV
    next_one = Started(tmp_path, str(model_file()), look=look)
    processes.append(next_one)
    assert "The program crashed the last time" in next_one.line()
    assert next_one.end(signal.SIGTERM)[0] == 0
    (crashes,) = tmp_path.rglob("crash.log")
    assert "Segmentation fault" in crashes.read_text("utf-8")
    assert "crash.log" in next_one.log
    last = Started(tmp_path, str(model_file()), look=look)
    processes.append(last)
    assert last.line() == "notice:"
    assert last.end(signal.SIGTERM)[0] == 0
    assert not list(tmp_path.rglob("running/*"))
