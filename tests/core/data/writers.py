"""Writers of well and badly formed files, independent of the readers under test."""

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np


def idx_bytes(array: np.ndarray[Any, Any], *, dtype_code: int = 0x08) -> bytes:
    header = struct.pack(">BBBB", 0, 0, dtype_code, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


def write_idx(path: Path, array: np.ndarray[Any, Any]) -> Path:
    data = idx_bytes(array)
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return path


def npy_bytes(text: str, body: bytes = b"", *, version: int = 1, length: int | None = None) -> bytes:
    encoded = text.encode("latin-1")
    size = len(encoded) if length is None else length
    return b"\x93NUMPY" + bytes([version, 0]) + size.to_bytes(2 if version == 1 else 4, "little") + encoded + body


def some_pictures(count: int = 20, height: int = 10, width: int = 10, seed: int = 0) -> np.ndarray[Any, Any]:
    pictures = np.random.default_rng(seed).integers(0, 256, (count, height, width), np.uint8)
    pictures[0, 0, 0] = 255
    return pictures


def check_message(message: str, start: str) -> None:
    """A refusal names the file, and no slip of ours hides behind it."""
    assert message.startswith(start)
    for slip in ("TypeCheckError", "AttributeError", "NameError", "UnboundLocalError", "AssertionError"):
        assert slip not in message
