"""What a run tells of its steps and of itself, as frozen values."""

import datetime as dt

import numpy as np
import torch
from jaxtyping import Float64

from core.config import TrainingConfig
from core.data.dataset import Dataset
from core.snapshots import ExecutionPlan, StepReports, frozen
from core.training.position import Position
from core.training.steps import StepCosts


def step_reports(first_step: int, costs: StepCosts, kept: int, *, has_kl: bool) -> StepReports:
    """Return the reports of the first `kept` steps, the first of which is number `first_step`; NaN where skipped."""
    nll = np.where(costs.skipped, np.nan, costs.nll)[:kept]
    per_dimension = np.where(costs.skipped[:, None], np.nan, costs.kl_per_dimension)[:kept]
    kl = per_dimension.sum(axis=1) if has_kl else np.full(kept, np.nan)
    steps = np.arange(first_step, first_step + kept, dtype=np.int64)
    return StepReports(frozen(steps), frozen(nll), frozen(kl), frozen(per_dimension))


def losses(costs: StepCosts, betas: list[float]) -> Float64[np.ndarray, "steps"]:
    """Return NLL + β KL of each step, nats per image: what it minimised, but for terms that are no cost of an image."""
    weighted = np.array(betas) * costs.kl_per_dimension.sum(axis=1)
    return np.asarray(costs.nll + weighted)


def start_text(training: TrainingConfig, num_images: int, plan: ExecutionPlan) -> str:
    """Return what a run sets out to do, in a line."""
    epochs = f"{training.epochs} epoch{'s' if training.epochs != 1 else ''}"
    return f"{epochs}, seed {training.seed}, {num_images:,} images; {plan.text}"


def provenance(training: TrainingConfig, plan: ExecutionPlan, position: Position, dataset: Dataset) -> dict[str, str]:
    """Return how weights came to be, as a model's file keeps it."""
    return {
        "seed": str(training.seed),
        "plan": plan.text,
        "device": plan.device,
        "path": plan.path,
        "images": plan.images,
        "threads": str(plan.threads),
        "epochs": repr(position.epochs),
        "data": dataset.name,
        "data_fingerprint": dataset.fingerprint,
        "torch": torch.__version__,
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    }
