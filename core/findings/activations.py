"""How active the code units of a sparse autoencoder are."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class UnitActivations:
    """How active each code unit of a sparse autoencoder is on average."""

    means: np.ndarray[Any, np.dtype[np.float64]]
    target: float | None
    """The ρ that they are drawn to; None where L1 prices them."""
    num_images: int
    version: int
