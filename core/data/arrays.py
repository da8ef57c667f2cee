"""Pictures in numpy's .npy and .npz files become a data set."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.config import DataConfig
from core.data.dataset import DataError, Dataset, ProgressCallback, fingerprint_of, joined_note
from core.data.files import (
    SMALLER,
    STORABLE,
    check_loaded_size,
    largest_loaded,
    reported,
    shown,
    stays_in_file,
    too_large,
)
from core.data.fitting import fitted_stack
from core.data.greys import GreyRange, grey_range, luma, transparent_ground
from core.data.held_out import split_dataset
from core.data.labels import named_labels
from core.data.npy import NpyHeader, read_header, read_values
from core.data.npz import NpzFile
from core.data.stored import stored_pictures
from core.regular_files import open_regular, size_of
from core.shapes import Labels, PictureStack
from core.snapshots import Split, frozen

Array = np.ndarray[Any, Any]

_IMAGE_NAMES = ("images", "x", "data", "pictures", "x_train", "train_images", "train_x", "arr_0")
_LABEL_NAMES = ("labels", "y", "targets", "label", "target", "y_train", "train_labels", "train_y")
_HELD_OUT_IMAGE_NAMES = ("x_test", "test_images", "test_x")
_HELD_OUT_LABEL_NAMES = ("y_test", "test_labels", "test_y")

_MAX_SIDE = 8192
_CHUNK_VALUES = 1_000_000
_PREVIEW_BYTES = 16 * 1024**2


@dataclass(frozen=True, slots=True)
class _Raw:
    """What a file holds, before any choice is applied."""

    images: Array
    layout: "_Layout"
    labels: Array | None = None
    held_out: "_Raw | None" = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which axis means what."""

    shape: tuple[int, int, int, int]
    """(N, height, width, channels)"""
    channels_first: bool = False
    images_last: bool = False
    note: str = ""

    def arranged(self, images: Array) -> Array:
        """Return a view of `images` as (N, height, width, channels)."""
        if self.images_last:
            images = np.moveaxis(images, -1, 0)
        if self.channels_first:
            return np.moveaxis(images, 1, -1)
        return images.reshape(len(images), *self.shape[1:])


@dataclass(frozen=True, slots=True)
class ArraySample:
    """The first pictures of an array, each its own size, before any choice is applied."""

    num_images: int
    pictures: PictureStack
    label_names: tuple[str, ...]
    note: str


def load_arrays(path: Path, config: DataConfig, progress: ProgressCallback | None = None) -> Dataset:
    """Return the data set of a .npy or .npz file: (N,H,W), (N,H,W,C), (N,3,H,W) or (N,D) with D a square.

    In an archive the images are the array named images, x, data ... (or the only one with the shape of pictures), the
    labels the one named labels, y or targets; x_test and y_test beside x_train are the held-out half.
    Raises DataError.
    """
    name = shown(path)
    with reported(path):
        place = _place_in_file(path)
    if place is not None:
        # Not within `reported`, which takes what `progress` raises to cancel for a fault of the file.
        pictures, note = stored_pictures(path, *place, config, progress, find_range=True)
        return split_dataset(name, config, pictures, None, (), note, progress=progress)
    with reported(path):
        raw = _read(path)
    greys = _range_of(raw, name)
    if raw.held_out is None:
        images = _pictures(raw, greys, config, progress)
        labels, names, note = _named(raw.labels)
        note = joined_note(raw.layout.note, greys.note, raw.note, note)
        return split_dataset(name, config, images, labels[0], names, note)
    away = raw.held_out
    if away.layout.shape[1:] != raw.layout.shape[1:]:
        raise DataError(f"{name}: its test pictures are of shape {away.layout.shape[1:]}, not {raw.layout.shape[1:]}")
    greys = _common_range(greys, _range_of(away, name), name, same_type=raw.images.dtype == away.images.dtype)
    images, away_images = _pictures(raw, greys, config, progress), _pictures(away, greys, config, None)
    labels, names, note = _named(raw.labels, away.labels)
    train, held_out = (
        Split(frozen(pictures), None if part is None else frozen(part))
        for pictures, part in zip((images, away_images), labels, strict=True)
    )
    split_note = f"{len(train):,} images to train on; the {len(held_out):,} test images of the file are held out."
    note = joined_note(split_note, raw.layout.note, greys.note, raw.note, note)
    return Dataset(name, config, train, held_out, names, fingerprint_of(train, held_out), note)


