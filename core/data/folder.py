"""A folder of picture files becomes a data set, its subfolders the labels."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.config import DataConfig
from core.data.dataset import DataError, Dataset, ProgressCallback, joined_note
from core.data.files import check_loaded_size, reported, shown
from core.data.fitting import fitted
from core.data.greys import transparent_ground
from core.data.held_out import split_dataset
from core.data.pictures import MAX_FILE_BYTES, SUFFIXES, decode_picture
from core.regular_files import open_regular, size_of
from core.shapes import Picture

MAX_FILES = 1_000_000
_MAX_DEPTH = 32
_NO_LABEL = "(no subfolder)"
_NAMED_IN_NOTE = 5
_TOO_MANY = (
    "choose a smaller size for them, or write them to a .npy file of bytes (N, H, W), of which only the pictures that "
    "are needed are read"
)


@dataclass(frozen=True, slots=True)
class FolderListing:
    """The picture files of a folder, in the order of their names, and what was passed over."""

    root: Path
    files: tuple[str, ...]
    """Relative to the root, with forward slashes."""
    num_passed_over: int
    """Links to folders, pipes, devices and folders that cannot be read."""

    @property
    def note(self) -> str:
        """What was passed over, in a sentence, or nothing."""
        if not self.num_passed_over:
            return ""
        return f"Passed over: {self.num_passed_over:,} links to folders, pipes, devices or unreadable folders."

    def labels(self) -> tuple[list[int], tuple[str, ...]] | None:
        """Return the label of each file, the name of the folder that holds it; None if there are no subfolders."""
        holders = [file.rpartition("/")[0].rpartition("/")[2] or _NO_LABEL for file in self.files]
        names = sorted(set(holders), key=_natural)
        if names in ([], [_NO_LABEL]):
            return None
        index = {name: label for label, name in enumerate(names)}
        return [index[holder] for holder in holders], tuple(shown(name) for name in names)


def list_pictures(root: Path) -> FolderListing:
    """Return the picture files below `root`.  Links to folders are not followed, so that none leads in a circle.

    Raises DataError when there are none, or more than a million.
    """
    files: list[str] = []
    passed_over = 0
    waiting = [("", 0)]
    while waiting and len(files) <= MAX_FILES:
        folder, depth = waiting.pop()
        try:
            with os.scandir(root / folder) as entries:
                for entry in entries:
                    inside = f"{folder}/{entry.name}" if folder else entry.name
                    kind = _kind(entry)
                    if kind == "folder" and depth < _MAX_DEPTH:
                        waiting.append((inside, depth + 1))
                    elif kind == "picture":
                        files.append(inside)
                    passed_over += kind == "other"
        except OSError as error:
            # The folder itself must be readable; one below it that is not only lacks its pictures.
            if not folder:
                raise DataError(f"{shown(root)}: {error.strerror}") from error
            passed_over += 1
    if not files:
        raise DataError(f"{shown(root)}: no pictures are in this folder; looked for {', '.join(sorted(SUFFIXES))}")
    if len(files) > MAX_FILES:
        raise DataError(f"{shown(root)}: it holds more than {MAX_FILES:,} pictures")
    return FolderListing(root, tuple(sorted(files, key=os.fsencode)), passed_over)


def _kind(entry: "os.DirEntry[str]") -> str:
    """Return `folder`, `picture`, `file` or `other` (a link to a folder, a link in a circle, a pipe, a device)."""
    # Hidden files are not pictures, even when named so: macOS puts ._x.png beside x.png on foreign disks.
    if entry.name.startswith("."):
        return "file"
    try:
        if entry.is_dir(follow_symlinks=False):
            return "folder"
        if not entry.is_file():
            return "other"
    except OSError:
        return "other"
    return "picture" if f".{entry.name.rpartition('.')[2].lower()}" in SUFFIXES else "file"


def read_picture_file(path: Path, config: DataConfig, longest: int | None = None) -> Picture:
    """Return one picture file in grey at its own size (see decode_picture).  Raises DataError."""
    with reported(path), open_regular(path) as file:
        if size_of(file) > MAX_FILE_BYTES:
            raise DataError(f"{shown(path)}: a file of {size_of(file):,} bytes is too large for a picture")
        try:
            return decode_picture(file, background=transparent_ground(invert=config.invert), longest=longest)
        except DataError as error:
            raise DataError(f"{shown(path)}: {error}") from None


def load_folder(root: Path, config: DataConfig, progress: ProgressCallback | None = None) -> Dataset:
    """Return the data set of a folder of pictures; broken ones are left out, and named in the note.

    Raises DataError when not two of them can be read.
    """
    listing = list_pictures(root)
    size = (config.image_size, config.image_size)
    check_loaded_size(len(listing.files) * config.image_size**2, shown(root), _TOO_MANY)
    images = np.empty((len(listing.files), *size), np.uint8)
    good: list[int] = []
    broken: list[str] = []
    for row, file in enumerate(listing.files):
        try:
            picture = read_picture_file(root / file, config, longest=2 * config.image_size)
            images[len(good)] = fitted(picture, size, config.fit)
            good.append(row)
        except DataError as error:
            broken.append(str(error))
        if progress is not None and row % 200 == 0:
            progress(row / len(listing.files), f"reading picture {row:,} of {len(listing.files):,}")
    if not good:
        raise DataError(f"{shown(root)}: none of its {len(broken):,} pictures can be read; the first: {broken[0]}")
    images = images[: len(good)]
    if config.invert:
        np.subtract(255, images, out=images)
    found = listing.labels() if config.subfolder_labels else None
    labels, names = (None, ()) if found is None else (np.array(found[0], np.int64)[good], found[1])
    note = joined_note(broken_note(broken), listing.note)
    return split_dataset(shown(root), config, images, labels, names, note)


def broken_note(broken: list[str]) -> str:
    """Return a sentence naming the first few pictures that could not be read, or nothing."""
    if not broken:
        return ""
    more = f" and {len(broken) - _NAMED_IN_NOTE:,} more" if len(broken) > _NAMED_IN_NOTE else ""
    count = "1 picture was" if len(broken) == 1 else f"{len(broken):,} pictures were"
    return f"{count} left out: {'; '.join(broken[:_NAMED_IN_NOTE])}{more}."


def _natural(name: str) -> tuple[bool, int, bytes]:
    """Sort 2 before 10, numbers before words, and pictures outside any subfolder last."""
    number = name.isascii() and name.isdigit() and len(name) < 19
    return name == _NO_LABEL or not number, int(name) if number else 0, os.fsencode(name)
