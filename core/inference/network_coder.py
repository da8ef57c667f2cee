"""What every coder does alike: pieces of bounded memory, the posterior's halves, the likelihood."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from core.array_types import Float32
from core.config import ModelConfig
from core.inference.array_likelihoods import ARRAY_LIKELIHOODS, ArrayLikelihood, Parameters
from core.inference.array_posteriors import ArrayPosterior, Heads, array_posterior
from core.models.layout import PIXEL_LOG_VAR, expected_shapes, outputs_per_pixel, parameters_per_pixel
from core.shapes import CodeArray, PerImage, Pixels
from core.snapshots import Weights

PIECE_FLOATS = 2**19
"""Numbers of the widest layer computed at once: 2 MB, the fastest of 2**17 to 2**22 for 4,000 codes."""

Outputs = Float32[np.ndarray, "batch outputs"]

# Beyond this a dragged or typed code says nothing more, and its square stays inside float32.
_FARTHEST_CODE = np.float32(1e6)


class NetworkCoder(ABC):
    """Frozen encoder and decoder; a library's own part is `_head` and `_outputs`, on batches of any size."""

    def __init__(self, config: ModelConfig, weights: Weights, widest_layer: int) -> None:
        check_shapes(config, weights)
        self._config = config
        self._version = weights.version
        self._likelihood = ARRAY_LIKELIHOODS[config.likelihood](config)
        self._shared_log_var = shared_log_var(config, weights)
        self._rows = max(1, PIECE_FLOATS // widest_layer)

    @abstractmethod
    def _head(self, pixels: Pixels) -> Heads:
        """Return the encoder's outputs: what describes q(z|x), or the code."""

    @abstractmethod
    def _outputs(self, codes: CodeArray) -> Parameters:
        """Return the decoder's outputs."""

    def _parameters(self, codes: CodeArray) -> Parameters:
        """Return the decoder's outputs with the variance that all pixels share, where they do."""
        return with_shared_log_var(self._outputs(codes), self._shared_log_var)

    @property
    def config(self) -> ModelConfig:
        """The model this is a version of."""
        return self._config

    @property
    def version(self) -> int:
        """Number of the weights' version."""
        return self._version

    @property
    def likelihood(self) -> ArrayLikelihood:
        """The distribution p(x|z) that `parameters` describe."""
        return self._likelihood

    def encode(self, pixels: Pixels) -> ArrayPosterior:
        """Return q(z|x) of each image, or its plain code for models whose code is deterministic."""
        return array_posterior(self._config, self._in_pieces(self._head, pixels))

    def parameters(self, codes: CodeArray) -> Parameters:
        """Return the parameters of p(x|z), before any nonlinearity: for Bernoulli pixels their logits."""
        return self._in_pieces(self._parameters, bounded(codes))

    def decode(self, codes: CodeArray) -> Pixels:
        """Return E[x|z], finite for any code; the hot path for a single one."""
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


def shared_log_var(config: ModelConfig, weights: Weights) -> np.float32 | None:
    """Return the log-variance that all pixels share; None where there is none or each has its own."""
    if outputs_per_pixel(config) == parameters_per_pixel(config):
        return None
    learned = weights.arrays.get(PIXEL_LOG_VAR)
    return np.float32(2.0 * np.log(config.pixel_std) if learned is None else learned[0])


def with_shared_log_var(outputs: Outputs, log_var: np.float32 | None) -> Parameters:
    """Return the outputs, each followed by the log-variance that all pixels share, if they do."""
    if log_var is None:
        return outputs
    parameters: Parameters = np.full((*outputs.shape, 2), log_var, np.float32)
    parameters[:, :, 0] = outputs
    return parameters.reshape(len(outputs), -1)


def check_shapes(config: ModelConfig, weights: Weights) -> None:
    """Raise ValueError naming the first of the weights that do not fit the configuration."""
    expected = expected_shapes(config)
    found: Mapping[str, tuple[int, ...]] = {name: tuple(array.shape) for name, array in weights.arrays.items()}
    if found != expected:
        wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
        raise ValueError(
            f"weights do not fit the model's configuration: "
            f"{wrong[0]} has shape {found.get(wrong[0])}, not {expected.get(wrong[0])} ({len(wrong)} differ)"
        )
