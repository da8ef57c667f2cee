"""Why a file was not written, as a user would say it."""

import errno
from pathlib import Path

import pytest

from explorer.views.writing import not_written, write_whole


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOENT, "there is no folder /some"),
        (errno.EACCES, "not permitted"),
        (errno.EROFS, "only be read"),
        (errno.ENOSPC, "the disk is full"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_the_reason_is_said(number: int, reason: str) -> None:
    said = not_written(Path("/some/picture.png"), OSError(number, "Input/output error"))
    assert said.startswith("/some/picture.png could not be written: ")
    assert reason in said


def test_a_failure_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(b"before")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"after")
    assert path.read_bytes() == b"before"
    assert [found.name for found in tmp_path.iterdir()] == ["picture.png"]