def sample_arrays(path: Path, config: DataConfig, count: int) -> ArraySample:
    """Return the first `count` pictures of a .npy or .npz file in grey, reading little more.  Raises DataError."""
    name = shown(path)
    with reported(path):
        raw = _read(path, sample=True)
    greys = _range_of(raw, name)
    _, names, note = _named(raw.labels, None if raw.held_out is None else raw.held_out.labels)
    first = raw.layout.arranged(raw.images)[:count]
    pictures = luma(greys.greys(first), transparent_ground(invert=config.invert))
    num_images = raw.layout.shape[0] + (0 if raw.held_out is None else raw.held_out.layout.shape[0])
    return ArraySample(num_images, pictures, names, joined_note(raw.layout.note, greys.note, raw.note, note))


def array_shape(path: Path) -> tuple[int, int, int]:
    """Return (N, height, width) of a .npy or .npz file from its headers alone.  Raises DataError."""
    name = shown(path)
    with reported(path), open_regular(path) as file:
        if _is_npz(path):
            archive = NpzFile(file, name)
            shape = archive.header(_image_member(archive, name)).shape
        else:
            shape = read_header(file, size_of(file), name).shape
        count, height, width, _ = _layout(shape, name).shape
    return count, height, width


def _is_npz(path: Path) -> bool:
    with open_regular(path) as file:
        start = file.read(2)
    return start == b"PK" or (start != b"\x93N" and path.suffix.lower() == ".npz")


def _place_in_file(path: Path) -> tuple[int, tuple[int, int, int]] | None:
    """Return first byte and shape of a .npy file's pictures that are not brought into memory; None for others."""
    name = shown(path)
    if _is_npz(path):
        return None
    with open_regular(path) as file:
        header = read_header(file, size_of(file), name)
    if not stays_in_file(header.num_bytes):
        return None
    layout = _layout(header.shape, name)
    as_stored = header.dtype == np.uint8 and layout.shape[3] == 1 and not (header.fortran_order or layout.images_last)
    if not as_stored:
        raise too_large(header.num_bytes, name, STORABLE)
    return header.start, layout.shape[:3]


def _read(path: Path, *, sample: bool = False) -> _Raw:
    name = shown(path)
    with open_regular(path) as file:
        if not _is_npz(path):
            header = read_header(file, size_of(file), name)
            layout = _layout(header.shape, name)
            rows = _rows(header, layout, sample=sample)
            if sample:  # what is read whole has been asked for its place before
                check_loaded_size(header.bytes_of(rows), name, STORABLE)
            return _Raw(read_values(file, header, name, rows), layout)
        archive = NpzFile(file, name)
        member = _image_member(archive, name)
        label_member, test_member = archive.first_of(_LABEL_NAMES), archive.first_of(_HELD_OUT_IMAGE_NAMES)
        used = {member, label_member}
        held_out = None
        # Only beside arrays named for training: `images` and `x_test` need not belong together.
        if test_member is not None and "train" in member.lower():
            test_label_member = archive.first_of(_HELD_OUT_LABEL_NAMES)
            held_out = _member(archive, test_member, test_label_member, name, sample=sample)
            used |= {test_member, test_label_member}
        unused = sorted(set(archive.names) - used)
        note = f"Not used: {', '.join(unused[:8])}." if unused else ""
        raw = _member(archive, member, label_member, name, sample=sample)
        return _Raw(raw.images, raw.layout, raw.labels, held_out, note)


def _member(archive: NpzFile, member: str, label_member: str | None, name: str, *, sample: bool) -> _Raw:
    header = archive.header(member)
    layout = _layout(header.shape, name)
    labels = None
    if label_member is not None:
        shape = archive.header(label_member).shape
        if shape[:1] != layout.shape[:1]:
            raise DataError(
                f"{name}: {label_member} has the shape {shape}, but {member} holds {layout.shape[0]:,} images"
            )
        labels = archive.values(label_member)
    return _Raw(archive.values(member, _rows(header, layout, sample=sample)), layout, labels)


