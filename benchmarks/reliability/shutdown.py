"""100 closings of the real program in the middle of anything: in time, with status 0, and the last step saved.

By its window, by SIGTERM, by SIGINT, by SIGHUP, and by two requests in one moment; while it trains, saves, loads,
analyses, draws, drags, or shows a dialog.
"""

import contextlib
import itertools
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.bench_cycles import small_model
from benchmarks.bench_start import ROOT, fresh_profile
from benchmarks.reliability.dose import dose
from benchmarks.report import row
from core.storage.model_file import load_model

DEFAULT, FULL = 100, 1_000
CLOSING_LIMIT_S = 2.0
PATIENCE_S = 60.0
WAYS = (
    "at its start",
    "while torch is imported",
    "while idle",
    "while training",
    "while a run is paused",
    "while a run stops",
    "as a run begins",
    "while saving",
    "while data load",
    "while a model loads",
    "while the table is rebuilt",
    "while q is fitted",
    "during the ladder",
    "during the gaps",
    "during the read-outs",
    "while drawing",
    "while dragging",
    "with a file dialog",
    "with a menu",
    "with windows of help and of an error",
)
# While threads begin, torch is imported and the first table is built.
_LONGEST_WAIT_S = {"at its start": 3.0}
REQUESTS = ("its window", "SIGTERM", "SIGINT", "SIGHUP", "its window and SIGTERM in one moment")
_NOISE = ("This plugin does not support",)


@dataclass(frozen=True, slots=True)
class Closing:
    """How one program ended."""

    way: str
    request: str
    status: int
    seconds: float
    lost_steps: int
    complaints: str
    left: str
    """What it left of itself: a mark as of a program that was killed, a lock, a half-written file."""

    @property
    def well(self) -> bool:
        """Whether it ended as it should, whatever the time."""
        return self.status == 0 and not self.lost_steps and not self.complaints and not self.left


def shutdown(count: int, seed: int) -> bool:
    """Print the rows of so many closings; return whether every claim holds."""
    numbers = random.Random(seed)  # noqa: S311 - moments, not secrets
    # Every way by every request before one is repeated: 5 × 20 are 100.
    plan = [(way, request) for shift in range(len(REQUESTS)) for way, request in _paired(shift)]
    with tempfile.TemporaryDirectory(prefix="latent-explorer-bench-") as folder:
        model = small_model(Path(folder))
        ends = []
        for way, request in itertools.islice(itertools.cycle(plan), count):
            ends.append(closed(model, way, request, numbers.uniform(0.0, _LONGEST_WAIT_S.get(way, 0.15))))
            if not ends[-1].well or ends[-1].seconds > CLOSING_LIMIT_S:
                print(ends[-1], flush=True)
    seconds = [end.seconds for end in ends]
    kept = [
        row(
            "closings with status 0, the last step saved, nothing said or left",
            sum(e.well for e in ends),
            count,
            "",
            "more",
        ),
        row("closings within two seconds", sum(one <= CLOSING_LIMIT_S for one in seconds), count, "", "more"),
        row("steps of training lost", sum(end.lost_steps for end in ends), 0.0, ""),
        row("longest closing", max(seconds), CLOSING_LIMIT_S, "s"),
        row("median closing", float(np.median(seconds)), None, "s"),
    ]
    return all(kept)


def _paired(shift: int) -> list[tuple[str, str]]:
    return [(way, REQUESTS[(number + shift) % len(REQUESTS)]) for number, way in enumerate(WAYS)]


def closed(model: Path, way: str, request: str, wait_s: float) -> Closing:
    """Start the program, bring it into the middle of something, have it closed; return how it ended."""
    with fresh_profile() as environment:
        data = Path(environment["XDG_DATA_HOME"])
        with subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-m", "benchmarks.closing", way, str(model)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            watch = threading.Timer(PATIENCE_S, process.kill)
            watch.start()
            try:
                steps = _steps_when_in_the_middle(process)
                time.sleep(wait_s)  # noqa: TID251 - a random moment is what is wanted
                began = time.monotonic()
                _ask(process, request)
                complaints = process.communicate(timeout=PATIENCE_S)[1]
                seconds = time.monotonic() - began
            except subprocess.TimeoutExpired:
                process.kill()
                complaints, seconds, steps = f"it did not end: {process.communicate()[1]}", PATIENCE_S, 0
            finally:
                watch.cancel()
        said = "\n".join(line for line in complaints.splitlines() if not any(noise in line for noise in _NOISE))
        return Closing(way, request, process.returncode, seconds, _lost(data, steps), said, _left(data))


def _steps_when_in_the_middle(process: subprocess.Popen[str]) -> int:
    for line in process.stdout or ():
        found = re.match(r"in the middle, (\d+) steps", line)
        if found:
            return int(found[1])
    raise RuntimeError(f"the program ended before it was in the middle: {process.communicate()[1]}")


def _ask(process: subprocess.Popen[str], request: str) -> None:
    if request.startswith("its window"):
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write("close\n")
                process.stdin.flush()
        if "SIGTERM" in request:
            process.send_signal(signal.SIGTERM)
    else:
        process.send_signal(getattr(signal, request))


def _lost(data: Path, steps: int) -> int:
    """Return how many of the steps that the window had seen no kept model has."""
    kept = [load_model(path).history.num_steps for path in data.rglob("autosaves/*.safetensors")]
    return max(steps - max(kept, default=0), 0) if steps else 0


def _left(data: Path) -> str:
    marks = [*data.rglob("running/*"), *data.rglob("*.tmp*"), *data.rglob("locks/*.lock")]
    return ", ".join(path.name for path in marks)


if __name__ == "__main__":
    asked = dose(__doc__, DEFAULT, FULL)
    shutdown(asked.count, asked.seed)
    sys.exit(0)
