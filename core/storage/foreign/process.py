"""Runs the child that unpickles, and believes nothing of what it left behind."""

import contextlib
import errno
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np

from core.regular_files import open_regular, size_of
from core.storage.foreign import unpickling
from core.storage.model_file import ModelFileError
from core.storage.safetensors_header import HeaderError, arrays_of, parse_json, read_header

WALL_SECONDS = 60.0
"""From the child's start to its end.  An import of torch from a cold disk takes a third of it."""
MAX_FILE_BYTES = 2**31
_LOOKS_PER_SECOND = 20
_CHUNK_BYTES = 2**22
_MOST_TOLD = 300

Waiting = Callable[[], None]
"""Called some twenty times a second while the child works; what it raises ends the child and passes through."""


@dataclass(frozen=True, slots=True, eq=False)
class ForeignTensors:
    """The floating-point tensors of a file, float32, under the names they have there and in its order."""

    tensors: dict[str, np.ndarray[Any, Any]]
    skipped: tuple[str, ...]
    """Names of tensors of another kind: whole numbers, quantised, sparse."""
    sha256: str


def read_tensors(path: Path, waiting: Waiting | None = None, wall_seconds: float = WALL_SECONDS) -> ForeignTensors:
    """Return the tensors of a .pt, .pth or .ckpt file.  Raises ModelFileError with the reason.

    The file is unpickled by a child with limits on memory and time; this process only reads what the child wrote, as
    it reads any file.  The child is gone when this returns or raises.
    """
    try:
        with _opened(path) as file, tempfile.TemporaryDirectory(prefix="latent-explorer-") as folder:
            _run(file, Path(folder), waiting or _just_wait, wall_seconds)
            data = _bounded(Path(folder) / unpickling.OUTPUT)
            tensors, skipped = _checked(data)
            return ForeignTensors(tensors, skipped, _sha256(file, waiting or _just_wait))
    except OSError as error:
        raise ModelFileError(path, f"could not be read: {error.strerror or error}") from error
    except HeaderError as error:
        raise ModelFileError(path, str(error)) from None
    except MemoryError:
        raise ModelFileError(path, "there is not enough memory to read it") from None


def _checked(data: bytes) -> tuple[dict[str, np.ndarray[Any, Any]], tuple[str, ...]]:
    """Return the tensors that the child wrote and what it skipped.  Raises HeaderError: the child is not trusted."""
    header = read_header(data)
    skipped = parse_json(header.metadata.get("skipped", "[]"), "the list of what was left out")
    if not isinstance(skipped, list) or not all(isinstance(name, str) for name in skipped):
        raise HeaderError("the list of what was left out is none")
    if any(entry.dtype != "F32" for entry in header.tensors.values()):
        raise HeaderError("its tensors did not become float32")
    arrays = arrays_of(data)
    # In the header's order, which is that of the file they came from.
    return {name: arrays[name] for name in header.tensors}, tuple(skipped)


def _just_wait() -> None:
    pass


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    with open_regular(path) as file:
        size = size_of(file)
        if not 0 < size <= MAX_FILE_BYTES:
            raise HeaderError(f"it has {size:,} bytes; from 1 to {MAX_FILE_BYTES:,} are read")
        yield file


def _run(file: BufferedReader, folder: Path, waiting: Waiting, wall_seconds: float) -> None:
    """Have the child write the tensors of an open file into a folder.  Raises HeaderError with the reason why not."""
    # One thread, no graphics card: a limit on memory has no room for the address space that either reserves.
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    answer = folder / "answer.json"
    with answer.open("wb") as output:
        # -P: its own folder must not come before the standard library.
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own file
            [sys.executable, "-P", unpickling.__file__, str(folder)],
            stdin=file.fileno(),
            stdout=output,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=folder,
        )
    try:
        started = time.monotonic()
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = process.wait(1.0 / _LOOKS_PER_SECOND)
                break
            waiting()
            if time.monotonic() - started > wall_seconds:
                raise HeaderError(f"reading it took more than {wall_seconds:g} s and was given up")
    finally:
        # However it ended: by its own, by a limit, or because nobody waits for it any more.
        process.kill()
        process.wait()
    if status:
        raise HeaderError(_why(status, answer))


def _why(status: int, answer: Path) -> str:
    if status == unpickling.REFUSED:
        with answer.open("rb") as file:
            told = file.read(8 * _MOST_TOLD)
        with contextlib.suppress(ValueError, TypeError, KeyError, RecursionError):
            reason = json.loads(told)["reason"]
            if isinstance(reason, str):
                return "".join(char if char.isprintable() else "?" for char in reason[:_MOST_TOLD])
    if -status in _LIMIT_SIGNALS:
        return f"reading it takes more than {unpickling.CPU_SECONDS} s or too much memory, and was given up"
    return f"the process that read it ended with status {status}; the file is damaged or takes too much memory"


# SIGKILL and SIGXCPU, by their numbers on Linux and macOS: Windows names neither.
_LIMIT_SIGNALS = (9, 24)


def _bounded(path: Path) -> bytes:
    most = unpickling.MAX_TENSOR_BYTES + 2**26
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return data


def _sha256(file: BufferedReader, waiting: Waiting) -> str:
    digest = hashlib.sha256()
    file.seek(0)
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
        waiting()
    return digest.hexdigest()
