"""kill -9 of the whole program while it trains: the next start has the run, and little of it is lost."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bench_cycles import wait_for_line
from benchmarks.bench_start import ROOT, fresh_profile
from benchmarks.reliability.dose import dose
from benchmarks.report import row
from core.storage.run_folder import METRICS, interrupted_runs, load_checkpoint, load_record
from core.training.resuming import is_resumable

DEFAULT, FULL = 200, 2_000
LIMIT_S = 60.0
LONGEST_S = 25.0
"""Up to so long after its first steps a run is killed."""
RESUMED_EACH = 10
"""Of so many killed programs one is started again and its run resumed in the window."""
_AT_ONCE = 2
_PATIENCE_S = 120.0


@dataclass(frozen=True, slots=True)
class Kill:
    """What a killed program left."""

    trained_s: float
    lost_s: float
    """Of training, from the newest checkpoint that loads to the kill; all of it where there is none."""
    recovered: bool
    """There is a checkpoint that loads and can be resumed, or the run was too young for one."""
    resumed: bool | None
    """Whether the program, started again, went on with it; None where that was not tried."""


def measure(
    count: int, seed: int, longest_s: float = LONGEST_S, resumed_each: int = RESUMED_EACH
) -> tuple[list[Kill], int]:
    """Print the rows; return what each kill left, and how many were started again."""
    numbers = random.Random(seed)  # noqa: S311 - moments, not secrets
    moments = [numbers.uniform(0.0, longest_s) for _ in range(count)]
    done = 0

    def one(number: int) -> Kill:
        nonlocal done
        kill = killed_after(moments[number], resume=number % resumed_each == 0)
        done += 1
        if done % 10 == 0:
            print(f"{done} of {count}", file=sys.stderr, flush=True)
        return kill

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        kills = list(pool.map(one, range(count)))
    row(f"of {count} killed programs, recovered", sum(kill.recovered for kill in kills), count, "", "more")
    row("most training lost", max(kill.lost_s for kill in kills), LIMIT_S, "s")
    row("mean training lost", sum(kill.lost_s for kill in kills) / count, None, "s")
    again = [kill for kill in kills if kill.resumed is not None]
    row(
        f"of {len(again)} started again, resumed in the window",
        sum(bool(kill.resumed) for kill in again),
        len(again),
        "",
        "more",
    )
    return kills, len(again)


def killed_after(seconds: float, *, resume: bool) -> Kill:
    """Have the program train for so long after its first steps, kill it, and see what it left."""
    with fresh_profile() as environment:
        began, ended = _run(environment, "train", lambda process: _kill_later(process, seconds))
        (runs,) = Path(environment["XDG_DATA_HOME"]).rglob("runs")
        found = interrupted_runs(runs)
        # A kill stops the clock of the files as well: what was recorded last is the training's end.
        trained_s = ended - began
        if not found:
            return Kill(trained_s, trained_s, trained_s < LIMIT_S and not list(runs.glob("*/manifest.json")), None)
        saved, problems = load_checkpoint(found[0])
        file = found[0].path / "checkpoints" / found[0].checkpoints[-1].file
        lost_s = time.time() - (time.monotonic() - ended) - file.stat().st_mtime
        recorded, problem = load_record(found[0])
        whole = not problems and not problem and recorded.last_step >= saved.history.last_step
        if not whole:
            print(f"{problems} {problem} in {found[0].path / METRICS}", file=sys.stderr)
        resumed = _is_resumed(environment, saved.history.last_step) if resume else None
        return Kill(trained_s, lost_s, whole and is_resumable(saved), resumed)


def _run(environment: dict[str, str], what: str, then: Callable[[subprocess.Popen[str]], None]) -> tuple[float, float]:
    """Start the program, wait for its first steps, do something; return when both were."""
    command = [sys.executable, "-m", "benchmarks.probe", what]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        wait_for_line(process.stdout, "training")
        began = time.monotonic()
        then(process)
        ended = time.monotonic()
        process.wait(_PATIENCE_S)
    return began, ended


def _kill_later(process: subprocess.Popen[str], seconds: float) -> None:
    threading.Event().wait(seconds)
    process.send_signal(signal.SIGKILL)


def _is_resumed(environment: dict[str, str], step: int) -> bool:
    """Start the program again and resume what it offers; return whether it went on after this step."""
    command = [sys.executable, "-m", "benchmarks.probe", "recover"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
    )
    resumed = f"resumed after step {step}\n" in done.stdout and done.returncode == 0
    if not resumed:
        print(f"not resumed after step {step}: {done.stdout}{done.stderr[-500:]}", file=sys.stderr)
    return resumed


if __name__ == "__main__":
    wanted = dose(__doc__, DEFAULT, FULL)
    measure(wanted.count, wanted.seed)
