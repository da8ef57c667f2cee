"""The quantities the curves show: their names and what each is, in one sentence."""

from dataclasses import dataclass

from explorer.theme import LABEL_COLOURS

UNDEFINED = "not defined for a model without a prior"


@dataclass(frozen=True, slots=True)
class Quantity:
    """One plotted quantity, in nats per image."""

    name: str
    label: str
    help: str
    needs_prior: bool
    short: str = ""
    """What a button says where the label is too long for it."""


ELBO = Quantity(
    "elbo",
    "ELBO",
    "The evidence lower bound on log p(x), at β = 1 whatever β the training used: −(NLL + KL); larger is better.",
    needs_prior=True,
)
NLL = Quantity(
    "nll",
    "NLL",
    "Minus the log-likelihood of the picture given a code drawn from q(z|x): what the reconstruction costs; "
    "smaller is better.",
    needs_prior=False,
)
KL = Quantity(
    "kl",
    "KL",
    "The divergence of q(z|x) from the prior p(z): how many nats the code carries about the picture.",
    needs_prior=True,
)
KL_PER_DIMENSION = Quantity(
    "kl_per_dimension",
    "KL per dimension",
    "Each latent dimension's share of the KL; one that stays near zero has collapsed and carries nothing.",
    needs_prior=True,
    short="KL per dim.",
)
QUANTITIES = (ELBO, NLL, KL, KL_PER_DIMENSION)

MOST_DIMENSIONS = len(LABEL_COLOURS)
"""More lines than colours could not be told apart."""
