"""What turns pictures into codes and codes into pictures, whichever library computes it."""

from typing import Protocol, runtime_checkable

import numpy as np

from core.config import ModelConfig
from core.inference.array_likelihoods import ArrayLikelihood, Parameters
from core.inference.array_posteriors import ArrayPosterior
from core.shapes import CodeArray, PerImage, Pixels
from core.snapshots import Weights


@runtime_checkable
class Coder(Protocol):
    """Encoder and decoder of one version of a model: frozen, so any thread may call it; float32 throughout."""

    @property
    def config(self) -> ModelConfig:
        """The model this is a version of."""
        ...

    @property
    def version(self) -> int:
        """Number of the weights' version."""
        ...

    @property
    def likelihood(self) -> ArrayLikelihood:
        """The distribution p(x|z) that `parameters` describe."""
        ...

    def encode(self, pixels: Pixels) -> ArrayPosterior:
        """Return q(z|x) of each image, or its plain code for models whose code is deterministic."""
        ...

    def parameters(self, codes: CodeArray) -> Parameters:
        """Return the parameters of p(x|z), before any nonlinearity: for Bernoulli pixels their logits."""
        ...

    def decode(self, codes: CodeArray) -> Pixels:
        """Return E[x|z], finite for any code; the hot path for a single one."""
        ...

    def draw(self, codes: CodeArray, generator: np.random.Generator) -> Pixels:
        """Return one draw x ~ p(x|z) for each code."""
        ...

    def nll(self, pixels: Pixels, codes: CodeArray) -> PerImage:
        """Return -log p(x|z) in nats per image, row by row."""
        ...


def make_coder(config: ModelConfig, weights: Weights) -> Coder:
    """Return a coder: in numpy for fully connected networks, in torch, which is imported then, for all others.

    Raises ValueError for weights that do not fit the configuration, or a model that has no codes.
    """
    if not config.has_codes:
        raise ValueError("an autoregressive model has no codes: it decodes none and encodes none")
    if config.network == "mlp":
        from core.inference.numpy_coder import NumpyCoder  # noqa: PLC0415 - the two coders are alternatives

        return NumpyCoder(config, weights)
    # torch takes two seconds to import; a window with a fully connected model is in use by then.
    from core.inference.torch_coder import TorchCoder  # noqa: PLC0415

    return TorchCoder(config, weights)
