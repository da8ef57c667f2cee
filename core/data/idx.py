"""The IDX format of MNIST and its kin (Y. LeCun): magic number, big-endian sizes, then the bytes; plain or gzipped."""

import gzip
import io
import math
import re
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from core.config import DataConfig
from core.data.dataset import DataError, Dataset, ProgressCallback, fingerprint_of, joined_note
from core.data.files import (
    GZIP_MAGIC,
    MAX_BYTES,
    MAX_DEFLATE_RATIO,
    SMALLER,
    STORABLE,
    check_loaded_size,
    read_bytes,
    reported,
    shown,
    stays_in_file,
    too_large,
)
from core.data.fitting import fitted_stack
from core.data.held_out import split_dataset
from core.data.labels import named_labels
from core.data.stored import stored_pictures
from core.regular_files import open_regular, size_of
from core.shapes import Labels, PictureStack
from core.snapshots import Split, frozen
from core.stored_pictures import Pictures, StoredPictures

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_IMAGES_START = 16
_ROLES = {1: ("labels", ("|u1", "|i1", ">i2", ">i4")), 3: ("images", ("|u1",))}

LARGEST_KEPT_SIDE = 64
"""Square pictures up to this side are taken as they are; others are scaled to the size chosen for the import."""


def read_idx(path: Path, ndim: int) -> np.ndarray[Any, Any]:
    """Return the array of an IDX file: `ndim` 3 for images (uint8), 1 for labels.  Raises DataError."""
    with reported(path), open_regular(path) as file:
        return _read(file, size_of(file), shown(path), ndim)


def parse_idx(data: bytes, name: str, ndim: int) -> np.ndarray[Any, Any]:
    """Return the array of an IDX file already in memory, `name` being used in errors.  Raises DataError."""
    return _read(io.BytesIO(data), len(data), name, ndim)


def sample_idx(path: Path, count: int) -> np.ndarray[Any, Any]:
    """Return the first `count` images of an IDX file, reading little more.  Raises DataError."""
    with reported(path), open_regular(path) as file:
        return _read(file, size_of(file), shown(path), 3, count)


def idx_shape(path: Path) -> tuple[int, int, int]:
    """Return (N, height, width) from the header of an IDX file of images.  Raises DataError."""
    with reported(path), open_regular(path) as file:
        count, height, width = _header(_unpacked(file), size_of(file), shown(path), 3)[1]
    return count, height, width


def is_taken_as_it_is(shape: tuple[int, ...]) -> bool:
    """Whether IDX images of this shape need no choices on import: square, and not too large to learn from."""
    return shape[1] == shape[2] <= LARGEST_KEPT_SIDE


def load_idx(path: Path, config: DataConfig, progress: ProgressCallback | None = None) -> Dataset:
    """Return the data set of an IDX file of images, with the files beside it that belong to it.  Raises DataError.

    The labels are found by name (images-idx3 → labels-idx1); beside a `train` file the `t10k` or `test` file is the
    held-out half, else a seeded share is held out.
    """
    images, note = _images(path, config, progress)
    labels = _labels_beside(path, len(images))
    partner = next((found for mark in ("t10k", "test") if (found := _beside(path, _TRAIN, mark))), None)
    if partner is None:
        if labels is None:
            return split_dataset(shown(path), config, images, None, (), note, progress=progress)
        (indices,), names = _named(path, labels)
        return split_dataset(shown(path), config, images, indices, names, note, progress=progress)
    held_images, _ = _images(partner, config, None)
    if held_images.shape[1:] != images.shape[1:]:
        raise DataError(
            f"{shown(partner)}: its pictures are {_size(held_images)} pixels, those of {shown(path)} {_size(images)}"
        )
    held_labels = _labels_beside(partner, len(held_images))
    given = [part for part in (labels, held_labels) if part is not None]
    named, names = _named(path, *given) if given else ([], ())
    train, held_out = (
        Split(
            pictures if isinstance(pictures, StoredPictures) else frozen(pictures),
            None if part is None else frozen(named.pop(0)),
        )
        for pictures, part in ((images, labels), (held_images, held_labels))
    )
    split_note = f"{len(train):,} images to train on; the {len(held_out):,} of {shown(partner)} are held out."
    fingerprint = fingerprint_of(train, held_out, progress)
    return Dataset(shown(path), config, train, held_out, names, fingerprint, joined_note(split_note, note))


def _images(path: Path, config: DataConfig, progress: ProgressCallback | None) -> tuple[Pictures, str]:
    stored = _stored(path, config)
    if stored is not None:
        return stored
    images: PictureStack = read_idx(path, 3)
    if not is_taken_as_it_is(images.shape):
        check_loaded_size(len(images) * config.image_size**2, shown(path), SMALLER)
        note = f"Pictures of {_size(images)} pixels were scaled to {config.image_size}×{config.image_size}."
        return fitted_stack(images, config, progress), note
    return (255 - images if config.invert else images), ""


