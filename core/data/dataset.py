"""What a data set is: frozen pictures in two halves, with what is known of them."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.config import DataConfig
from core.snapshots import Split
from core.stored_pictures import pieces_of

ProgressCallback = Callable[[float, str], None]
"""Takes the share done, 0..1, and what is being done.  An exception it raises ends the loading and passes through."""

Rows = np.ndarray[Any, np.dtype[np.int64]]


class DataError(Exception):
    """Data cannot be read or makes no sense; the message names the file and the reason, in words for the user."""


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """The known factors of variation behind procedural pictures, one column each, one row an image."""

    names: tuple[str, ...]
    """With the unit in brackets where there is one."""
    train: np.ndarray[Any, np.dtype[np.float64]]
    held_out: np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Pictures of one size, in a half to learn from and a half kept away from training."""

    name: str
    config: DataConfig
    train: Split
    held_out: Split
    label_names: tuple[str, ...]
    """Name of each label; empty where the data has none."""
    fingerprint: str
    """See `fingerprint_of`: equal halves have equal fingerprints, whatever file held them."""
    note: str = ""
    """What the user should know of how the data was read, in sentences."""
    factors: Factors | None = None

    def half(self, name: str) -> Split:
        """Return the half called `train` or `held_out`."""
        return self.train if name == "train" else self.held_out

    @property
    def height(self) -> int:
        """Height of each picture in pixels."""
        return int(self.train.images.shape[1])

    @property
    def width(self) -> int:
        """Width of each picture in pixels."""
        return int(self.train.images.shape[2])


@dataclass(frozen=True, slots=True, eq=False)
class QuickLook:
    """The held-out half of a data set whose training half is still to be loaded."""

    name: str
    config: DataConfig
    held_out: Split
    num_train: int
    label_names: tuple[str, ...]
    note: str = ""

    @property
    def height(self) -> int:
        """Height of each picture in pixels."""
        return int(self.held_out.images.shape[1])

    @property
    def width(self) -> int:
        """Width of each picture in pixels."""
        return int(self.held_out.images.shape[2])


def fingerprint_of(train: Split, held_out: Split, progress: ProgressCallback | None = None) -> str:
    """Return a SHA-256, in hex, over shapes, pixels and labels of both halves."""
    digest = hashlib.sha256()
    done, total = 0, len(train) + len(held_out)
    for split in (train, held_out):
        digest.update(repr(split.images.shape).encode())
        for piece in pieces_of(split.images):
            digest.update(np.ascontiguousarray(piece).data)
            done += len(piece)
            if progress is not None:
                progress(done / total, "reading all pictures once")
        if split.labels is not None:
            digest.update(split.labels.astype("<i8").tobytes())
    return digest.hexdigest()


def joined_note(*sentences: str) -> str:
    """Return the sentences that are not empty, as one text."""
    return " ".join(sentence for sentence in sentences if sentence)
