"""Files that are files: what else lies under a name is refused before it can be waited for."""

import os
import stat
from io import BufferedReader
from pathlib import Path


def open_regular(path: Path) -> BufferedReader:
    """Return a regular file, open for reading.  Raises OSError, also for a folder, a pipe or a device."""
    _refuse_irregular(path.stat().st_mode)
    # Should a pipe have taken the file's place since, O_NONBLOCK opens it without waiting for a writer.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(path, flags)
    try:
        _refuse_irregular(os.fstat(descriptor).st_mode)
    except OSError:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def size_of(file: BufferedReader) -> int:
    """Return the size in bytes of an open regular file."""
    return os.fstat(file.fileno()).st_size


def _refuse_irregular(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise OSError("it is a folder, not a file")
    if not stat.S_ISREG(mode):
        raise OSError("it is a pipe or a device, not a file")
