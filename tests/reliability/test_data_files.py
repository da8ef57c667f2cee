import random
from pathlib import Path

import pytest

from benchmarks.fuzz.data_bases import array_files, picture_files
from benchmarks.fuzz.data_mutations import mutated
from benchmarks.reliability import data_files
from core.data.dataset import ProgressCallback
from tests.reliability.small_doses import rows_of


def test_damaged_data_files_are_refused_or_read_within_bounds() -> None:
    found = rows_of("data_files", 1500, seed=7)
    assert found["damaged: files"] == 1500
    assert 0.1 < found["damaged: read"] < 0.5
    assert found["made to take too much: files"] > 150


def test_a_damaged_file_is_the_same_every_time_and_a_sound_one_is_read(tmp_path: Path) -> None:
    bases = array_files() | picture_files()
    for suffix, files in bases.items():
        one, other = (mutated(suffix, bases, random.Random(5)) for _ in range(2))  # noqa: S311 - no secret
        assert one == other
        for number, data in enumerate(files):
            path = tmp_path / f"{number}.idx{suffix}" if suffix == ".gz" else tmp_path / f"{number}{suffix}"
            path.write_bytes(data)
            readings = data_files._READINGS[2:] if suffix in picture_files() else data_files._READINGS[:1]
            words = {data_files.outcome(reading, path) for reading in readings}
            # Labels alone, the third of the IDX files, are no pictures.
            assert words == ({"refused"} if (suffix, number) == (".idx", 2) else {"read"}), path


def test_a_reading_that_makes_no_progress_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_files, "HANG_S", 0.0)

    def read(_path: Path, _progress: ProgressCallback) -> str:
        return "read"

    assert data_files.outcome(read, tmp_path) == "read after 0 s without progress"
