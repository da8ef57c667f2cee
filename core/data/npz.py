"""numpy's .npz archives: the one or two members that are wanted, each read by arithmetic that bounds it."""

import struct
import zipfile
from collections.abc import Sequence
from io import BufferedReader
from typing import Any

import numpy as np

from core.data.dataset import DataError
from core.data.files import STORABLE, check_loaded_size
from core.data.npy import NpyHeader, read_header, read_values
from core.regular_files import size_of

_MAX_MEMBERS = 256
_MAX_DIRECTORY = 256 * 1024
_END_RECORD = b"PK\x05\x06"
# Real pictures shrink 5- to 50-fold; small members of zeros may shrink as far as deflate can.
_MAX_RATIO = 300
_RATIO_FREE_BYTES = 64 * 1024**2


class NpzFile:
    """An open .npz archive whose directory has been checked.  Raises DataError."""

    def __init__(self, file: BufferedReader, name: str) -> None:
        self._name = name
        _check_end_record(file, name)
        self._zip = zipfile.ZipFile(file)
        self._members = {
            info.filename.removesuffix(".npy"): info for info in self._zip.infolist() if info.filename.endswith(".npy")
        }
        self._check()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the arrays."""
        return tuple(self._members)

    def first_of(self, wanted: Sequence[str]) -> str | None:
        """Return the first wanted name the archive has, whatever its case, or None."""
        found = {name.lower(): name for name in self._members}
        return next((found[name] for name in wanted if name in found), None)

    def header(self, member: str) -> NpyHeader:
        """Return what a member promises.  Raises DataError."""
        info = self._members[member]
        with self._zip.open(info) as stream:
            return read_header(stream, info.file_size, self._shown(member))  # type: ignore[arg-type]

    def values(self, member: str, rows: int | None = None) -> np.ndarray[Any, Any]:
        """Return a member's array, or its first rows.  Raises DataError."""
        info = self._members[member]
        with self._zip.open(info) as stream:
            header = read_header(stream, info.file_size, self._shown(member))  # type: ignore[arg-type]
            check_loaded_size(header.bytes_of(rows), self._shown(member), STORABLE)
            return read_values(stream, header, self._shown(member), rows)  # type: ignore[arg-type]

    def _shown(self, member: str) -> str:
        return f"{self._name}, array {member!r}"

    def _check(self) -> None:
        infos = sorted(self._zip.infolist(), key=lambda info: info.header_offset)
        if len(infos) > _MAX_MEMBERS:
            raise DataError(f"{self._name}: it has {len(infos):,} members; at most {_MAX_MEMBERS} are read")
        if len({info.filename for info in infos}) < len(infos):
            raise DataError(f"{self._name}: two of its members have the same name")
        end = 0
        for info in infos:
            if info.header_offset < end:
                raise DataError(f"{self._name}: its members overlap")
            end = info.header_offset + 30 + len(info.orig_filename) + info.compress_size
            if info.flag_bits & 1:
                raise DataError(f"{self._name}: its member {info.filename!r} is encrypted")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise DataError(f"{self._name}: its member {info.filename!r} is packed in a way numpy does not use")
            if info.file_size > max(_MAX_RATIO * info.compress_size, _RATIO_FREE_BYTES):
                raise DataError(
                    f"{self._name}: its member {info.filename!r} would unpack from {info.compress_size:,} to "
                    f"{info.file_size:,} bytes, more than {_MAX_RATIO}-fold"
                )


def _check_end_record(file: BufferedReader, name: str) -> None:
    """Refuse an endless directory before zipfile makes an object of each entry."""
    size = size_of(file)
    file.seek(max(size - 22 - 65535, 0))
    tail = file.read()
    at = tail.rfind(_END_RECORD)
    if at < 0 or len(tail) - at < 22:
        raise DataError(f"{name}: this is no .npz archive, or it is cut short: its directory is missing")
    members, directory = struct.unpack_from("<HI", tail, at + 10)
    if members > _MAX_MEMBERS or directory > _MAX_DIRECTORY:
        raise DataError(f"{name}: it has too many members; at most {_MAX_MEMBERS} are read")
    file.seek(0)
