"""Held-out means of a model."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.compatibility import data_for
from core.config import DataConfig
from core.data.binarisation import seen_by_model
from core.inference.array_posteriors import ArrayPosterior
from core.inference.coders import Coder
from core.inference.codes import Indices
from core.inference.pictures import posterior_nodes
from core.inference.steps import completed
from core.shapes import CodeArray
from core.snapshots import ElboMeans, Split

PIECE_IMAGES = 512
MOST_QUADRATURE_DIMENSIONS = 2
QUADRATURE_NODES = 36
"""Codes of each image where E_q[-log p(x|z)] is a quadrature: 6 × 6 in a plane."""

Costs = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a model makes of a whole split, in nats per image."""

    means: ElboMeans
    num_images: int
    binarisation: str
    seed: int
    standard_error: float | None
    """Of the mean ELBO, or of the mean NLL where no ELBO is defined; None for a single image."""
    num_nodes: int
    """Codes of each image behind its NLL: 1 for a single sample of q, more for a quadrature, 0 without codes."""
    likelihood_normalised: bool
    """Whether these nats are those of a distribution that sums to one; Bernoulli nats of grey pixels are not."""

    @property
    def method(self) -> str:
        """How the NLL, and with it the ELBO, was found, in words."""
        if self.num_nodes == 0:
            return "no codes: the NLL is −log p(x) itself"
        if self.means.kl is None:
            return "at the code of each image, which is deterministic"
        if self.num_nodes == 1:
            return "one sample of q(z|x) for each image; the KL in closed form"
        return f"quadrature of {self.num_nodes} codes over q(z|x) of each image; the KL in closed form"


def evaluate(
    coder: Coder,
    split: Split,
    data_config: DataConfig,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Evaluation:
    """Return what `evaluation` finds over all images; `progress` is told the share done."""
    return completed(evaluation(coder, split, data_config, seed), progress)


def evaluation(
    coder: Coder,
    split: Split,
    data_config: DataConfig,
    seed: int = 0,
    *,
    indices: Indices | None = None,
    num_nodes: int = QUADRATURE_NODES,
) -> Generator[float, None, Evaluation]:
    """Yield the share done and return means of NLL and KL over images of a split, each as its fixed draw of x.

    E_q[-log p(x|z)] is a quadrature for up to two latent dimensions and more than one node, else a single-sample
    estimate for each image, with noise that `seed` and the image's place decide; the KL is exact.  Raises ValueError
    where there are no images.
    """
    indices = np.arange(len(split)) if indices is None else indices
    if not len(indices):
        raise ValueError("there are no images to evaluate on")
    latent_dim = coder.config.latent_dim
    sampled = not coder.config.has_prior or num_nodes == 1 or latent_dim > MOST_QUADRATURE_DIMENSIONS
    rule = None if sampled else posterior_nodes(latent_dim, num_nodes)
    generator = np.random.default_rng(seed)
    data_config = data_for(data_config, coder.config)
    costs, divergences = [], []
    for start in range(0, len(indices), PIECE_IMAGES):
        piece = indices[start : start + PIECE_IMAGES]
        seen = seen_by_model(split.images[piece], piece, data_config)
        posterior = coder.encode(seen)
        shares = posterior.kl_per_dimension()
        if shares is not None:
            divergences.append(shares.astype(np.float64))
        nll = np.zeros(len(piece))
        if rule is None:
            nll += coder.nll(seen, _sampled(posterior, generator))
        else:
            for node, (noise, share) in enumerate(zip(*rule, strict=True)):
                nll += share * coder.nll(seen, posterior.at(np.broadcast_to(noise, posterior.mean.shape)))
                yield (start + len(piece) * node / len(rule[1])) / len(indices)
        costs.append(nll)
        yield (start + len(piece)) / len(indices)
    nodes = 1 if rule is None else len(rule[1])
    return _summed_up(np.concatenate(costs), divergences, coder, data_config, seed, nodes)


def _sampled(posterior: ArrayPosterior, generator: np.random.Generator) -> CodeArray:
    """Return one code z ~ q(z|x) of each image, or its plain code."""
    if posterior.log_var is None:
        return posterior.mean
    return posterior.at(generator.standard_normal(posterior.mean.shape, dtype=np.float32))


def _summed_up(
    nll: Costs, divergences: list[Costs], coder: Coder, data_config: DataConfig, seed: int, num_nodes: int
) -> Evaluation:
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
        num_nodes=num_nodes,
        likelihood_normalised=coder.likelihood.is_normalised(data_config.binarisation),
    )
