"""A model as it lies in a file: configuration, weights, curves and where it came from."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.config import ExperimentConfig
from core.history import History
from core.snapshots import Weights

FOREIGN_SUFFIXES = (".pt", ".pth", ".ckpt")
"""What PyTorch's weights are called; opening one makes a model of it."""


@dataclass(frozen=True, slots=True, eq=False)
class SavedModel:
    """Everything a model file holds.  `optimiser` is empty when only the model was kept."""

    config: ExperimentConfig
    weights: Mapping[str, np.ndarray[Any, Any]]
    """float32 arrays under the names of the model's parameters."""
    history: History
    provenance: Mapping[str, str] = field(default_factory=dict)
    """Seed, plan, data fingerprint, torch version, command: how the weights came to be."""
    optimiser: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)
    """State that continued training starts from, under names the training loop chooses."""

    @property
    def num_parameters(self) -> int:
        """Number of weights."""
        return sum(int(array.size) for array in self.weights.values())

    @property
    def epochs(self) -> float:
        """Epochs the weights were trained for; the last held-out report may be older."""
        try:
            epochs = float(self.provenance["epochs"])
        except (KeyError, ValueError):
            return self.history.epochs
        return epochs if math.isfinite(epochs) and epochs >= 0.0 else self.history.epochs

    def as_weights(self, version: int) -> Weights:
        """Return the weights as a numbered version."""
        return Weights(version, self.history.num_steps, self.weights)
