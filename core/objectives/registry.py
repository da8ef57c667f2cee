"""The objective of each model, all of them entered."""

from core.objectives import elbo, exact, iwae, reconstruction  # noqa: F401  they enter the registry
from core.objectives.terms import OBJECTIVES

__all__ = ["OBJECTIVES"]
