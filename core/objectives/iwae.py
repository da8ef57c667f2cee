"""Minus the importance-weighted bound, log 1/k Σ p(x, z_i) / q(z_i|x).  Burda et al. 2015."""

import math

import torch

from core.config import ObjectiveConfig
from core.models.picture_model import PictureModel
from core.models.vae import Vae
from core.objectives.terms import OBJECTIVES, Beta, ElboTerms, Scalar, as_model
from core.tensors import Images


@OBJECTIVES.register("iwae")
class ImportanceWeighted:
    """The bound with `num_samples` samples of q for each image; every further sample tightens it."""

    def __init__(self, config: ObjectiveConfig) -> None:
        self._num_samples = config.num_samples

    def terms(self, model: PictureModel, x: Images, generator: torch.Generator) -> ElboTerms:
        """Return the bound and, at the same samples, the terms of the ELBO."""
        vae = as_model(model, Vae, "the importance-weighted bound is defined for a model with a prior")
        posterior = vae.inference(x)
        repeated = posterior.repeated(self._num_samples)
        z = repeated.rsample(generator)
        log_likelihood = vae.likelihood.log_prob(x.repeat(self._num_samples, 1), vae.generative(z))
        log_weight = log_likelihood + vae.prior.log_prob(z) - repeated.log_prob(z)
        by_sample = log_weight.reshape(self._num_samples, -1)
        return ElboTerms(
            nll=-log_likelihood.reshape(self._num_samples, -1).mean(dim=0),
            kl_per_dimension=posterior.kl_per_dimension(),
            bound=by_sample.logsumexp(dim=0) - math.log(self._num_samples),
        )

    def loss(self, terms: ElboTerms, beta: Beta) -> Scalar:  # noqa: ARG002 - the bound has no KL term to weigh
        """Return minus the bound, averaged over the batch."""
        if terms.bound is None:
            raise TypeError("the importance-weighted objective needs its bound")
        return -terms.bound.mean()
