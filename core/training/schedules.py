"""How the learning rate changes over a run, by a factor of the set rate, and the weight of the KL at its beginning."""

import math
from collections.abc import Callable
from typing import Final

from core.config import ObjectiveConfig
from core.registry import Registry

Schedule = Callable[[float], float]
"""From the share of the run that is done, in [0, 1], to the factor of the learning rate."""

SCHEDULES: Registry[Schedule] = Registry("schedule")

BURDA_STAGES: Final = 8
BURDA_PASSES: Final = 3280
"""Passes over the training images of the whole schedule: the sum of 3^i over its eight stages."""


@SCHEDULES.register("constant")
def constant(done: float) -> float:  # noqa: ARG001
    """Return 1."""
    return 1.0


@SCHEDULES.register("cosine")
def cosine(done: float) -> float:
    """Return (1 + cos(pi * done)) / 2: from 1 to 0.  Loshchilov & Hutter 2017, without restarts."""
    return 0.5 * (1.0 + math.cos(math.pi * min(max(done, 0.0), 1.0)))


@SCHEDULES.register("burda")
def burda(done: float) -> float:
    """Return 10^(-i/7) in stage i = 0, ..., 7, which takes 3^i of 3,280 passes.  Burda et al. 2015, section 5.

    A run of fewer passes shortens all stages alike.
    """
    # A share of the run times all passes may fall a rounding short of the whole number it stands for.
    passes = done * BURDA_PASSES + 1e-6
    stage = sum(passes >= (3**i - 1) // 2 for i in range(1, BURDA_STAGES))
    factor: float = 10.0 ** (-stage / (BURDA_STAGES - 1))
    return factor


def warmed_up_beta(objective: ObjectiveConfig, epochs: float) -> float:
    """Return the weight of the KL term: during a warm-up it rises in a line from 0 to β.  Sønderby et al. 2016."""
    if objective.warm_up_epochs <= 0.0:
        return objective.beta
    return objective.beta * min(1.0, epochs / objective.warm_up_epochs)
