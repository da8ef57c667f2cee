import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.config import DataConfig
from core.data import mnist
from core.data.dataset import DataError, Dataset
from core.data.sources import load_dataset, load_quick_look
from resources import resource


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_dataset(DataConfig())


def test_all_seventy_thousand_digits_are_there(digits: Dataset) -> None:
    assert digits.train.images.shape == (60_000, 28, 28)
    assert digits.held_out.images.shape == (10_000, 28, 28)
    assert (digits.height, digits.width) == (28, 28)
    assert digits.label_names == tuple("0123456789")
    assert "60,000" in digits.note
    assert "10,000" in digits.note


def test_the_digits_have_the_published_label_counts_and_pixel_moments(digits: Dataset) -> None:
    assert digits.train.labels is not None
    assert digits.held_out.labels is not None
    assert np.bincount(digits.train.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(digits.held_out.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert digits.train.images[:].mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert digits.train.images[:].std() / 255 == pytest.approx(0.3081, abs=5e-5)


def test_the_files_are_those_whose_md5_is_publicly_recorded(digits: Dataset) -> None:
    def md5(magic: int, array: np.ndarray[Any, Any]) -> str:
        header = np.array([magic, *array.shape], ">u4").tobytes()
        return hashlib.md5(header + array.astype(np.uint8).tobytes(), usedforsecurity=False).hexdigest()

    notice = resource("data", "mnist", "NOTICE").read_text("utf-8")
    for split in (digits.train, digits.held_out):
        assert split.labels is not None
        assert md5(0x803, split.images[:]) in notice
        assert md5(0x801, split.labels) in notice


def test_the_notice_names_authors_and_licence() -> None:
    notice = resource("data", "mnist", "NOTICE").read_text("utf-8")
    for words in ("Yann LeCun", "Corinna Cortes", "CC BY-SA 3.0"):
        assert words in notice


def test_the_checksum_file_says_what_the_program_checks() -> None:
    lines = resource("data", "mnist", "SHA256SUMS").read_text("ascii").split("\n")
    assert dict(line.split()[::-1] for line in lines if line) == mnist._SHA256


def test_the_pictures_cannot_be_written(digits: Dataset) -> None:
    for split in (digits.train, digits.held_out):
        assert not split.images[:].flags.writeable
        assert split.labels is not None
        assert not split.labels.flags.writeable


def test_the_quick_look_is_the_held_out_half(digits: Dataset) -> None:
    look = load_quick_look(DataConfig())
    assert look is not None
    assert np.array_equal(look.held_out.images, digits.held_out.images)
    assert np.array_equal(look.held_out.labels, digits.held_out.labels)  # type: ignore[arg-type]
    assert (look.num_train, look.height, look.width) == (60_000, 28, 28)
    assert look.label_names == digits.label_names


def test_a_damaged_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "t10k-labels-idx1-ubyte.gz"
    damaged = bytearray(resource("data", "mnist", name).read_bytes())
    damaged[2000] ^= 1
    (tmp_path / name).write_bytes(damaged)
    monkeypatch.setattr(mnist, "resource", lambda *parts: tmp_path / name if parts[-1] == name else resource(*parts))
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte\.gz.*SHA-256"):
        load_quick_look(DataConfig())


def test_a_missing_file_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mnist, "resource", lambda *parts: resource(*parts[:-1], "no-" + parts[-1]))
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte\.gz.*missing"):
        load_quick_look(DataConfig())


def test_importing_the_data_room_loads_neither_pillow_nor_torch_nor_qt() -> None:
    program = (
        "import sys, core.data.sources, core.data.importing;"
        "print([name for name in ('PIL', 'torch', 'PySide6') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "[]"
