"""Held-out means of a model."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.compatibility import data_for
from core.config import DataConfig
from core.data.binarisation import seen_by_model
from core.inference.coders import Coder
from core.snapshots import ElboMeans, Split

PIECE_IMAGES = 512


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a model makes of a whole split, in nats per image."""

    means: ElboMeans
    num_images: int
    binarisation: str
    seed: int
    standard_error: float | None
    """Of the mean ELBO, or of the mean NLL where no ELBO is defined; None for a single image."""
    likelihood_normalised: bool
    """Whether these nats are those of a distribution that sums to one; Bernoulli nats of grey pixels are not."""


def evaluate(
    coder: Coder,
    split: Split,
    data_config: DataConfig,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Evaluation:
    """Return the means of NLL and KL over all images of a split, each seen as its fixed draw of the binarisation.

    The NLL is a single-sample estimate of E_q[-log p(x|z)] for each image, with noise that `seed` and the image's
    place decide; the KL is exact.  `progress` is told the share done.  Raises ValueError for a split without images.
    """
    if not len(split):
        raise ValueError("there are no images to evaluate on")
    generator = np.random.default_rng(seed)
    data_config = data_for(data_config, coder.config)
    costs, divergences = [], []
    for start in range(0, len(split), PIECE_IMAGES):
        indices = np.arange(start, min(start + PIECE_IMAGES, len(split)))
        seen = seen_by_model(split.images[indices], indices, data_config)
        posterior = coder.encode(seen)
        codes, shares = posterior.mean, posterior.kl_per_dimension()
        if shares is not None:
            codes = posterior.at(generator.standard_normal(codes.shape, dtype=np.float32))
            divergences.append(shares.astype(np.float64))
        costs.append(coder.nll(seen, codes).astype(np.float64))
        if progress is not None:
            progress((start + len(indices)) / len(split))
    nll = np.concatenate(costs)
    kl = np.concatenate(divergences) if divergences else np.zeros((len(nll), 0))
    total = nll + kl.sum(axis=1)
    with np.errstate(invalid="ignore"):
        standard_error = float(total.std(ddof=1) / len(total) ** 0.5) if len(total) > 1 else None
    return Evaluation(
        means=ElboMeans(
            nll=float(nll.mean()),
            kl=float(kl.sum(axis=1).mean()) if divergences else None,
            kl_per_dimension=tuple(float(value) for value in kl.mean(axis=0)) if divergences else (),
        ),
        num_images=len(nll),
        binarisation=data_config.binarisation,
        seed=seed,
        standard_error=standard_error,
        likelihood_normalised=coder.likelihood.is_normalised(data_config.binarisation),
    )
