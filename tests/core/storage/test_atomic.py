import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core.storage import atomic
from core.storage.atomic import sweep_stale_temporaries, write_atomically

OLD, NEW = b"old" * 1000, b"new" * 2000


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    path.write_bytes(OLD)
    return path


def _failing(after: int, number: int, real: Callable[..., object]) -> Callable[..., object]:
    calls = iter(range(1000))

    def fail(*arguments: object, **keywords: object) -> object:
        if next(calls) >= after:
            raise OSError(number, os.strerror(number))
        return real(*arguments, **keywords)

    return fail


def test_the_new_bytes_replace_the_old_ones(target: Path) -> None:
    write_atomically(target, NEW)
    assert target.read_bytes() == NEW
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize(
    ("call", "after", "number"),
    [
        ("write", 0, errno.ENOSPC),
        ("write", 1, errno.ENOSPC),
        ("write", 3, errno.EFBIG),
        ("fsync", 0, errno.EIO),
        ("rename", 0, errno.EACCES),
        ("open", 0, errno.EROFS),
    ],
)
def test_a_failing_call_leaves_the_old_file_and_no_temporary(
    target: Path, monkeypatch: pytest.MonkeyPatch, call: str, after: int, number: int
) -> None:
    monkeypatch.setattr(atomic, "_CHUNK_BYTES", 1000)
    owner, name = (Path, "replace") if call == "rename" else (os, call)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, _failing(after, number, getattr(owner, name)))
        with pytest.raises(OSError, match=r".") as caught:
            write_atomically(target, NEW)
    assert caught.value.errno == number
    assert target.read_bytes() == OLD
    assert list(target.parent.iterdir()) == [target]


def test_a_folder_that_cannot_be_synced_is_an_error_with_the_new_file_whole(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", _failing(1, errno.EIO, os.fsync))
        with pytest.raises(OSError, match="error"):
            write_atomically(target, NEW)
    assert target.read_bytes() == NEW


def test_an_interrupt_leaves_the_old_file_and_no_temporary(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_descriptor: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", interrupt)
        with pytest.raises(KeyboardInterrupt):
            write_atomically(target, NEW)
    assert target.read_bytes() == OLD
    assert list(target.parent.iterdir()) == [target]


def test_short_writes_are_continued(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda descriptor, data: real(descriptor, data[:7]))
        write_atomically(target, NEW)
    assert target.read_bytes() == NEW


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_a_new_file_has_the_mode_of_the_umask_and_a_replaced_one_keeps_its_own(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "new", NEW)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
    (tmp_path / "new").chmod(0o600)
    write_atomically(tmp_path / "new", OLD)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600


def test_a_link_stays_a_link(target: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(target)
    write_atomically(link, NEW)
    assert link.is_symlink()
    assert target.read_bytes() == NEW


def test_a_name_of_255_bytes_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    write_atomically(path, NEW)
    assert path.read_bytes() == NEW


def test_a_killed_write_leaves_the_old_file_and_its_temporary_is_swept_later(target: Path) -> None:
    killed = (
        "import os, pathlib, signal, sys\n"
        "from core.storage.atomic import write_atomically\n"
        "os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)\n"
        "write_atomically(pathlib.Path(sys.argv[1]), b'half')\n"
    )
    root = Path(__file__).parents[3]
    ended = subprocess.run([sys.executable, "-c", killed, str(target)], cwd=root, check=False)  # noqa: S603 - ourselves
    assert ended.returncode < 0
    assert target.read_bytes() == OLD
    (left,) = set(target.parent.iterdir()) - {target}
    assert sweep_stale_temporaries(target.parent) == ()
    minutes_ago = left.stat().st_mtime - 120
    os.utime(left, (minutes_ago, minutes_ago))
    write_atomically(target, NEW)
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.skipif(os.name != "posix", reason="elsewhere an open file cannot be removed at all")
def test_a_temporary_that_is_still_written_is_not_swept(tmp_path: Path) -> None:
    temporary = tmp_path / ".latent-explorer-1-a.tmp"
    with atomic._created(temporary):
        os.utime(temporary, (0, 0))
        assert sweep_stale_temporaries(tmp_path) == ()
    assert sweep_stale_temporaries(tmp_path) == (temporary,)


def test_other_files_are_not_swept(tmp_path: Path) -> None:
    for name in (".latent-explorer-notes", "x.tmp", "latent-explorer-1.tmp"):
        (tmp_path / name).write_bytes(b"mine")
        os.utime(tmp_path / name, (0, 0))
    assert sweep_stale_temporaries(tmp_path) == ()
    assert sweep_stale_temporaries(tmp_path / "nowhere") == ()
