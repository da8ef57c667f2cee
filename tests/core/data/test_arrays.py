import tempfile
import tracemalloc
import warnings
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config import DataConfig
from core.data.dataset import DataError, Dataset
from core.data.importing import preview_import
from core.data.npy import read_header, read_values
from core.data.sources import load_dataset
from tests.core.data.writers import check_message, npy_bytes, some_pictures

Array = np.ndarray[Any, Any]
PICTURES = some_pictures()


def load(path: Path, side: int = 10, **rest: object) -> Dataset:
    return load_dataset(DataConfig(source=str(path), image_size=side, **rest))  # type: ignore[arg-type]


def all_images(dataset: Dataset) -> Array:
    """In an order that does not depend on the split."""
    rows = np.concatenate([dataset.train.images, dataset.held_out.images])
    return rows[np.lexsort(rows.reshape(len(rows), -1).T[::-1])]


def saved(folder: Path, array: Array) -> Path:
    path = folder / "pictures.npy"
    np.save(path, array, allow_pickle=True)
    return path


def expected() -> Array:
    return PICTURES[np.lexsort(PICTURES.reshape(len(PICTURES), -1).T[::-1])]


@pytest.mark.parametrize(
    "array",
    [
        pytest.param(PICTURES, id="uint8"),
        pytest.param(np.asfortranarray(PICTURES), id="Fortran order"),
        pytest.param(PICTURES.reshape(20, 100), id="(N,D)"),
        pytest.param(PICTURES[..., None], id="(N,H,W,1)"),
        pytest.param(PICTURES[:, None], id="(N,1,H,W)"),
        pytest.param(np.repeat(PICTURES[..., None], 3, axis=3), id="(N,H,W,3)"),
        pytest.param(np.repeat(PICTURES[:, None], 3, axis=1), id="(N,3,H,W)"),
        pytest.param(np.insert(np.repeat(PICTURES[..., None], 3, 3), 3, 255, 3), id="(N,H,W,4) opaque"),
        pytest.param(PICTURES.astype(">i4"), id="big-endian whole numbers"),
        pytest.param(PICTURES.astype("<u2") * np.uint16(257), id="16-bit"),
        pytest.param(PICTURES.astype(np.float64), id="floats to 255"),
        pytest.param(PICTURES / 255, id="floats to 1"),
        pytest.param((PICTURES / 255).astype(">f4"), id="big-endian floats"),
        pytest.param((PICTURES / 255).astype(np.float16), id="float16"),
        pytest.param(PICTURES / 127.5 - 1, id="floats from -1 to 1"),
    ],
)
def test_the_same_pictures_come_out_whatever_holds_them(tmp_path: Path, array: Array) -> None:
    dataset = load(saved(tmp_path, array))
    assert np.array_equal(all_images(dataset), expected())
    if array.dtype.kind == "f":
        assert "was read as" in dataset.note


def test_bits_become_black_and_white(tmp_path: Path) -> None:
    for bits in (PICTURES > 127, (PICTURES > 127).astype(np.uint8), (PICTURES > 127).astype(np.float32)):
        assert np.unique(all_images(load(saved(tmp_path, bits)))).tolist() == [0, 255]


