"""Small doses of the trials of the whole window, each in a process of its own, as `./run reliability` runs them.

What depends on how busy the machine is (how long the window stood still, how soon it closed) is only measured there.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_TIMED = ("stood still", "longest closing", "within two seconds", "memory")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc and sends signals"),
]


def rows(name: str, count: int, seed: int = 0) -> dict[str, bool]:
    """Return whether each claim of a script is kept, but for those about time."""
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", f"benchmarks.reliability.{name}", "--count", str(count), "--seed", str(seed)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=380,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert found, done.stdout
    kept = {str(line["promise"]): bool(line["kept"]) for line in found}
    return {promise: held for promise, held in kept.items() if not any(word in promise for word in _TIMED)} | {
        "said": not done.stderr.count("Traceback")
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_random_events_raise_nothing(seed: int) -> None:
    kept = rows("random_events", 800, seed)
    assert kept["exceptions that nobody caught"]
    assert all(kept.values()), kept


def test_the_program_closes_well_in_the_middle_of_things() -> None:
    kept = rows("shutdown", 5)
    assert kept["steps of training lost"]
    assert all(kept.values()), kept


def test_runs_that_are_started_stopped_and_reloaded_leave_nothing_behind() -> None:
    kept = rows("restarts", 12)
    assert {"growth of threads", "growth of open files", "growth of Qt objects"} <= {
        promise.partition(",")[0] for promise in kept
    }
    assert all(kept.values()), kept
