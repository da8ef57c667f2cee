"""The 70,000 digits that come with the program: MNIST, by Y. LeCun and C. Cortes (CC BY-SA 3.0)."""

import hashlib

import numpy as np

from core.config import DataConfig
from core.data.dataset import DataError, Dataset, ProgressCallback, QuickLook, fingerprint_of
from core.data.files import reported
from core.data.idx import parse_idx
from core.regular_files import open_regular
from core.snapshots import Split, frozen
from resources import resource

NUM_TRAIN = 60_000
LABEL_NAMES = tuple("0123456789")

_SHA256 = {
    "train-images-idx3-ubyte.gz": "0b367032e93c5d0cea0925647cfdb18614af8ee15f83e6f2fc2ad904a6835971",
    "train-labels-idx1-ubyte.gz": "1787548bbe0bff1ec2ecdc0ef292b02df999e2d1a6002d27500982c652b17203",
    "t10k-images-idx3-ubyte.gz": "1a1a05eab793c14bb050b398624a11b0ffd1a2953baed553b1b9bd079e2a20be",
    "t10k-labels-idx1-ubyte.gz": "b91679a0acfe4ba0e50a2437a903084cba1f5f92592b016a25a7dfd00455798b",
}
_NOTE = "60,000 images to train on, 10,000 held out, as the digits were published."


def load_mnist(config: DataConfig, progress: ProgressCallback | None = None) -> Dataset:
    """Return all of MNIST, its published test images held out.  Raises DataError if a file is not as it was shipped."""
    if progress is not None:
        progress(0.0, "unpacking 70,000 digits")
    train, held_out = _split("train", config), _split("t10k", config)
    return Dataset("MNIST", config, train, held_out, LABEL_NAMES, fingerprint_of(train, held_out), _NOTE)


def quick_look_at_mnist(config: DataConfig) -> QuickLook:
    """Return the 10,000 held-out digits in some 30 ms.  Raises DataError."""
    return QuickLook("MNIST", config, _split("t10k", config), NUM_TRAIN, LABEL_NAMES, _NOTE)


def _split(half: str, config: DataConfig) -> Split:
    images = parse_idx(_verified(f"{half}-images-idx3-ubyte.gz"), f"{half}-images-idx3-ubyte.gz", 3)
    labels = parse_idx(_verified(f"{half}-labels-idx1-ubyte.gz"), f"{half}-labels-idx1-ubyte.gz", 1)
    return Split(frozen(255 - images if config.invert else images), frozen(labels, np.int64))


def _verified(name: str) -> bytes:
    """Return the bytes of a shipped file once their SHA-256 is found to be right.  Raises DataError."""
    try:
        path = resource("data", "mnist", name)
    except FileNotFoundError as error:
        raise DataError(f"{name}: {error}") from None
    with reported(path), open_regular(path) as file:
        data = file.read()
    found = hashlib.sha256(data).hexdigest()
    if found != _SHA256[name]:
        raise DataError(
            f"{name}: the program's own copy is damaged: its SHA-256 is {found[:12]}…, "
            f"not {_SHA256[name][:12]}…; install the program again"
        )
    return data
