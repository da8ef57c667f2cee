"""What an import shows before it is done, and the same choices applied to one foreign picture."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from core.config import DataConfig
from core.data.arrays import array_shape, sample_arrays
from core.data.dataset import DataError, joined_note
from core.data.files import kind_of, shown
from core.data.fitting import FittedPicture, fitted
from core.data.folder import broken_note, list_pictures, read_picture_file
from core.data.greys import transparent_ground
from core.data.idx import idx_shape, is_taken_as_it_is, sample_idx
from core.data.normalisation import is_normalised
from core.data.pictures import grey_picture
from core.shapes import Picture
from core.snapshots import frozen

DEFAULT_SIDE = 28
_SMALLEST, _LARGEST = 8, 64
_SAMPLE = 200
_FOLDER_SAMPLE = 24


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """The first pictures of a source as they would be imported, and what was found."""

    num_images: int
    num_broken: int
    """Of those that were tried for the preview."""
    label_names: tuple[str, ...]
    pictures: tuple[Picture, ...]
    note: str = ""


def needs_import_choices(path: Path) -> bool:
    """Whether opening `path` should show a preview first; False only for IDX files of small square pictures.

    Raises DataError when it cannot be opened at all.
    """
    return kind_of(path) != "idx" or not is_taken_as_it_is(idx_shape(path))


def preview_import(path: Path, config: DataConfig, count: int = 24) -> Preview:
    """Return what importing `path` with these choices would give, from `count` pictures of it.  Raises DataError."""
    sample = _sampled(path, config, count)
    pictures = tuple(frozen(_chosen(picture, config)) for picture in sample.pictures)
    return replace(sample, pictures=pictures)


def import_picture(
    picture: Path | np.ndarray[Any, Any], config: DataConfig, size: tuple[int, int] | None = None
) -> FittedPicture:
    """Return one picture file or array (h, w) or (h, w, 1 | 3 | 4) as an import with these choices makes it.

    uint8 of `size` (height, width), the config's own if left out.  Raises DataError.
    """
    size = size or (config.image_size, config.image_size)
    if isinstance(picture, np.ndarray):
        grey = grey_picture(picture, background=transparent_ground(invert=config.invert))
    else:
        grey = read_picture_file(Path(picture), config, longest=2 * max(size))
    return frozen(_chosen(grey, config, size))


def suggested_config(source: Path | str) -> DataConfig:
    """Return the choices to start from for `mnist`, `shapes` or a path: size, inversion, centring of drawings.

    Pictures light at their border are inverted; drawings are centred only for data made as MNIST was.
    Raises DataError.
    """
    if source == "mnist":
        return DataConfig()
    if source == "shapes":
        return DataConfig(source="shapes", centre_drawings=False)
    path = Path(source).absolute()
    plain = DataConfig(source=str(path), centre_drawings=False)
    kind = kind_of(path)
    pictures = _sampled(path, plain, _FOLDER_SAMPLE if kind == "folder" else _SAMPLE).pictures
    shape = array_shape(path) if kind in ("npy", "npz") else idx_shape(path) if kind == "idx" else None
    side = DEFAULT_SIDE if shape is None else min(max(*shape[1:], _SMALLEST), _LARGEST)
    light = bool(pictures) and float(np.mean([_is_light_at_its_border(picture) for picture in pictures])) > 0.5
    config = replace(plain, image_size=side, invert=light)
    chosen = np.stack([_chosen(picture, config) for picture in pictures]) if pictures else np.zeros((0, 1, 1), np.uint8)
    return replace(config, centre_drawings=is_normalised(chosen))


def _chosen(picture: Picture, config: DataConfig, size: tuple[int, int] | None = None) -> FittedPicture:
    result = fitted(picture, size or (config.image_size, config.image_size), config.fit)
    return 255 - result if config.invert else result


def _is_light_at_its_border(picture: Picture) -> bool:
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    return float(np.median(border)) > 127


def _sampled(path: Path, config: DataConfig, count: int) -> Preview:
    """Return a preview whose pictures are still grey pictures of their own size."""
    kind = kind_of(path)
    if kind == "folder":
        return _sampled_folder(path, config, count)
    if kind == "idx":
        return Preview(idx_shape(path)[0], 0, (), tuple(sample_idx(path, count)))
    sample = sample_arrays(path, config, count)
    return Preview(sample.num_images, 0, sample.label_names, tuple(sample.pictures), sample.note)


def _sampled_folder(path: Path, config: DataConfig, count: int) -> Preview:
    listing = list_pictures(path)
    found = listing.labels() if config.subfolder_labels else None
    pictures: list[Picture] = []
    broken: list[str] = []
    # Spread over the whole list, so that the preview shows every label and not only the first.
    tried = np.unique(np.linspace(0, len(listing.files) - 1, count).round().astype(np.int64))
    for row in tried:
        try:
            pictures.append(read_picture_file(path / listing.files[row], config, longest=2 * config.image_size))
        except DataError as error:
            broken.append(str(error))
    if not pictures:
        raise DataError(f"{shown(path)}: none of {len(tried):,} pictures that were tried can be read: {broken[0]}")
    note = joined_note(broken_note(broken), listing.note)
    return Preview(len(listing.files), len(broken), () if found is None else found[1], tuple(pictures), note)
