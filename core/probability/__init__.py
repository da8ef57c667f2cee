"""Distributions: likelihoods, posteriors, priors and the divergences between them."""