def _stored(path: Path, config: DataConfig) -> tuple[StoredPictures, str] | None:
    """Return the pictures of an IDX file that are not brought into memory, and what to tell of them; else None."""
    with reported(path):
        with open_regular(path) as file:
            stream = _unpacked(file)
            shape = _header(stream, size_of(file), shown(path), 3)[1]
        if not stays_in_file(math.prod(shape)):
            return None
        if isinstance(stream, gzip.GzipFile):
            raise too_large(math.prod(shape), shown(path), f"unpack it: {STORABLE}")
        if is_taken_as_it_is(shape):
            config = replace(config, image_size=shape[1])
        count, height, width = shape
        return stored_pictures(path, _IMAGES_START, (count, height, width), config, find_range=False)


def _size(images: Pictures) -> str:
    return f"{images.shape[1]}×{images.shape[2]}"


def _named(path: Path, *labels: np.ndarray[Any, Any]) -> tuple[list[Labels], tuple[str, ...]]:
    try:
        return named_labels(*labels)
    except DataError as error:
        raise DataError(f"{shown(path)}: {error}") from None


_TRAIN = re.compile(r"train(?=[-_.])")
_IMAGES = re.compile(r"images(?P<mark>([-_.]idx)3)?")


def _labels_beside(path: Path, num_images: int) -> np.ndarray[Any, Any] | None:
    found = _beside(path, _IMAGES, "labels")
    if found is None:
        return None
    labels = read_idx(found, 1)
    if len(labels) != num_images:
        raise DataError(f"{shown(found)}: it holds {len(labels):,} labels, but {shown(path)} {num_images:,} images")
    return labels


def _beside(path: Path, pattern: re.Pattern[str], word: str) -> Path | None:
    """Return the file named like `path` with `pattern` replaced, gzipped or not, if there is one."""

    def renamed(match: re.Match[str]) -> str:
        mark = match.groupdict().get("mark")
        return word + (f"{mark[:-1]}1" if mark else "")

    name, replaced = pattern.subn(renamed, path.name, count=1)
    other = name.removesuffix(".gz") if name.endswith(".gz") else f"{name}.gz"
    candidates = (path.with_name(name), path.with_name(other)) if replaced else ()
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _unpacked(file: io.BufferedIOBase) -> io.BufferedIOBase:
    packed = file.read(2) == GZIP_MAGIC
    file.seek(0)
    return gzip.GzipFile(fileobj=file) if packed else file


def _read(file: io.BufferedIOBase, size: int, name: str, ndim: int, rows: int | None = None) -> np.ndarray[Any, Any]:
    try:
        stream = _unpacked(file)
        dtype, shape = _header(stream, size, name, ndim)
        if rows is not None:
            shape = (min(rows, shape[0]), *shape[1:])
        num_bytes = math.prod(shape) * dtype.itemsize
        body = read_bytes(stream, num_bytes)
        # Reading one byte on shows what trails, and makes gzip compare its checksum.
        trailing = rows is None and stream.read(1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{name}: the compressed file is cut short or damaged ({error})") from None
    if len(body) < num_bytes:
        raise DataError(f"{name}: it is cut short: {num_bytes:,} bytes are promised, {len(body):,} are there")
    if trailing:
        raise DataError(f"{name}: bytes follow after the {num_bytes:,} that its header promises")
    return body.view(dtype).reshape(shape)


def _header(stream: io.BufferedIOBase, size: int, name: str, ndim: int) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Return dtype and shape, checked against what the file can hold before a byte is allocated."""
    packed = isinstance(stream, gzip.GzipFile)
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\x00\x00":
        raise DataError(f"{name}: this is no IDX file: it starts with {magic!r}, not with two zero bytes")
    role, allowed = _ROLES[ndim]
    found = _DTYPES.get(magic[2])
    if found is None:
        raise DataError(f"{name}: IDX knows no data type 0x{magic[2]:02x}")
    dtype = np.dtype(found)
    if magic[3] != ndim:
        hint = ": open the file of the images" if ndim == 3 and magic[3] == 1 else ""
        raise DataError(f"{name}: {role} need {ndim} dimension(s), the file has {magic[3]}{hint}")
    if dtype.str not in allowed:
        names = ", ".join(np.dtype(each).name for each in allowed)
        raise DataError(f"{name}: {role} of type {dtype.name} are not supported; allowed: {names}")
    sizes = stream.read(4 * ndim)
    if len(sizes) < 4 * ndim:
        raise DataError(f"{name}: it is cut short inside its header")
    shape = tuple(int(length) for length in np.frombuffer(sizes, ">u4"))
    text = "×".join(map(str, shape))
    num_bytes = math.prod(shape) * dtype.itemsize
    if num_bytes == 0:
        raise DataError(f"{name}: it holds no {role} (its header says {text})")
    room = size * MAX_DEFLATE_RATIO if packed else size - 4 - 4 * ndim
    if num_bytes > MAX_BYTES and (packed or num_bytes != room):
        raise DataError(f"{name}: its header promises {text} values; at most {MAX_BYTES // 1024**3} GiB can be read")
    if num_bytes > room:
        raise DataError(
            f"{name}: it is cut short: its header promises {text} values, for which {size:,} bytes are too few"
        )
    if not packed and num_bytes < room:
        raise DataError(f"{name}: {room - num_bytes:,} bytes follow after the {num_bytes:,} that its header promises")
    return dtype, shape
