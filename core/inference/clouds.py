"""Similar input, similar code: the codes of one image under noise, and how they lie among those of the data."""

from collections.abc import Generator

import numpy as np

from core.compatibility import data_for
from core.config import DataConfig
from core.data.binarisation import seen_by_model
from core.findings.clouds import Cloud
from core.inference.coders import Coder
from core.inference.codes import subset_indices
from core.inference.neighbours import CodeRows, code_distances, nearest_codes
from core.inference.network_coder import bounded
from core.shapes import Code, CodeArray, PixelRow, Pixels
from core.snapshots import Codes, Split, frozen

PIECE_IMAGES = 256
"""Images encoded between two steps: 10 ms of a default model."""


def codes_under_noise(
    coder: Coder,
    clean: PixelRow,
    copies: Pixels,
    data: Codes,
    *,
    slot: int = 0,
    image: int | None = None,
    label: int | None = None,
) -> Generator[None, None, Cloud]:
    """Return, after some steps, the codes of noisy `copies` of an image.

    `image` is its index in the split of `data`: its own code is then no neighbour of the copies'.  Without a `label`
    of its own the image has that of the data code nearest to its clean code.
    """
    code = coder.encode(clean[None]).mean[0]
    codes = np.empty((len(copies), coder.config.latent_dim), np.float32)
    for start in range(0, len(copies), PIECE_IMAGES):
        codes[start : start + PIECE_IMAGES] = coder.encode(copies[start : start + PIECE_IMAGES]).mean
        yield
    spread, offset = relative_spread(codes, code, data.mean)
    found, same = label, None
    if data.labels is not None and len(data):
        rows = [] if image is None else np.flatnonzero(data.indices == image).tolist()
        own = rows[0] if rows and len(data) > 1 else None
        if found is None:
            found = int(data.labels[nearest_codes(data.mean, code[None], own)[0]])
        same = float((data.labels[nearest_codes(data.mean, codes, own)] == found).mean())
    return Cloud(
        slot=slot,
        clean=frozen(code),
        codes=frozen(codes),
        spread=spread,
        offset=offset,
        same_label=same,
        label=None if same is None else found,
        label_is_own=label is not None,
        num_data=len(data),
        version=coder.version,
    )


def relative_spread(codes: CodeArray, clean: Code, data: CodeRows) -> tuple[float, float]:
    """Return the trace of the codes' covariance over that of the data's, and how far their mean is from `clean`.

    The distance is in units of the root of the data's trace.  The mean squared distance from `clean`, in units of the
    data's trace, is spread + offset².  NaN where the data's codes do not differ.
    """
    unit = _trace(data)
    if not unit > 0.0:
        return float("nan"), float("nan")
    middle = bounded(codes).mean(axis=0, dtype=np.float64).astype(np.float32)
    return _trace(codes) / unit, float(code_distances(middle[None], clean)[0] / np.sqrt(unit))


def map_codes(
    coder: Coder, split: Split, split_name: str, data_config: DataConfig, limit: int
) -> Generator[None, None, Codes]:
    """Return, after some steps, the means of at most `limit` images of a split, those that `encode_split` chooses."""
    indices = subset_indices(len(split), limit)
    config = data_for(data_config, coder.config)
    mean = np.empty((len(indices), coder.config.latent_dim), np.float32)
    for start in range(0, len(indices), PIECE_IMAGES):
        piece = indices[start : start + PIECE_IMAGES]
        mean[start : start + PIECE_IMAGES] = coder.encode(seen_by_model(split.images[piece], piece, config)).mean
        yield
    labels = None if split.labels is None else frozen(split.labels[indices], np.int64)
    return Codes(
        frozen(mean), None, None, frozen(indices, np.int64), labels, split_name, len(split), version=coder.version
    )


def _trace(codes: CodeArray) -> float:
    return float(bounded(codes).var(axis=0, dtype=np.float64).sum()) if len(codes) else 0.0
