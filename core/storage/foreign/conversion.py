"""Foreign weights become a model of this program: configuration, weights under our names, and what was assumed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from core.config import ExperimentConfig
from core.history import History
from core.models.layout import expected_shapes, picture_sizes
from core.saved_model import SavedModel
from core.settings import ConfigError
from core.storage.foreign.layers import (
    ALLOWED,
    Array,
    NotMappableError,
    Stack,
    found_text,
    side_of,
    stack_of,
    told_name,
    without_common_prefix,
)
from core.storage.foreign.process import Waiting, read_tensors
from core.storage.model_file import ModelFileError

_ACTIVATION = "relu"
_MOST_SKIPPED_TOLD = 4


@dataclass(frozen=True, slots=True, eq=False)
class Conversion:
    """A model made of foreign weights."""

    saved: SavedModel
    note: str
    """What was taken for what, and what the file does not say, in sentences."""


def convert(path: Path, given: Mapping[str, object] | None = None, waiting: Waiting | None = None) -> Conversion:
    """Return the model in a .pt, .pth or .ckpt file of PyTorch.  Raises ModelFileError, or ConfigError for `given`.

    `given` are settings, by name or section.name, that the file does not say: activation, image_height, image_width,
    likelihood, model.  What `waiting` raises passes through (see read_tensors).
    """
    found = read_tensors(path, waiting)
    try:
        config, weights, notes = mapped(found.tensors, given or {})
    except NotMappableError as error:
        raise ModelFileError(path, str(error)) from None
    if found.skipped:
        told = [told_name(name) for name in found.skipped[:_MOST_SKIPPED_TOLD]]
        more = ", …" if len(found.skipped) > len(told) else ""
        notes.append(f"Left out, not being plain numbers: {', '.join(told)}{more}.")
    note = " ".join(notes)
    provenance = {
        "converted_from": _printable(path.name),
        "converted_sha256": found.sha256,
        "converted_on": datetime.now(UTC).isoformat(timespec="seconds"),
        "conversion": note,
    }
    return Conversion(SavedModel(config, weights, History(config.model.latent_dim), provenance), note)


def mapped(
    tensors: Mapping[str, Array], given: Mapping[str, object]
) -> tuple[ExperimentConfig, dict[str, Array], list[str]]:
    """Return configuration, weights under our names and notes.  Raises NotMappableError or ConfigError."""
    named = without_common_prefix(tensors)
    try:
        if any(array.ndim == 4 for array in named.values()):
            config, weights, notes = _own_convolutions(named, given)
        else:
            config, weights, notes = _dense(stack_of(named), given)
    except NotMappableError as error:
        raise NotMappableError(
            f"its tensors cannot be taken for a model: {error}. Found: {found_text(named)}. Allowed: {ALLOWED}"
        ) from None
    expected = expected_shapes(config.model)
    if {name: array.shape for name, array in weights.items()} != expected:
        raise ConfigError("these settings ask for other weights than the file holds")
    for name, array in weights.items():
        if not np.isfinite(array).all():
            raise NotMappableError(f"{name}, as its weights would be called here, holds values that are not finite")
    if "activation" not in {key.rpartition(".")[2] for key in given}:
        notes.append("The activation is not in the file: ReLU was taken.")
    return config, {name: _own(weights[name]) for name in expected}, notes


def _dense(stack: Stack, given: Mapping[str, object]) -> tuple[ExperimentConfig, dict[str, Array], list[str]]:
    values: dict[str, object] = {
        "model.model": "vae" if stack.has_prior else "autoencoder",
        "network": "mlp",
        "hidden": stack.hidden,
        "latent_dim": stack.latent_dim,
        "activation": _ACTIVATION,
    }
    config = _configured(values, _size(stack.num_pixels, given), given)
    weights = {}
    for half, layers in (("encoder", stack.encoder), ("decoder", stack.decoder)):
        for index, layer in enumerate(layers):
            weights[f"{half}.layers.{index}.weight"] = layer.weight
            weights[f"{half}.layers.{index}.bias"] = layer.bias
    return config, weights, list(stack.notes)


def _size(num_pixels: int, given: Mapping[str, object]) -> tuple[int, int]:
    """Return (height, width) of pictures of so many pixels: the given one or the square."""
    sides = {key.rpartition(".")[2]: value for key, value in given.items()}
    height, width = (_whole(sides.get(name)) for name in ("image_height", "image_width"))
    side = side_of(num_pixels)
    if height is None and width is None:
        if side is None:
            raise NotMappableError(f"{num_pixels:,} inputs are no square picture; set image_height and image_width")
        return side, side
    height = height or num_pixels // max(width or 1, 1)
    width = width or num_pixels // max(height, 1)
    if height * width != num_pixels:
        raise ConfigError(f"image_height × image_width must be {num_pixels:,}, not {height}×{width}")
    return height, width


def _whole(value: object) -> int | None:
    text = str(value)
    if value is None:
        return None
    if not re.fullmatch(r"[1-9]\d{0,3}", text):
        raise ConfigError(f"a side of a picture must be a whole number from 1, not {text[:20]!r}")
    return int(text)


def _configured(values: Mapping[str, object], size: tuple[int, int], given: Mapping[str, object]) -> ExperimentConfig:
    height, width = size
    deduced = {**values, "image_height": height, "image_width": width}
    try:
        config = ExperimentConfig().with_values(deduced)
    except ConfigError as error:
        raise NotMappableError(str(error)) from None
    return config.with_values(given)


def _own_convolutions(
    tensors: Mapping[str, Array], given: Mapping[str, object]
) -> tuple[ExperimentConfig, dict[str, Array], list[str]]:
    """Take convolutions by our own names only: of others' it cannot be seen in which order they flatten a picture."""
    first = "encoder.convolutions.0.weight"
    channels: list[int] = []
    while (kernel := tensors.get(f"encoder.convolutions.{len(channels)}.weight")) is not None and kernel.ndim == 4:
        channels.append(int(kernel.shape[0]))
    num_dense = sum(name.startswith("encoder.layers.") and name.endswith(".weight") for name in tensors)
    dense = [tensors.get(f"encoder.layers.{index}.weight") for index in range(num_dense)]
    code = tensors.get("decoder.layers.0.weight")
    if first not in tensors or code is None or code.ndim != 2 or not dense:
        raise NotMappableError("it has convolutions, which are taken only from networks of this program, by its names")
    widths = [(0, 0) if weight is None or weight.ndim != 2 else weight.shape for weight in dense]
    latent_dim = int(code.shape[1])
    values: dict[str, object] = {
        "model.model": "vae" if widths[-1][0] == 2 * latent_dim else "autoencoder",
        "network": "conv",
        "channels": tuple(channels),
        "hidden": tuple(int(outputs) for outputs, _ in widths[:-1]),
        "latent_dim": latent_dim,
        "activation": _ACTIVATION,
    }
    side = (side_of(int(widths[0][1]) // max(channels[-1], 1)) or 0) * 2 ** len(channels)
    sizes = {key.rpartition(".")[2]: _whole(value) for key, value in given.items() if "image_" in key}
    size = sizes.get("image_height") or side, sizes.get("image_width") or side
    config = _configured(values, size, given)
    shapes = {name: array.shape for name, array in tensors.items()}
    if shapes != expected_shapes(config.model):
        raise NotMappableError("its convolutions are not those of a network of this program")
    height, width = picture_sizes(config.model)[0]
    return (
        config,
        dict(tensors),
        [f"The names are those of this program's convolutional network, for {height}×{width}."],
    )


def _own(array: Array) -> Array:
    result = np.array(array, np.float32, order="C")
    result.flags.writeable = False
    return result


def _printable(name: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in name.encode("utf-8", "replace").decode())
