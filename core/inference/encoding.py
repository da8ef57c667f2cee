"""Posteriors of many images as one batch, and of one image out of it."""

from collections.abc import Generator, Sequence

import numpy as np

from core.compatibility import data_for
from core.config import DataConfig
from core.data.binarisation import seen_by_model
from core.inference.array_posteriors import ArrayPosterior, Factorised, Full, PlainCode
from core.inference.coders import Coder
from core.inference.codes import PIECE_IMAGES, Indices
from core.snapshots import Split


def encoded(
    coder: Coder, split: Split, indices: Indices, data_config: DataConfig
) -> Generator[float, None, ArrayPosterior]:
    """Yield the share done and return q(z|x) of images of a split, each seen as its fixed draw of x."""
    data_config = data_for(data_config, coder.config)
    parts = []
    for start in range(0, len(indices), PIECE_IMAGES):
        piece = indices[start : start + PIECE_IMAGES]
        parts.append(coder.encode(seen_by_model(split.images[piece], piece, data_config)))
        yield (start + len(piece)) / len(indices)
    return joined(parts)


def joined(parts: Sequence[ArrayPosterior]) -> ArrayPosterior:
    """Return batches of one family as one batch.  Raises ValueError for none."""
    if not parts:
        raise ValueError("there are no posteriors to join")
    mean = np.concatenate([part.mean for part in parts])
    if all(isinstance(part, Factorised) for part in parts):
        return Factorised(mean, np.concatenate([part.log_var for part in parts if part.log_var is not None]))
    if all(isinstance(part, PlainCode) for part in parts):
        return PlainCode(mean)
    return Full(mean, np.concatenate([part.scale for part in parts]))


def of_image(posterior: ArrayPosterior, image: int) -> ArrayPosterior:
    """Return the posterior of one image of a batch, as a batch of one."""
    one = slice(image, image + 1)
    if isinstance(posterior, Factorised):
        return Factorised(posterior.mean[one], posterior.log_var[one])
    if isinstance(posterior, PlainCode):
        return PlainCode(posterior.mean[one])
    return Full(posterior.mean[one], posterior.scale[one])
