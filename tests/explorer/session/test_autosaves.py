"""Files the program keeps by itself."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from explorer.session.autosaves import Autosaves

MOMENT = datetime(2024, 2, 3, 10, 11, 12, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "autosaves"
    folder.mkdir()
    return folder


def keeper(folder: Path) -> Autosaves:
    return Autosaves(folder, lambda: MOMENT)


def test_a_file_has_one_writer(folder: Path) -> None:
    mine, other = keeper(folder), keeper(folder)
    path = mine.new_path("Untitled")
    assert mine.claim(path)
    assert not other.claim(path)
    mine.release()
    assert other.claim(path)


def test_two_windows_that_begin_in_the_same_second_write_two_files(folder: Path) -> None:
    mine, other = keeper(folder), keeper(folder)
    assert mine.new_path("Untitled") != other.new_path("Untitled")


def test_a_file_that_is_there_is_never_chosen(folder: Path) -> None:
    first = keeper(folder).new_path("Untitled")
    first.write_bytes(b"kept")
    second = keeper(folder).new_path("Untitled")
    assert second != first
    assert first.read_bytes() == b"kept"


def test_claiming_another_file_gives_up_the_one_before(folder: Path) -> None:
    mine, other = keeper(folder), keeper(folder)
    first = mine.new_path("a")
    mine.new_path("b")
    assert other.claim(first)


def test_untitled_documents_are_counted(folder: Path) -> None:
    autosaves = keeper(folder)
    assert autosaves.untitled() == "Untitled"
    autosaves.new_path(autosaves.untitled()).write_bytes(b"")
    assert autosaves.untitled() == "Untitled 2"
