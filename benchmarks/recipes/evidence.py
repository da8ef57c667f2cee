"""What the recipes share: means with their errors, a model's x, and log p(x) estimated from a q of one's own."""

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch

from core.compatibility import data_for
from core.config import ExperimentConfig
from core.data.binarisation import seen_by_model
from core.models.build import build_model, load_weights
from core.models.vae import Vae
from core.objectives.terms import as_model
from core.probability.posteriors import FactorisedGaussian
from core.saved_model import SavedModel
from core.snapshots import Split
from core.tensors import Images, Nats

T = TypeVar("T")
PIECE = 1000
"""Codes decoded at once: 3 MB of logits."""


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over images, nats per image, with its standard error."""

    value: float
    standard_error: float | None

    @classmethod
    def of(cls, values: Nats) -> "Mean":
        """Return the mean of one number an image."""
        array = values.double()
        return cls(float(array.mean()), float(array.std() / math.sqrt(len(array))))


def pulled(work: Generator[float, None, T]) -> T:
    """Return what a piece of work returns that yields the share done."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: T = end.value
            return result


def frozen_vae(saved: SavedModel) -> Vae:
    """Return the model, without gradients for its weights.  Raises TypeError for one without a prior."""
    model = build_model(saved.config.model, None)
    load_weights(model, saved.weights)
    model.requires_grad_(requires_grad=False)
    return as_model(model, Vae, "log p(x) is estimated for a model with a prior")


def seen(split: Split, rows: np.ndarray[tuple[int], np.dtype[np.int64]], config: ExperimentConfig) -> Images:
    """Return the x of some images: their fixed draws of the binarisation."""
    return torch.from_numpy(seen_by_model(split.images[rows], rows, data_for(config.data, config.model)))


def encoded(model: Vae, x: Images) -> FactorisedGaussian:
    """Return q(z|x) of each image.  Raises TypeError for another family than the factorised one."""
    posterior = model.inference(x)
    if not isinstance(posterior, FactorisedGaussian):
        raise TypeError(f"these recipes have factorised posteriors, not {type(posterior).__name__}")
    return posterior


@torch.inference_mode()
def log_evidence(
    model: Vae, x: Images, posterior: FactorisedGaussian, num_samples: int, generator: torch.Generator
) -> Nats:
    """Return log 1/k Σ p(x, z_i) / q(z_i|x), z_i ~ q, for each image.  Burda et al. 2015, equation 8.

    A lower bound of log p(x) in expectation, whichever q is given.
    """
    results = []
    for index in range(len(x)):
        one = FactorisedGaussian(posterior.mean[index : index + 1], posterior.log_var[index : index + 1])
        weights = []
        for start in range(0, num_samples, PIECE):
            count = min(PIECE, num_samples - start)
            repeated = one.repeated(count)
            z = repeated.rsample(generator)
            log_likelihood = model.likelihood.log_prob(x[index : index + 1].expand(count, -1), model.generative(z))
            weights.append(log_likelihood + model.prior.log_prob(z) - repeated.log_prob(z))
        results.append(torch.cat(weights).logsumexp(dim=0) - math.log(num_samples))
    return torch.stack(results)
