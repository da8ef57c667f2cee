"""Where a command writes: checked before the work whose result would have no place to go."""

import tempfile
from pathlib import Path

from core.cli.arguments import UsageError


def checked_out(out: Path, argument: str, *, force: bool) -> Path:
    """Return a path that can be written, as far as that can be seen before it is; `argument` is its name in errors.

    Raises UsageError.
    """
    if out.is_dir():
        raise UsageError(f"{argument} must name a file, and {str(out)!r} is a folder")
    if out.exists() and not force:
        raise UsageError(f"{str(out)!r} exists already; --force overwrites it")
    if not out.parent.is_dir():
        raise UsageError(f"the folder {str(out.parent)!r} of {argument} does not exist")
    try:
        # Not os.access(): root may write anywhere by it, but not to /proc or a file system mounted to be read.
        with tempfile.TemporaryFile(dir=out.parent):
            pass
    except OSError as error:
        raise UsageError(
            f"the folder {str(out.parent)!r} of {argument} cannot be written to: {error.strerror}"
        ) from None
    return out
