"""Programs made shorter without a change of a single bit of what they compute."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from core.training.captured.recording import GENERATOR, Operation, Program, Value

_ALIASES = {"aten::detach", "aten::alias", "aten::lift_fresh"}
_OF_SHAPE_ALONE = {"aten::ones_like", "aten::zeros_like", "aten::full_like", "aten::new_zeros", "aten::new_ones"}
_MADE_OF_NOTHING = {"aten::ones", "aten::zeros", "aten::full", "aten::scalar_tensor", "aten::arange"}
_UNDONE_BY_THEMSELVES = {"aten::t", "aten::neg"}
_LEAVE_WITH_ONE = {"aten::mul", "aten::div", "aten::pow"}
_SAME_SHAPE = {"aten::view", "aten::_unsafe_view", "aten::expand", "aten::reshape"}


def simplified(program: Program) -> Program:
    """Return the program without detours, without what it computes twice or for nobody, or always alike."""
    shorter = replace(program, operations=list(program.operations), tensors=dict(program.tensors))
    before = -1
    while before != len(shorter.operations):
        before = len(shorter.operations)
        for step in (_without_detours, _without_repetitions, _with_constants_made, _without_the_unused):
            step(shorter)
    return shorter


class _Memory:
    """Which values lie in memory that some operation, or someone else, writes to."""

    def __init__(self, program: Program) -> None:
        self._tensors = program.tensors
        written = [self._tensors[value] for operation in program.operations for value in operation.written]
        self._written = {_storage(tensor) for tensor in (*written, *program.changing)}

    def is_written(self, values: Iterable[Value]) -> bool:
        return any(_storage(self._tensors[value]) in self._written for value in values)


def _storage(tensor: Tensor) -> int:
    identity: int = tensor.untyped_storage()._cdata  # noqa: SLF001 - unlike its address, of an empty one too
    return identity


def _without_detours(program: Program) -> None:
    """Take what an operation returns for what it was given where both are the same."""
    memory, same, made_by, left = _Memory(program), dict[Value, Value](), dict[Value, Operation](), list[Operation]()
    for recorded in program.operations:
        operation = _renamed(recorded, same)
        source = _same_as(operation, program, made_by)
        if source is not None and (
            operation.is_view or operation.name in _ALIASES or not memory.is_written((source, *operation.outputs))
        ):
            same[operation.outputs[0]] = source
            continue
        made_by.update(dict.fromkeys(operation.outputs, operation))
        left.append(operation)
    _take(program, left, same)


def _same_as(operation: Operation, program: Program, made_by: dict[Value, Operation]) -> Value | None:
    """Return the value that the operation's result is, number for number, or None."""
    first = operation.args[0] if operation.args else None
    if not isinstance(first, Value) or len(operation.outputs) != 1:
        return None
    maker, name = made_by.get(first), operation.name
    if name in _UNDONE_BY_THEMSELVES and maker is not None and maker.name == name:
        found: Value = maker.args[0]
        return found
    before, after = program.tensors[first], program.tensors[operation.outputs[0]]
    same_layout = (before.shape, before.stride(), before.dtype) == (after.shape, after.stride(), after.dtype)
    leaves_as_it_is = (
        name in _SAME_SHAPE
        or (name == "aten::repeat" and set(operation.args[1]) == {1})
        or (name in _LEAVE_WITH_ONE and operation.args[1:] == (1,) and not operation.kwargs)
    )
    return first if name in _ALIASES or (same_layout and leaves_as_it_is) else None


def _without_repetitions(program: Program) -> None:
    """Compute what is computed twice alike once."""
    memory, same, seen, left = _Memory(program), dict[Value, Value](), dict[Any, Operation](), list[Operation]()
    for recorded in program.operations:
        operation = _renamed(recorded, same)
        repeatable = not operation.is_random and not operation.written
        touched = operation.outputs if operation.is_view else (*operation.inputs, *operation.outputs)
        if repeatable and (operation.is_view or not memory.is_written(touched)):
            key = (operation.target, _frozen(operation.args), _frozen(operation.kwargs))
            earlier = seen.setdefault(key, operation)
            if earlier is not operation:
                same.update(zip(operation.outputs, earlier.outputs, strict=True))
                continue
        left.append(operation)
    _take(program, left, same)


