"""Steps on a card as one CUDA graph."""

import torch
from torch import Tensor

from core.training.resident import ResidentImages
from core.training.steps import GuardedStepper
from core.training.taking import EagerSteps, PlannedSteps

_WARM_UP_STEPS = 3
"""Before a capture libraries have to have made their choices, and the allocator its room."""


class GraphedSteps:
    """A CUDA graph of one whole step, replayed: one call instead of a hundred.

    Seeds, indices, beta and learning rate are what the graph reads anew each time.  The last batch of an epoch, which
    is smaller, is taken eagerly.
    """

    name = "captured"

    def __init__(self, stepper: GuardedStepper, images: ResidentImages, generator: torch.Generator, size: int) -> None:
        """Capture a step of `size` images with this generator; nothing the stepper holds is changed by it.

        Raises RuntimeError where the card cannot do it.
        """
        self._stepper = stepper
        self._eager = EagerSteps(stepper, images, generator)
        self._generator = generator
        self._indices = torch.zeros(size, dtype=torch.int64, device=stepper.device)
        self._beta = torch.ones((), device=stepper.device)
        self._beta_is = 1.0
        self._graph = torch.cuda.CUDAGraph()
        self._graph.register_generator_state(generator)
        self._costs = self._captured(images)

    def take(self, planned: PlannedSteps) -> None:
        """Take steps."""
        for number in range(len(planned)):
            self._take_one(planned.part(number, number + 1))

    def _take_one(self, planned: PlannedSteps) -> None:
        indices, beta = planned.indices[0], planned.betas[0]
        if len(indices) != len(self._indices):
            self._eager.take(planned)
            return
        self._generator.manual_seed(planned.seeds[0])
        self._stepper.set_learning_rate(planned.rates[0])
        self._indices.copy_(indices)
        if beta != self._beta_is:
            self._beta.fill_(beta)
            self._beta_is = beta
        self._graph.replay()
        self._stepper.add_costs(self._costs.clone().unsqueeze(0))

    def _captured(self, images: ResidentImages) -> Tensor:
        stepper = self._stepper
        before = stepper.snapshot(0)
        try:
            return self._warmed_up_and_captured(images)
        finally:
            # Whether or not it came to a graph: the run begins with the weights it was given.
            torch.cuda.synchronize()
            stepper.restore(before)

    def _warmed_up_and_captured(self, images: ResidentImages) -> Tensor:
        stepper, generator = self._stepper, self._generator
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP_STEPS):
                stepper.costs_of_step(images.batch(self._indices, generator), self._beta, generator)
            # Not by torch.cuda.graph(), which in older releases has Python collect its garbage in this thread.
            torch.cuda.synchronize()
            # Another thread may use the card meanwhile.
            self._graph.capture_begin(capture_error_mode="thread_local")
            try:
                costs = stepper.costs_of_step(images.batch(self._indices, generator), self._beta, generator)
            finally:
                self._graph.capture_end()
        torch.cuda.current_stream().wait_stream(stream)
        return costs
