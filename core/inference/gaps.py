"""Approximation and amortisation gap of many images.  Cremer, Li & Duvenaud 2018."""

from collections.abc import Generator, Iterator
from typing import Any

import numpy as np
import torch

from core.compatibility import data_for
from core.config import DataConfig, ModelConfig
from core.data.binarisation import seen_by_model
from core.findings.fitting import Gaps
from core.inference.coders import make_coder
from core.inference.codes import Indices, subset_indices
from core.inference.evidence.table import EvidenceTable, why_not_exact
from core.inference.fixed_decoder import FixedDecoder, frozen_vae
from core.inference.gaussians import Gaussians
from core.inference.importance import importance_estimate
from core.inference.modes import modes_of
from core.inference.variational import Best, best_steps
from core.shapes import Pixels
from core.snapshots import Split, Weights, frozen

PIECE_IMAGES = 8
"""Images fitted at once: a step of all their ascents takes some 10 ms with the shipped model."""
NUM_IMPORTANCE_SAMPLES = 2000
"""Of each image where log p(x) is estimated."""
NUM_MODES = 3
"""Of the true posterior, to start from beside the encoder's q and the prior."""
_CODED_AT_ONCE = 512
_INTEGRATED_AT_ONCE = 2

PerImage = np.ndarray[Any, np.dtype[np.float64]]


def gap_steps(
    config: ModelConfig,
    weights: Weights,
    split: Split,
    data_config: DataConfig,
    num_images: int | None = None,
    *,
    family: str | None = None,
    split_name: str = "held_out",
    seed: int = 0,
) -> Iterator[Gaps | None]:
    """Yield both gaps of the images measured so far, piece after piece; None in between, every step of an ascent.

    At most `num_images` of the split, drawn with `seed` and taken in random order, so that a part of them is a fair
    sample too.  `family` is the model's own unless another is named.  Up to two latent dimensions log p(x) is an
    integral; above, an importance-weighted estimate from the encoder's q and the best one.  Raises ValueError.
    """
    model = frozen_vae(config, weights)
    data_config = data_for(data_config, config)
    indices = np.random.default_rng(seed).permutation(subset_indices(len(split), num_images, seed))
    family = family or config.posterior
    generator = torch.Generator().manual_seed(seed)
    table = yield from _table(config, weights, split, data_config, indices)
    rows: list[tuple[np.ndarray[Any, Any], ...]] = []
    for start in range(0, len(indices), PIECE_IMAGES):
        piece = indices[start : start + PIECE_IMAGES]
        pixels = seen_by_model(split.images[piece], piece, data_config)
        decoder = FixedDecoder.of(model, pixels)
        encoder = Gaussians.of(model.inference(decoder.x))
        modes = () if table is None else modes_of(table, pixels, NUM_MODES)
        yield None
        best = yield from best_steps(decoder, encoder, family, modes, seed=seed)
        if table is None:
            log_px, error = yield from _estimated(decoder, encoder, best, generator)
        else:
            log_px, error = yield from _integrated(table, pixels)
        rows.append(
            (
                piece,
                log_px,
                error,
                best.encoder_elbo.numpy(),
                best.elbo.numpy(),
                best.q.mean.float().numpy(),
                best.q.scale.float().numpy(),
            )
        )
        columns = [frozen(np.concatenate(column)) for column in zip(*rows, strict=True)]
        yield Gaps(
            indices=columns[0],
            log_px=columns[1],
            log_px_error=columns[2],
            elbo=columns[3],
            best_elbo=columns[4],
            mean=columns[5],
            scale=columns[6],
            family=family,
            exact=table is not None,
            wanted=len(indices),
            split=split_name,
            total=len(split),
            version=weights.version,
        )


def _table(
    config: ModelConfig, weights: Weights, split: Split, data_config: DataConfig, indices: Indices
) -> Generator[None, None, EvidenceTable | None]:
    """Return the table over prior and codes from which log p(x) is integrated; None where it cannot be."""
    if why_not_exact(config):
        return None
    coder = make_coder(config, weights)
    codes = []
    for start in range(0, len(indices), _CODED_AT_ONCE):
        piece = indices[start : start + _CODED_AT_ONCE]
        codes.append(coder.encode(seen_by_model(split.images[piece], piece, data_config)).mean)
        yield
    building = EvidenceTable.building(config, weights, np.concatenate(codes) if codes else None)
    while True:
        try:
            next(building)
        except StopIteration as end:
            table: EvidenceTable | None = end.value
            return table
        yield


def _integrated(table: EvidenceTable, pixels: Pixels) -> Generator[None, None, tuple[PerImage, PerImage]]:
    """Return log p(x) of each image and its error bar, a few images at a time: 0.1 s between two yields."""
    log_px, error = [], []
    for start in range(0, len(pixels), _INTEGRATED_AT_ONCE):
        integrals, _ = table.integrals(pixels[start : start + _INTEGRATED_AT_ONCE])
        log_px.append(integrals.log_z)
        error.append(integrals.error_bar)
        yield
    return np.concatenate(log_px), np.concatenate(error)


def _estimated(
    decoder: FixedDecoder, encoder: Gaussians, best: Best, generator: torch.Generator
) -> Generator[None, None, tuple[PerImage, PerImage]]:
    """Return estimates of log p(x) of each image and their standard errors, yielding after each image."""
    log_px, error = np.empty(len(decoder)), np.empty(len(decoder))
    for image in range(len(decoder)):
        row = torch.tensor([image])
        proposals = (encoder.rows(row), best.q.rows(row))
        found, doubt, _ = importance_estimate(decoder.rows(row), proposals, NUM_IMPORTANCE_SAMPLES, generator)
        log_px[image], error[image] = float(found), float(doubt)
        yield
    return log_px, error
