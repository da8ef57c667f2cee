"""Minus the evidence lower bound, its KL term weighted by beta.  Kingma & Welling 2014; Higgins et al. 2017."""

import torch

from core.models.latent import LatentModel
from core.models.vae import Vae
from core.objectives.terms import OBJECTIVES, ElboTerms, Scalar
from core.tensors import Images


class Elbo:
    """E_q[-log p(x|z)] + beta KL(q(z|x) || p(z)), with one sample of q for each image."""

    def terms(self, model: LatentModel, x: Images, generator: torch.Generator) -> ElboTerms:
        """Return nll at one sample z ~ q(z|x), and the KL in closed form."""
        if not isinstance(model, Vae):
            raise TypeError(f"the ELBO is defined for a model with a prior, not for {type(model).__name__}")
        posterior = model.inference(x)
        parameters = model.generative(posterior.rsample(generator))
        return ElboTerms(-model.likelihood.log_prob(x, parameters), posterior.kl_per_dimension())

    def loss(self, terms: ElboTerms, beta: float) -> Scalar:
        """Return nll + beta * kl, averaged over the batch."""
        kl = terms.kl
        if kl is None:
            raise TypeError("the ELBO needs a KL term")
        return (terms.nll + beta * kl).mean()


OBJECTIVES.register("vae")(Elbo())