def test_sixteen_grey_levels_are_stretched_and_the_note_says_so(tmp_path: Path) -> None:
    dataset = load(saved(tmp_path, (PICTURES // 16).astype(np.float64)))
    assert all_images(dataset).max() == 255
    assert "0 to 15" in dataset.note


def test_images_last_are_recognised_and_the_note_says_so(tmp_path: Path) -> None:
    pictures = some_pictures(60, 10, 10)
    dataset = load(saved(tmp_path, np.ascontiguousarray(np.moveaxis(pictures, 0, -1))))
    assert len(dataset.train) + len(dataset.held_out) == 60
    assert {picture.tobytes() for picture in all_images(dataset)} == {picture.tobytes() for picture in pictures}
    assert "(height, width, N)" in dataset.note


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((30, 28)), "28 values|square"),
        (np.zeros((30, 0)), "empty"),
        (np.zeros((0, 28, 28)), "empty"),
        (np.zeros(784), "allowed are"),
        (np.array(1.0), "empty"),
        (np.zeros((5, 4, 28, 28)), "allowed are"),
        (np.zeros((28, 28, 3), np.uint8), "allowed are"),
        (np.zeros((2, 3, 4, 5, 6)), "allowed are"),
        (np.zeros((1, 28, 28)), "at least 2"),
        (np.zeros((3, 10, 10), np.complex64), "complex"),
        (np.zeros((3, 10, 10), "M8[s]"), "dates"),
        (np.zeros(3, [("a", "u1"), ("b", "f4")]), "records"),
        (np.full((3, 10, 10), "x"), "type <U1"),
        (np.full((3, 10, 10), -5.0), "between -5 and -5; allowed are 0 to 1"),
        (np.full((3, 10, 10), 300.0), "between 300 and 300"),
        (np.full((3, 10, 10), 70_000), "between 70000"),
        (np.array([None, 1]), "pickle"),
    ],
)
def test_what_is_no_stack_of_pictures_is_refused_with_the_reason(tmp_path: Path, array: Array, reason: str) -> None:
    with pytest.raises(DataError, match=rf"^pictures\.npy: .*({reason})"):
        load(saved(tmp_path, array))


def test_images_with_nan_or_infinity_are_counted(tmp_path: Path) -> None:
    pictures = PICTURES / 255
    pictures[4, 3, 3] = np.nan
    pictures[11, 0, :] = np.inf
    with pytest.raises(DataError, match=r"2 of 20 images hold NaN or infinity, the first in row 4"):
        load(saved(tmp_path, pictures))


