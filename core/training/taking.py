"""How a step is taken from the images on the device: one operation after another, or captured and replayed."""

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Int64
from torch import Tensor

from core.training.resident import ResidentImages
from core.training.steps import GuardedStepper

Indices = Int64[Tensor, "batch"]
_WARM_UP_STEPS = 3
"""Before a capture libraries have to have made their choices, and the allocator its room."""


@runtime_checkable
class StepTaker(Protocol):
    """Takes steps on batches of images."""

    name: str
    """As the run's plan says it."""

    def take(self, indices: Indices, beta: float, generator: torch.Generator) -> None:
        """Take one step on the images at these indices; all that is random comes from the generator."""


class EagerSteps:
    """Every operation by itself: the reference for any other way."""

    name = "eager"

    def __init__(self, stepper: GuardedStepper, images: ResidentImages) -> None:
        self._stepper = stepper
        self._images = images

    def take(self, indices: Indices, beta: float, generator: torch.Generator) -> None:
        """Take one step on the images at these indices."""
        self._stepper.step(self._images.batch(indices, generator), beta, generator)


class CapturedSteps:
    """A CUDA graph of one whole step, replayed: one call instead of a hundred, and the same weights bit for bit.

    Seeds, indices, beta and learning rate are what the graph reads anew each time.  The last batch of an epoch, which
    is smaller, is taken eagerly.
    """

    name = "captured"

    def __init__(self, stepper: GuardedStepper, images: ResidentImages, generator: torch.Generator, size: int) -> None:
        """Capture a step of `size` images with this generator; nothing the stepper holds is changed by it."""
        self._stepper = stepper
        self._eager = EagerSteps(stepper, images)
        self._generator = generator
        self._indices = torch.zeros(size, dtype=torch.int64, device=stepper.device)
        self._beta = torch.ones((), device=stepper.device)
        self._beta_is = 1.0
        self._graph = torch.cuda.CUDAGraph()
        self._graph.register_generator_state(generator)
        self._costs = self._captured(images)

    def take(self, indices: Indices, beta: float, generator: torch.Generator) -> None:
        """Take one step on the images at these indices."""
        if generator is not self._generator or len(indices) != len(self._indices):
            self._eager.take(indices, beta, generator)
            return
        self._indices.copy_(indices)
        if beta != self._beta_is:
            self._beta.fill_(beta)
            self._beta_is = beta
        self._graph.replay()
        self._stepper.add_costs(self._costs.clone())

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


def step_taker(
    stepper: GuardedStepper, images: ResidentImages, generator: torch.Generator, size: int, *, capture: bool
) -> tuple[StepTaker, str]:
    """Return the quickest way to take steps that works here, and why it is not a captured one on a card, or nothing."""
    if not capture or stepper.device.type != "cuda" or len(images) < size:
        return EagerSteps(stepper, images), ""
    try:
        return CapturedSteps(stepper, images, generator, size), ""
    except RuntimeError as error:
        return EagerSteps(stepper, images), str(error)
