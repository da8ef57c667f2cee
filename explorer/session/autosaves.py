"""The files in which the program keeps models by itself: one writer each, never one that is there already."""

import contextlib
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QLockFile

SUFFIX = ".safetensors"
_STAMP = re.compile(r" \(\d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\)( \d+)?$")


class Autosaves:
    """A folder of models kept by the program.  A file is claimed before it is written, by one program at a time."""

    def __init__(self, folder: Path, now: Callable[[], datetime] = datetime.now) -> None:
        self.folder = folder
        self._locks = folder.with_name("locks")
        self._now = now
        self._claim: tuple[Path, QLockFile] | None = None

    def __contains__(self, path: Path) -> bool:
        return path.parent == self.folder

    def claim(self, path: Path) -> bool:
        """Return whether this program may write a file; the one claimed before is given up for it.

        A claim ends with its program, also when that was killed: the lock names its process.
        """
        if self._claim is not None and self._claim[0] == path:
            return True
        with contextlib.suppress(OSError):
            self._locks.mkdir(parents=True, exist_ok=True)
        lock = QLockFile(str(self._locks / f"{path.name}.lock"))
        # 0: a claim never grows stale while its program lives, however long it trains.
        lock.setStaleLockTime(0)
        # Where no lock can be written at all, no model can either, and writing it will say so.
        if not lock.tryLock(0) and lock.error() == QLockFile.LockError.LockFailedError:
            return False
        self.release()
        self._claim = (path, lock)
        return True

    def release(self) -> None:
        """Give up the file that was claimed."""
        if self._claim is not None:
            self._claim[1].unlock()
            self._claim = None

    def new_path(self, name: str) -> Path:
        """Return a file for a document, claimed, that nobody has written yet."""
        stem = f"{name} ({self._now():%Y-%m-%d %H.%M.%S})"
        candidate, number = self.folder / f"{stem}{SUFFIX}", 2
        while candidate.exists() or not self.claim(candidate):
            candidate, number = self.folder / f"{stem} {number}{SUFFIX}", number + 1
        return candidate

    def untitled(self) -> str:
        """Return a name for a new document that no kept model has."""
        taken = {name_of(path) for path in self.folder.glob(f"*{SUFFIX}")} if self.folder.is_dir() else set()
        if "Untitled" not in taken:
            return "Untitled"
        number = 2
        while f"Untitled {number}" in taken:
            number += 1
        return f"Untitled {number}"


def name_of(path: Path) -> str:
    """Return the name of the document in a file: its stem, without the stamp of a file the program keeps itself."""
    return _STAMP.sub("", path.stem)
