import gzip
import os
import struct
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config import DataConfig
from core.data.dataset import DataError
from core.data.idx import read_idx, sample_idx
from core.data.importing import needs_import_choices, preview_import
from core.data.sources import load_dataset
from tests.core.data.writers import check_message, idx_bytes, some_pictures, write_idx


def config(path: Path, **rest: object) -> DataConfig:
    return DataConfig(source=str(path), **rest)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["a-images-idx3-ubyte", "a-images.idx3-ubyte.gz", "whatever"])
def test_images_come_back_as_they_were_written(tmp_path: Path, name: str) -> None:
    pictures = some_pictures()
    assert np.array_equal(read_idx(write_idx(tmp_path / name, pictures), 3), pictures)


def test_the_first_images_can_be_had_alone(tmp_path: Path) -> None:
    pictures = some_pictures()
    assert np.array_equal(sample_idx(write_idx(tmp_path / "a.gz", pictures), 3), pictures[:3])


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data[:0], "empty"),
        (lambda data: data[:3], "no IDX"),
        (lambda data: b"\x01" + data[1:], "no IDX"),
        (lambda data: data[:2] + b"\x0d" + data[3:], "float32"),
        (lambda data: data[:2] + b"\x42" + data[3:], "0x42"),
        (lambda data: data[:3] + b"\xff" + data[4:], "255"),
        (lambda data: data[:3] + b"\x01" + data[4:], "open the file of the images"),
        (lambda data: data[:9], "header"),
        (lambda data: data[:-1], "cut short"),
        (lambda data: data + b"x", "1 bytes follow"),
        (lambda data: data[:4] + b"\xff" * 12, "at most 2 GiB"),
        (lambda data: data[:4] + struct.pack(">III", 0, 28, 28), "no images"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_a_malformed_file_is_refused_with_its_name_and_the_reason(
    tmp_path: Path,
    damage: Callable[[bytes], bytes],
    reason: str,
    packed: bool,  # noqa: FBT001
) -> None:
    data = damage(idx_bytes(some_pictures()))
    path = tmp_path / f"bad-idx3{'.gz' if packed else ''}"
    path.write_bytes(gzip.compress(data) if packed else data)
    expected = {"empty": "no IDX", "1 bytes follow": "bytes follow"}.get(reason, reason) if packed else reason
    with pytest.raises(DataError, match=rf"^bad-idx3.*{expected}"):
        load_dataset(config(path))


def test_a_promise_too_large_for_the_disk_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "promise-idx3"
    path.write_bytes(b"\x00\x00\x08\x03" + struct.pack(">III", 2_000_000, 28, 28))
    tracemalloc.start()
    with pytest.raises(DataError, match="cut short"):
        load_dataset(config(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb-idx3.gz"
    path.write_bytes(gzip.compress(idx_bytes(some_pictures()) + bytes(200 * 2**20), compresslevel=1))
    tracemalloc.start()
    with pytest.raises(DataError, match="bytes follow"):
        load_dataset(config(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 2**20


def test_damaged_compression_is_refused(tmp_path: Path) -> None:
    data = gzip.compress(idx_bytes(some_pictures()))
    wrong_checksum = data[:-8] + bytes([data[-8] ^ 1]) + data[-7:]
    nested = gzip.compress(data)
    for number, bad in enumerate((data[:-9], data[: len(data) // 2], data[:12], wrong_checksum, nested)):
        path = tmp_path / f"{number}.gz"
        path.write_bytes(bad)
        with pytest.raises(DataError, match=rf"^{number}\.gz: .*(damaged|no IDX|too few|malformed)"):
            load_dataset(config(path))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_is_changed_it_loads_or_says_why(data: st.DataObject) -> None:
    original = idx_bytes(some_pictures(6, 5, 5))
    if data.draw(st.booleans()):
        original = gzip.compress(original)
    changed = bytearray(original)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(changed)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fuzz-idx3"
        path.write_bytes(bytes(changed if data.draw(st.booleans()) else changed[:cut]))
        try:
            dataset = load_dataset(config(path))
        except DataError as error:
            check_message(str(error), "fuzz-idx3: ")
        else:
            assert dataset.train.images[:].dtype == np.uint8


def test_labels_and_the_held_out_half_are_found_beside_the_images(tmp_path: Path) -> None:
    train, test = some_pictures(20), some_pictures(6, seed=1)
    images = write_idx(tmp_path / "x-train-images-idx3-ubyte.gz", train)
    write_idx(tmp_path / "x-train-labels-idx1-ubyte", np.arange(20, dtype=np.uint8) % 3 + 1)
    write_idx(tmp_path / "x-test-images-idx3-ubyte", test)
    write_idx(tmp_path / "x-test-labels-idx1-ubyte.gz", np.full(6, 3, np.uint8))
    dataset = load_dataset(config(images))
    assert np.array_equal(dataset.train.images, train)
    assert np.array_equal(dataset.held_out.images, test)
    assert dataset.label_names == ("1", "2", "3")
    assert dataset.train.labels is not None
    assert dataset.train.labels.tolist() == [row % 3 for row in range(20)]
    assert dataset.held_out.labels is not None
    assert dataset.held_out.labels.tolist() == [2] * 6
    assert "x-test-images-idx3-ubyte are held out" in dataset.note


def test_without_a_partner_a_tenth_is_held_out(tmp_path: Path) -> None:
    dataset = load_dataset(config(write_idx(tmp_path / "images-idx3", some_pictures(50))))
    assert (len(dataset.train), len(dataset.held_out)) == (45, 5)
    assert dataset.train.labels is None
    assert dataset.label_names == ()


def test_labels_in_another_number_than_images_are_refused(tmp_path: Path) -> None:
    images = write_idx(tmp_path / "images-idx3-ubyte", some_pictures(20))
    write_idx(tmp_path / "labels-idx1-ubyte", np.zeros(19, np.uint8))
    with pytest.raises(DataError, match=r"labels-idx1-ubyte: it holds 19 labels, but images-idx3-ubyte 20 images"):
        load_dataset(config(images))


def test_a_held_out_half_of_another_size_is_refused(tmp_path: Path) -> None:
    images = write_idx(tmp_path / "train-images-idx3-ubyte", some_pictures(20))
    write_idx(tmp_path / "t10k-images-idx3-ubyte", some_pictures(20, 12, 12))
    with pytest.raises(DataError, match=r"t10k-images-idx3-ubyte.*12×12.*10×10"):
        load_dataset(config(images))


def test_only_square_small_images_need_no_choices(tmp_path: Path) -> None:
    square = write_idx(tmp_path / "square-idx3", some_pictures(20, 20, 20))
    oblong = write_idx(tmp_path / "oblong-idx3", some_pictures(20, 20, 30))
    assert not needs_import_choices(square)
    assert load_dataset(config(square)).height == 20
    assert needs_import_choices(oblong)
    assert preview_import(oblong, config(oblong)).num_images == 20
    assert load_dataset(config(oblong)).train.images.shape[1:] == (28, 28)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe-idx3")
    with pytest.raises(DataError, match=r"^pipe-idx3: it is a pipe"):
        load_dataset(config(tmp_path / "pipe-idx3"))


@pytest.mark.parametrize("name", ["é 😀 -idx3", "Кириллица-idx3", "new\nline-idx3", "'\"-idx3", "x" * 250 + "-idx3"])
def test_files_with_strange_names_open_and_can_be_named(tmp_path: Path, name: str) -> None:
    dataset = load_dataset(config(write_idx(tmp_path / name, some_pictures())))
    assert dataset.name.isprintable()


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode here")
def test_a_name_that_is_no_utf8_opens(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff\xfe-idx3")
    dataset = load_dataset(config(write_idx(path, some_pictures())))
    assert dataset.name.encode("utf-8")
