"""Labels of all kinds become whole numbers from 0 with a name each."""

import sys
from typing import Any

import numpy as np

from core.data.dataset import DataError
from core.shapes import Labels

MAX_LABELS = 1000


def named_labels(*parts: np.ndarray[Any, Any]) -> tuple[list[Labels], tuple[str, ...]]:
    """Return each part as indices into the names of all values that occur, in ascending order.

    Whole numbers, bools, texts and one-hot rows are labels.  Raises DataError, its message without a file, for others.
    """
    flat = [_flat(part) for part in parts]
    if len({part.dtype.kind for part in flat}) > 1:
        raise DataError("the labels of the two halves are of different kinds")
    values = np.unique(np.concatenate(flat))
    if len(values) > MAX_LABELS:
        raise DataError(f"there are {len(values):,} different labels; at most {MAX_LABELS:,} can be shown")
    if values.dtype.kind == "U" and not _is_text(values):
        raise DataError("the labels are texts with numbers in them that are no characters")
    names = tuple(_name(value) for value in values)
    return [np.searchsorted(values, part).astype(np.int64) for part in flat], names


def _name(value: object) -> str:
    # A surrogate by itself is a character to numpy, and nothing that a window can show.
    encoded = value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
    return encoded.decode("utf-8", "replace")


def _is_text(values: np.ndarray[Any, Any]) -> bool:
    """Return whether each character is one: numpy takes any 32 bits, of which Python cannot make a text."""
    codes = np.ascontiguousarray(values).view(np.dtype(np.uint32).newbyteorder(values.dtype.byteorder))
    return bool((codes <= sys.maxunicode).all())


def _flat(part: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if part.ndim == 2 and part.shape[1] == 1:
        part = part[:, 0]
    elif part.ndim == 2 and part.dtype.kind in "biuf" and _is_one_hot(part):
        part = part.argmax(axis=1)
    if part.ndim != 1:
        raise DataError(f"labels need the shape (N,), not {part.shape}")
    if part.dtype.kind == "b" or (part.dtype.kind == "f" and _is_whole(part)):
        part = part.astype(np.int64)
    if part.dtype.kind not in "iuUS":
        raise DataError("the labels are not whole numbers, texts or one-hot rows")
    return part.astype(np.int64) if part.dtype.kind in "iu" else part


def _is_one_hot(part: np.ndarray[Any, Any]) -> bool:
    return bool(((part == 0) | (part == 1)).all() and (part.sum(axis=1) == 1).all())


def _is_whole(part: np.ndarray[Any, Any]) -> bool:
    return bool(np.isfinite(part).all() and (part == np.rint(part)).all() and (np.abs(part) < 2**53).all())
