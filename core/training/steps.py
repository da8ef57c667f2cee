"""The training step: guarded Adam on the device, its costs collected without waiting for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Float64
from torch import Tensor

from core.models.picture_model import PictureModel
from core.objectives.terms import Beta, Objective
from core.tensors import Images
from core.training.adam import FlatAdam

_PRODUCTS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True, slots=True, eq=False)
class StepCosts:
    """Means over the batch of some steps, in nats per image."""

    nll: Float64[np.ndarray, "steps"]
    kl_per_dimension: Float64[np.ndarray, "steps kl_dimensions"]
    skipped: np.ndarray[Any, np.dtype[np.bool_]]
    """Where loss or gradient was not finite, so that the step changed nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """A copy of weights and moments to go back to."""

    step: int
    tensors: tuple[Tensor, ...]


class GuardedStepper:
    """Takes steps of Adam; one whose loss or gradient is not finite changes neither weights nor moments.

    The guard is decided on the device, so no step waits for it.
    """

    def __init__(
        self,
        model: PictureModel,
        objective: Objective,
        learning_rate: float,
        epsilon: float = 1e-8,
        precision: str = "float32",
    ) -> None:
        self.model = model
        self.objective = objective
        self.parameters = dict(model.named_parameters())
        self._tensors = list(self.parameters.values())
        self.device = self._tensors[0].device
        self.adam = FlatAdam(self.parameters, learning_rate, epsilon)
        self._product_dtype = _PRODUCTS[precision]
        # On a card one kernel for all of them; on the processor each copy by itself can be captured.
        self._copy = torch._foreach_copy_ if self.device.type == "cuda" else _copy_each
        self._costs: list[Tensor] = []

    def set_learning_rate(self, learning_rate: float | Tensor) -> None:
        """Use another learning rate from the next step on, a number or a scalar on the device."""
        self.adam.rate.fill_(learning_rate)

    def step(self, x: Images, beta: Beta, generator: torch.Generator) -> None:
        """Take one step, unless it is not finite; its costs come with `take_costs`."""
        self.add_costs(self.costs_of_step(x, beta, generator).unsqueeze(0))

    def costs_of_step(self, x: Images, beta: Beta, generator: torch.Generator) -> Float32[Tensor, "cost_columns"]:
        """Take one step, unless it is not finite; return its costs on the device, as `add_costs` takes them."""
        with self.model.products_in(self._product_dtype):
            terms = self.objective.terms(self.model, x, generator)
        loss = self.objective.loss(terms, beta)
        gradients = torch.autograd.grad(loss, self._tensors, allow_unused=True, materialize_grads=True)
        with torch.no_grad():
            self._copy(self.adam.gradient_parts, gradients)
            gradient = self.adam.gradient
            # Its square overflows before Adam's second moments do, which hold a thousandth of it.
            total = torch.dot(gradient, gradient) + loss
            # Of two infinities, as of what is no number, the difference is no number.
            bad = (total - total).ne(0.0).float()
            self.adam.update(bad)
            costs = [bad.reshape(1), terms.nll.mean().reshape(1)]
            if terms.kl_per_dimension is not None:
                costs.append(terms.kl_per_dimension.mean(dim=0))
            return torch.cat(costs).detach()

    @property
    def num_costs(self) -> int:
        """Steps whose costs wait for `take_costs`."""
        return sum(len(rows) for rows in self._costs)

    def add_costs(self, rows: Float32[Tensor, "steps cost_columns"]) -> None:
        """Keep the costs of steps for `take_costs`."""
        self._costs.append(rows)

    def take_costs(self) -> StepCosts:
        """Return the costs of the steps since the last call; this waits for the device."""
        together = self._costs[0] if len(self._costs) == 1 else torch.cat(self._costs)
        rows = (together if self.device.type == "cpu" else together.cpu()).numpy().astype(np.float64)
        self._costs.clear()
        return StepCosts(nll=rows[:, 1], kl_per_dimension=rows[:, 2:], skipped=rows[:, 0] != 0.0)

    def snapshot(self, step: int) -> Snapshot:
        """Return a copy of weights and moments."""
        return Snapshot(step, tuple(tensor.clone() for tensor in self.adam.state()))

    @torch.no_grad()
    def restore(self, snapshot: Snapshot) -> None:
        """Set weights and moments back to a copy."""
        for tensor, kept in zip(self.adam.state(), snapshot.tensors, strict=True):
            tensor.copy_(kept)


def _copy_each(targets: Sequence[Tensor], sources: Sequence[Tensor]) -> None:
    for target, source in zip(targets, sources, strict=True):
        target.copy_(source)
