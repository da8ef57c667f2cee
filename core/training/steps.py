"""The training step: guarded Adam on the device, its costs collected without waiting for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Float64
from torch import Tensor

from core.models.picture_model import PictureModel
from core.objectives.terms import Beta, Objective
from core.tensors import Images


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

    The guard is decided on the device (`found_inf` of the fused Adam), so no step waits for it.
    """

    def __init__(self, model: PictureModel, objective: Objective, learning_rate: float, epsilon: float = 1e-8) -> None:
        self.model = model
        self.objective = objective
        self.parameters = dict(model.named_parameters())
        self._tensors = list(self.parameters.values())
        self.device = device = self._tensors[0].device
        # On a card the learning rate lies beside the weights, so that a step which was captured sees it change.
        on_card = device.type == "cuda"
        rate = torch.tensor(learning_rate, device=device) if on_card else learning_rate
        self.optimiser = torch.optim.Adam(self._tensors, lr=rate, eps=epsilon, fused=True, capturable=on_card)
        # Adam makes its state in the first step; made here it can be saved and restored from the start.
        for parameter in self._tensors:
            self.optimiser.state[parameter] = {
                "step": torch.zeros((), device=device),
                "exp_avg": torch.zeros_like(parameter, memory_format=torch.preserve_format),
                "exp_avg_sq": torch.zeros_like(parameter, memory_format=torch.preserve_format),
            }
        self._kl_columns = model.config.latent_dim if model.has_prior else 0
        self._rows: list[Tensor] = []
        self._found_inf = torch.zeros((), device=device)
        self.optimiser.found_inf = self._found_inf  # type: ignore[attr-defined]

    def set_learning_rate(self, learning_rate: float) -> None:
        """Use another learning rate from the next step on."""
        for group in self.optimiser.param_groups:
            if isinstance(group["lr"], Tensor):
                group["lr"].fill_(learning_rate)
            else:
                group["lr"] = learning_rate

    def step(self, x: Images, beta: Beta, generator: torch.Generator) -> None:
        """Take one step, unless it is not finite; its costs come with `take_costs`."""
        self.add_costs(self.costs_of_step(x, beta, generator))

    def costs_of_step(self, x: Images, beta: Beta, generator: torch.Generator) -> Float32[Tensor, "cost_columns"]:
        """Take one step, unless it is not finite; return its costs on the device, as `add_costs` takes them."""
        for tensor in self._tensors:
            tensor.grad = None
        terms = self.objective.terms(self.model, x, generator)
        loss = self.objective.loss(terms, beta)
        loss.backward()  # type: ignore[no-untyped-call]
        with torch.no_grad():
            gradients = [tensor.grad for tensor in self._tensors if tensor.grad is not None]
            # Its square overflows before Adam's second moments do, which hold a thousandth of it.
            norm = torch.nn.utils.get_total_norm(gradients)
            bad = torch.isfinite(norm + loss).logical_not_().float()
            self._found_inf.copy_(bad)
            self.optimiser.step()
            costs = [bad.reshape(1), terms.nll.mean().reshape(1)]
            if terms.kl_per_dimension is not None:
                costs.append(terms.kl_per_dimension.mean(dim=0))
            return torch.cat(costs).detach()

    def add_costs(self, costs: Float32[Tensor, "cost_columns"]) -> None:
        """Keep the costs of a step for `take_costs`."""
        self._rows.append(costs)

    def take_costs(self) -> StepCosts:
        """Return the costs of the steps since the last call; this waits for the device."""
        rows = torch.stack(self._rows).cpu().numpy().astype(np.float64)
        self._rows.clear()
        return StepCosts(nll=rows[:, 1], kl_per_dimension=rows[:, 2:], skipped=rows[:, 0] != 0.0)

    def snapshot(self, step: int) -> Snapshot:
        """Return a copy of weights and moments."""
        return Snapshot(step, tuple(tensor.detach().clone() for tensor in self._state()))

    @torch.no_grad()
    def restore(self, snapshot: Snapshot) -> None:
        """Set weights and moments back to a copy."""
        for tensor, kept in zip(self._state(), snapshot.tensors, strict=True):
            tensor.copy_(kept)

    def adam_arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return copies of Adam's state by name, as `load_adam` takes it back."""
        arrays = {}
        for name, parameter in self.parameters.items():
            for key in ("step", "exp_avg", "exp_avg_sq"):
                value = self.optimiser.state[parameter][key]
                arrays[f"adam.{key}.{name}"] = value.detach().cpu().contiguous().numpy().copy()
        return arrays

    @torch.no_grad()
    def load_adam(self, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Set Adam's state.  Raises ValueError naming what does not fit, with nothing changed."""
        pairs = []
        for name, parameter in self.parameters.items():
            for key in ("step", "exp_avg", "exp_avg_sq"):
                full_name, target = f"adam.{key}.{name}", self.optimiser.state[parameter][key]
                array = arrays.get(full_name)
                if array is None:
                    raise ValueError(f"{full_name} is missing")
                if array.shape != tuple(target.shape) or array.dtype != np.float32:
                    raise ValueError(f"{full_name} is {array.dtype} {array.shape}, not float32 {tuple(target.shape)}")
                if not np.isfinite(array).all() or (key != "exp_avg" and (array < 0.0).any()):
                    raise ValueError(f"{full_name} holds values that Adam cannot have")
                pairs.append((target, array))
        for target, array in pairs:
            target.copy_(torch.from_numpy(np.array(array)))

    def _state(self) -> list[Tensor]:
        moments = [
            self.optimiser.state[parameter][key]
            for parameter in self._tensors
            for key in ("step", "exp_avg", "exp_avg_sq")
        ]
        return [*self._tensors, *moments]
