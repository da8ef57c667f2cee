"""A core for one thread alone, for as long as the user's hand moves."""

import contextlib
import os
import threading
from typing import Final

MOST_CORES: Final = 4
"""With more of them one is free for a thread that wakes."""


class OwnCore:
    """Lets the thread that makes it have a core for itself at times, and every other thread of the program the rest.

    A thread of the window that wakes is put where another runs, on a computer of two cores as often as not in place of
    training, which costs that a sixth of its pace.  Does nothing where the system has no such call (Linux has), where
    there is one core only, or more than four: then one is free, and they may not be equally fast.
    """

    def __init__(self) -> None:
        self._thread_id = threading.get_native_id()
        self._lock = threading.Lock()
        self._cores: set[int] = set()
        """All that the program may use, while the thread has one to itself."""

    def take(self) -> None:
        """Have the last core to itself, from now until `give_back`."""
        with self._lock:
            cores = _cores_of_program()
            if self._cores or not 2 <= len(cores) <= MOST_CORES:
                return
            self._cores = cores
            own = {max(cores)}
            for thread_id in _threads():
                _confine(thread_id, own if thread_id == self._thread_id else cores - own)

    def give_back(self) -> None:
        """Let every thread use every core again."""
        with self._lock:
            cores, self._cores = self._cores, set()
            # A thread that one still confined has made meanwhile is confined like it.
            freed: set[int] = set()
            while cores and (left := set(_threads()) - freed):
                for thread_id in left:
                    _confine(thread_id, cores)
                freed |= left


def _cores_of_program() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def _threads() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc/self/task")]  # noqa: PTH208  a folder of the kernel's
    except OSError:
        return []


def _confine(thread_id: int, cores: set[int]) -> None:
    # A thread may have ended meanwhile, or the system may have taken cores away.
    with contextlib.suppress(OSError):
        os.sched_setaffinity(thread_id, cores)
