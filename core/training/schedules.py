"""How the learning rate changes over a run: a factor of the set rate."""

import math
from collections.abc import Callable

from core.registry import Registry

Schedule = Callable[[float], float]
"""From the share of the run that is done, in [0, 1], to the factor of the learning rate."""

SCHEDULES: Registry[Schedule] = Registry("schedule")


@SCHEDULES.register("constant")
def constant(done: float) -> float:  # noqa: ARG001
    """Return 1."""
    return 1.0


@SCHEDULES.register("cosine")
def cosine(done: float) -> float:
    """Return (1 + cos(pi * done)) / 2: from 1 to 0.  Loshchilov & Hutter 2017, without restarts."""
    return 0.5 * (1.0 + math.cos(math.pi * min(max(done, 0.0), 1.0)))
