"""Trials in forked processes: a crash, a hang or a flood of memory is counted, and the next trial goes on."""

import gc
import json
import mmap
import os
import selectors
import signal
import struct
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

if sys.platform != "win32":
    import resource


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial, made ready: only `action` is timed and its memory measured."""

    action: Callable[[], str]
    """Returns what came of it in a word; whatever it raises was not expected."""
    need_bytes: int = 0
    """Memory that this trial must take, by arithmetic: it is not counted against it."""


Prepare = Callable[[int], Trial]
"""Makes the trial of a number ready; the same trial every time."""

BATCH = 2000
PATIENCE_S = 20.0
"""A trial that takes longer is ended and counted as a hang that never ends."""
ROOM_BYTES = 6 * 2**30
"""Address space of a process beyond what it begins with, so that a flood meets a limit and not the machine's end."""
_MOST_KEPT = 20
_SLOT = struct.Struct("<qd")


@dataclass(slots=True)
class Tally:
    """What came of some trials."""

    outcomes: Counter[str] = field(default_factory=Counter)
    crashes: list[str] = field(default_factory=list)
    """A line for each trial that ended its process or had to be ended."""
    unexpected: Counter[str] = field(default_factory=Counter)
    """Number of trials by what they raised."""
    examples: list[str] = field(default_factory=list)
    """The first of the unexpected ones, with the trial's number."""
    longest_s: float = 0.0
    longest: int = -1
    peak_bytes: int = 0
    """Most memory that a trial took beyond its need."""
    hungriest: int = -1

    @property
    def count(self) -> int:
        """Number of trials."""
        return sum(self.outcomes.values()) + sum(self.unexpected.values()) + len(self.crashes)

    def add(self, other: "Tally") -> None:
        """Add what came of other trials."""
        self.outcomes += other.outcomes
        self.crashes += other.crashes
        self.unexpected += other.unexpected
        self.examples = (self.examples + other.examples)[:_MOST_KEPT]
        if other.peak_bytes > self.peak_bytes:
            self.peak_bytes, self.hungriest = other.peak_bytes, other.hungriest
        if other.longest_s > self.longest_s:
            self.longest_s, self.longest = other.longest_s, other.longest

    def to_json(self) -> str:
        """Return what from_json() takes."""
        return json.dumps(
            {
                "outcomes": dict(self.outcomes),
                "unexpected": dict(self.unexpected),
                "examples": self.examples,
                "longest": [self.longest_s, self.longest],
                "peak": [self.peak_bytes, self.hungriest],
            }
        )

    @classmethod
    def from_json(cls, text: bytes) -> "Tally":
        """Return the tally that a worker wrote.  Raises ValueError or KeyError for half a text."""
        values = json.loads(text)
        longest_s, longest = values["longest"]
        outcomes, unexpected = Counter(values["outcomes"]), Counter(values["unexpected"])
        return cls(outcomes, [], unexpected, values["examples"], longest_s, longest, *values["peak"])


@dataclass(slots=True)
class _Worker:
    process: int
    start: int
    stop: int
    slot: mmap.mmap
    text: bytearray = field(default_factory=bytearray)


def run(
    prepare: Prepare, count: int, *, processes: int = 2, batch: int = BATCH, patience_s: float = PATIENCE_S
) -> Tally:
    """Return what came of trials 0 to `count`, done by forked processes, `batch` trials each."""
    waiting = deque((start, min(start + batch, count)) for start in range(0, count, batch))
    total = Tally()
    gc.freeze()
    with selectors.DefaultSelector() as selector:
        while waiting or selector.get_map():
            while waiting and len(selector.get_map()) < processes:
                pipe, worker = _forked(prepare, *waiting.popleft())
                selector.register(pipe, selectors.EVENT_READ, worker)
            for key, _ in selector.select(0.5):
                chunk = os.read(key.fd, 2**16)
                key.data.text += chunk
                if not chunk:
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    tally, rest = _ended(key.data)
                    total.add(tally)
                    waiting.extendleft(reversed(rest))
            _end_hanging([key.data for key in selector.get_map().values()], patience_s)
    return total


def rss_bytes() -> tuple[int, int]:
    """Return the memory of this process in bytes, and the most it had since the last reset_peak()."""
    values = {}
    with open("/proc/self/status", "rb") as file:  # noqa: PTH123 - thousands of times
        for line in file:
            if line.startswith((b"VmHWM", b"VmRSS")):
                values[line[:5]] = int(line.split()[1]) * 1024
    return values[b"VmRSS"], values[b"VmHWM"]


def reset_peak() -> None:
    """Begin anew to note the most memory of this process."""
    with open("/proc/self/clear_refs", "wb") as file:  # noqa: PTH123 - thousands of times
        file.write(b"5")


def _forked(prepare: Prepare, start: int, stop: int) -> tuple[int, _Worker]:
    slot = mmap.mmap(-1, _SLOT.size)
    reading, writing = os.pipe()
    # What is still unwritten would be written by both.
    sys.stdout.flush()
    process = os.fork()
    if process:
        os.close(writing)
        return reading, _Worker(process, start, stop, slot)
    status = 1
    try:
        os.close(reading)
        # libtiff says there what it finds wrong with each of a million files.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        text = _worked(prepare, start, stop, slot).to_json().encode()
        while text:
            text = text[os.write(writing, text) :]
        status = 0
    finally:
        os._exit(status)


def _worked(prepare: Prepare, start: int, stop: int, slot: mmap.mmap) -> Tally:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    room = pages * os.sysconf("SC_PAGE_SIZE") + ROOM_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (room, room))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    tally = Tally()
    for index in range(start, stop):
        trial = prepare(index)
        reset_peak()
        before, _ = rss_bytes()
        began = time.monotonic()
        _SLOT.pack_into(slot, 0, index, began)
        try:
            tally.outcomes[trial.action()] += 1
        except BaseException as error:  # noqa: BLE001 - that is what is looked for
            kind = type(error).__name__
            tally.unexpected[kind] += 1
            if len(tally.examples) < _MOST_KEPT:
                tally.examples.append(f"trial {index}: {kind}: {str(error)[:200]}")
        seconds = time.monotonic() - began
        if seconds > tally.longest_s:
            tally.longest_s, tally.longest = seconds, index
        peak = rss_bytes()[1] - before - trial.need_bytes
        if peak > tally.peak_bytes:
            tally.peak_bytes, tally.hungriest = peak, index
    return tally


def _ended(worker: _Worker) -> tuple[Tally, list[tuple[int, int]]]:
    """Return what a worker counted; of one that was ended: the crash, and the ranges still to be done."""
    _, status = os.waitpid(worker.process, 0)
    index, began = _SLOT.unpack_from(worker.slot, 0)
    worker.slot.close()
    # One that left without a word ended itself in the middle of a trial.
    if status == 0 and worker.text:
        return Tally.from_json(bytes(worker.text)), []
    seconds = time.monotonic() - began
    code = os.waitstatus_to_exitcode(status)
    tally = Tally(crashes=[f"trial {index}: status {code} after {seconds:.1f} s"])
    if code == -signal.SIGKILL:
        tally.longest_s, tally.longest = seconds, index
    return tally, [part for part in ((worker.start, index), (index + 1, worker.stop)) if part[0] < part[1]]


def _end_hanging(workers: list[_Worker], patience_s: float) -> None:
    for worker in workers:
        index, began = _SLOT.unpack_from(worker.slot, 0)
        if began and index >= worker.start and time.monotonic() - began > patience_s:
            os.kill(worker.process, signal.SIGKILL)
