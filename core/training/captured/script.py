"""A program written down in TorchScript, with a loop around it: many steps in one call that holds no lock of Python's.

TorchScript is in maintenance, but part of every release in the project's range, and the only way torch has to run a
list of operators without Python and without a compiler on the machine (decision 0010).
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from core.training.captured.recording import GENERATOR, CaptureError, Operation, Program, Value, schema_of

_HEAD = """
def chunk(kept: List[Tensor], groups: List[List[Tensor]], indices: Tensor, seeds: List[int], betas: Tensor,
          rates: List[float], rate: Tensor, costs: Tensor, done: Tensor, generator: Generator) -> None:
"""


class ScriptedLoop:
    """Takes steps of a program whose inputs are indices, beta and learning rate, and whose output is a row of costs."""

    def __init__(self, program: Program) -> None:
        """Compile a program.  Raises CaptureError where TorchScript cannot express it."""
        self._kept = [program.tensors[value] for value in program.kept()]
        # A list made in the text is taken for one that nobody else knows: what is written to its tensors would count
        # for nothing, and be left out.
        groups: list[list[Tensor]] = []
        self.text = _text(program, groups)
        self._groups = groups
        self.num_costs = program.tensors[program.outputs[0]].numel()
        try:
            self._chunk = torch.jit.CompilationUnit(self.text).chunk
        except RuntimeError as error:
            raise CaptureError(f"TorchScript does not take it: {str(error).strip().splitlines()[0]}") from None

    def run(
        self,
        indices: Tensor,
        seeds: list[int],
        betas: Tensor,
        rates: list[float],
        rate: Tensor,
        costs: Tensor,
        done: Tensor,
        generator: torch.Generator,
    ) -> None:
        """Take a step for each row of `indices`, each with a generator seeded anew, writing its costs to its row.

        `rate` is the scalar that the stepper keeps its learning rate in; `done` counts the steps that were taken.
        """
        # As the generator takes them, which in Python are not signed.
        signed = [seed - (1 << 64) if seed >= 1 << 63 else seed for seed in seeds]
        # Its optimiser would take an affine layer apart into two operations, which round otherwise.
        unchanged = torch.jit.optimized_execution(False)  # type: ignore[attr-defined]
        with torch.inference_mode(), unchanged:
            self._chunk(self._kept, self._groups, indices, signed, betas, rates, rate, costs, done, generator)


def _text(program: Program, groups: list[list[Tensor]]) -> str:
    indices, beta, rate = program.inputs
    lines = [f"    {value.name} = kept[{number}]" for number, value in enumerate(program.kept())]
    lines.append("    for i in range(len(seeds)):")
    body = [
        "generator.manual_seed(seeds[i])",
        "rate.fill_(rates[i])",
        f"{indices.name} = indices[i]",
        f"{beta.name} = betas[i]",
        f"{rate.name} = rate",
    ]
    for number, operation in enumerate(program.operations):
        body.extend(_lines(_with_groups(operation, program, groups), number))
    body += [f"costs[i].copy_({program.outputs[0].name})", "done.add_(1)"]
    return _HEAD + "\n".join(lines + [f"        {line}" for line in body]) + "\n"


@dataclass(frozen=True, slots=True)
class _Group:
    number: int


def _with_groups(operation: Operation, program: Program, groups: list[list[Tensor]]) -> Operation:
    """Return the operation with lists that it writes to as groups, whose tensors are added to these."""
    written = set(operation.written)
    args = list(operation.args)
    for place, argument in enumerate(args):
        if isinstance(argument, list) and any(value in written for value in argument):
            if any(value in made for made in (one.outputs for one in program.operations) for value in argument):
                raise CaptureError(f"{operation.name} writes to a list of tensors that were only just made")
            args[place] = _Group(len(groups))
            groups.append([program.tensors[value] for value in argument])
    return replace(operation, args=tuple(args))


def _lines(operation: Operation, number: int) -> list[str]:
    space, name = operation.name.split("::")
    # By its name: TorchScript takes a type for a number, and a view as a type for one of that size.
    declared = schema_of(operation.target).arguments
    arguments = [
        f"{declared[place].name}={_literal(argument)}" if isinstance(argument, torch.dtype) else _literal(argument)
        for place, argument in enumerate(operation.args)
    ]
    arguments += [f"{key}={_literal(argument)}" for key, argument in operation.kwargs.items()]
    call = f"torch.ops.{space}.{name}({', '.join(arguments)})"
    if not operation.outputs:
        return [call]
    if not operation.is_list:
        return [f"{operation.outputs[0].name} = {call}"]
    several = f"several{number}"
    return [f"{several} = {call}", *(f"{one.name} = {several}[{at}]" for at, one in enumerate(operation.outputs))]


def _literal(argument: object) -> str:
    match argument:
        case Value():
            text = argument.name
        case _Group():
            text = f"groups[{argument.number}]"
        case list() | tuple():
            text = f"[{', '.join(_literal(one) for one in argument)}]"
        case torch.device():
            text = f"torch.device({str(argument)!r})"
        case int() if argument == -(1 << 63):
            text = f"({argument + 1} - 1)"  # its digits alone are no number of 64 bits
        case float() if not math.isfinite(argument):
            text = f"float({str(argument)!r})"
        case None | bool() | int() | float() | str():
            text = repr(argument)
        case torch.dtype() | torch.memory_format() | torch.layout():
            text = str(argument)
        case _ if argument is GENERATOR:
            text = "generator"
        case _:
            raise CaptureError(f"an argument of type {type(argument).__name__} cannot be written down")
    return text