def _with_constants_made(program: Program) -> None:
    """Leave out what makes the same of nothing, or of what stays, each time: its results are kept."""
    memory, constant, left = _Memory(program), set(program.kept()), list[Operation]()
    for operation in program.operations:
        of_nothing = operation.name in _OF_SHAPE_ALONE | _MADE_OF_NOTHING
        of_constants = bool(inputs := operation.inputs) and all(value in constant for value in inputs)
        alike = (of_nothing and not memory.is_written(operation.outputs)) or (
            of_constants and not memory.is_written((*inputs, *operation.outputs))
        )
        # A view of what stays, weights for one, shows whatever is written there.
        of_place = operation.is_view and of_constants
        if (alike or of_place) and not operation.is_random and not operation.written:
            constant.update(operation.outputs)
        else:
            left.append(operation)
    _take(program, left, {})


def _without_the_unused(program: Program) -> None:
    """Leave out what nobody takes, but for what writes or draws."""
    wanted, left = set(program.outputs), list[Operation]()
    for operation in reversed(program.operations):
        if operation.is_random or operation.written or any(value in wanted for value in operation.outputs):
            wanted.update(operation.inputs)
            left.append(operation)
    _take(program, left[::-1], {})


def written_at_once(program: Program) -> Program:
    """Return the program with what it copies to its place written there at once, where an operator can do that."""
    uses = _uses(program)
    made_by = {value: operation for operation in program.operations for value in operation.outputs}
    instead: dict[int, list[Operation]] = {}
    for operation in program.operations:
        if operation.name != "aten::copy_" or operation.args[0] in made_by:
            continue
        place, source = operation.args[:2]
        maker = made_by.get(source)
        while maker is not None and maker.name in _SAME_SHAPE and uses[source] == 1:
            source = maker.args[0]
            maker = made_by.get(source)
        if maker is None or maker.name not in _OUT or uses[source] != 1:
            continue
        target = program.tensors[place]
        view = Value(len(program.tensors))
        program.tensors[view] = target.view(program.tensors[source].shape)
        instead[id(maker)] = [replace(maker, target=_OUT[maker.name], kwargs={**maker.kwargs, "out": view}, outputs=())]
        instead[id(operation)] = []
    left = [one for operation in program.operations for one in instead.get(id(operation), [operation])]
    shorter = replace(program, operations=left)
    _without_the_unused(shorter)
    return shorter


_OUT: dict[str, Any] = {"aten::mm": torch.ops.aten.mm.out, "aten::sum": torch.ops.aten.sum.IntList_out}


def _uses(program: Program) -> dict[Value, int]:
    counts: dict[Value, int] = dict.fromkeys(program.tensors, 0)
    for operation in program.operations:
        for value in operation.inputs:
            counts[value] += 1
    for value in program.outputs:
        counts[value] += 1
    return counts


def _take(program: Program, operations: list[Operation], same: dict[Value, Value]) -> None:
    program.operations = operations
    program.outputs = tuple(same.get(value, value) for value in program.outputs)


def _renamed(operation: Operation, same: dict[Value, Value]) -> Operation:
    if not any(value in same for value in operation.inputs):
        return operation
    args = tuple(_with_other_names(argument, same) for argument in operation.args)
    kwargs = {key: _with_other_names(given, same) for key, given in operation.kwargs.items()}
    return replace(operation, args=args, kwargs=kwargs)


def _with_other_names(argument: object, same: dict[Value, Value]) -> Any:  # noqa: ANN401 - of whatever type it was
    if isinstance(argument, list):
        return [same.get(one, one) if isinstance(one, Value) else one for one in argument]
    return same.get(argument, argument) if isinstance(argument, Value) else argument


def _frozen(argument: object) -> object:
    """Return something that is equal and hashable where arguments are alike."""
    match argument:
        case list() | tuple():
            return tuple(_frozen(one) for one in argument)
        case dict():
            return tuple((key, _frozen(one)) for key, one in argument.items())
        case _ if argument is GENERATOR:
            return id(argument)
        case _:
            return (type(argument), argument)
