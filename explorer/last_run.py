"""How earlier runs of the program ended: each leaves a mark while it lasts, and a later start finds what stayed."""

import contextlib
import faulthandler
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from PySide6.QtCore import QLockFile

_log = logging.getLogger("explorer")
_LARGEST_LOG = 1_000_000


class RunMark:
    """The mark of this run of the program, in a folder that all of them share, and its own file for a crash.

    The mark is a lock that names its process: a run that goes on keeps it, one that ended took it away, and one that
    was killed, or crashed, leaves it behind for exactly one later start to take.
    """

    def __init__(self, folder: Path) -> None:
        self._marks = folder / "running"
        self.crash_log = folder / "crash.log"
        """Where the stacks of crashes are gathered."""
        self._lock: QLockFile | None = None
        self._crash: TextIO | None = None

    def start(self) -> str:
        """Leave the mark; return what is to be said of earlier runs that left theirs, or nothing.

        From here on the stacks of a crash are written.  A folder that cannot be written to is the log's to complain of.
        """
        try:
            self._marks.mkdir(parents=True, exist_ok=True)
            crashed, killed = self._take_left_ones()
            self._lock = _lock(self._marks / f"{os.getpid()}.lock")
            self._lock.tryLock(0)
            self._crash = self._own_crash.open("w", encoding="utf-8")
        except OSError as error:
            _log.warning("crashes are not written down: %s", error)
            return ""
        faulthandler.enable(self._crash)
        return self._said(crashed, killed)

    def stop(self) -> None:
        """Take the mark away: this run has ended as it should."""
        if self._crash is not None:
            faulthandler.disable()
            self._crash.close()
            self._crash = None
            with contextlib.suppress(OSError):
                self._own_crash.unlink()
        if self._lock is not None:
            self._lock.unlock()
            self._lock = None

    @property
    def _own_crash(self) -> Path:
        return self._marks / f"{os.getpid()}.crash"

    def _take_left_ones(self) -> tuple[int, int]:
        crashed = killed = 0
        for crash in self._left():
            stacks = crash.read_text("utf-8", "replace") if crash.exists() else ""
            if stacks:
                crashed += 1
                self._gather(crash, stacks)
            else:
                killed += 1
            crash.unlink(missing_ok=True)
        return crashed, killed

    def _left(self) -> Iterator[Path]:
        """Yield the crash file of each run that is over and left its mark; what two starts find only one gets."""
        for path in sorted(self._marks.glob("*.lock")):
            if path.stem == str(os.getpid()):
                # In a container every run has the same number: this one looks alive because it is ours now.
                path.unlink()
                yield path.with_suffix(".crash")
                continue
            lock = _lock(path)
            if lock.tryLock(0):
                yield path.with_suffix(".crash")
                lock.unlock()

    def _gather(self, crash: Path, stacks: str) -> None:
        too_large = self.crash_log.exists() and self.crash_log.stat().st_size > _LARGEST_LOG
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(crash.stat().st_mtime))
        with self.crash_log.open("w" if too_large else "a", encoding="utf-8") as log:
            log.write(f"{at} (process {crash.stem})\n{stacks}\n")

    def _said(self, crashed: int, killed: int) -> str:
        if crashed:
            _log.warning("the program crashed the last time; stacks in %s", self.crash_log.name)
            return f"The program crashed the last time. What it was doing then is in {self.crash_log}."
        if killed:
            _log.warning("the program was ended from outside the last time")
            folder = self.crash_log.parent
            return f"The program did not end by itself the last time: it was killed. Its logs are in {folder}."
        return ""


def _lock(path: Path) -> QLockFile:
    lock = QLockFile(str(path))
    # A run may last for weeks; what ends a mark is the end of its process, which the lock looks at.
    lock.setStaleLockTime(0)
    return lock