def _rows(header: NpyHeader, layout: _Layout, *, sample: bool) -> int | None:
    """Return how many images a sample reads; None for all of them."""
    if not sample or layout.images_last:
        return None
    most = min(_PREVIEW_BYTES, largest_loaded())
    if header.num_bytes <= most:
        return None
    return max(layout.shape[0] * most // header.num_bytes, 1)


def _image_member(archive: NpzFile, name: str) -> str:
    member = archive.first_of(_IMAGE_NAMES)
    if member is not None:
        return member
    candidates = [each for each in archive.names if len(archive.header(each).shape) in (3, 4)]
    if len(candidates) != 1:
        found = ", ".join(archive.names[:8]) or "none"
        raise DataError(f"{name}: none of its arrays is named images or x; its arrays: {found}")
    return candidates[0]


def _named(*parts: Array | None) -> tuple[list[Labels | None], tuple[str, ...], str]:
    """Return the labels of each part, their names and a note; labels that cannot be shown are left out, and said so."""
    given = [part for part in parts if part is not None]
    if not given:
        return [None] * len(parts), (), ""
    try:
        named, names = named_labels(*given)
    except DataError as error:
        return [None] * len(parts), (), f"The labels are left out: {error}."
    return [None if part is None else named.pop(0) for part in parts], names, ""


def _layout(shape: tuple[int, ...], name: str) -> _Layout:
    """Return what the axes of an array of pictures mean.  Raises DataError."""
    refusal = f"{name}: an array of shape {shape} cannot be read as pictures"
    if 0 in shape or not shape:
        raise DataError(f"{refusal}: it is empty")
    layout = {2: _rows_layout, 3: _stack_layout, 4: _channels_layout}.get(len(shape), lambda _: None)(shape)
    if layout is None:
        raise DataError(f"{refusal}: allowed are (N, H, W), (N, H, W, 1, 3 or 4), (N, 3, H, W) and (N, D), D a square")
    if max(layout.shape[1:3]) > _MAX_SIDE:
        raise DataError(f"{refusal}: a side may have at most {_MAX_SIDE:,} pixels")
    return layout


def _rows_layout(shape: tuple[int, ...]) -> _Layout | None:
    side = math.isqrt(shape[1])
    return _Layout((shape[0], side, side, 1)) if side * side == shape[1] and side >= 2 else None


def _stack_layout(shape: tuple[int, ...]) -> _Layout | None:
    # (H, W, 1 | 3 | 4) is one picture, not a stack of slivers.
    if shape[2] in (1, 3, 4) and shape[1] != shape[2]:
        return None
    if shape[0] == shape[1] >= 8 and shape[2] > 2 * shape[1]:
        note = f"The shape {shape} was read as (height, width, N)."
        return _Layout((shape[2], shape[0], shape[1], 1), images_last=True, note=note)
    return _Layout((shape[0], shape[1], shape[2], 1))


def _channels_layout(shape: tuple[int, ...]) -> _Layout | None:
    if shape[3] in (1, 3, 4):
        return _Layout((shape[0], shape[1], shape[2], shape[3]))
    if shape[1] in (1, 3):
        return _Layout((shape[0], shape[2], shape[3], shape[1]), channels_first=True)
    return None


def _chunks(images: Array) -> Iterator[slice]:
    step = max(_CHUNK_VALUES // max(math.prod(images.shape[1:]), 1), 1)
    return (slice(start, start + step) for start in range(0, len(images), step))


def _range_of(raw: _Raw, name: str) -> GreyRange:
    """Return what the numbers mean.  Raises DataError for a strange range, or for NaN with the count of bad images."""
    images = raw.layout.arranged(raw.images)
    if images.dtype.kind not in "buif":
        raise DataError(f"{name}: pixels of type {images.dtype} are not grey levels")
    lows, highs, bad = [], [], []
    for rows in _chunks(images):
        chunk = images[rows]
        if images.dtype.kind == "f":
            finite = np.isfinite(chunk).all(axis=(1, 2, 3))
            bad.extend((np.flatnonzero(~finite) + rows.start).tolist())
            chunk = chunk[finite]
        if len(chunk):
            lows.append(float(chunk.min()))
            highs.append(float(chunk.max()))
    if bad:
        raise DataError(
            f"{name}: {len(bad):,} of {len(images):,} images hold NaN or infinity, the first in row {bad[0]:,}"
        )
    try:
        return grey_range(images.dtype.kind, min(lows), max(highs))
    except DataError as error:
        raise DataError(f"{name}: {error}") from None


def _common_range(one: GreyRange, other: GreyRange, name: str, *, same_type: bool) -> GreyRange:
    """Return the range of two halves of an archive: the wider, since the brightest pixel may be in either.

    Raises DataError for 0 to 1 beside 0 to 255, another black or another type: one of the halves was scaled.
    """
    alike = one.black == other.black and (one.white > 1.0) == (other.white > 1.0) and same_type
    if not alike and (one.black, one.white) != (other.black, other.white):
        raise DataError(f"{name}: its training and test pictures have different grey ranges")
    return max(one, other, key=lambda half: half.white)


def _pictures(raw: _Raw, greys: GreyRange, config: DataConfig, progress: ProgressCallback | None) -> PictureStack:
    images = raw.layout.arranged(raw.images)
    ground = transparent_ground(invert=config.invert)
    check_loaded_size(len(images) * config.image_size**2, shown(config.source), SMALLER)
    result: PictureStack = np.empty((len(images), config.image_size, config.image_size), np.uint8)
    for rows in _chunks(images):
        result[rows] = fitted_stack(luma(greys.greys(images[rows]), ground), config, None)
        if progress is not None:
            progress(min(rows.stop / len(images), 1.0), "reading pictures")
    return result
