"""The ladder of bounds: more samples make the ELBO's estimate less noisy, and the importance-weighted bound tighter."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from core.findings.sampling import Ladder
from core.inference.fixed_decoder import FixedDecoder
from core.inference.gaussians import Gaussians
from core.inference.variational import elbo_of
from core.models.vae import Vae
from core.probability.constants import LOG_TWO_PI
from core.shapes import Pixels
from core.snapshots import frozen

COUNTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
NUM_SAMPLES = 100_000
"""One pool for all rungs: twenty groups of the highest, 2 s of the shipped model."""
_PIECE = 1000

Numbers = np.ndarray[Any, np.dtype[np.float64]]


def ladder_steps(
    model: Vae,
    pixels: Pixels,
    log_px: tuple[float, float] | None = None,
    *,
    num_samples: int = NUM_SAMPLES,
    seed: int = 0,
    version: int = 0,
) -> Iterator[Ladder | None]:
    """Yield the ladder of the one image in `pixels`, shape (1, D), each time its pool has grown by a half.

    None in between, every thousand samples.  Kingma & Welling 2014 for L; Burda et al. 2015 for k.  `log_px` is the
    exact value with its error bar, where it is known.  The ELBO's KL is the closed form, IWAE's weights hold log q.
    """
    decoder = FixedDecoder.of(model, pixels)
    q = Gaussians.of(model.inference(decoder.x))
    kl = float(q.kl_to_prior())
    elbo, elbo_error = (float(value) for value in elbo_of(decoder, q))
    generator = torch.Generator().manual_seed(seed)
    pieces: list[tuple[Numbers, Numbers]] = []
    drawn, told = 0, 0
    while drawn < num_samples:
        count = min(_PIECE, num_samples - drawn)
        noise = torch.randn(count, decoder.latent_dim, generator=generator, dtype=torch.float64)
        z = q.at(noise)
        log_likelihood = decoder.log_likelihood(z)[0]
        log_ratio = -0.5 * (z[0].double().square() + LOG_TWO_PI).sum(dim=1) - q.log_prob(z)[0].double()
        pieces.append((log_likelihood.numpy(), (log_likelihood + log_ratio).numpy()))
        drawn += count
        if drawn < 1.5 * told and drawn < num_samples:
            yield None
            continue
        told = drawn
        log_likelihoods, log_weights = (np.concatenate(part) for part in zip(*pieces, strict=True))
        yield _ladder(
            log_likelihoods - kl,
            log_weights,
            elbo=elbo,
            elbo_error=elbo_error,
            log_px=None if log_px is None else log_px[0],
            log_px_error=None if log_px is None else log_px[1],
            total_samples=num_samples,
            version=version,
        )


def _ladder(elbos: Numbers, log_weights: Numbers, **known: Any) -> Ladder:  # noqa: ANN401 - the rest of the record
    # A spread needs two groups.
    counts = [count for count in COUNTS if 2 * count <= len(elbos)]
    of_elbo = [_grouped(elbos, count).mean(axis=1) for count in counts]
    of_iwae = [_log_mean_exp(_grouped(log_weights, count)) for count in counts]
    weights = np.exp(log_weights - log_weights.max())
    return Ladder(
        counts=frozen(counts, np.int64),
        elbo_mean=frozen([groups.mean() for groups in of_elbo], np.float64),
        elbo_spread=frozen([groups.std(ddof=1) for groups in of_elbo], np.float64),
        iwae_mean=frozen([groups.mean() for groups in of_iwae], np.float64),
        iwae_error=frozen([groups.std(ddof=1) / len(groups) ** 0.5 for groups in of_iwae], np.float64),
        num_groups=frozen([len(groups) for groups in of_iwae], np.int64),
        effective_sample_size=float(weights.sum() ** 2 / (weights**2).sum()),
        num_samples=len(elbos),
        **known,
    )


def _grouped(values: Numbers, count: int) -> Numbers:
    return values[: len(values) // count * count].reshape(-1, count)


def _log_mean_exp(groups: Numbers) -> Numbers:
    highest = groups.max(axis=1)
    means: Numbers = highest + np.log(np.exp(groups - highest[:, None]).mean(axis=1))
    return means
