"""Start, stop and close in the middle of training, again and again: nothing aborts, no thread stays, nothing is lost.

100 programs one after the other in one process, closed while they train, pause, stop or only just begin; then the real
`main.py` five times, told to end by the system.
"""

import gc
import json
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import IO

import numpy as np

from benchmarks.bench_start import ROOT, fresh_profile
from benchmarks.driving import Ready
from benchmarks.report import row
from core.config import DataConfig, ExperimentConfig
from core.data.sources import load_dataset
from core.storage.model_file import load_model, save_model
from core.training.loop import TrainingRun
from explorer.messages import RunState
from explorer.program import Program, application
from explorer.settings import Settings
from explorer.tour.driver import Driver
from tests.small_data import SIDE, bars, small_config

CYCLES, PROCESSES = 100, 5
CLOSING_LIMIT_S = 2.0
LONG_RUN = 100_000
PATIENCE_S = 120
_WAYS = ("while it trains", "started a second time", "while it pauses", "while it stops", "as it begins")


def main() -> int:
    """Print the rows; with `inside` as argument be the process of the 100 cycles."""
    if sys.argv[1:] == ["inside"]:
        return inside()
    done, status = outside()
    row(f"aborts in {CYCLES} cycles", float(status < 0), 0.0, "")
    row("cycles completed", len(done), CYCLES, "", "more")
    row("threads left", sum(one["threads_left"] for one in done), 0.0, "")
    row("ends that were not clean", sum(not one["clean"] for one in done), 0.0, "")
    row("models of runs that were lost", sum(one["lost"] for one in done), 0.0, "")
    row("errors shown", sum(one["errors"] for one in done), 0.0, "")
    row("longest close", max((one["close_s"] for one in done), default=float("inf")), CLOSING_LIMIT_S, "s")
    row("median close", float(np.median([one["close_s"] for one in done])) if done else float("inf"), None, "s")
    ends = [terminated(number) for number in range(PROCESSES)]
    well = sum(end[0] == 0 for end in ends)
    row(f"processes of {PROCESSES} that ended with status 0 on SIGTERM", well, PROCESSES, "", "more")
    row("processes that kept their model", sum(end[1] for end in ends), PROCESSES, "", "more")
    row("longest time from SIGTERM to the process's end", max(end[2] for end in ends), CLOSING_LIMIT_S, "s")
    return 0


# ---- 100 programs in a process


def outside() -> tuple[list[dict[str, float]], int]:
    """Run the cycles in a process of their own; return what each reported, and the status."""
    with fresh_profile() as environment:
        command = [sys.executable, "-X", "faulthandler", "-m", "benchmarks.bench_cycles", "inside"]
        with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
            done = []
            for line in process.stdout or ():
                if line.startswith("{"):
                    done.append(json.loads(line))
                else:
                    print(line, end="")
    return done, process.returncode


def inside() -> int:
    """Make, train and close programs; print what each did."""
    app = application(["latent-explorer"])
    app.setQuitOnLastWindowClosed(False)
    with tempfile.TemporaryDirectory(prefix="latent-explorer-bench-") as folder:
        model = small_model(Path(folder))
        random_numbers = random.Random(0)  # noqa: S311 - moments, not secrets
        for number in range(CYCLES):
            profile = Path(folder) / str(number)
            profile.mkdir()
            way = _WAYS[number % len(_WAYS)]
            print(json.dumps(cycle(profile, model, way, random_numbers.uniform(0.0, 200.0))), flush=True)
            gc.collect()
    return 0


def small_model(folder: Path) -> Path:
    """Return a file with a small model of small data beside it, both quick to open and to train."""
    images = bars(2_000)
    np.savez(folder / "bars.npz", images=images.images, labels=np.asarray(images.labels))
    data = DataConfig(source=str(folder / "bars.npz"), image_size=SIDE, centre_drawings=False)
    small = small_config(epochs=1)
    run = TrainingRun(ExperimentConfig(data, small.model, small.objective, small.training), load_dataset(data))
    for _ in run.events():
        pass
    path = folder / "bars.safetensors"
    save_model(path, run.saved())
    return path


def cycle(folder: Path, model: Path, way: str, moment_ms: float) -> dict[str, float]:
    """Make a program, train in it, close it in one of the ways; return what was seen."""
    before = set(threading.enumerate())
    program = Program(Settings(folder / "settings.ini"), folder)
    ready, driver, session = Ready(program), Driver(program.window, folder), program.session
    program.start((model,))
    driver.wait_for("model and data", lambda: ready.refreshes > 0 and session.documents.data_complete)
    session.edit("training", "epochs", LONG_RUN)
    training, commands = session.training, program.window.commands

    def start() -> None:
        steps = training.history.num_steps if training.active else 0
        commands.trigger("model.start")
        if way != "as it begins":
            driver.wait_for("training", lambda: training.state is RunState.RUNNING)
            driver.wait_for("steps", lambda: training.history.num_steps > steps)

    start()
    driver.wait(round(moment_ms))
    match way:
        case "started a second time":
            commands.trigger("model.stop")
            driver.wait_for("the stop", lambda: not training.active)
            start()
        case "while it pauses":
            commands.trigger("model.pause_or_resume")
            driver.wait_for("the pause", lambda: training.state is RunState.PAUSED)
        case "while it stops":
            commands.trigger("model.stop")
    program.window.close()
    seconds = driver.wait_for("the end", ready.has_ended, timeout_s=20.0)
    kept = list((folder / "autosaves").glob("*.safetensors"))
    trained = sum(load_model(path).history.num_steps > 0 for path in kept)
    result = {
        "close_s": seconds,
        "clean": float(bool(ready.ended)),
        "threads_left": float(
            sum(thread.isRunning() for thread in program.workers.all) + len(set(threading.enumerate()) - before)
        ),
        "lost": float(max(1 + (way == "started a second time") - trained, 0) if way != "as it begins" else 0),
        "errors": float(ready.errors),
    }
    program.window.deleteLater()
    program.deleteLater()
    driver.wait(0)
    return result


# ---- the real program


def terminated(number: int) -> tuple[int, bool, float]:
    """Have `main.py` train and end it by SIGTERM; return its status, whether its model was kept, and the seconds."""
    with fresh_profile() as environment:
        command = [sys.executable, "-m", "benchmarks.probe", "train"]
        with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
            wait_for_line(process.stdout, "training")
            threading.Event().wait(0.3 * number)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_S)
            seconds = time.monotonic() - began
        kept = list(Path(environment["XDG_DATA_HOME"]).rglob("autosaves/*.safetensors"))
        has_steps = bool(kept) and all(load_model(path).history.num_steps > 0 for path in kept)
    return process.returncode, has_steps, seconds


def wait_for_line(stream: IO[str] | None, wanted: str) -> None:
    """Read until a line comes.  Raises RuntimeError when the stream ends first."""
    for line in stream or ():
        if line.strip() == wanted:
            return
    raise RuntimeError(f"the program ended before it said {wanted!r}")


if __name__ == "__main__":
    sys.exit(main())