class Evil:
    """Would create a file if it were ever unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.canary,)


@pytest.mark.parametrize("writer", [np.save, lambda path, array, **_: np.savez(path, images=array)])
def test_a_pickle_is_refused_and_runs_nothing(tmp_path: Path, writer: Any) -> None:
    path = tmp_path / ("evil.npy" if writer is np.save else "evil.npz")
    writer(path, np.array([[[Evil(tmp_path / "canary")]]], dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match=r"^evil\.np.*pickle"):
        load(path)
    assert not (tmp_path / "canary").exists()


HEADER = "{{'descr': {}, 'fortran_order': {}, 'shape': {}, }}"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x93NUMPY", "no .npy file"),
        (b"garbage that numpy takes for a pickle", "no .npy file"),
        (npy_bytes(HEADER.format("'|u1'", False, (2**31, 2**31))), "at most 2 GiB"),
        (npy_bytes(HEADER.format("'|u1'", False, (2**70, 1, 1))), "not a possible shape"),
        (npy_bytes(HEADER.format("'|u1'", False, (-1, 28, 28))), "not a possible shape"),
        (npy_bytes(HEADER.format("'|u1'", False, "(2.5, 3, 3)")), "not a possible shape"),
        (npy_bytes(HEADER.format("'|u1'", False, "28")), "not a possible shape"),
        (npy_bytes(HEADER.format("'|S0'", False, (10**12,))), "not supported"),
        (npy_bytes(HEADER.format("'|f1'", False, (2, 2, 2)), bytes(8)), "not supported"),
        (npy_bytes(HEADER.format("'|O'", False, (2, 2, 2)), bytes(64)), "pickle"),
        (npy_bytes(HEADER.format("'<f8'", "'no'", (2, 2, 2)), bytes(64)), "fortran_order"),
        (npy_bytes(HEADER.format("'<f8'", False, (2, 2, 2)), bytes(63)), "cut short"),
        (npy_bytes(HEADER.format("'<f8'", False, (2, 2, 2)), bytes(65)), "bytes follow"),
        (npy_bytes("(" * 9000), "cannot be understood"),
        (npy_bytes("__import__('os').system('true')"), "cannot be understood"),
        (npy_bytes("{'descr': '<f8'}"), "cannot be understood"),
        (npy_bytes(" " * 60_000), "too long"),
        (npy_bytes("{}", version=2, length=2**32 - 1), "too long"),
        (npy_bytes("{}", version=2, length=5000), "header"),
        (npy_bytes("{}", version=9), "version 9"),
    ],
)
def test_a_crafted_header_is_refused_before_memory_is_taken(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "crafted.npy"
    path.write_bytes(data)
    tracemalloc.start()
    with pytest.raises(DataError, match=rf"^crafted\.npy: .*{reason}"):
        load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 2**20


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.npy").touch()
    with pytest.raises(DataError, match=r"^empty\.npy: the file is empty"):
        load(tmp_path / "empty.npy")


def test_a_file_that_shrinks_while_it_is_read_is_reported() -> None:
    data = npy_bytes(HEADER.format("'|u1'", False, (2, 5, 5)), bytes(50))
    stream = BytesIO(data[:-7])
    header = read_header(stream, len(data), "shrinking.npy")
    with pytest.raises(DataError, match=r"^shrinking\.npy: it ends after 43 of 50 bytes"):
        read_values(stream, header, "shrinking.npy")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_is_changed_it_loads_or_says_why(data: st.DataObject) -> None:
    buffer = BytesIO()
    if data.draw(st.booleans()):
        np.savez_compressed(buffer, images=some_pictures(6, 5, 5), labels=np.arange(6))
    else:
        np.save(buffer, some_pictures(6, 5, 5))
    changed = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fuzz.npz"
        path.write_bytes(changed[: data.draw(st.sampled_from([len(changed), len(changed) // 2, 11]))])
        try:
            dataset = load(path)
        except DataError as error:
            check_message(str(error), "fuzz.npz")
        else:
            assert dataset.train.images.shape[1:] == (10, 10)


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (("images", "labels"), np.arange(20) % 4),
        (("X", "y"), (np.arange(20) % 4).astype(np.float64)),
        (("data", "targets"), np.arange(20)[:, None] % 4),
        (("some_pictures", "label"), np.eye(4)[np.arange(20) % 4]),
        (("arr_0", "Labels"), np.array(list("0123"))[np.arange(20) % 4]),
    ],
)
def test_labels_of_many_kinds_are_found_in_an_archive(tmp_path: Path, names: tuple[str, str], labels: Array) -> None:
    arrays: dict[str, Any] = {names[0]: PICTURES, names[1]: labels}
    np.savez(tmp_path / "a.npz", **arrays)
    dataset = load(tmp_path / "a.npz")
    assert dataset.label_names == ("0", "1", "2", "3")
    by_picture = {picture.tobytes(): row % 4 for row, picture in enumerate(PICTURES)}
    for split in (dataset.train, dataset.held_out):
        assert split.labels is not None
        assert [by_picture[picture.tobytes()] for picture in split.images] == split.labels.tolist()


def test_the_archive_of_keras_brings_its_own_held_out_half(tmp_path: Path) -> None:
    test = some_pictures(7, seed=3)
    np.savez(
        tmp_path / "a.npz", x_train=PICTURES, y_train=np.arange(20) % 3, x_test=test, y_test=np.zeros(7, int), other=[1]
    )
    dataset = load(tmp_path / "a.npz")
    assert np.array_equal(dataset.train.images, PICTURES)
    assert np.array_equal(dataset.held_out.images, test)
    assert "7 test images" in dataset.note
    assert "Not used: other" in dataset.note


def test_labels_that_cannot_be_shown_are_left_out_and_the_note_says_why(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=PICTURES, labels=np.linspace(0, 1, 20))
    dataset = load(tmp_path / "a.npz")
    assert dataset.train.labels is None
    assert "labels are left out" in dataset.note


def test_labels_in_another_number_than_images_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=PICTURES, labels=np.arange(19))
    with pytest.raises(DataError, match=r"^a\.npz: labels has the shape \(19,\), but images holds 20"):
        load(tmp_path / "a.npz")


def test_an_archive_without_pictures_lists_its_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", first=np.zeros(3), second=np.zeros(4))
    with pytest.raises(DataError, match=r"^a\.npz: .*first, second"):
        load(tmp_path / "a.npz")


def test_an_archive_bomb_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, images=np.zeros((90_000, 28, 28), np.uint8))
    tracemalloc.start()
    with pytest.raises(DataError, match=r"^bomb\.npz: .*-fold"):
        load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * 2**20


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for number in range(3000):
            archive.writestr(f"{number}.npy", b"")
    with pytest.raises(DataError, match=r"^a\.npz: it has too many members"):
        load(tmp_path / "a.npz")


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr("images.npy", b"1")
        archive.writestr("images.npy", b"2")
    with pytest.raises(DataError, match=r"^a\.npz: two of its members have the same name"):
        load(tmp_path / "a.npz")


def test_overlapping_members_are_refused(tmp_path: Path) -> None:
    buffer = BytesIO()
    np.savez(buffer, a=PICTURES, b=PICTURES)
    data = bytearray(buffer.getvalue())
    second = data.rfind(b"PK\x01\x02")
    data[second + 42 : second + 46] = bytes(4)
    (tmp_path / "a.npz").write_bytes(data)
    with pytest.raises(DataError, match=r"^a\.npz: its members overlap"):
        load(tmp_path / "a.npz")


def test_a_member_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=PICTURES)
    data = bytearray((tmp_path / "a.npz").read_bytes())
    data[400] ^= 1
    (tmp_path / "a.npz").write_bytes(data)
    with pytest.raises(DataError, match=r"^a\.npz: .*CRC"):
        load(tmp_path / "a.npz")


def test_a_preview_of_a_large_array_reads_only_its_start(tmp_path: Path) -> None:
    pictures = np.zeros((30_000, 32, 32), np.uint8)
    pictures[:, 5:9, 5:9] = 200
    path = saved(tmp_path, pictures)
    tracemalloc.start()
    preview = preview_import(path, DataConfig(source=str(path)), 24)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert preview.num_images == 30_000
    assert len(preview.pictures) == 24
    assert peak < 24 * 2**20


def test_all_black_pictures_load(tmp_path: Path) -> None:
    for kind in (np.uint8, np.float32, np.bool_, np.int64):
        assert all_images(load(saved(tmp_path, np.zeros((4, 10, 10), kind)))).max() == 0


@pytest.mark.parametrize(
    ("dtype", "brightest", "white"),
    [(np.uint8, (16, 15), 16), (np.float32, (15.0, 16.0), 16), (np.uint16, (60_000, 200), 65_535)],
)
def test_the_brightest_pixel_may_be_in_either_half(
    tmp_path: Path, dtype: type, brightest: tuple[float, float], white: float
) -> None:
    halves: list[Array] = [np.full((2, 8, 8), value, dtype) for value in brightest]
    np.savez(tmp_path / "a.npz", x_train=halves[0], x_test=halves[1])
    dataset = load(tmp_path / "a.npz", 8)
    for split, value in zip((dataset.train, dataset.held_out), brightest, strict=True):
        np.testing.assert_array_equal(split.images, np.rint(255 * value / white))


@pytest.mark.parametrize(
    ("train", "test"),
    [
        (np.float32(255.0), np.float32(1.0)),
        (np.float32(-1.0), np.float32(1.0)),
        (np.uint16(60_000), np.uint8(255)),
        (np.uint8(255), np.float32(1.0)),
    ],
)
def test_halves_that_were_scaled_differently_are_refused(tmp_path: Path, train: np.generic, test: np.generic) -> None:
    np.savez(tmp_path / "a.npz", x_train=np.full((2, 8, 8), train), x_test=np.full((2, 8, 8), test))
    with pytest.raises(DataError, match="different grey ranges"):
        load(tmp_path / "a.npz", 8)


def test_a_complaint_of_the_zip_reader_is_cut_to_a_line(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, images=np.random.default_rng(0).integers(0, 256, (20, 9, 9), np.uint8))
    data = bytearray(path.read_bytes())
    # The length of the name in the member's own header: all the rest is then its name.
    data[26:28] = (1000).to_bytes(2, "little")
    path.write_bytes(data)
    with pytest.raises(DataError, match="malformed") as caught:
        load(path)
    assert len(str(caught.value)) < 300
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("invert", [False, True])
def test_what_is_transparent_in_an_array_ends_up_black(tmp_path: Path, *, invert: bool) -> None:
    images = np.full((4, 8, 8, 4), 200, np.uint8)
    images[:, :, 4:, 3] = 0
    images[:, :, :4, 3] = 255
    np.savez(tmp_path / "a.npz", images=images)
    train = load(tmp_path / "a.npz", 8, invert=invert).train.images[:]
    assert (train[:, :, 4:] == 0).all()
    assert (train[:, :, :4] == (55 if invert else 200)).all()
