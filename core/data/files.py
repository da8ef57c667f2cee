"""Opening what a user points at: regular files only, and every failure as a DataError that names the file."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np

from core.available_memory import GIB, memory_to_plan_with
from core.data.dataset import DataError
from core.regular_files import open_regular
from core.stored_pictures import StoredPicturesError

MAX_BYTES = 2 * GIB
"""Most bytes that one array or file of pictures may hold once unpacked, to be brought into memory."""

LOADED_SHARE = 0.25
"""Of the memory that is free: reading a file takes its size up to three times, and training on it once more."""

GZIP_MAGIC = b"\x1f\x8b"
# Deflate cannot do better, so a larger promise is a lie that need not be unpacked to be seen.
MAX_DEFLATE_RATIO = 1032

_MOST_TOLD = 160
_CHUNK_BYTES = 1024**2

OPENABLE = "an IDX file (plain or .gz), a .npy or .npz file, or a folder of pictures"


def largest_loaded() -> int:
    """Return how many bytes of pictures are brought into memory; more of them have to stay in their file."""
    return min(MAX_BYTES, int(LOADED_SHARE * memory_to_plan_with()))


def stays_in_file(num_bytes: int) -> bool:
    """Return whether pictures of so many bytes are too many to be brought into memory."""
    return num_bytes > largest_loaded()


def check_loaded_size(num_bytes: int, name: str, remedy: str) -> None:
    """Raise DataError, with what to do, where pictures of so many bytes are not brought into memory."""
    if stays_in_file(num_bytes):
        raise too_large(num_bytes, name, remedy)


def too_large(num_bytes: int, name: str, remedy: str) -> DataError:
    """Return the error of pictures of so many bytes that are not brought into memory, with what to do."""
    return DataError(
        f"{name}: its pictures take {num_bytes / GIB:.1f} GiB of memory, and at most {largest_loaded() / GIB:.1f} "
        f"GiB are brought into it: {remedy}"
    )


SMALLER = "choose a smaller size for them, or take fewer"
STORABLE = (
    "a file is only read as it is needed where it is an uncompressed .npy or IDX file of bytes, one for each pixel, "
    "picture after picture: (N, H, W), (N, H, W, 1), (N, 1, H, W) or (N, H·W)"
)


def shown(path: Path | str) -> str:
    """Return a file's name as a message can show it: no control characters, no undecodable bytes."""
    return _printable(os.fsencode(Path(path).name or str(path)).decode("utf-8", "replace"))


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


@contextmanager
def reported(path: Path) -> Iterator[None]:
    """Turn whatever reading `path` raises into a DataError that names it."""
    try:
        yield
    except DataError:
        raise
    except StoredPicturesError as error:
        raise DataError(str(error)) from error
    except MemoryError as error:
        raise DataError(f"{shown(path)}: there is not enough memory to read it") from error
    except OSError as error:
        raise DataError(f"{shown(path)}: {error.strerror or error or type(error).__name__}") from error
    # Crafted files make the standard readers raise far more kinds than they document: OverflowError, EOFError, ...
    except Exception as error:
        # Some put kilobytes of the file into their message.
        told = _printable(f"{type(error).__name__}: {error}"[:_MOST_TOLD])
        raise DataError(f"{shown(path)}: it is malformed ({told})") from error


def read_bytes(stream: BufferedIOBase, num_bytes: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the next `num_bytes` of a stream, or as many as there are, read-only.  Raises what the stream raises.

    A decompressor that is asked for all at once holds all of it, and its own pieces, beside the result.
    """
    result = np.empty(num_bytes, np.uint8)
    filled = 0
    while filled < num_bytes:
        chunk = stream.read(min(num_bytes - filled, _CHUNK_BYTES))
        if not chunk:
            break
        result[filled : filled + len(chunk)] = np.frombuffer(chunk, np.uint8)
        filled += len(chunk)
    result.flags.writeable = False
    return result[:filled]


def kind_of(path: Path) -> str:
    """Return `folder`, `idx`, `npy` or `npz` by what lies at `path`, contents before name.  Raises DataError."""
    with reported(path):
        if path.is_dir():
            return "folder"
        with open_regular(path) as file:
            start = file.read(8)
    if not start:
        raise DataError(f"{shown(path)}: the file is empty")
    for magic, kind in ((b"\x93NUMPY", "npy"), (b"PK\x03\x04", "npz"), (GZIP_MAGIC, "idx"), (b"\x00\x00", "idx")):
        if start.startswith(magic):
            return kind
    name = path.name.lower()
    for mark, kind in ((".npy", "npy"), (".npz", "npz"), ("idx", "idx"), ("ubyte", "idx")):
        if mark in name:
            return kind
    raise DataError(f"{shown(path)}: it starts with {start!r} and is not {OPENABLE}")
