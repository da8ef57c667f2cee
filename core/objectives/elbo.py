"""Minus the evidence lower bound, its KL term weighted by beta.  Kingma & Welling 2014; Higgins et al. 2017."""

import torch

from core.config import ObjectiveConfig
from core.models.picture_model import PictureModel
from core.models.vae import Vae
from core.objectives.terms import OBJECTIVES, Beta, ElboTerms, Scalar, as_model
from core.tensors import Images


@OBJECTIVES.register("vae")
class Elbo:
    """E_q[-log p(x|z)] + beta KL(q(z|x) || p(z)), with `num_samples` samples of q for each image.

    More samples lower the noise of the estimate; they do not tighten the bound.
    """

    def __init__(self, config: ObjectiveConfig) -> None:
        self._num_samples = config.num_samples
        self._free_bits = config.free_bits

    def terms(self, model: PictureModel, x: Images, generator: torch.Generator) -> ElboTerms:
        """Return nll at samples z = μ + σ ⊙ ε of q(z|x), and the KL in closed form."""
        vae = as_model(model, Vae, "the ELBO is defined for a model with a prior")
        posterior = vae.inference(x)
        parameters = vae.generative(posterior.repeated(self._num_samples).rsample(generator))
        if self._num_samples == 1:
            return ElboTerms(-vae.likelihood.log_prob(x, parameters), posterior.kl_per_dimension())
        nll = -vae.likelihood.log_prob(x.repeat(self._num_samples, 1), parameters)
        return ElboTerms(nll.reshape(self._num_samples, -1).mean(dim=0), posterior.kl_per_dimension())

    def loss(self, terms: ElboTerms, beta: Beta) -> Scalar:
        """Return nll + beta * kl, averaged over the batch; each dimension's mean KL counts at least the free bits.

        The maximum is taken after the mean over the batch.  Kingma et al. 2016, appendix C.8.
        """
        if terms.kl_per_dimension is None:
            raise TypeError("the ELBO needs a KL term")
        kl = terms.kl_per_dimension.mean(dim=0)
        if self._free_bits > 0.0:
            kl = kl.clamp(min=self._free_bits)
        return terms.nll.mean() + beta * kl.sum()
