"""Files that the user asks for: there whole or not at all, and if not, why not."""

import contextlib
import errno
import os
import tempfile
from pathlib import Path

_REASONS = {
    errno.EACCES: "writing there is not permitted",
    errno.EPERM: "writing there is not permitted",
    errno.EROFS: "what is there can only be read",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk is full",
    errno.EISDIR: "that is a folder",
}


def write_whole(path: Path, data: bytes) -> None:
    """Write a file through a neighbour that takes its place at the end; a failure leaves what was there.

    Raises OSError, which names the file.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(_usual_mode(path))
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def _usual_mode(path: Path) -> int:
    """Return the mode of the file that is replaced, else what the user's mask leaves of 0666."""
    with contextlib.suppress(OSError):
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def not_written(path: Path, error: OSError) -> str:
    """Return that a file was not written and why, as a user would say it."""
    missing = error.errno in (errno.ENOENT, errno.ENOTDIR)
    reason = f"there is no folder {path.parent}" if missing else _REASONS.get(error.errno or 0)
    return f"{path} could not be written: {reason or error.strerror or error}"
