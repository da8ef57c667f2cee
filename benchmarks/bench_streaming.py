"""Data sets that stay in their file: what streaming them costs a run, and how much memory it takes.

A .npy file of MNIST's training images, over and over, is written to the temporary folder (1 GiB, or as many as the
first argument says), opened as one that is too large for memory, and trained on with 784-400-2 in batches of 128.  A
run with resident images and one with streamed ones take turns; then again, once the system has forgotten the file.  For
that to mean something the file has to be larger than what is read in the turns, some hundreds of MiB.
"""

import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from benchmarks.bench_training import ROUNDS, Turns, in_turns
from benchmarks.report import row
from core.config import DataConfig
from core.data import files
from core.data.dataset import Dataset
from core.data.sources import load_dataset
from core.training import resident

GIB, MIB = 2**30, 2**20
NETWORK: dict[str, object] = {"hidden": (400,)}
FEWEST_MIB, WARM_SHARE = 512.0, 0.85


def write_many_digits(path: Path, num_bytes: int) -> None:
    """Write a .npy file of about so many bytes of digits."""
    digits = load_dataset(DataConfig()).train.images[:]
    times = max(num_bytes // digits.nbytes, 1)
    with path.open("wb") as file:
        shape = (times * len(digits), *digits.shape[1:])
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for _ in range(times):
            file.write(digits.data)
        file.flush()
        os.fsync(file.fileno())


def forget(path: Path) -> None:
    """Have the system drop its own copy of a file from memory."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@contextmanager
def little_memory() -> Iterator[None]:
    """Have files stay where they are, and runs stream."""
    with (
        mock.patch.object(files, "memory_to_plan_with", return_value=64 * MIB),
        mock.patch.object(resident, "memory_to_plan_with", return_value=64 * MIB),
        mock.patch.object(torch.cuda, "mem_get_info", return_value=(64 * MIB, 64 * MIB)),
    ):
        yield


def memory_bytes() -> int:
    """Return the bytes of main memory that this process has."""
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def opened(path: Path) -> Dataset:
    """Return the data set of the file, which stays there."""
    return load_dataset(DataConfig(source=str(path), image_size=28))


def streaming(path: Path) -> tuple[Turns, int]:
    """Return a run that streams the file's pictures, and the bytes that opening and training took."""
    with little_memory():
        dataset = opened(path)
        # torch's own share comes with the first run.
        Turns(load_dataset(DataConfig()), NETWORK, 1, grey=False).warm_up()
        before = memory_bytes()
        turns = Turns(dataset, NETWORK, 1, grey=False)
        turns.warm_up()
    return turns, memory_bytes() - before


def main() -> None:
    """Print what streaming costs."""
    gib = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "digits.npy"
        write_many_digits(path, int(gib * GIB))
        streamed, taken = streaming(path)
        size = path.stat().st_size / GIB
        row(f"streaming: memory that a run on a file of {size:.1f} GiB takes", taken / MIB, FEWEST_MIB, "MiB")
        in_memory = Turns(load_dataset(DataConfig()), NETWORK, 1, grey=False)
        in_memory.warm_up()
        warm = share_of(in_memory, streamed)
        row(f"streaming: {in_memory.text}", statistics.median(in_memory.rates), None, "images/s", "more")
        row(f"streaming: {streamed.text}", statistics.median(streamed.rates), None, "images/s", "more")
        row("streaming: streamed over resident, the file in the system's memory", warm, WARM_SHARE, "ratio", "more")
        forget(path)
        cold = share_of(in_memory, streamed)
        row("streaming: streamed over resident, the file on the disk", cold, None, "ratio", "more")


def share_of(in_memory: Turns, streamed: Turns) -> float:
    """Return the images a second of a run that streams over those of one that does not, the median of rounds."""
    in_turns([in_memory, streamed])
    rounds = zip(streamed.rates[-ROUNDS:], in_memory.rates[-ROUNDS:], strict=True)
    return statistics.median(one / other for one, other in rounds)


if __name__ == "__main__":
    main()
