"""Encoder and decoder in torch, for networks that numpy would be slow at.  Importing this imports torch."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from core.config import ModelConfig
from core.inference.array_likelihoods import Parameters
from core.inference.array_posteriors import Heads
from core.inference.network_coder import NetworkCoder
from core.models.build import build_latent_model, load_weights
from core.models.layout import expected_shapes, picture_sizes
from core.shapes import CodeArray, Pixels
from core.snapshots import Weights


class TorchCoder(NetworkCoder):
    """A frozen copy of a model on the processor; how many threads it takes is set by the thread that calls it."""

    def __init__(self, config: ModelConfig, weights: Weights) -> None:
        super().__init__(config, weights, _widest_layer(config))
        self._model = build_latent_model(config, None)
        load_weights(self._model, weights.arrays)
        self._model.requires_grad_(requires_grad=False).eval()

    def _head(self, pixels: Pixels) -> Heads:
        return _in_torch(self._model.encoder, pixels)

    def _outputs(self, codes: CodeArray) -> Parameters:
        return _in_torch(self._model.decoder, codes)


def _in_torch(function: Callable[[torch.Tensor], Any], rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if not len(rows):
        # The number of features cannot be read from a batch of none; that of one picture is theirs too.
        return _in_torch(function, np.zeros((1, rows.shape[1]), np.float32))[:0]
    with torch.inference_mode():
        # torch warns of read-only arrays, which snapshots are.
        result: np.ndarray[Any, Any] = function(torch.from_numpy(np.array(rows, np.float32))).contiguous().numpy()
    return result


def _widest_layer(config: ModelConfig) -> int:
    """Return about how many numbers the widest layer has for one picture."""
    widths = [max(shape) for name, shape in expected_shapes(config).items() if name.endswith("bias")]
    sides = picture_sizes(config)[1:] if config.network == "conv" else ()
    convolved = [channels * height * width for channels, (height, width) in zip(config.channels, sides, strict=False)]
    return max(*widths, config.num_pixels, *convolved)
