"""Models from configurations, weights into and out of them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from core.config import ModelConfig
from core.models import autoencoder, made, vae  # noqa: F401  they enter the registry
from core.models.latent import LatentModel
from core.models.layout import expected_shapes
from core.models.picture_model import MODELS, PictureModel
from core.snapshots import frozen

_LISTED = 8


class WeightsError(ValueError):
    """Arrays do not fit a model; the message lists the differences."""


def build_model(config: ModelConfig, generator: torch.Generator | None) -> PictureModel:
    """Return a float32 model on the processor, its initial weights drawn from the generator alone.

    Without a generator the weights are zero, to be filled by `load_weights`.
    """
    # On the meta device nothing is allocated, and torch's own initialisation draws no global random numbers.
    with torch.device("meta"):
        model = MODELS[config.model](config)
    _allocate(model)
    if generator is None:
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.zero_()
    else:
        model.initialise(generator)
    return model


def _allocate(model: PictureModel) -> None:
    """Give a model on the meta device memory on the processor, as `to_empty` does.

    That asks torch.empty_like for the shape of a tensor on the meta device, which imports sympy: half a second before
    the first run, and 50 MB.
    """
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            empty = torch.empty(parameter.shape, dtype=parameter.dtype)
            setattr(module, name, torch.nn.Parameter(empty, requires_grad=parameter.requires_grad))
        for name, buffer in module.named_buffers(recurse=False):
            setattr(module, name, torch.empty(buffer.shape, dtype=buffer.dtype))


def build_latent_model(config: ModelConfig, generator: torch.Generator | None) -> LatentModel:
    """Return a model with codes, as `build_model` does.  Raises TypeError for one that has none."""
    model = build_model(config, generator)
    if not isinstance(model, LatentModel):
        raise TypeError(f"{type(model).__name__} has no codes")
    return model


def weight_differences(config: ModelConfig, arrays: Mapping[str, np.ndarray[Any, Any]]) -> list[str]:
    """Return what keeps the arrays from being this model's weights, one sentence each; nothing when they fit."""
    expected = expected_shapes(config)
    found = [f"{name} is missing" for name in expected if name not in arrays]
    found += [f"{name} is unknown" for name in arrays if name not in expected]
    for name, shape in expected.items():
        if name not in arrays:
            continue
        array = arrays[name]
        if tuple(array.shape) != shape:
            found.append(f"{name} has shape {_times(array.shape)}, not {_times(shape)}")
        elif array.dtype != np.float32:
            found.append(f"{name} is of type {array.dtype}, not float32")
        elif not np.isfinite(array).all():
            broken = int(np.count_nonzero(~np.isfinite(array)))
            found.append(f"{name} holds {broken} values that are not finite")
    return found


def load_weights(model: PictureModel, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Copy arrays into the model.  Raises WeightsError, with nothing changed, unless all of them fit and are finite."""
    differences = weight_differences(model.config, arrays)
    if differences:
        shown = "; ".join(differences[:_LISTED])
        more = f"; and {len(differences) - _LISTED} more" if len(differences) > _LISTED else ""
        raise WeightsError(f"the weights do not fit the model: {shown}{more}")
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            # torch warns of read-only arrays, which a snapshot's are: hand it a copy.
            parameter.copy_(torch.from_numpy(np.array(arrays[name])))


def weights_of(model: PictureModel) -> dict[str, np.ndarray[Any, Any]]:
    """Return read-only float32 copies of the model's weights by name."""
    return {
        name: frozen(parameter.detach().cpu().contiguous().numpy().copy())
        for name, parameter in model.named_parameters()
    }


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(str(side) for side in shape) or "a single number"
