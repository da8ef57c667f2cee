"""Pictures that stay in their file: what is taken from it is what an array would give; a file that changes says so."""

import gc
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import stored_pictures
from core.stored_pictures import StoredPictures, StoredPicturesError
from tests.core.data.writers import some_pictures

START = 7


@pytest.fixture
def pictures() -> np.ndarray:
    return some_pictures(50, 3, 4)


@pytest.fixture
def path(tmp_path: Path, pictures: np.ndarray) -> Path:
    path = tmp_path / "pictures"
    path.write_bytes(bytes(START) + pictures.tobytes())
    return path


@pytest.fixture
def stored(path: Path) -> StoredPictures:
    return StoredPictures(path, path.name, START, (50, 3, 4))


ROWS = (
    np.arange(50),
    np.array([], np.int64),
    np.array([3, 1, 1, 49]),
    np.array([2, 4, 9, 10]),
    np.array([-1, 0]),
    np.array([5, 20, 49]),
    np.arange(10, 20)[::-1],
)


@pytest.mark.parametrize("rows", ROWS, ids=str)
def test_rows_are_those_of_the_array(stored: StoredPictures, pictures: np.ndarray, rows: np.ndarray) -> None:
    assert np.array_equal(stored[rows], pictures[rows])
    assert np.array_equal(stored.taken(rows)[:], pictures[rows])


@pytest.mark.parametrize("part", [slice(None), slice(3, 9), slice(40, 90), slice(9, 3), slice(0, 50, 7)], ids=str)
def test_slices_are_those_of_the_array(stored: StoredPictures, pictures: np.ndarray, part: slice) -> None:
    assert np.array_equal(stored[part], pictures[part])


def test_one_picture_is_one_picture(stored: StoredPictures, pictures: np.ndarray) -> None:
    assert np.array_equal(stored[7], pictures[7])
    assert np.array_equal(stored[-1], pictures[-1])
    assert stored.shape == pictures.shape
    assert stored.nbytes == pictures.nbytes


@given(first=st.lists(st.integers(0, 49), max_size=60), second=st.data())
def test_a_choice_of_a_choice_is_that_of_the_array(
    tmp_path_factory: pytest.TempPathFactory, first: list[int], second: st.DataObject
) -> None:
    pictures = some_pictures(50, 3, 4)
    path = tmp_path_factory.getbasetemp() / "chosen"
    path.write_bytes(pictures.tobytes())
    once = StoredPictures(path, "chosen", 0, (50, 3, 4)).taken(np.array(first, np.int64))
    places = second.draw(st.lists(st.integers(0, len(first) - 1), max_size=20)) if first else []
    assert np.array_equal(once[np.array(places, np.int64)], pictures[first][places])


def test_greys_go_through_a_table(stored: StoredPictures, pictures: np.ndarray) -> None:
    inverted = stored.through(255 - np.arange(256, dtype=np.uint8))
    assert np.array_equal(inverted[4:6], 255 - pictures[4:6])
    assert np.array_equal(inverted.through(np.arange(256, dtype=np.uint8)[::-1].copy())[:], pictures)


def test_the_same_pictures_are_known_without_reading_them(stored: StoredPictures, path: Path) -> None:
    table = 255 - np.arange(256, dtype=np.uint8)
    assert stored.is_same(stored.taken(np.arange(50)))
    assert not stored.is_same(stored.taken(np.arange(49)))
    assert not stored.is_same(stored.through(table))
    assert stored.is_same(StoredPictures(path, path.name, START, (50, 3, 4)))
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    assert not stored.is_same(StoredPictures(other, other.name, START, (50, 3, 4)))


def test_rows_that_there_are_not_are_refused(stored: StoredPictures) -> None:
    for rows in (np.array([50]), np.array([-51]), 50):
        with pytest.raises(IndexError, match="not among 50 pictures"):
            stored[rows]


def test_a_file_that_was_cut_short_is_an_error_and_no_crash(stored: StoredPictures, path: Path) -> None:
    os.truncate(path, START + 12)
    for rows in (0, slice(None), np.array([0, 30])):
        with pytest.raises(StoredPicturesError, match=r"^pictures: the file was changed"):
            stored[rows]


def test_a_file_that_is_cut_short_between_the_look_and_the_reading_is_one_too(
    stored: StoredPictures, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.truncate(path, START + 12)
    monkeypatch.setattr(stored._file, "check", lambda: None)
    with pytest.raises(StoredPicturesError, match="changed"):
        stored[30]


def test_a_file_that_was_written_to_is_an_error(stored: StoredPictures, path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(START)
        file.write(b"\xff")
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    with pytest.raises(StoredPicturesError, match="changed"):
        stored[0]


def test_a_file_that_was_removed_or_replaced_is_read_on(
    stored: StoredPictures, pictures: np.ndarray, path: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"another")
    other.replace(path)
    assert np.array_equal(stored[:], pictures)
    path.unlink()
    assert np.array_equal(stored[:], pictures)


def test_a_disk_that_fails_is_an_error(stored: StoredPictures, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_arguments: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "preadv", failing)
    with pytest.raises(StoredPicturesError, match=r"^pictures: it cannot be read: Input/output error"):
        stored[0]


def test_where_a_read_cannot_say_where_from_the_pictures_are_the_same(
    stored: StoredPictures, pictures: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "preadv")
    assert np.array_equal(stored[np.array([9, 2, 40])], pictures[[9, 2, 40]])


def test_a_slow_disk_is_told_beforehand_what_will_be_read(
    stored: StoredPictures, pictures: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    monkeypatch.setattr(stored_pictures, "_SECONDS_FROM_MEMORY", 0.0)
    monkeypatch.setattr(os, "posix_fadvise", lambda _file, offset, _size, _advice: told.append(offset))
    rows = np.array([40, 2, 9])
    assert np.array_equal(stored[rows], pictures[rows])
    assert not told
    assert np.array_equal(stored[rows], pictures[rows])
    assert told == [START + 12 * row for row in rows]
    monkeypatch.setattr(stored_pictures, "_SECONDS_FROM_MEMORY", 1.0)
    stored[rows]
    told.clear()
    stored[rows]
    assert not told


def test_the_file_is_closed_with_the_last_who_knows_it(path: Path) -> None:
    files = Path("/proc/self/fd")
    before = len(list(files.iterdir())) if files.exists() else 0
    stored = StoredPictures(path, path.name, START, (50, 3, 4))
    half = stored.taken(np.arange(9))
    del stored
    assert half[0].shape == (3, 4)
    del half
    gc.collect()
    if before:
        assert len(list(files.iterdir())) == before
