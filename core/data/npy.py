"""numpy's .npy format, its header checked by arithmetic before a byte is allocated; nothing in it can run."""

import ast
import math
import re
from dataclasses import dataclass
from io import BufferedIOBase
from typing import Any

import numpy as np

from core.data.dataset import DataError
from core.data.files import MAX_BYTES, read_bytes

_MAX_HEADER = 10_000
_REFUSED = {
    "O": "Python objects (a pickle), which could run code",
    "V": "records of several fields",
    "c": "complex numbers",
    "M": "dates",
    "m": "time spans",
}


@dataclass(frozen=True, slots=True)
class NpyHeader:
    """What a .npy file promises."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran_order: bool
    start: int
    """Offset of the first value in the file."""

    @property
    def num_bytes(self) -> int:
        """Bytes of all values."""
        return math.prod(self.shape) * self.dtype.itemsize

    def shape_of(self, rows: int | None) -> tuple[int, ...]:
        """Return the shape of the first rows, or of all for None and where it is not stored row by row."""
        if rows is None or self.fortran_order or not self.shape or rows >= self.shape[0]:
            return self.shape
        return (rows, *self.shape[1:])

    def bytes_of(self, rows: int | None) -> int:
        """Return how many bytes reading the first rows brings into memory."""
        return math.prod(self.shape_of(rows)) * self.dtype.itemsize


def read_header(stream: BufferedIOBase, size: int, name: str) -> NpyHeader:
    """Return the header of a .npy stream of `size` bytes in all; `name` is used in errors.  Raises DataError."""
    start = stream.read(8)
    if len(start) < 8 or start[:6] != b"\x93NUMPY":
        raise DataError(f"{name}: this is no .npy file: it starts with {start!r}")
    width = {1: 2, 2: 4, 3: 4}.get(start[6])
    if width is None:
        raise DataError(f"{name}: .npy version {start[6]}.{start[7]} is not known; known: 1, 2 and 3")
    length = int.from_bytes(stream.read(width), "little")
    if length > _MAX_HEADER:
        raise DataError(f"{name}: its header of {length:,} bytes is too long; at most {_MAX_HEADER:,} are read")
    text = stream.read(length)
    if len(text) < length:
        raise DataError(f"{name}: it is cut short inside its header")
    descr, fortran_order, shape = _fields(text, name)
    header = NpyHeader(_dtype(descr, name), _shape(shape, name), fortran_order, 8 + width + length)
    found = size - header.start
    if header.num_bytes > MAX_BYTES and found != header.num_bytes:
        raise DataError(f"{name}: it promises {_times(header)} values; at most {MAX_BYTES // 1024**3} GiB can be read")
    if found != header.num_bytes:
        what = "it is cut short" if found < header.num_bytes else "bytes follow after its values"
        raise DataError(f"{name}: {what}: {_times(header)} values take {header.num_bytes:,} bytes, {found:,} are there")
    return header


def read_values(stream: BufferedIOBase, header: NpyHeader, name: str, rows: int | None = None) -> np.ndarray[Any, Any]:
    """Return the array that follows its header, or its first rows where it is stored row by row.  Raises DataError.

    The caller has seen to it that so much may be brought into memory.
    """
    shape, num_bytes = header.shape_of(rows), header.bytes_of(rows)
    body = read_bytes(stream, num_bytes)
    if len(body) < num_bytes:
        raise DataError(f"{name}: it ends after {len(body):,} of {num_bytes:,} bytes; was it changed while being read?")
    # One byte on: in an archive this is what compares the checksum.
    if shape == header.shape and stream.read(1):
        raise DataError(f"{name}: bytes follow after its values")
    values = body.view(header.dtype)
    return values.reshape(shape[::-1]).T if header.fortran_order else values.reshape(shape)


def _times(header: NpyHeader) -> str:
    return "×".join(map(str, header.shape))


def _fields(text: bytes, name: str) -> tuple[object, bool, object]:
    try:
        fields = ast.literal_eval(text.decode("latin-1").strip())
        descr, fortran_order, shape = fields["descr"], fields["fortran_order"], fields["shape"]
    # literal_eval runs nothing, but documents that crafted text can raise nearly anything.
    except Exception as error:
        raise DataError(f"{name}: its header cannot be understood ({type(error).__name__})") from error
    if not isinstance(fortran_order, bool):
        raise DataError(f"{name}: fortran_order must be True or False, not {fortran_order!r}")
    return descr, fortran_order, shape


def _dtype(descr: object, name: str) -> np.dtype[Any]:
    if not isinstance(descr, str):
        raise DataError(f"{name}: it holds {_REFUSED['V']}; plain numbers are needed")
    match = re.fullmatch(r"[<>=|]?([A-Za-z?])(\d{0,4})(\[.*\])?", descr)
    kind = match[1] if match else ""
    if match is None or kind in _REFUSED:
        raise DataError(f"{name}: it holds {_REFUSED.get(kind, f'values of type {descr[:40]!r}')}; numbers are needed")
    known = (kind in "b?" and match[2] in ("", "1")) or (kind in "iuf" and match[2] in ("1", "2", "4", "8"))
    text = kind in "SU" and match[2].isdigit() and 0 < int(match[2]) <= 256
    if not (known or text) or descr[-2:] == "f1":
        raise DataError(f"{name}: values of type {descr[:40]!r} are not supported")
    return np.dtype(descr)


def _shape(shape: object, name: str) -> tuple[int, ...]:
    plain = isinstance(shape, tuple) and len(shape) <= 8 and all(type(length) is int for length in shape)
    if not plain or any(not 0 <= length < 2**48 for length in shape):  # type: ignore[attr-defined]
        raise DataError(f"{name}: {str(shape)[:60]} is not a possible shape")
    return tuple(shape)  # type: ignore[arg-type]
