"""What a long-lived program must not have more and more of: memory, threads, open files, Qt objects."""

import ctypes
import gc
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from benchmarks.report import row
from explorer.program import Program

GROWTH_LIMIT = 0.01


@dataclass(frozen=True, slots=True)
class Sample:
    """What there is at one moment, after everything that can be freed was freed."""

    second: float
    memory_mb: float
    threads: int
    files: int
    objects: int


class Growth:
    """Takes samples of this process, and says what has grown since it was warm."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.samples: list[Sample] = []

    def take(self, second: float) -> Sample:
        """Free what can be freed, look, and remember.

        Memory is the proportional set size: pages that are shared with other processes count in part.  Qt's objects
        are those below the window, the program and the application, and every other widget that there is.
        """
        gc.collect()
        if sys.platform == "linux":
            ctypes.CDLL(None).malloc_trim(0)
        sample = Sample(second, _pss_mb(), _count("task"), _count("fd"), self._objects())
        self.samples.append(sample)
        return sample

    def rows(self, warm_share: float = 0.25) -> bool:
        """Print what grew between the end of the warm-up and the end; return whether nothing did."""
        warm = self.samples[int(warm_share * len(self.samples)) :]
        half = max(len(warm) // 2, 1)
        early, late = warm[:half], warm[-half:]
        memory = _median(late, "memory_mb") / _median(early, "memory_mb") - 1.0
        slope = (
            np.polyfit([one.second for one in warm], [one.memory_mb for one in warm], 1)[0] if len(warm) > 2 else 0.0
        )
        kept = [
            row("growth of memory, second half against first, after warm-up", 100 * memory, 100 * GROWTH_LIMIT, "%"),
            row("memory", _median(late, "memory_mb"), None, "MB"),
            row("slope of memory", 3600 * float(slope), None, "MB/h"),
        ]
        for name, said in (("threads", "threads"), ("files", "open files"), ("objects", "Qt objects")):
            grown = _median(late, name) - _median(early, name)
            kept.append(row(f"growth of {said}, of {_median(early, name):,.0f}", grown, 0.0, ""))
        return all(kept)

    def _objects(self) -> int:
        app = QApplication.instance()
        roots: list[QObject] = [self._program, self._program.window, self._program.session]
        roots += [] if app is None else [app]
        inside = sum(len(root.findChildren(QObject)) for root in roots)
        return inside + len(QApplication.allWidgets())


def _median(samples: list[Sample], name: str) -> float:
    return float(np.median([getattr(one, name) for one in samples]))


def _count(folder: str) -> int:
    return len(os.listdir(f"/proc/self/{folder}"))  # noqa: PTH208 - the fastest way


def _pss_mb() -> float:
    for line in Path("/proc/self/smaps_rollup").read_text("ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the system says nothing of the memory of a process")
