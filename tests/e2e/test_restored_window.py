"""The real program started again as its window was left, which in Qt can end in a crash."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from explorer.settings import Settings
from tests.e2e.test_window import Started, without_noise
from tests.open_program import model_file

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends signals")
LEAVE = """
if not self.is_ready():
    return
if not self.planted:
    self.planted = True
    self.window.{show}()
    return
self.timer.stop()
QTimer.singleShot(300, self.window.close)
"""
SAY_HOW_IT_STANDS = """
if self.is_ready() and not self.window._settings.arranging:
    self.timer.stop()
    names = [dock.titleBarWidget()._label.isVisible() for dock in self.window.docks.beside_curves]
    self.say(f"{self.window.isMaximized()} {self.window.isFullScreen()} {any(names)}")
    self.window.close()
"""


@pytest.fixture
def started() -> Iterator["Starter"]:
    starter = Starter()
    yield starter
    starter.end()


class Starter:
    """Starts programs and sees to it that none is left."""

    def __init__(self) -> None:
        self._all: list[Started] = []

    def __call__(self, folder: Path, look: str) -> Started:
        self._all.append(Started(folder, str(model_file()), look=look))
        return self._all[-1]

    def end(self) -> None:
        """Kill what still runs."""
        for one in self._all:
            one.process.kill()
            one.process.wait()
            for stream in (one.process.stdout, one.process.stderr):
                if stream is not None:
                    stream.close()


@pytest.mark.parametrize(
    ("show", "stands"),
    [("showMaximized", "True False"), ("showFullScreen", "False True"), ("showNormal", "False False")],
)
def test_the_program_starts_again_as_its_window_was_left(
    tmp_path: Path, started: Starter, show: str, stands: str
) -> None:
    first = started(tmp_path, LEAVE.format(show=show))
    _, complaints = first.process.communicate(timeout=20.0)
    assert (first.process.returncode, without_noise(complaints)) == (0, "")
    again = started(tmp_path, SAY_HOW_IT_STANDS)
    # The names of docks behind tabs are on the tabs alone.
    assert again.line() == f"{stands} False"
    _, complaints = again.process.communicate(timeout=10.0)
    assert (again.process.returncode, without_noise(complaints)) == (0, "")


def test_an_arrangement_that_crashed_a_start_is_given_up_by_the_next(tmp_path: Path, started: Starter) -> None:
    first = started(tmp_path, LEAVE.format(show="showMaximized"))
    first.process.communicate(timeout=20.0)
    (path,) = tmp_path.rglob("latent-explorer.ini")
    crash = """
if self.window._settings.arranging:
    import signal, os
    os.kill(os.getpid(), signal.SIGSEGV)
"""
    crashed = started(tmp_path, crash)
    crashed.process.communicate(timeout=20.0)
    assert crashed.process.returncode < 0
    assert Settings(path).arranging
    again = started(tmp_path, SAY_HOW_IT_STANDS)
    assert again.line() == "False False False"
    again.process.communicate(timeout=10.0)
    assert "the arrangement of the window is given up" in again.log
    assert not Settings(path).arranging
    assert not Settings(path).window_state.isEmpty(), "the next one is remembered again"
