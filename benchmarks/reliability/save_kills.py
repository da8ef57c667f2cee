"""kill -9 in the middle of a save, at random moments and at every call to the system: a checkpoint always loads."""

import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.reliability.dose import dose
from benchmarks.reliability.stand_ins import Calls, config_of, model_of, same_weights
from benchmarks.report import row
from core.storage.run_folder import CHECKPOINTS, load_checkpoint, read_run
from core.storage.run_lock import RunLock
from core.storage.run_writer import RunWriter

DEFAULT, FULL = 1_000, 50_000
_WIDTH = 256
_BEGUN, _DONE = b"B", b"E"
_MOST_FILES = 4
"""Three, and one that was not listed any more or not yet."""


def measure(count: int, seed: int) -> dict[str, int]:
    """Print the rows; return how many kills of each sort left what they should."""
    with tempfile.TemporaryDirectory(prefix="latent-explorer-kills-") as folder:
        good = killed_at_random(Path(folder), count, seed)
        row(
            f"of {count} kills at random moments of a save, the previous or the new checkpoint loads",
            good,
            count,
            "",
            "more",
        )
        calls, at_calls = killed_at_every_call(Path(folder))
        row(f"of {calls} kills before or after each call of a save, the same", at_calls, calls, "", "more")
    return {"at random": good, "calls": calls, "at every call": at_calls}


def killed_at_random(folder: Path, count: int, seed: int) -> int:
    """Kill a writer `count` times; return how often what it left was the previous or the new checkpoint, whole."""
    numbers = random.Random(seed)  # noqa: S311 - moments, not secrets
    path, config = folder / "random", config_of(_WIDTH)
    RunWriter.create(path, "kills", config, 1e6).close()
    took_s = _seconds_of_a_save(path)
    good, amid, step = 0, 0, newest_step(path)
    for _ in range(count):
        reader, child = _forked(partial(_write_for_ever, path, step))
        threading.Event().wait(numbers.uniform(0.0, 4.0 * took_s))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        begun, done = _last_words(reader, step)
        amid += begun > done
        good += _is_whole(path, {done, begun})
        step = newest_step(path)
    print(f"a save takes {1e3 * took_s:.1f} ms; {amid} of {count} kills came within one", file=sys.stderr)
    row("of these, came within a save", amid, None, "")
    return good


def killed_at_every_call(folder: Path) -> tuple[int, int]:
    """Kill a save before and after each of its calls to the system; return how many there were, how many ended well."""
    path, config = folder / "calls", config_of(16)
    writer = RunWriter.create(path, "kills", config, 1e6)
    for step in range(1, 5):
        writer.checkpoint(model_of(config, step))
    with Calls().watched() as calls:
        writer.checkpoint(model_of(config, 5))
    writer.close()
    tried = good = 0
    step = 5
    for number, after in ((number, after) for number in range(len(calls.names)) for after in (False, True)):
        reader, child = _forked(partial(_save_and_die, path, step, number, after))
        os.waitpid(child, 0)
        os.close(reader)
        tried += 1
        good += _is_whole(path, {step, step + 1})
        step = newest_step(path)
    return tried, good


def _is_whole(path: Path, steps: set[int]) -> bool:
    """Return whether the newest checkpoint is that of one of these steps, bit for bit, and the run is free again."""
    saved, problems = load_checkpoint(read_run(path))
    step = saved.history.last_step
    whole = step in steps and not problems and same_weights(saved, model_of(saved.config, step))
    if not whole or not RunLock(path).is_free():
        print(f"found step {step}, wanted one of {steps}; {problems}", file=sys.stderr)
        return False
    files = len(list((path / CHECKPOINTS).glob("step-*")))
    if files > _MOST_FILES:
        print(f"{files} checkpoints lie there", file=sys.stderr)
    return files <= _MOST_FILES


def newest_step(path: Path) -> int:
    """Return the step of the newest checkpoint that a run lists."""
    return max((checkpoint.step for checkpoint in read_run(path).checkpoints), default=0)


def _seconds_of_a_save(path: Path) -> float:
    writer, times = RunWriter.take_up(path, 0), []
    for step in range(1, 6):
        saved = model_of(config_of(_WIDTH), step)
        before = time.monotonic()
        writer.checkpoint(saved)
        times.append(time.monotonic() - before)
    writer.close()
    return min(times)


def _forked(action: Callable[[int], None]) -> tuple[int, int]:
    """Do something in a process of its own, which is handed the end of a pipe; return the other end and the process."""
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        return reader, child
    try:
        os.close(reader)
        action(writer)
    finally:
        os._exit(1)


def _write_for_ever(path: Path, step: int, words: int) -> None:
    run = RunWriter.take_up(path, step)
    while True:
        step += 1
        saved = model_of(config_of(_WIDTH), step)
        os.write(words, _BEGUN + step.to_bytes(8, "big"))
        run.checkpoint(saved)
        os.write(words, _DONE + step.to_bytes(8, "big"))


def _save_and_die(path: Path, step: int, at: int, after: bool, _: int) -> None:  # noqa: FBT001 - bound by partial
    run = RunWriter.take_up(path, step)
    saved = model_of(config_of(16), step + 1)
    with Calls(at, lambda _: os.kill(os.getpid(), signal.SIGKILL), after=after).watched():
        run.checkpoint(saved)


def _last_words(reader: int, step: int) -> tuple[int, int]:
    """Return the last step that was begun and the last that was done, as a process said before it was killed."""
    data = b""
    while piece := os.read(reader, 1 << 16):
        data += piece
    os.close(reader)
    begun = done = step
    for start in range(0, len(data) - 8, 9):
        number = int.from_bytes(data[start + 1 : start + 9], "big")
        if data[start : start + 1] == _BEGUN:
            begun = number
        else:
            done = number
    return begun, done


if __name__ == "__main__":
    wanted = dose(__doc__, DEFAULT, FULL)
    measure(wanted.count, wanted.seed)
