"""The processes in which trials run notice each fault that they are there for."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house_rules import ROOT

PROGRAM = """
import json, os, signal, sys
from benchmarks.fuzz.isolation import Trial, run

def misbehave():
    {}
    return "fine"

tally = run(lambda index: Trial(misbehave if index == 37 else lambda: "fine"), 100, batch=25, patience_s=1.0)
print(json.dumps([tally.count, dict(tally.outcomes), tally.crashes, dict(tally.unexpected), tally.examples,
                  tally.longest_s, tally.longest, tally.peak_bytes, tally.hungriest]))
"""


def outcome_of(tmp_path: Path, act: str) -> list[object]:
    """Return what a tally says of 100 trials of which number 37 does `act`."""
    path = tmp_path / "trials.py"
    path.write_text(PROGRAM.format(act))
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(path)], env=environment, capture_output=True, text=True, check=True
    )
    found: list[object] = json.loads(done.stdout)
    assert found[0] == 100
    return found


def test_trials_that_go_well_are_counted_by_what_came_of_them(tmp_path: Path) -> None:
    _, outcomes, crashes, unexpected, *_ = outcome_of(tmp_path, "pass")
    assert (outcomes, crashes, unexpected) == ({"fine": 100}, [], {})


@pytest.mark.parametrize(("act", "status"), [("os.abort()", -6), ("os._exit(5)", 5), ("os._exit(0)", 0)])
def test_a_crash_is_one_trial_and_the_others_go_on(tmp_path: Path, act: str, status: int) -> None:
    _, outcomes, crashes, unexpected, *_ = outcome_of(tmp_path, act)
    assert (outcomes, unexpected) == ({"fine": 99}, {})
    assert isinstance(crashes, list)
    assert len(crashes) == 1
    assert crashes[0].startswith(f"trial 37: status {status} ")


def test_a_hang_is_ended_and_is_the_longest(tmp_path: Path) -> None:
    _, outcomes, crashes, _, _, longest_s, longest, *_ = outcome_of(tmp_path, "signal.pause()")
    assert outcomes == {"fine": 99}
    assert isinstance(crashes, list)
    assert crashes[0].startswith("trial 37: status -9 ")
    assert isinstance(longest_s, float)
    assert longest_s > 1.0
    assert longest == 37


def test_an_exception_is_unexpected(tmp_path: Path) -> None:
    _, outcomes, crashes, unexpected, examples, *_ = outcome_of(tmp_path, "raise OverflowError('too much')")
    assert (outcomes, crashes, unexpected) == ({"fine": 99}, [], {"OverflowError": 1})
    assert examples == ["trial 37: OverflowError: too much"]


def test_memory_taken_and_given_back_is_seen(tmp_path: Path) -> None:
    *_, peak_bytes, hungriest = outcome_of(tmp_path, "len(b'x' * 2**27)")
    assert isinstance(peak_bytes, int)
    assert abs(peak_bytes - 2**27) < 2**23
    assert hungriest == 37


def test_memory_without_end_meets_a_limit(tmp_path: Path) -> None:
    _, _, crashes, unexpected, *_ = outcome_of(tmp_path, "bytearray(2**36)")
    assert (crashes, unexpected) == ([], {"MemoryError": 1})
