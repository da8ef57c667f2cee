"""A trial of reliability at a size that a test can wait for, started as `./run reliability` starts it."""

import os
import subprocess
import sys

from benchmarks.__main__ import parsed
from tests.house_rules import ROOT


def rows_of(name: str, count: int, seed: int = 0) -> dict[str, float]:
    """Return what a trial measured by the promise, every promise being kept."""
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-m", f"benchmarks.reliability.{name}", "--count", str(count), "--seed", str(seed)],
        cwd=ROOT,
        env={"QT_QPA_PLATFORM": "offscreen"} | os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = [line for line in map(parsed, done.stdout.splitlines()) if line is not None]
    assert rows, done.stdout
    broken = [row for row in rows if not row["kept"]]
    assert not broken, done.stdout
    return {str(row["promise"]): float(str(row["measured"])) for row in rows}
