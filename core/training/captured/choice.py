"""Which way of taking steps a run has."""

import torch

from core.training.captured.cuda_graph import GraphedSteps
from core.training.captured.scripted import ScriptedSteps
from core.training.resident import ResidentImages
from core.training.steps import GuardedStepper
from core.training.taking import EagerSteps, StepTaker


def step_taker(
    stepper: GuardedStepper, images: ResidentImages, generator: torch.Generator, size: int, *, capture: bool
) -> tuple[StepTaker, str]:
    """Return the quickest way to take steps that works here, and why it is not a captured one, or nothing."""
    on_card = stepper.device.type == "cuda"
    if not capture or (on_card and len(images) < size):
        return EagerSteps(stepper, images, generator), ""
    captured = GraphedSteps if on_card else ScriptedSteps
    try:
        return captured(stepper, images, generator, size), ""
    except RuntimeError as error:
        return EagerSteps(stepper, images, generator), str(error)
