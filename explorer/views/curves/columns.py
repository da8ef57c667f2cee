"""Columns that grow at their end, in preallocated memory."""

from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = np.ndarray[Any, Any]

_FIRST_CAPACITY = 1024


class Column:
    """An append-only array of rows; `values` is a view of what was appended so far."""

    def __init__(self, dtype: npt.DTypeLike = np.float64, width: int | None = None) -> None:
        self._shape = () if width is None else (width,)
        self._buffer: Numbers = np.empty((0, *self._shape), dtype)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    @property
    def values(self) -> Numbers:
        """The rows appended so far; a view, valid until the next append."""
        return self._buffer[: self._length]

    def append(self, rows: npt.ArrayLike) -> None:
        """Append rows.  Raises ValueError when their width is not the column's."""
        added = np.asarray(rows)
        if added.shape[1:] != self._shape:
            raise ValueError(f"rows must have shape (n, {', '.join(map(str, self._shape))}), not {added.shape}")
        needed = self._length + len(added)
        if needed > len(self._buffer):
            capacity = max(_FIRST_CAPACITY, needed, 2 * len(self._buffer))
            grown = np.empty((capacity, *self._shape), self._buffer.dtype)
            grown[: self._length] = self.values
            self._buffer = grown
        self._buffer[self._length : needed] = added
        self._length = needed

    def replace(self, rows: Numbers) -> None:
        """Replace everything by `rows`, of the same width."""
        self._length = 0
        self.append(rows)
