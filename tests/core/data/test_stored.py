"""Data sets that are not brought into memory: the same pictures, halves and fingerprint as if they were."""

import os
from pathlib import Path

import numpy as np
import pytest

from core.config import DataConfig
from core.data import arrays, files
from core.data.dataset import DataError, Dataset
from core.data.importing import preview_import, suggested_config
from core.data.sources import load_dataset
from core.stored_pictures import StoredPictures
from tests.core.data.writers import some_pictures, write_idx


def load(path: Path, **values: object) -> Dataset:
    return load_dataset(DataConfig.from_mapping({"source": str(path), "image_size": 10, **values}))


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let 1,000 bytes be brought into memory: ten pictures."""
    monkeypatch.setattr(files, "memory_to_plan_with", lambda: 4000)


def loaded_both_ways(path: Path, monkeypatch: pytest.MonkeyPatch, **values: object) -> tuple[Dataset, Dataset]:
    in_memory = load(path, **values)
    with monkeypatch.context() as patch:
        patch.setattr(files, "memory_to_plan_with", lambda: 4000)
        stored = load(path, **values)
    assert isinstance(in_memory.train.images, np.ndarray)
    assert isinstance(stored.train.images, StoredPictures)
    return in_memory, stored


def check_alike(one: Dataset, other: Dataset) -> None:
    assert one.fingerprint == other.fingerprint
    assert one.label_names == other.label_names
    for name in ("train", "held_out"):
        half, beside = one.half(name), other.half(name)
        assert np.array_equal(half.images[:], beside.images[:])
        assert (half.labels is None) == (beside.labels is None)
        if half.labels is not None and beside.labels is not None:
            assert np.array_equal(half.labels, beside.labels)


@pytest.mark.parametrize("shape", [(30, 10, 10), (30, 10, 10, 1), (30, 1, 10, 10), (30, 100)], ids=str)
@pytest.mark.parametrize("highest", [1, 16, 255])
@pytest.mark.parametrize("invert", [False, True])
def test_a_npy_file_is_the_same_data_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], highest: int, *, invert: bool
) -> None:
    pictures = np.random.default_rng(0).integers(0, highest + 1, (30, 10, 10), np.uint8)
    np.save(tmp_path / "a.npy", pictures.reshape(shape))
    in_memory, stored = loaded_both_ways(tmp_path / "a.npy", monkeypatch, invert=invert)
    check_alike(in_memory, stored)
    assert "stay in their file" in stored.note
    assert in_memory.note.rstrip(".") in stored.note


@pytest.mark.parametrize("partner", [False, True])
@pytest.mark.parametrize("invert", [False, True])
def test_an_idx_file_is_the_same_data_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, partner: bool, invert: bool
) -> None:
    for half, count in (("train", 30), *((("t10k", 12),) if partner else ())):
        write_idx(tmp_path / f"{half}-images-idx3-ubyte", some_pictures(count, seed=count))
        write_idx(tmp_path / f"{half}-labels-idx1-ubyte", np.arange(count, dtype=np.uint8) % 3)
    in_memory, stored = loaded_both_ways(tmp_path / "train-images-idx3-ubyte", monkeypatch, invert=invert)
    check_alike(in_memory, stored)


@pytest.mark.usefixtures("little_memory")
def test_what_would_have_to_be_converted_is_refused_and_it_is_said_what_is_allowed(tmp_path: Path) -> None:
    pictures = some_pictures(30)
    np.save(tmp_path / "floats.npy", pictures.astype(np.float32))
    np.save(tmp_path / "fortran.npy", np.asfortranarray(pictures))
    np.save(tmp_path / "colours.npy", np.stack([pictures] * 3, axis=3))
    np.savez_compressed(tmp_path / "packed.npz", images=pictures)
    write_idx(tmp_path / "images-idx3-ubyte.gz", pictures)
    for name in ("floats.npy", "fortran.npy", "colours.npy", "packed.npz", "images-idx3-ubyte.gz"):
        with pytest.raises(DataError, match=rf"^{name}.*at most .* GiB .*uncompressed .npy or IDX file of bytes"):
            load(tmp_path / name)


@pytest.mark.usefixtures("little_memory")
def test_what_would_have_to_be_scaled_is_refused_with_the_size_that_is_allowed(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", some_pictures(30))
    with pytest.raises(DataError, match=r"^a\.npy: .*10×10.*choose 10 as their size"):
        load(tmp_path / "a.npy", image_size=12)
    np.save(tmp_path / "b.npy", some_pictures(30, 10, 20))
    with pytest.raises(DataError, match=r"^b\.npy: .*10×20.*square"):
        load(tmp_path / "b.npy")


@pytest.mark.usefixtures("little_memory")
def test_a_folder_of_too_many_pictures_is_refused_before_any_is_read(tmp_path: Path) -> None:
    for number in range(11):
        (tmp_path / f"{number}.png").write_bytes(b"not read")
    with pytest.raises(DataError, match=r"pictures take .* GiB of memory.*smaller size.*\.npy"):
        load(tmp_path)


@pytest.mark.usefixtures("little_memory")
def test_it_can_be_previewed_and_choices_suggested(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", some_pictures(30))
    config = suggested_config(tmp_path / "a.npy")
    assert config.image_size == 10
    assert preview_import(tmp_path / "a.npy", config).num_images == 30


@pytest.mark.usefixtures("little_memory")
def test_reading_it_tells_how_far_it_is_and_can_be_cancelled(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", some_pictures(30))
    config = DataConfig(source=str(tmp_path / "a.npy"), image_size=10)
    told = []
    load_dataset(config, lambda share, _text: told.append(share))
    assert told[-1] == 1.0

    def cancelled(_share: float, _text: str) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        load_dataset(config, cancelled)


@pytest.mark.usefixtures("little_memory")
def test_a_file_that_is_cut_short_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, some_pictures(30))
    with pytest.raises(DataError, match=r"^a\.npy: the file was changed"):
        load_dataset(DataConfig(source=str(path), image_size=10), lambda _share, _text: os.truncate(path, 200))


class Enough(Exception):  # noqa: N818 - a request, not an error
    """Whoever waits gives up."""


@pytest.mark.usefixtures("little_memory")
def test_the_search_for_the_brightest_pixel_tells_how_far_it_is_and_can_be_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of what is all dark nothing is known before all was read.
    np.save(tmp_path / "dark.npy", np.zeros((300, 10, 10), np.uint8))
    monkeypatch.setattr("core.stored_pictures.PIECE_BYTES", 10_000)
    config = DataConfig(source=str(tmp_path / "dark.npy"), image_size=10)
    told: list[tuple[float, str]] = []

    def tell(fraction: float, text: str) -> None:
        told.append((fraction, text))

    load_dataset(config, tell)
    search = [fraction for fraction, text in told if "brightest" in text]
    assert search == pytest.approx([1 / 3, 2 / 3, 1.0])

    def give_up(_fraction: float, text: str) -> None:
        told.append((0.0, text))
        raise Enough

    told.clear()
    with pytest.raises(Enough):
        load_dataset(config, give_up)
    assert [text for _, text in told] == ["looking for the brightest pixel"]


def test_what_found_its_place_in_memory_is_not_refused_a_moment_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    np.save(tmp_path / "a.npy", some_pictures())
    free = [2**30]
    place_in_file = arrays._place_in_file

    def place_then_less(path: Path) -> object:
        found = place_in_file(path)
        free.append(0)
        return found

    monkeypatch.setattr(files, "memory_to_plan_with", lambda: free[-1])
    with monkeypatch.context() as patch:
        patch.setattr(arrays, "_place_in_file", place_then_less)
        # The pictures as they are made of the array are another matter, with a remedy of their own.
        with pytest.raises(DataError, match="choose a smaller size for them"):
            load(tmp_path / "a.npy")
