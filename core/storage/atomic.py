"""Files that are either the old one or the new one, whole, whatever happens in between."""

import contextlib
import errno
import os
import secrets
import stat
import time
from collections.abc import Iterator
from pathlib import Path

if os.name == "posix":
    import fcntl

_PREFIX, _SUFFIX = ".latent-explorer-", ".tmp"
STALE_AFTER_S = 60.0
_CHUNK_BYTES = 2**20
_BINARY = getattr(os, "O_BINARY", 0)


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that a crash, a full disk or a lost power leaves the old file or the new one, whole.

    A new file gets the mode of the umask, a replaced one keeps its own; a link is followed.  When this returns, file
    and folder are on the disk.  Raises OSError; the old file is then intact, unless only the folder's own fsync
    failed, and no temporary is left.
    """
    # The temporary must lie in the folder of the file itself: a rename is atomic within a file system only.
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    sweep_stale_temporaries(target.parent)
    temporary = target.parent / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(8)}{_SUFFIX}"
    try:
        with _created(temporary) as descriptor:
            _keep_mode(descriptor, target)
            _write_all(descriptor, data)
            os.fsync(descriptor)
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(target.parent)


def sweep_stale_temporaries(folder: Path) -> tuple[Path, ...]:
    """Remove the temporaries that killed programs left in `folder` more than a minute ago; returns their paths.

    A temporary that a living program still writes is locked by it and stays.  Never raises OSError: a sweep that
    fails costs only space.
    """
    swept = []
    try:
        found = [path for path in folder.iterdir() if path.name.startswith(_PREFIX) and path.name.endswith(_SUFFIX)]
    except OSError:
        return ()
    for path in found:
        with contextlib.suppress(OSError):
            if _is_stale(path):
                path.unlink()
                swept.append(path)
    return tuple(swept)


@contextlib.contextmanager
def _created(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | _BINARY, 0o666)
    try:
        if os.name == "posix":
            # Some network file systems know no locks; the age alone then protects the file from a sweep.
            with contextlib.suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield descriptor
    finally:
        os.close(descriptor)


def _keep_mode(descriptor: int, target: Path) -> None:
    if os.name == "posix":
        with contextlib.suppress(OSError):
            os.fchmod(descriptor, stat.S_IMODE(target.stat().st_mode))


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest[:_CHUNK_BYTES]) :]


def sync_folder(folder: Path) -> None:
    """See the entries of a folder to the disk.  Raises OSError."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some file systems cannot sync a folder and say so with EINVAL; any other error means the rename may be lost.
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)


def _is_stale(path: Path) -> bool:
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode) or abs(time.time() - status.st_mtime) < STALE_AFTER_S:
        return False
    if os.name != "posix":
        return True
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
