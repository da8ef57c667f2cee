"""Steps on the processor as one program that holds no lock of Python's."""

import itertools

import numpy as np
import torch

from core.training.captured.recording import record
from core.training.captured.script import ScriptedLoop
from core.training.captured.simplifying import simplified, written_at_once
from core.training.resident import ResidentImages
from core.training.steps import GuardedStepper
from core.training.taking import PlannedSteps


class ScriptedSteps:
    """What eager steps ask of torch, recorded once and replayed for many steps in one call."""

    name = "captured"

    def __init__(self, stepper: GuardedStepper, images: ResidentImages, generator: torch.Generator, size: int) -> None:
        """Capture a step of `size` images with this generator; nothing the stepper holds is changed by it.

        Raises RuntimeError, CaptureError for one, where a step cannot be captured.
        """
        self._stepper = stepper
        self._images = images
        self._generator = generator
        self._loops: dict[int, ScriptedLoop] = {}
        # The last batch of an epoch may be smaller.
        for one in {min(size, len(images)), len(images) % size} - {0}:
            self._loops[one] = self._captured(one)

    def take(self, planned: PlannedSteps) -> None:
        """Take steps, those of the same size in one call."""
        start = 0
        for size, group in itertools.groupby(len(indices) for indices in planned.indices):
            end = start + len(list(group))
            self._take_alike(planned.part(start, end), self._loops[size])
            start = end

    def _take_alike(self, planned: PlannedSteps, loop: ScriptedLoop) -> None:
        # Each call of torch's lets go of the interpreter's lock, and gets it back when the window's thread gives it up:
        # numpy's arrays are made without.
        costs = np.empty((len(planned), loop.num_costs), np.float32)
        done = np.zeros((), np.int64)
        betas = torch.from_numpy(np.array(planned.betas, np.float32))
        try:
            loop.run(
                torch.stack(planned.indices),
                planned.seeds,
                betas,
                planned.rates,
                self._stepper.adam.rate,
                torch.from_numpy(costs),
                torch.from_numpy(done),
                self._generator,
            )
        finally:
            if done:
                self._stepper.add_costs(torch.from_numpy(costs[: int(done)]))

    def _captured(self, size: int) -> ScriptedLoop:
        stepper, generator = self._stepper, self._generator
        before = stepper.snapshot(0)
        inputs = [torch.zeros(size, dtype=torch.int64), torch.ones(()), stepper.adam.rate]
        try:
            program = record(
                lambda indices, beta, _rate: [
                    stepper.costs_of_step(self._images.batch(indices, generator), beta, generator)
                ],
                inputs,
                generator,
            )
        finally:
            stepper.restore(before)
        return ScriptedLoop(written_at_once(simplified(program)))
