"""Which layers the tensors of another program are: an encoder, a head or two, and a decoder that mirrors it."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from core.config import MOST_LAYERS

Array = np.ndarray[Any, Any]

ALLOWED = (
    "a fully connected autoencoder or VAE: linear layers from D pixels over up to "
    f"{MOST_LAYERS} hidden layers to one head (the code, or mean and log-variance in one) or two heads (mean and "
    "log-variance), and back over the same widths to D pixels; or the weights of a network of this program by its names"
)
_MOST_TOLD, _LONGEST_NAME = 12, 60

_LOG_STD = re.compile(r"log_?(std|sigma|sig|scale|sd)|_lsd|ln_?sigma")
_LOG_VAR = re.compile(r"log_?var|lv$|log_?v|_var|^var|sigma|scale|std|fc22|logsigma2?")
_MEAN = re.compile(r"mu|mean|loc|fc21|embedding")
_ENCODER = re.compile(r"enc|recogni|inference|q_?z|^q_")
_DECODER = re.compile(r"dec|gener|p_?x|^p_")


class NotMappableError(ValueError):
    """The tensors are no model of a kind that is known here; the message lists what was found."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One linear layer: `weight` of shape (outputs, inputs), `bias` of zeros where the file has none."""

    name: str
    weight: Array
    bias: Array

    @property
    def inputs(self) -> int:
        """Width of what goes in."""
        return int(self.weight.shape[1])

    @property
    def outputs(self) -> int:
        """Width of what comes out."""
        return int(self.weight.shape[0])

    def __str__(self) -> str:
        return f"{self.name} {self.inputs}→{self.outputs}"


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """An autoencoder's layers in the order in which they are applied."""

    encoder: tuple[Layer, ...]
    """Hidden layers, then the head: of one or two times the code's width."""
    decoder: tuple[Layer, ...]
    has_prior: bool
    """Whether the head gives mean and log-variance."""
    notes: tuple[str, ...]
    """What was taken for what, in sentences."""

    @property
    def latent_dim(self) -> int:
        """Width of the code."""
        return self.decoder[0].inputs

    @property
    def hidden(self) -> tuple[int, ...]:
        """Widths of the encoder's hidden layers."""
        return tuple(layer.outputs for layer in self.encoder[:-1])

    @property
    def num_pixels(self) -> int:
        """Number of pixels D."""
        return self.encoder[0].inputs


def without_common_prefix(tensors: Mapping[str, Array]) -> dict[str, Array]:
    """Return the tensors without the names of what they were wrapped in: module., model., _orig_mod."""
    names = list(tensors)
    while names and all(name.count(".") > 1 for name in names) and len({name.partition(".")[0] for name in names}) == 1:
        names = [name.partition(".")[2] for name in names]
    return dict(zip(names, tensors.values(), strict=True))


def told_name(name: str) -> str:
    """Return a tensor's name as a message can hold it: a file may call one anything, markup and line ends too."""
    return re.sub(r"[^\w.-]", "?", name)[:_LONGEST_NAME]


def found_text(tensors: Mapping[str, Array]) -> str:
    """Return names and shapes, the first dozen, as a message can hold them."""
    told = [f"{told_name(name)} {list(array.shape)}" for name, array in tensors.items()]
    more = f" and {len(told) - _MOST_TOLD} more" if len(told) > _MOST_TOLD else ""
    return ", ".join(told[:_MOST_TOLD]) + more


def stack_of(tensors: Mapping[str, Array]) -> Stack:
    """Return the layers of a fully connected autoencoder or VAE.  Raises NotMappableError."""
    layers, others = _linear_layers(tensors)
    if others:
        raise NotMappableError(f"these tensors are not of linear layers: {found_text(others)}")
    reasons: list[str] = []
    for order in _orders(layers):
        try:
            return _stack(order)
        except NotMappableError as error:
            reasons.append(str(error))
    raise NotMappableError(reasons[0] if reasons else "no linear layers were found")


def _linear_layers(tensors: Mapping[str, Array]) -> tuple[list[Layer], dict[str, Array]]:
    layers, others = [], dict(tensors)
    for name, weight in tensors.items():
        stem, _, last = name.rpartition(".")
        if last != "weight" or weight.ndim != 2 or 0 in weight.shape:
            continue
        bias = tensors.get(f"{stem}.bias")
        if bias is not None and bias.shape != weight.shape[:1]:
            continue
        del others[name]
        if bias is None:
            bias = np.zeros(weight.shape[0], np.float32)
        else:
            del others[f"{stem}.bias"]
        layers.append(Layer(told_name(stem), weight, bias))
    return layers, others


def _orders(layers: Sequence[Layer]) -> Iterator[list[Layer]]:
    """Yield the orders to try: the file's own first, which is that of the model's definition."""
    yield list(layers)
    natural = sorted(layers, key=lambda layer: _natural(layer.name))
    for order in (layers, natural):
        halves = sorted(order, key=lambda layer: _half(layer.name))
        yield halves
        # A head that was defined first is applied last.
        yield sorted(order, key=lambda layer: (_half(layer.name), _is_head(layer)))
    yield natural


