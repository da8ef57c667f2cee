"""Files of pictures too large to be brought into memory: they are read as their pictures are needed."""

from pathlib import Path

import numpy as np

from core.config import DataConfig
from core.data.dataset import DataError, ProgressCallback
from core.data.files import reported, shown
from core.data.greys import GreyRange, grey_range
from core.stored_pictures import GreyTable, StoredPictures

_AS_THEY_ARE = np.arange(256, dtype=np.uint8)


def stored_pictures(
    path: Path,
    start: int,
    shape: tuple[int, int, int],
    config: DataConfig,
    progress: ProgressCallback | None = None,
    *,
    find_range: bool,
) -> tuple[StoredPictures, str]:
    """Return the pictures of a file as the config chooses, and what to tell of them; they begin at byte `start`.

    With `find_range` the greatest byte says what white is, as for any array, which may take reading all of them; else
    it is 255.  Raises DataError where they would have to be scaled, StoredPicturesError, and what `progress` raises.
    """
    if shape[1:] != (config.image_size, config.image_size):
        raise DataError(
            f"{shown(path)}: its pictures of {shape[1]}×{shape[2]} pixels are too many to be scaled in memory: choose "
            f"{shape[1]} as their size"
            if shape[1] == shape[2]
            else f"{shown(path)}: its pictures of {shape[1]}×{shape[2]} pixels are too many to be made square in memory"
        )
    with reported(path):
        pictures = StoredPictures(path, shown(path), start, shape)
    greys = _range_of(pictures, progress) if find_range else GreyRange(0.0, 255.0, "")
    table: GreyTable = greys.greys(_AS_THEY_ARE)
    if config.invert:
        table = 255 - table
    note = f"They stay in their file of {pictures.nbytes / 2**30:.1f} GiB, which is read as they are needed."
    if not np.array_equal(table, _AS_THEY_ARE):
        pictures = pictures.through(table)
    return pictures, f"{greys.note} {note}".strip()


def _range_of(pictures: StoredPictures, progress: ProgressCallback | None) -> GreyRange:
    """Return what the bytes mean, looking no further than it takes to know."""
    plain, highest, done = grey_range("u", 0.0, 255.0), 0, 0
    for piece in pictures.pieces():
        highest = max(highest, int(piece.max()))
        found = grey_range("u", 0.0, float(highest))
        if found == plain:
            return found
        done += len(piece)
        if progress is not None:
            progress(done / len(pictures), "looking for the brightest pixel")
    return found
