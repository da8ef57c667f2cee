"""One writer for a run's folder, and who that is."""

import json
import os
import socket
from pathlib import Path

from core.regular_files import open_regular
from core.storage.atomic import write_atomically
from core.storage.safetensors_header import HeaderError, parse_json

LOCK, OWNER = "run.lock", "owner.json"
_MAX_OWNER_BYTES = 4096


class RunLock:
    """The right to write into a folder.  The system takes it back when its process ends, also when it is killed."""

    def __init__(self, folder: Path) -> None:
        from filelock import FileLock  # noqa: PLC0415 - 30 ms that a start without a run need not spend

        self._folder = folder
        # Taken by one thread and given back by another, where a program ends in the middle of a run.
        self._lock = FileLock(folder / LOCK, thread_local=False)

    def acquire(self) -> bool:
        """Return whether the folder is ours now.  Raises OSError where nothing can be written there."""
        if not self._try():
            return False
        owner = {"pid": os.getpid(), "host": socket.gethostname()}
        write_atomically(self._folder / OWNER, json.dumps(owner).encode())
        return True

    def is_free(self) -> bool:
        """Return whether nobody writes there at the moment, and leave it so.  Raises OSError as above."""
        if not self._try():
            return False
        self._lock.release()
        return True

    def release(self) -> None:
        """Give the folder up."""
        self._lock.release(force=True)

    def _try(self) -> bool:
        from filelock import Timeout  # noqa: PLC0415 - as above

        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            return False
        return True


def owner_of(folder: Path) -> str:
    """Return who writes into a folder, or did last, as part of a sentence."""
    try:
        with open_regular(folder / OWNER) as file:
            owner = parse_json(file.read(_MAX_OWNER_BYTES), "the owner")
        return f"process {owner['pid']:d} on {str(owner['host'])[:100]}"
    except (OSError, HeaderError, TypeError, KeyError, ValueError):
        return "another program"
