"""Kullback-Leibler divergences in nats."""

from core.tensors import Codes, NatsPerDimension


def kl_to_standard_normal(mean: Codes, log_var: Codes) -> NatsPerDimension:
    """Return KL(N(mean, exp(log_var)) || N(0, 1)) of each dimension, in nats.  Kingma & Welling 2014, appendix B."""
    return 0.5 * (mean.square() + log_var.exp() - 1.0 - log_var)


def kl_between_gaussians(
    mean: Codes,
    log_var: Codes,
    other_mean: Codes,
    other_log_var: Codes,
) -> NatsPerDimension:
    """Return KL(N(mean, exp(log_var)) || N(other_mean, exp(other_log_var))) of each dimension, in nats."""
    scaled_square = (mean - other_mean).square() * (-other_log_var).exp()
    log_ratio = log_var - other_log_var
    return 0.5 * (scaled_square + log_ratio.exp() - 1.0 - log_ratio)
