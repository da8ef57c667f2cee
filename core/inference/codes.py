"""Codes of a data set and what they say of each latent dimension."""

from collections.abc import Callable, Generator
from typing import Any, overload

import numpy as np

from core.compatibility import data_for
from core.config import DataConfig, ModelConfig
from core.data.binarisation import seen_by_model
from core.findings.read_outs import ACTIVE_ABOVE
from core.inference.coders import Coder
from core.inference.network_coder import bounded
from core.quantiles import quantiles
from core.snapshots import Codes, LatentStatistics, Split, frozen

PIECE_IMAGES = 512
"""Images between two looks at `should_stop`: some 10 ms of a default model."""
LOW_QUANTILE, HIGH_QUANTILE = 0.005, 0.995

Indices = np.ndarray[Any, np.dtype[np.int64]]


def subset_indices(total: int, limit: int | None, seed: int = 0) -> Indices:
    """Return the rising indices of at most `limit` of `total` images, the same for the same seed."""
    if limit is None or limit >= total:
        return np.arange(total)
    chosen = np.random.default_rng(seed).choice(total, max(limit, 0), replace=False)
    return np.sort(chosen)


@overload
def encode_split(
    coder: Coder, split: Split, split_name: str, data_config: DataConfig, limit: int | None = None, *, seed: int = 0
) -> Codes: ...
@overload
def encode_split(
    coder: Coder,
    split: Split,
    split_name: str,
    data_config: DataConfig,
    limit: int | None = None,
    *,
    seed: int = 0,
    should_stop: Callable[[], bool],
) -> Codes | None: ...
def encode_split(
    coder: Coder,
    split: Split,
    split_name: str,
    data_config: DataConfig,
    limit: int | None = None,
    *,
    seed: int = 0,
    should_stop: Callable[[], bool] | None = None,
) -> Codes | None:
    """Return the posterior means of at most `limit` images of a split, as the model sees them.

    The subset depends on `seed` alone, so that points stay when the model changes.  Returns None when `should_stop`
    said so between two pieces.
    """
    work = encoding_of(coder, split, split_name, data_config, limit, seed=seed)
    while should_stop is None or not should_stop():
        try:
            next(work)
        except StopIteration as end:
            codes: Codes = end.value
            return codes
    return None


def encoding_of(
    coder: Coder, split: Split, split_name: str, data_config: DataConfig, limit: int | None = None, *, seed: int = 0
) -> Generator[int, None, Codes]:
    """Yield after each piece how many images are encoded, and return what `encode_split` does."""
    indices = subset_indices(len(split), limit, seed)
    latent_dim = coder.config.latent_dim
    mean = np.empty((len(indices), latent_dim), np.float32)
    log_var, kl = (np.empty_like(mean) if coder.config.has_prior else None for _ in range(2))
    data_config = data_for(data_config, coder.config)
    for start in range(0, len(indices), PIECE_IMAGES):
        piece = indices[start : start + PIECE_IMAGES]
        posterior = coder.encode(seen_by_model(split.images[piece], piece, data_config))
        for whole, part in (
            (mean, posterior.mean),
            (log_var, posterior.log_var),
            (kl, posterior.kl_per_dimension()),
        ):
            if whole is not None:
                whole[start : start + PIECE_IMAGES] = part
        yield start + len(piece)
    return Codes(
        mean=frozen(mean),
        log_var=None if log_var is None else frozen(log_var),
        kl=None if kl is None else frozen(kl),
        indices=frozen(indices, np.int64),
        labels=None if split.labels is None else frozen(split.labels[indices], np.int64),
        split=split_name,
        total=len(split),
        version=coder.version,
    )


def latent_statistics(codes: Codes, model_config: ModelConfig) -> LatentStatistics:
    """Return KL, spread, quantiles and activity of each latent dimension over the codes.

    Without any codes: the range of the standard normal, nothing active.
    """
    if not len(codes):
        zeros = np.zeros(model_config.latent_dim, np.float32)
        kl = frozen(zeros) if model_config.has_prior else None
        inactive = (False,) * model_config.latent_dim
        return LatentStatistics(kl, frozen(zeros), frozen(zeros - 2.5), frozen(zeros + 2.5), frozen(zeros), inactive)
    # Weights gone wild give means that no slider can show; the pictures are those of bounded codes too.
    mean = bounded(codes.mean)
    spread = mean.var(axis=0, dtype=np.float64)
    low, median, high = quantiles(mean, (LOW_QUANTILE, 0.5, HIGH_QUANTILE))
    kl = None
    if codes.kl is not None:
        kl = frozen(codes.kl.mean(axis=0, dtype=np.float64), np.float32)
    return LatentStatistics(
        kl=kl,
        spread=frozen(spread, np.float32),
        low=frozen(low, np.float32),
        high=frozen(high, np.float32),
        median=frozen(median, np.float32),
        active=tuple(bool(variance > ACTIVE_ABOVE) for variance in spread),
    )
