"""Names and shapes of a model's weights, computed from its configuration alone.  Free of torch."""

import math
from collections.abc import Sequence
from itertools import pairwise

from core.config import ModelConfig

Shapes = dict[str, tuple[int, ...]]

LIKELIHOOD_OUTPUTS = {"bernoulli": 1}
"""Numbers a decoder gives for one pixel."""
POSTERIOR_OUTPUTS = {"factorised": 2}
"""Numbers an encoder gives for one latent dimension."""

KERNEL = 3
"""Side of the convolutions' kernels, with padding 1: at stride 2, n pixels a side become ceil(n / 2)."""
UPSCALING_KERNEL = 4
"""Side of the transposed convolutions' kernels; a multiple of their stride 2 leaves no chequerboard."""


def head_width(config: ModelConfig) -> int:
    """Return how many numbers the encoder gives for one image: [mean, log_var], or the code of an autoencoder."""
    per_dimension = POSTERIOR_OUTPUTS[config.posterior] if config.has_prior else 1
    return config.latent_dim * per_dimension


def outputs_per_pixel(config: ModelConfig) -> int:
    """Return how many numbers the decoder gives for one pixel."""
    return LIKELIHOOD_OUTPUTS[config.likelihood]


def mlp_encoder_widths(config: ModelConfig) -> tuple[int, ...]:
    """Return the widths from pixels to the encoder's head."""
    return (config.num_pixels, *config.hidden, head_width(config))


def mlp_decoder_widths(config: ModelConfig) -> tuple[int, ...]:
    """Return the widths from the code to the pixels' parameters."""
    return (config.latent_dim, *reversed(config.hidden), config.num_pixels * outputs_per_pixel(config))


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
    return {"mlp": _mlp_shapes, "conv": _conv_shapes}[config.network](config)


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
