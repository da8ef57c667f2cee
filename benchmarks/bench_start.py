"""How soon the program is there: the real `main.py`, in a process and a profile of its own, timed from its start."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks.report import row

ROOT = Path(__file__).parent.parent
STARTS = 5
WINDOW_LIMIT_S, DRAGGABLE_LIMIT_S, GAP_LIMIT_MS = 0.7, 1.2, 300.0
PATIENCE_S = 90


def main() -> int:
    """Print the rows."""
    started()  # the first start may still write Python's compiled files
    warm = [started() for _ in range(STARTS)]
    for number, one in enumerate(warm, 1):
        print(f"start {number}: {', '.join(f'{name} {value:.3g}' for name, value in one.items())}")
    print_rows(warm, f"warm cache, median of {STARTS}", limited=True)
    if empty_cache():
        print_rows([started()], "cold cache", limited=False)
    else:
        print("cold cache: not measured, because the system does not let its file cache be emptied here")
    return 0


def print_rows(starts: list[dict[str, float]], how: str, *, limited: bool) -> None:
    """Print the promises of a start; a cold one only informs."""

    def show(promise: str, name: str, limit: float | None, unit: str) -> None:
        row(f"{promise}, {how}", median(one[name] for one in starts), limit if limited else None, unit)

    show("process start to window painted", "window_s", WINDOW_LIMIT_S, "s")
    show("process start to digit dragged among its codes", "draggable_s", DRAGGABLE_LIMIT_S, "s")
    later = median(one["torch_s"] - one["draggable_s"] for one in starts)
    row(f"torch is there this much later, {how}", later, 0.0 if limited else None, "s", "more")
    show("longest gap of the event loop while torch is imported", "gap_ms", GAP_LIMIT_MS, "ms")
    show("gaps above 100 ms while torch is imported", "long_gaps", 1.0, "")
    show("any other gap above 50 ms", "other_gaps", 0.0, "")
    show("longest of the other gaps", "other_gap_ms", None, "ms")
    show("longest gap before that", "early_gap_ms", None, "ms")
    show("torch imported in", "import_s", None, "s")


def started() -> dict[str, float]:
    """Start the program, have it report its moments, and return them."""
    with fresh_profile() as environment:
        command = [sys.executable, "-m", "benchmarks.probe", "start", repr(time.monotonic())]
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, timeout=PATIENCE_S, check=True
        )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextlib.contextmanager
def fresh_profile() -> Iterator[dict[str, str]]:
    """Yield an environment in which the program runs as for a new user, off-screen."""
    with tempfile.TemporaryDirectory(prefix="latent-explorer-bench-") as folder:
        names = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")
        folders = {name: str(Path(folder) / name.lower()) for name in names}
        # Whoever starts the program lets Python keep its compiled files; to compile them takes half of a start.
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        yield kept | folders | {"QT_QPA_PLATFORM": "offscreen"}


def empty_cache() -> bool:
    """Have the system forget what it has read of files; return whether it did."""
    if not hasattr(os, "sync"):
        return False
    os.sync()
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3\n", "ascii")
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
