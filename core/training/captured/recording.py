"""What a computation asked of torch, operation by operation, as a program that can be written down and run again."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode


class CaptureError(RuntimeError):
    """A computation that cannot be captured, and why."""


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor of the program, by its number."""

    number: int

    @property
    def name(self) -> str:
        """Its name in the program's text."""
        return f"v{self.number}"


class _Generator:
    def __repr__(self) -> str:
        return "generator"


GENERATOR = _Generator()
"""Stands for the generator that all that is random comes from."""


Operator = Callable[..., object]
"""One of torch's operators, in one of its overloads."""


def schema_of(target: Operator) -> Any:  # noqa: ANN401 - torch has no public type for it, nor a public way to it
    """Return what an operator is declared to take and to return."""
    return target._schema  # type: ignore[attr-defined]  # noqa: SLF001


@dataclass(slots=True, eq=False)
class Operation:
    """One call of an operator below autograd; `outputs` has a value for each tensor it returns."""

    target: Operator
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    outputs: tuple[Value, ...]
    is_list: bool
    """Whether it returns a list or tuple of tensors."""

    name: str = field(init=False)
    """The operator, without its overload."""
    inputs: tuple[Value, ...] = field(init=False)
    """The values it takes, lists of them included."""
    written: tuple[Value, ...] = field(init=False)
    """The values it changes in place."""
    is_random: bool = field(init=False)
    """Whether it draws from the generator."""
    is_view: bool = field(init=False)
    """Whether what it returns shares memory with what it takes."""

    def __post_init__(self) -> None:
        """See what it takes, and what becomes of that."""
        schema = schema_of(self.target)
        given = (*self.args, *self.kwargs.values())
        self.name = schema.name
        self.inputs = tuple(_values(given))
        changed = []
        for place, declared in enumerate(schema.arguments):
            if declared.alias_info is not None and declared.alias_info.is_write:
                changed.append(self.args[place] if place < len(self.args) else self.kwargs.get(declared.name))
        self.written = tuple(_values(changed))
        self.is_random = any(one is GENERATOR for one in given)
        self.is_view = any(returned.alias_info is not None for returned in schema.returns)


def _values(arguments: Iterable[Any]) -> list[Value]:
    found = []
    for argument in arguments:
        many = argument if isinstance(argument, (list, tuple)) else (argument,)
        found += [one for one in many if isinstance(one, Value)]
    return found


@dataclass(slots=True, eq=False)
class Program:
    """Operations in their order, on tensors given anew each time, tensors that stay, and those it makes itself."""

    operations: list[Operation]
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]
    tensors: dict[Value, Tensor] = field(default_factory=dict)
    """What each value was when it was recorded; those that no operation makes stay: weights, moments, images."""
    changing: tuple[Tensor, ...] = ()
    """Tensors that stay, but that others write to between two runs."""

    def kept(self) -> tuple[Value, ...]:
        """Return the values that are neither given nor made, in the order of their first use."""
        made = {value for operation in self.operations for value in operation.outputs}
        needed = [value for operation in self.operations for value in operation.inputs] + list(self.outputs)
        return tuple(value for value in dict.fromkeys(needed) if value not in made and value not in self.inputs)


def record(
    computation: Callable[..., Sequence[Tensor]], inputs: Sequence[Tensor], generator: torch.Generator
) -> Program:
    """Run a computation once, and return the program of all that it asked of torch.

    Raises CaptureError where it looked at a number in a tensor, which the next run may have another of, or drew from
    another generator.
    """
    recorder = _Recorder(generator)
    given = tuple(recorder.value_of(tensor) for tensor in inputs)
    with recorder:
        results = computation(*inputs)
    outputs = tuple(recorder.value_of(tensor) for tensor in results)
    return Program(recorder.operations, given, outputs, recorder.tensors())


_LOOKS = {"aten::_local_scalar_dense", "aten::equal"}


class _Recorder(TorchDispatchMode):
    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._generator = generator
        # The tensors themselves are kept, so that no other gets the identity of one that is gone.
        self._known: dict[int, tuple[Value, Tensor]] = {}
        self._tensors: dict[Value, Tensor] = {}
        self.operations: list[Operation] = []

    def value_of(self, tensor: Tensor) -> Value:
        known = self._known.get(id(tensor))
        return self._new(tensor) if known is None else known[0]

    def tensors(self) -> dict[Value, Tensor]:
        return {value: tensor.detach() for value, tensor in self._tensors.items()}

    def take(
        self,
        func: Operator,
        _types: object,
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        """Run an operator, and note it."""
        kwargs = kwargs or {}
        name = schema_of(func).name
        if name in _LOOKS:
            raise CaptureError(f"it looks at a number in a tensor ({name})")
        result = func(*args, **kwargs)
        taken = tuple(self._as_value(argument) for argument in args)
        named = {key: self._as_value(argument) for key, argument in kwargs.items()}
        is_list = isinstance(result, (list, tuple))
        operation = Operation(func, taken, named, (), is_list)
        if not (written := operation.written) or not isinstance(result, Tensor):
            returned = result if isinstance(result, (list, tuple)) else () if result is None else (result,)
            operation.outputs = tuple(self._new(one) for one in returned)
        else:
            # What was changed in place is returned: the same tensor, though it may come as another object.
            self._known[id(result)] = (written[0], result)
        self.operations.append(operation)
        return result

    def _new(self, tensor: Tensor | None) -> Value:
        # Of a gradient that nobody asked for there is none.
        tensor = torch.empty(0) if tensor is None else tensor
        value = Value(len(self._tensors))
        self._known[id(tensor)] = (value, tensor)
        self._tensors[value] = tensor
        return value

    def _as_value(self, argument: object) -> object:
        match argument:
            case Tensor():
                return self.value_of(argument)
            case torch.Generator():
                if argument._cdata != self._generator._cdata:  # type: ignore[attr-defined]  # noqa: SLF001
                    raise CaptureError("it draws from a generator of its own")
                return GENERATOR
            case list() | tuple():
                return [self._as_value(one) for one in argument]
            case _:
                return argument


# Not in the class: what is defined there torch wraps so that its compiler does not look inside, and imports that
# compiler for it, which takes a second.
_Recorder.__torch_dispatch__ = _Recorder.take  # type: ignore[method-assign, assignment]
