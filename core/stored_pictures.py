"""Pictures that stay in their file, and are read a few at a time: there may be more of them than memory holds.

They are read, not mapped: what another program cuts off a mapped file ends this one (SIGBUS), and so does a disk that
fails; a read says so (docs/decisions/0011-pictures-stay-in-their-file.md).
"""

import os
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from copy import copy
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from core.regular_files import open_regular
from core.shapes import Picture, PictureStack

Rows = np.ndarray[Any, np.dtype[np.integer[Any]]]
GreyTable = np.ndarray[Any, np.dtype[np.uint8]]

PIECE_BYTES = 4 * 2**20
"""What is read at once where all pictures are gone through."""

# A gap that is read costs less than another call: 1 µs is 4 kB from the system's own copy of a file.
_MOST_READ_FOR_ONE = 6
# A picture at a random place of a disk takes a hundred and more if each is waited for, ten to thirty if the disk knows
# of all; from memory one or two, of which telling the disk would be half.
_SECONDS_FROM_MEMORY = 10e-6


class StoredPicturesError(OSError):
    """The file is not any more what it was when it was opened, or cannot be read; the message names it."""


class _OpenFile:
    """A file that stays open while somebody knows it, so that it may be renamed or removed meanwhile."""

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        with open_regular(path) as file:
            self._descriptor = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._descriptor)
        self._lock = threading.Lock()
        self._state = self._found_state()
        self._waits_for_disk = False

    def check(self) -> None:
        """Raise StoredPicturesError unless size and time of change are those of the opening."""
        if self._found_state() != self._state:
            raise self._changed()

    def read(self, target: memoryview, offset: int) -> None:
        """Fill `target` from the bytes at `offset`.  Raises StoredPicturesError."""
        filled = 0
        while filled < len(target):
            try:
                count = self._read_some(target[filled:], offset + filled)
            except OSError as error:
                raise StoredPicturesError(f"{self.name}: it cannot be read: {error.strerror or error}") from error
            if not count:
                raise self._changed()
            filled += count

    def read_rows(self, target: memoryview, offsets: Sequence[int], size: int) -> None:
        """Fill `target` with pieces of `size` bytes from these offsets, one after another.  Raises StoredPicturesError.

        A disk is told of all pieces before the first is waited for, if it was waited for the last time.
        """
        start = time.perf_counter()
        if self._waits_for_disk and hasattr(os, "posix_fadvise"):
            for offset in offsets:
                os.posix_fadvise(self._descriptor, offset, size, os.POSIX_FADV_WILLNEED)
        for place, offset in enumerate(offsets):
            self.read(target[place * size : (place + 1) * size], offset)
        self._waits_for_disk = time.perf_counter() - start > _SECONDS_FROM_MEMORY * len(offsets)

    def _read_some(self, target: memoryview, offset: int) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._descriptor, (target,), offset)
        with self._lock:  # Windows can only read on from where the descriptor stands
            os.lseek(self._descriptor, offset, os.SEEK_SET)
            part = os.read(self._descriptor, len(target))
        target[: len(part)] = part
        return len(part)

    def is_same(self, other: "_OpenFile") -> bool:
        """Return whether both are one file on the disk, opened in the same state."""
        return self._state == other._state  # noqa: SLF001  of its own kind

    def _found_state(self) -> tuple[int, ...]:
        found = os.fstat(self._descriptor)
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns

    def _changed(self) -> StoredPicturesError:
        return StoredPicturesError(f"{self.name}: the file was changed since it was opened; open it again")


