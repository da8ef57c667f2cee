"""Names and shapes of a model's weights, computed from its configuration alone.  Free of torch."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from core.config import ModelConfig

Shapes = dict[str, tuple[int, ...]]

PIXEL_LOG_VAR = "pixel_log_var"
"""Name of the one variance that all pixels of a Gaussian likelihood may share."""
KERNEL = 3
"""Side of the convolutions' kernels, with padding 1: at stride 2, n pixels a side become ceil(n / 2)."""
UPSCALING_KERNEL = 4
"""Side of the transposed convolutions' kernels; a multiple of their stride 2 leaves no chequerboard."""


def head_width(config: ModelConfig) -> int:
    """Return how many numbers the encoder gives for one image: those of q(z|x), or the code of an autoencoder."""
    if not config.has_prior:
        return config.latent_dim
    dim = config.latent_dim
    return {"factorised": 2 * dim, "full": 2 * dim + dim * (dim - 1) // 2}[config.posterior]


def parameters_per_pixel(config: ModelConfig) -> int:
    """Return how many numbers describe the distribution of one pixel."""
    several = {"categorical": config.grey_levels, "gaussian": 2}
    return several.get(config.likelihood, 1)


def outputs_per_pixel(config: ModelConfig) -> int:
    """Return how many numbers the decoder gives for one pixel; a variance that is not its own needs none of them."""
    return 1 if _shares_variance(config) else parameters_per_pixel(config)


def _shares_variance(config: ModelConfig) -> bool:
    return config.likelihood == "gaussian" and config.variance != "per_pixel"


def mlp_encoder_widths(config: ModelConfig) -> tuple[int, ...]:
    """Return the widths from pixels to the encoder's head."""
    return (config.num_pixels, *config.hidden, head_width(config))


def mlp_decoder_widths(config: ModelConfig) -> tuple[int, ...]:
    """Return the widths from the code to the pixels' parameters."""
    return (config.latent_dim, *reversed(config.hidden), config.num_pixels * outputs_per_pixel(config))


def made_widths(config: ModelConfig) -> tuple[int, ...]:
    """Return the widths from the pixels to the parameters of each pixel's conditional."""
    return (config.num_pixels, *config.hidden, config.num_pixels * outputs_per_pixel(config))


def made_degrees(config: ModelConfig) -> tuple[np.ndarray[Any, np.dtype[np.int64]], ...]:
    """Return the degree of every unit, layer by layer from the pixels to the outputs.  Germain et al. 2015, section 3.

    A pixel's degree is its place in the ordering, from 1; a unit of degree m may depend on the pixels up to m, an
    output on those before its pixel.
    """
    generator = np.random.default_rng(config.ordering_seed)
    pixels = np.arange(1, config.num_pixels + 1)
    if config.ordering == "random":
        pixels = generator.permutation(pixels)
    degrees = [pixels]
    for width in config.hidden:
        # With a single pixel there is nothing to depend on: degree 1 reaches no output.
        highest = max(config.num_pixels - 1, 1)
        degrees.append(generator.integers(degrees[-1].min(), highest, width, endpoint=True))
    return (*degrees, np.repeat(pixels, outputs_per_pixel(config)))


def picture_sizes(config: ModelConfig) -> tuple[tuple[int, int], ...]:
    """Return (height, width) before and after each convolution that halves the picture."""
    sizes = [(config.image_height, config.image_width)]
    for _ in config.channels:
        height, width = sizes[-1]
        sizes.append(((height + 1) // 2, (width + 1) // 2))
    return tuple(sizes)


def conv_features(config: ModelConfig) -> int:
    """Return how many numbers the last convolution gives for one image."""
    height, width = picture_sizes(config)[-1]
    return config.channels[-1] * height * width


def conv_dense_widths(config: ModelConfig) -> tuple[int, ...]:
    """Return the widths from the last convolution to the head; of `hidden` only the last width is used."""
    return (conv_features(config), *config.hidden[-1:], head_width(config))


def conv_decoder_dense_widths(config: ModelConfig) -> tuple[int, ...]:
    """Return the widths from the code to the first up-scaling layer."""
    return (config.latent_dim, *config.hidden[-1:], conv_features(config))


def expected_shapes(config: ModelConfig) -> Shapes:
    """Return the name and shape of every weight of the model, in the model's own order."""
    learned = config.likelihood == "gaussian" and config.variance == "global"
    shared: Shapes = {PIXEL_LOG_VAR: (1,)} if learned else {}
    if not config.has_codes:
        return shared | _dense("network.layers", made_widths(config))
    return shared | {"mlp": _mlp_shapes, "conv": _conv_shapes}[config.network](config)


def num_parameters(config: ModelConfig) -> int:
    """Return how many numbers the model learns."""
    return sum(math.prod(shape) for shape in expected_shapes(config).values())


def _dense(prefix: str, widths: Sequence[int]) -> Shapes:
    shapes: Shapes = {}
    for index, (fan_in, fan_out) in enumerate(pairwise(widths)):
        shapes[f"{prefix}.{index}.weight"] = (fan_out, fan_in)
        shapes[f"{prefix}.{index}.bias"] = (fan_out,)
    return shapes


def _mlp_shapes(config: ModelConfig) -> Shapes:
    return _dense("encoder.layers", mlp_encoder_widths(config)) | _dense("decoder.layers", mlp_decoder_widths(config))


def _conv_shapes(config: ModelConfig) -> Shapes:
    shapes: Shapes = {}
    for index, (channels_in, channels_out) in enumerate(pairwise((1, *config.channels))):
        shapes[f"encoder.convolutions.{index}.weight"] = (channels_out, channels_in, KERNEL, KERNEL)
        shapes[f"encoder.convolutions.{index}.bias"] = (channels_out,)
    shapes |= _dense("encoder.layers", conv_dense_widths(config))
    shapes |= _dense("decoder.layers", conv_decoder_dense_widths(config))
    kernel = (UPSCALING_KERNEL, UPSCALING_KERNEL)
    for index, (channels_in, channels_out) in enumerate(pairwise(reversed(config.channels))):
        shapes[f"decoder.upscalings.{index}.weight"] = (channels_in, channels_out, *kernel)
        shapes[f"decoder.upscalings.{index}.bias"] = (channels_out,)
    # Four sub-pixels at half the size become one picture of twice the side (pixel shuffle).
    sub_pixels = 4 * outputs_per_pixel(config)
    shapes["decoder.to_pixels.weight"] = (sub_pixels, config.channels[0], KERNEL, KERNEL)
    shapes["decoder.to_pixels.bias"] = (sub_pixels,)
    return shapes
