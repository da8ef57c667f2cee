"""The progress bar of the command line."""

import io
import sys

import numpy as np
import pytest

from core.cli.progress_bar import ProgressBar, duration, line


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_never_reaches_the_edge_of_its_terminal() -> None:
    for width in range(1, 100):
        for share in (0.0, 0.5, 1.0):
            text = line("training", share, "epoch 1.5 of 10, 9,000 images/s, 0:07 left", width)
            assert len(text) < max(width, 2)
    assert "[===============               ]" in line("training", 0.5, "", 80)


def test_a_terminal_gets_one_line_that_is_taken_away(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = _Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    bar = ProgressBar("work")
    bar.update(0.0, "a long text behind it")
    bar.update(1.0, "short")
    bar.say("a line")
    bar.clear()
    written = stream.getvalue()
    assert "\n" not in written
    assert written.endswith("\r")
    assert not written.split("\r")[-2].strip()
    assert capsys.readouterr().out == "a line\n"


def test_no_terminal_gets_a_few_plain_lines_and_quiet_gets_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter(np.arange(0.0, 1e5, 1.0))
    monkeypatch.setattr("time.monotonic", lambda: float(next(now)))
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    bar, quiet = ProgressBar("work"), ProgressBar("silent work", quiet=True)
    for step in range(1001):
        bar.update(step / 1000, "some of it")
        quiet.update(step / 1000)
    quiet.say("nothing")
    assert not capsys.readouterr().out
    assert stream.getvalue().splitlines() == [f"work: {tenth}0%, some of it" for tenth in range(1, 11)]


def test_durations_are_written_as_clocks_do() -> None:
    assert [duration(seconds) for seconds in (7.2, 195, 3765)] == ["0:07", "3:15", "1:02:45"]
