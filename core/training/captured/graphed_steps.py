"""Steps on a card, several in one CUDA graph."""

import itertools

import torch
from torch import Tensor

from core.training.captured.cuda_graph import MOST, GraphedWork
from core.training.resident import ResidentImages
from core.training.steps import GuardedStepper
from core.training.taking import EagerSteps, PlannedSteps


class GraphedSteps:
    """Whole steps captured and replayed: one call instead of a hundred for each of them.

    Seeds, indices, betas and learning rates are what a graph reads anew each time.  The last batch of an epoch, which
    is smaller, is taken eagerly.
    """

    name = "captured"

    def __init__(self, stepper: GuardedStepper, images: ResidentImages, generator: torch.Generator, size: int) -> None:
        """Capture steps of `size` images; nothing the stepper holds is changed by it.

        Raises RuntimeError where the card cannot do it.
        """
        self._stepper = stepper
        self._images = images
        self._eager = EagerSteps(stepper, images, generator)
        self._size = size
        self._indices = torch.zeros(MOST, size, dtype=torch.int64, device=stepper.device)
        self._betas_and_rates = torch.zeros(2, MOST, device=stepper.device)
        before = stepper.snapshot(0)
        try:
            self._steps = GraphedWork(self._take_one, stepper.device)
        finally:
            # Whether or not it came to a graph: the run begins with the weights it was given.
            torch.cuda.synchronize()
            stepper.restore(before)

    def take(self, planned: PlannedSteps) -> None:
        """Take steps."""
        start = 0
        while start < len(planned):
            times = self._steps.fitting(self._num_alike(planned.indices[start : start + MOST]))
            part = planned.part(start, start + max(times, 1))
            if times:
                self._replay(part)
            else:
                self._eager.take(part)
            start += len(part)

    def _num_alike(self, indices: list[Tensor]) -> int:
        return sum(1 for _ in itertools.takewhile(lambda one: len(one) == self._size, indices))

    def _replay(self, planned: PlannedSteps) -> None:
        count = len(planned)
        torch.stack(planned.indices, out=self._indices[:count])
        self._betas_and_rates[:, :count].copy_(torch.tensor([planned.betas, planned.rates]), non_blocking=True)
        self._stepper.add_costs(self._steps.replay(planned.seeds))

    def _take_one(self, number: int, generator: torch.Generator) -> Tensor:
        beta, rate = self._betas_and_rates[:, number].unbind()
        self._stepper.set_learning_rate(rate)
        return self._stepper.costs_of_step(self._images.batch(self._indices[number], generator), beta, generator)
