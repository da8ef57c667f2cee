"""What every coder does alike: pieces of bounded memory, the posterior's halves, the likelihood."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float32

from core.config import ModelConfig
from core.inference.array_likelihoods import ARRAY_LIKELIHOODS, Parameters
from core.models.layout import expected_shapes
from core.probability.limits import LOG_VAR_MAX, LOG_VAR_MIN
from core.shapes import CodeArray, PerImage, Pixels
from core.snapshots import Weights

Heads = Float32[np.ndarray, "batch head"]

PIECE_FLOATS = 2**19
"""Numbers of the widest layer computed at once: 2 MB, the fastest of 2**17 to 2**22 for 4,000 codes."""

# Beyond this a dragged or typed code says nothing more, and its square stays inside float32.
_FARTHEST_CODE = np.float32(1e6)


class NetworkCoder(ABC):
    """Frozen encoder and decoder; a library's own part is `_head` and `_parameters`, on batches of any size."""

    def __init__(self, config: ModelConfig, weights: Weights, widest_layer: int) -> None:
        _check_shapes(config, weights)
        self._config = config
        self._version = weights.version
        self._likelihood = ARRAY_LIKELIHOODS[config.likelihood]
        self._rows = max(1, PIECE_FLOATS // widest_layer)

    @abstractmethod
    def _head(self, pixels: Pixels) -> Heads:
        """Return the encoder's outputs: mean and log variance, or the code."""

    @abstractmethod
    def _parameters(self, codes: CodeArray) -> Parameters:
        """Return the decoder's outputs."""

    @property
    def config(self) -> ModelConfig:
        """The model this is a version of."""
        return self._config

    @property
    def version(self) -> int:
        """Number of the weights' version."""
        return self._version

    def encode(self, pixels: Pixels) -> tuple[CodeArray, CodeArray | None]:
        """Return mean and log variance of q(z|x); the code and None for models whose code is deterministic."""
        head = self._in_pieces(self._head, pixels)
        if not self._config.has_prior:
            return head, None
        mean, log_var = np.split(head, 2, axis=1)
        return np.ascontiguousarray(mean), np.clip(log_var, LOG_VAR_MIN, LOG_VAR_MAX)

    def parameters(self, codes: CodeArray) -> Parameters:
        """Return what the decoder says of p(x|z), before any nonlinearity: for Bernoulli pixels their logits."""
        return self._in_pieces(self._parameters, bounded(codes))

    def decode(self, codes: CodeArray) -> Pixels:
        """Return E[x|z] in [0, 1], finite for any code; the hot path for a single one."""
        codes = bounded(codes)
        if len(codes) <= self._rows:
            return self._likelihood.mean(self._parameters(codes))
        return self._in_pieces(lambda piece: self._likelihood.mean(self._parameters(piece)), codes)

    def draw(self, codes: CodeArray, generator: np.random.Generator) -> Pixels:
        """Return one draw x ~ p(x|z) for each code; the same generator gives the same draws however many at once."""
        return self._in_pieces(
            lambda piece: self._likelihood.sample(self._parameters(piece), generator), bounded(codes)
        )

    def nll(self, pixels: Pixels, codes: CodeArray) -> PerImage:
        """Return -log p(x|z) in nats per image, row by row."""
        codes = bounded(codes)
        costs = np.empty(len(codes), np.float32)
        for start in range(0, len(codes), self._rows):
            rows = slice(start, start + self._rows)
            costs[rows] = self._likelihood.nll(self._parameters(codes[rows]), pixels[rows])
        return costs

    def _in_pieces(
        self, function: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]], rows: np.ndarray[Any, Any]
    ) -> np.ndarray[Any, Any]:
        """Return function(rows), computed a bounded number of rows at a time."""
        if len(rows) <= self._rows:
            return function(rows)
        first = function(rows[: self._rows])
        result = np.empty((len(rows), *first.shape[1:]), first.dtype)
        result[: self._rows] = first
        for start in range(self._rows, len(rows), self._rows):
            result[start : start + self._rows] = function(rows[start : start + self._rows])
        return result


def bounded(codes: CodeArray) -> CodeArray:
    """Return the codes limited to ±1e6 in each dimension, so that all of them are finite."""
    # fmin() and fmax() take the bound where a code is NaN: a picture is always decoded, whatever was typed.
    bounded: CodeArray = np.fmax(codes, -_FARTHEST_CODE)
    np.fmin(bounded, _FARTHEST_CODE, out=bounded)
    return bounded


def _check_shapes(config: ModelConfig, weights: Weights) -> None:
    expected = expected_shapes(config)
    found: Mapping[str, tuple[int, ...]] = {name: tuple(array.shape) for name, array in weights.arrays.items()}
    if found != expected:
        wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
        raise ValueError(
            f"weights do not fit the model's configuration: "
            f"{wrong[0]} has shape {found.get(wrong[0])}, not {expected.get(wrong[0])} ({len(wrong)} differ)"
        )
