"""How steps are taken from the images on the device: one operation after another, or captured and replayed."""

from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Int64
from torch import Tensor

from core.training.resident import ResidentImages
from core.training.steps import GuardedStepper

Indices = Int64[Tensor, "batch"]


@dataclass(slots=True, eq=False)
class PlannedSteps:
    """Steps to be taken one after the other: of each its images, the seed of all that is random, beta and rate."""

    indices: list[Indices] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    betas: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    def add(self, indices: Indices, seed: int, beta: float, rate: float) -> None:
        """Plan one more step."""
        self.indices.append(indices)
        self.seeds.append(seed)
        self.betas.append(beta)
        self.rates.append(rate)

    def part(self, start: int, end: int) -> "PlannedSteps":
        """Return some of the steps."""
        return PlannedSteps(
            self.indices[start:end], self.seeds[start:end], self.betas[start:end], self.rates[start:end]
        )

    def __len__(self) -> int:
        return len(self.seeds)


@runtime_checkable
class StepTaker(Protocol):
    """Takes steps on batches of images.  However they are taken, the weights are the same bit for bit."""

    name: str
    """As the run's plan says it."""

    def take(self, planned: PlannedSteps) -> None:
        """Take steps; the costs of those that were taken before an error are added all the same."""


class EagerSteps:
    """Every operation by itself: the reference for any other way."""

    name = "eager"

    def __init__(self, stepper: GuardedStepper, images: ResidentImages, generator: torch.Generator) -> None:
        self._stepper = stepper
        self._images = images
        self._generator = generator

    def take(self, planned: PlannedSteps) -> None:
        """Take steps."""
        steps = zip(planned.indices, planned.seeds, planned.betas, planned.rates, strict=True)
        for indices, seed, beta, rate in steps:
            self._generator.manual_seed(seed)
            self._stepper.set_learning_rate(rate)
            self._stepper.step(self._images.batch(indices, self._generator), beta, self._generator)