class StoredPictures:
    """Grey pictures in a file, one byte a pixel, row after row; indexed like an array of (N, height, width).

    Whatever is taken from it is a new array.  Any thread may take from it.  Every taking raises StoredPicturesError
    where the file is not what it was at the opening, and IndexError for rows that there are not.
    """

    def __init__(self, path: Path, name: str, start: int, shape: tuple[int, int, int]) -> None:
        """Open pictures of this shape that begin `start` bytes into the file.  Raises OSError.

        `name` is used in errors.
        """
        self._file = _OpenFile(path, name)
        self._start = start
        self._rows: Rows | None = None
        self._table: GreyTable | None = None
        self.shape: tuple[int, int, int] = shape

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def nbytes(self) -> int:
        """Bytes of all pictures."""
        return self.shape[0] * self._row_bytes

    def taken(self, rows: Rows) -> "StoredPictures":
        """Return the pictures at these rows, none of which is read."""
        return self._with(self._of_file(rows), self._table)

    def through(self, table: GreyTable) -> "StoredPictures":
        """Return the same pictures with each grey replaced by its entry in a table of 256."""
        return self._with(self._rows, table if self._table is None else table[self._table])

    def is_same(self, other: "StoredPictures") -> bool:
        """Return whether both are the same pictures of one file, in the same order."""
        mine, others = self._identity(), other._identity()  # noqa: SLF001  of its own kind
        return self._file.is_same(other._file) and all(map(np.array_equal, mine, others))  # noqa: SLF001

    def pieces(self) -> Iterator[PictureStack]:
        """Yield all pictures, some at a time."""
        step = max(PIECE_BYTES // self._row_bytes, 1)
        for start in range(0, len(self), step):
            yield self[start : start + step]

    @overload
    def __getitem__(self, wanted: int) -> Picture: ...
    @overload
    def __getitem__(self, wanted: slice | Rows | Sequence[int]) -> PictureStack: ...
    def __getitem__(self, wanted: int | slice | Rows | Sequence[int]) -> Picture | PictureStack:
        if isinstance(wanted, slice):
            return self._read(self._of_file(np.arange(*wanted.indices(len(self)))))
        if isinstance(wanted, int | np.integer):
            picture: Picture = self._read(self._of_file(np.array([wanted])))[0]
            return picture
        return self._read(self._of_file(np.asarray(wanted, np.int64)))

    def __iter__(self) -> Iterator[Picture]:
        for piece in self.pieces():
            yield from piece

    def __array__(self, dtype: npt.DTypeLike | None = None, *, copy: bool | None = None) -> np.ndarray[Any, Any]:
        """Return all pictures as an array, for those who know that there are few."""
        if copy is False:
            raise ValueError("pictures in a file are an array only as a copy")
        return self[:].astype(np.uint8 if dtype is None else dtype, copy=False)

    def _with(self, rows: Rows | None, table: GreyTable | None) -> "StoredPictures":
        result = copy(self)
        result.__dict__.update(_rows=rows, _table=table)
        if rows is not None:
            result.shape = (len(rows), *self.shape[1:])
        return result

    def _identity(self) -> tuple[Rows, GreyTable]:
        """Return which of the file's pictures these are, and what is made of their greys."""
        rows = np.arange(len(self)) if self._rows is None else self._rows
        return rows, np.arange(256, dtype=np.uint8) if self._table is None else self._table

    @property
    def _row_bytes(self) -> int:
        return self.shape[1] * self.shape[2]

    def _of_file(self, rows: Rows) -> Rows:
        """Return which of the file's pictures these are."""
        if len(rows) and not (-len(self) <= rows.min() and rows.max() < len(self)):
            raise IndexError(f"rows {rows.min()} to {rows.max()} are not among {len(self):,} pictures")
        rows = np.where(rows < 0, rows + len(self), rows)
        return rows if self._rows is None else self._rows[rows]

    def _read(self, rows: Rows) -> PictureStack:
        self._file.check()
        size = self._row_bytes
        result: PictureStack = np.empty((len(rows), *self.shape[1:]), np.uint8)
        span = int(rows[-1]) - int(rows[0]) + 1 if len(rows) else 0
        if span == len(rows) and bool((rows[1:] > rows[:-1]).all()):
            self._read_from(result, int(rows[0]) if len(rows) else 0)
        elif 0 < span <= _MOST_READ_FOR_ONE * len(rows) and bool((rows[1:] > rows[:-1]).all()):
            whole = np.empty((span, *self.shape[1:]), np.uint8)
            self._read_from(whole, int(rows[0]))
            np.take(whole, rows - rows[0], axis=0, out=result)
        else:
            offsets = self._start + rows.astype(np.int64) * size
            self._file.read_rows(result.reshape(-1).data, offsets.tolist(), size)
        return result if self._table is None else self._table[result]

    def _read_from(self, target: PictureStack, row: int) -> None:
        self._file.read(target.reshape(-1).data, self._start + row * self._row_bytes)


Pictures = PictureStack | StoredPictures
"""Grey pictures 0..255 in memory, or in their file."""


def pieces_of(pictures: PictureStack | StoredPictures) -> Iterator[PictureStack]:
    """Yield all pictures, some at a time; those in memory at once."""
    if isinstance(pictures, StoredPictures):
        yield from pictures.pieces()
    else:
        yield pictures
