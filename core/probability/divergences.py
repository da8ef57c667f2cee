"""Kullback-Leibler divergences in nats."""

from core.tensors import Codes, NatsPerDimension


def kl_to_standard_normal(mean: Codes, log_var: Codes) -> NatsPerDimension:
    """Return KL(N(mean, exp(log_var)) || N(0, 1)) of each dimension, in nats.  Kingma & Welling 2014, appendix B."""
    return 0.5 * (mean.square() + log_var.exp() - 1.0 - log_var)