def _natural(name: str) -> list[tuple[int, str]]:
    return [
        (int(part), "") if part.isascii() and part.isdigit() and len(part) < 9 else (-1, part)
        for part in re.split(r"(\d+)", name)
    ]


def _half(name: str) -> int:
    lower = name.lower()
    return 0 if _ENCODER.search(lower) else 2 if _DECODER.search(lower) else 1


def _is_head(layer: Layer) -> bool:
    kind = _kind(layer.name)
    return kind != "" and _half(layer.name) < 2


def _kind(name: str) -> str:
    """Return `log_std`, `log_var`, `mean` or nothing, by the last word of a layer's name that says one."""
    for part in reversed(name.lower().split(".")):
        for kind, pattern in (("log_std", _LOG_STD), ("log_var", _LOG_VAR), ("mean", _MEAN)):
            if pattern.search(part):
                return kind
    return ""


def _stack(order: Sequence[Layer]) -> Stack:
    if len(order) < 2:
        raise NotMappableError(f"{len(order)} linear layer(s) are no encoder and decoder")
    two_heads = len(order) % 2 == 1
    num_hidden = (len(order) - 3) // 2 if two_heads else (len(order) - 2) // 2
    if num_hidden > MOST_LAYERS:
        raise NotMappableError(f"it has {num_hidden} hidden layers; at most {MOST_LAYERS} are shown")
    hidden, rest = list(order[:num_hidden]), list(order[num_hidden:])
    if two_heads:
        head, notes, decoder = *_joined(rest[0], rest[1]), rest[2:]
        has_prior = True
    else:
        head, decoder = rest[0], rest[1:]
        has_prior = head.outputs == 2 * decoder[0].inputs
        notes = _note_of_one_head(head, has_prior=has_prior)
    stack = Stack((*hidden, head), tuple(decoder), has_prior, notes)
    _check(stack)
    return stack


def _note_of_one_head(head: Layer, *, has_prior: bool) -> tuple[str, ...]:
    if not has_prior:
        return (f"{head.name} was taken for the code of an autoencoder.",)
    return (f"The first half of {head.name} was taken for the mean, the second for the log-variance.",)


def _joined(first: Layer, second: Layer) -> tuple[Layer, tuple[str, ...]]:
    """Return two heads as one, the mean before the log-variance, and what was taken for what."""
    if first.weight.shape != second.weight.shape:
        raise NotMappableError(f"{first} and {second} are no two heads of one shape, mean and log-variance")
    kinds = _kind(first.name), _kind(second.name)
    named = True
    if kinds[0] in ("log_var", "log_std") and kinds[1] not in ("log_var", "log_std"):
        first, second, kinds = second, first, (kinds[1], kinds[0])
    elif kinds[1] not in ("log_var", "log_std") and kinds[0] != "mean":
        named = False
    notes = [
        f"{first.name} was taken for the mean and {second.name} for the log-variance"
        + ("." if named else ", by their order.")
    ]
    if kinds[1] == "log_std":
        # Too large a weight becomes infinite, and is refused as that.
        with np.errstate(over="ignore"):
            second = replace(second, weight=2.0 * second.weight, bias=2.0 * second.bias)
        notes = [f"{first.name} was taken for the mean and {second.name} for log σ, doubled to the log-variance."]
    head = Layer(
        f"{first.name} + {second.name}",
        np.concatenate([first.weight, second.weight]),
        np.concatenate([first.bias, second.bias]),
    )
    return head, tuple(notes)


def _check(stack: Stack) -> None:
    for before, after in pairwise(stack.encoder):
        if before.outputs != after.inputs:
            raise NotMappableError(f"{after} does not follow {before}")
    code = stack.encoder[-1].outputs // 2 if stack.has_prior else stack.encoder[-1].outputs
    if stack.decoder[0].inputs != code:
        raise NotMappableError(f"{stack.decoder[0]} does not take the code of {stack.encoder[-1]}")
    for before, after in pairwise(stack.decoder):
        if before.outputs != after.inputs:
            raise NotMappableError(f"{after} does not follow {before}")
    if stack.decoder[-1].outputs != stack.num_pixels:
        raise NotMappableError(
            f"{stack.decoder[-1]} does not give the {stack.num_pixels:,} pixels of {stack.encoder[0]}"
        )
    back = tuple(layer.outputs for layer in stack.decoder[:-1])
    if back != tuple(reversed(stack.hidden)):
        raise NotMappableError(f"the decoder's hidden layers {back} are not the encoder's {stack.hidden} in reverse")


def side_of(num_pixels: int) -> int | None:
    """Return the side of the square picture of so many pixels, None where there is none."""
    side = math.isqrt(num_pixels)
    return side if side * side == num_pixels else None
