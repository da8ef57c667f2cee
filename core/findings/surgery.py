"""ELBO surgery: what the mean KL of a data set is made of.  Hoffman & Johnson 2016."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Surgery:
    """The parts of mean KL = I(n; z) + KL(q̄(z) ‖ p(z)), nats; q̄ is the mean of exactly `num_images` posteriors."""

    mutual_information: float
    """I(n; z): what a code tells of which of these images it belongs to; at most `cap`."""
    marginal_kl: float
    """KL(q̄(z) ‖ p(z)): how far the codes of all images together are from the prior."""
    mean_kl: float
    """The mean of KL(q(z|x_n) ‖ p(z)), in closed form."""
    num_images: int
    error: float
    """Of mutual information and marginal KL alike, for they share their only term that is not in closed form."""
    is_estimate: bool
    """Whether that term is a mean over samples and `error` its standard error; else it is a quadrature, and `error` the
    difference of two orders."""
    num_samples: int
    """Codes of each image."""
    version: int

    @property
    def cap(self) -> float:
        """The logarithm of N: N images cannot be told apart by more nats, so figures of different N do not compare."""
        return math.log(self.num_images)

    @property
    def method(self) -> str:
        """How it was found, in words."""
        if self.is_estimate:
            return f"estimate from {self.num_samples} samples an image, ± its standard error"
        return f"quadrature of {self.num_samples} codes an image, ± the difference to a lower order"
