"""Which way of taking steps, and of evaluating what was reached, a run has."""

import torch

from core.models.picture_model import PictureModel
from core.objectives.terms import Objective
from core.training.captured.graphed_steps import GraphedSteps
from core.training.captured.graphed_sums import GraphedSums
from core.training.captured.scripted import ScriptedSteps
from core.training.captured.scripted_sums import ScriptedSums
from core.training.held_out import PIECE, HeldOutImages
from core.training.resident import ResidentImages
from core.training.steps import GuardedStepper
from core.training.summing import EagerSums, PieceSums
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


def piece_sums(images: HeldOutImages, model: PictureModel, objective: Objective, *, capture: bool) -> PieceSums:
    """Return the quickest way to evaluate held-out images that works here."""
    eager = EagerSums(images, model, objective)
    on_card = images.device.type == "cuda"
    if not capture or (on_card and len(images) < PIECE):
        return eager
    captured = GraphedSums if on_card else ScriptedSums
    try:
        return captured(images, model, objective)
    except RuntimeError:
        return eager
