"""Approximation and amortisation gap of many images.  Cremer, Li & Duvenaud 2018."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from core.compatibility import data_for
from core.config import DataConfig, ModelConfig
from core.data.binarisation import seen_by_model
from core.findings.fitting import Gaps
from core.inference.codes import subset_indices
from core.inference.fixed_decoder import FixedDecoder, frozen_vae
from core.inference.gaussians import Gaussians
from core.inference.importance import importance_estimate
from core.inference.variational import Best, best_steps
from core.shapes import Pixels
from core.snapshots import Split, Weights, frozen

PIECE_IMAGES = 8
"""Images fitted at once: a step of all their ascents takes some 10 ms with the shipped model."""
NUM_IMPORTANCE_SAMPLES = 2000
NUM_MODES = 3

PerImage = np.ndarray[Any, np.dtype[np.float64]]
LogEvidence = Callable[[Pixels], tuple[PerImage, PerImage]]
"""log p(x) of each image and its error bar, both in nats."""
Modes = Callable[[Pixels, int], Sequence[Gaussians]]
"""So many starts for each image, at the highest modes of its posterior."""


def gap_steps(
    config: ModelConfig,
    weights: Weights,
    split: Split,
    data_config: DataConfig,
    *,
    evidence: LogEvidence | None = None,
    modes: Modes | None = None,
    num_images: int | None = None,
    family: str | None = None,
    split_name: str = "held_out",
    seed: int = 0,
) -> Iterator[Gaps | None]:
    """Yield both gaps of the images measured so far, piece after piece; None in between, every step of an ascent.

    At most `num_images` of the split, drawn with `seed` and taken in random order, so that a part of them is a fair
    sample too.  `family` is the model's own unless another is named.  With `evidence` log p(x) is exact; without, it
    is an importance-weighted estimate from the encoder's q and the best one.  Raises ValueError.
    """
    model = frozen_vae(config, weights)
    data_config = data_for(data_config, config)
    indices = np.random.default_rng(seed).permutation(subset_indices(len(split), num_images, seed))
    family = family or config.posterior
    generator = torch.Generator().manual_seed(seed)
    rows: list[tuple[np.ndarray[Any, Any], ...]] = []
    for start in range(0, len(indices), PIECE_IMAGES):
        piece = indices[start : start + PIECE_IMAGES]
        pixels = seen_by_model(split.images[piece], piece, data_config)
        decoder = FixedDecoder.of(model, pixels)
        encoder = Gaussians.of(model.inference(decoder.x))
        best = yield from best_steps(
            decoder, encoder, family, () if modes is None else modes(pixels, NUM_MODES), seed=seed
        )
        log_px, error = _estimated(decoder, encoder, best, generator) if evidence is None else evidence(pixels)
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
            exact=evidence is not None,
            wanted=len(indices),
            split=split_name,
            total=len(split),
            version=weights.version,
        )


def _estimated(
    decoder: FixedDecoder, encoder: Gaussians, best: Best, generator: torch.Generator
) -> tuple[PerImage, PerImage]:
    log_px, error, _ = importance_estimate(decoder, (encoder, best.q), NUM_IMPORTANCE_SAMPLES, generator)
    return log_px.numpy(), error.numpy()
