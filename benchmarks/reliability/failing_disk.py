"""A disk that fails at any call of a save, or is full at any of 64 places: the old file stays, the message is true."""

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.reliability.dose import dose
from benchmarks.reliability.stand_ins import CALLS, ERRORS, Calls, config_of, disk_full_after, model_of, same_weights
from benchmarks.report import row
from core.saved_model import SavedModel
from core.storage.model_file import ModelFileError, load_model, save_model
from core.storage.run_folder import RunFolderError, load_checkpoint, read_run
from core.storage.run_writer import RunWriter

DEFAULT, FULL = 64, 4096
"""Places at which the disk is full."""
_WIDTH = 64
_OLD, _NEW = 7, 8
# Nothing is lost when these fail, so that a save may succeed without them.
_CAN_BE_SPARED = {"fchmod", "unlink", "close"}


class Savings:
    """Two things that are saved: a model's file, and a checkpoint in a run's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        config = config_of(_WIDTH)
        self.models = {step: model_of(config, step) for step in range(1, _NEW + 2)}
        self._number = 0

    def fresh(self, kind: str) -> tuple[Callable[[], None], Callable[[], SavedModel], Path]:
        """Return how to save the new one over the old one, how to load what there is, and where it lies."""
        self._number += 1
        path = self.folder / f"{kind} {self._number}"
        if kind == "model file":
            path.mkdir()
            file = path / "model.safetensors"
            save_model(file, self.models[_OLD])
            return lambda: save_model(file, self.models[_NEW]), lambda: load_model(file), path
        writer = RunWriter.create(path, "run", self.models[1].config, 100.0)
        for step in range(_OLD - 2, _OLD + 1):
            writer.checkpoint(self.models[step])
        return lambda: writer.checkpoint(self.models[_NEW]), lambda: load_checkpoint(read_run(path))[0], path

    def problem(self, kind: str, spoilt: Callable[[], object], told: str, spared: str = "") -> str:
        """Save in a world that is spoilt; return what is wrong with what comes of it, or nothing."""
        save, load, path = self.fresh(kind)
        message = _message_of(save, spoilt)
        found = load()
        new = same_weights(found, self.models[_NEW])
        if not new and not same_weights(found, self.models[_OLD]):
            return "neither the old one nor the new one is there"
        if not message and not (new and spared):
            return "it failed and nothing was said"
        if message and told not in message:
            return f"the message does not say {told!r}: {message}"
        if spared != "unlink" and any(each.name.endswith(".tmp") for each in path.rglob("*")):
            return "a temporary file is left"
        again = _message_of(save, _nothing)
        if again or not same_weights(load(), self.models[_NEW]):
            return f"the next save does not succeed: {again}"
        shutil.rmtree(path)
        return ""


def measure(count: int, seed: int) -> dict[str, tuple[int, int]]:  # noqa: ARG001 - nothing here is random
    """Print the rows; return for each sort of failure how many were tried and how many ended well."""
    result = {}
    with tempfile.TemporaryDirectory(prefix="latent-explorer-disk-") as folder:
        savings = Savings(Path(folder))
        for kind in ("model file", "checkpoint"):
            result[f"{kind}, calls"] = _counted(f"{kind}: failing calls of a save", _failing_calls(savings, kind))
            result[f"{kind}, full"] = _counted(f"{kind}: places at which the disk is full", _full(savings, kind, count))
    if (on_disk := _on_a_small_disk(count)) is not None:
        result["small disk"] = on_disk
    return result


def _counted(what: str, problems: Iterator[tuple[str, str]]) -> tuple[int, int]:
    tried = good = 0
    for place, problem in problems:
        tried += 1
        good += not problem
        if problem:
            print(f"{what}, {place}: {problem}", file=sys.stderr)
    row(f"{what}, of {tried} with the old file intact and a true message", good, tried, "", "more")
    return tried, good


def _failing_calls(savings: Savings, kind: str) -> Iterator[tuple[str, str]]:
    save, _, _ = savings.fresh(kind)
    with Calls().watched() as calls:
        save()
    for number, name in enumerate(calls.names):
        for error in ERRORS:
            told = "the disk is full" if error == errno.ENOSPC else os.strerror(error)
            spared = name if name in _CAN_BE_SPARED else ""

            def fail(_: str, error: int = error) -> None:
                raise OSError(error, os.strerror(error))

            spoilt = Calls(number, fail).watched
            yield f"call {number} ({name}), {errno.errorcode[error]}", savings.problem(kind, spoilt, told, spared)


def _full(savings: Savings, kind: str, count: int) -> Iterator[tuple[str, str]]:
    save, _, _ = savings.fresh(kind)
    written = 0
    real = os.write

    def counting(descriptor: int, data: bytes | memoryview) -> int:
        nonlocal written
        written += len(data)
        return real(descriptor, data)

    os.write = counting  # type: ignore[assignment]
    try:
        save()
    finally:
        os.write = real
    for number in range(count):
        room = written * number // count
        yield f"{room} of {written} bytes", savings.problem(kind, partial(disk_full_after, room), "the disk is full")


def _on_a_small_disk(count: int) -> tuple[int, int] | None:
    """Fill a real file system of 8 MB to each place; return what came of it, or None where none can be mounted."""
    with tempfile.TemporaryDirectory(prefix="latent-explorer-small-disk-") as folder:
        command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", folder]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
            print("no file system of its own could be mounted: needs root", file=sys.stderr)
            return None
        try:
            savings = Savings(Path(folder))
            size = len((savings.fresh("model file")[2] / "model.safetensors").read_bytes())
            problems = (
                (
                    f"{kind}, {number} of {count}",
                    savings.problem(kind, partial(_filled, Path(folder), room), "the disk is full"),
                )
                for kind in ("model file", "checkpoint")
                for number in range(count)
                for room in [size * number // count]
            )
            return _counted("a small disk that is full", problems)
        finally:
            subprocess.run(["umount", "-l", folder], check=False)  # noqa: S607 - where the system has it


@contextmanager
def _filled(folder: Path, room: int) -> Iterator[None]:
    """Fill the file system of a folder but for so many bytes."""
    ballast = folder / "ballast"
    free = os.statvfs(folder)
    ballast.write_bytes(bytes(max(free.f_bavail * free.f_frsize - room, 0)))
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def _message_of(save: Callable[[], None], spoilt: Callable[[], object]) -> str:
    try:
        with spoilt():  # type: ignore[attr-defined]
            save()
    except (ModelFileError, RunFolderError) as error:
        return str(error)
    return ""


assert set(CALLS) >= _CAN_BE_SPARED  # noqa: S101 - a name that is misspelt would spare nothing

if __name__ == "__main__":
    wanted = dose(__doc__, DEFAULT, FULL)
    measure(wanted.count, wanted.seed)
