"""Which images are kept away from training."""

from typing import Any

import numpy as np

from core.config import DataConfig
from core.data.dataset import DataError, Dataset, Factors, ProgressCallback, Rows, fingerprint_of, joined_note
from core.data.draws import HELD_OUT_STREAM, random_bits
from core.shapes import Labels
from core.snapshots import Split, frozen
from core.stored_pictures import Pictures, StoredPictures


def held_out_rows(labels: Labels | None, num_images: int, fraction: float, seed: int) -> Rows:
    """Return the sorted rows held out: `fraction` of the images, of each label as near to it as whole images allow.

    At least one image is held out and at least one is left to train on.  Raises DataError for fewer than two images.
    """
    if num_images < 2:
        raise DataError(f"there is {num_images} image, but at least 2 are needed: one to learn from, one to hold out")
    total = min(max(round(fraction * num_images), 1), num_images - 1)
    rank = random_bits(seed, HELD_OUT_STREAM, np.arange(num_images), 1)[:, 0]
    order: Rows = np.argsort(rank, kind="stable")
    if labels is None:
        return np.sort(order[:total])
    by_label: Rows = order[np.argsort(labels[order], kind="stable")]
    counts = np.unique(labels, return_counts=True)[1]
    taken = _shared_out(total, counts)
    starts = np.cumsum(counts) - counts
    return np.sort(np.concatenate([by_label[start : start + take] for start, take in zip(starts, taken, strict=True)]))


def _shared_out(total: int, counts: Rows) -> Rows:
    """Return how many of `total` each label gives: proportional, the largest remainders rounded up."""
    # In whole numbers, so that no rounding of a float can tip a tie from one machine to the next.
    scaled = counts * total
    taken: Rows = scaled // counts.sum()
    missing = total - int(taken.sum())
    taken[np.argsort(-(scaled % counts.sum()), kind="stable")[:missing]] += 1
    return taken


def split_dataset(
    name: str,
    config: DataConfig,
    images: Pictures,
    labels: Labels | None,
    label_names: tuple[str, ...],
    note: str = "",
    factors: tuple[tuple[str, ...], np.ndarray[Any, np.dtype[np.float64]]] | None = None,
    progress: ProgressCallback | None = None,
) -> Dataset:
    """Return a data set with a seeded share of `images` held out; its note states the counts.  Raises DataError."""
    try:
        held_out = held_out_rows(labels, len(images), config.held_out_fraction, config.data_seed)
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
    train = np.delete(np.arange(len(images)), held_out)
    kept, away = (
        Split(
            images.taken(rows) if isinstance(images, StoredPictures) else _taken(images, rows),
            None if labels is None else _taken(labels, rows),
        )
        for rows in (train, held_out)
    )
    how = "drawn with the data seed" + ("" if labels is None else ", label by label")
    split_note = f"{len(train):,} images to train on, {len(held_out):,} held out, {how}."
    known = None if factors is None else Factors(factors[0], frozen(factors[1][train]), frozen(factors[1][held_out]))
    fingerprint = fingerprint_of(kept, away, progress)
    return Dataset(name, config, kept, away, label_names, fingerprint, joined_note(split_note, note), known)


def _taken(array: np.ndarray[Any, Any], rows: Rows) -> np.ndarray[Any, Any]:
    result: np.ndarray[Any, Any] = array[rows]
    # A copy already, which nobody else knows: frozen() need not make another.
    result.flags.writeable = False
    return frozen(result)
