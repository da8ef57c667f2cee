"""The curves of a model over all its training: append-only columns, saved with the model."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from core.snapshots import ElboMeans, HeldOutReport, RunNote, StepReports, frozen

_HELD_OUT_COLUMNS = ("step", "epoch", "nll", "kl", "num_images", "complete")
LAST_STEP = 2**53
"""Up to here a float64 tells every whole number from the next."""


class History:
    """Everything a run reported, in the order it came."""

    def __init__(self, latent_dim: int) -> None:
        self.latent_dim = latent_dim
        self.held_out: list[HeldOutReport] = []
        self.notes: list[RunNote] = []
        self._steps: list[StepReports] = []

    def add_steps(self, reports: StepReports) -> None:
        """Append the reports of some steps."""
        self._steps.append(reports)

    def add_held_out(self, report: HeldOutReport) -> None:
        """Append a held-out evaluation."""
        self.held_out.append(report)

    def add_note(self, note: RunNote) -> None:
        """Append a note."""
        self.notes.append(note)

    @property
    def num_steps(self) -> int:
        """Number of reported training steps."""
        return sum(len(reports) for reports in self._steps)

    @property
    def last_step(self) -> int:
        """Number of the last step that was reported; 0 before the first."""
        return int(self._steps[-1].step[-1]) if self._steps and len(self._steps[-1]) else 0

    @property
    def epochs(self) -> float:
        """Epochs trained so far, as the last held-out report says."""
        return self.held_out[-1].epoch if self.held_out else 0.0

    def steps(self) -> StepReports:
        """Return all steps as one report."""
        if len(self._steps) > 1:
            joined = StepReports(
                *(frozen(np.concatenate(column)) for column in zip(*map(_columns, self._steps), strict=True))
            )
            self._steps = [joined]
        if not self._steps:
            # Not kept: how many columns the first steps will have is not known yet.
            nothing = np.zeros(0)
            return StepReports(frozen(nothing, np.int64), frozen(nothing), frozen(nothing), frozen(np.zeros((0, 0))))
        return self._steps[0]

    def copy(self) -> Self:
        """Return a history of its own that begins with the same reports."""
        copy = type(self)(self.latent_dim)
        if self._steps:
            copy.add_steps(self.steps())
        copy.held_out.extend(self.held_out)
        copy.notes.extend(self.notes)
        return copy

    def until(self, step: int) -> Self:
        """Return a history of its own of what was reported up to a step."""
        result, steps = type(self)(self.latent_dim), self.steps()
        kept = int(np.searchsorted(steps.step, step, side="right"))
        if kept:
            result.add_steps(StepReports(*(frozen(column[:kept]) for column in _columns(steps))))
        result.held_out.extend(report for report in self.held_out if report.step <= step)
        result.notes.extend(note for note in self.notes if note.step <= step)
        return result

    def to_arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return the numeric columns under the names that `from_arrays` reads; notes go with the text metadata."""
        steps = self.steps()
        kl_columns = max((len(report.means.kl_per_dimension) for report in self.held_out), default=0)
        rows = np.array([_held_out_row(report) for report in self.held_out], np.float64).reshape(
            -1, len(_HELD_OUT_COLUMNS)
        )
        per_dimension = np.array([report.means.kl_per_dimension for report in self.held_out], np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            kl_per_dimension = steps.kl_per_dimension.astype(np.float32)
        return {
            "steps.step": steps.step,
            "steps.nll": steps.nll,
            "steps.kl": steps.kl,
            "steps.kl_per_dimension": kl_per_dimension,
            "held_out.rows": rows,
            "held_out.kl_per_dimension": per_dimension.reshape(len(self.held_out), kl_columns),
        }

    @classmethod
    def from_arrays(cls, latent_dim: int, arrays: Mapping[str, np.ndarray[Any, Any]], notes: list[RunNote]) -> Self:
        """Return the history that `to_arrays` wrote.

        Raises KeyError, ValueError or OverflowError for columns that are missing, ragged or hold what no run reports.
        """
        history = cls(latent_dim)
        names = ("steps.step", "steps.nll", "steps.kl", "steps.kl_per_dimension")
        columns = [np.asarray(arrays[name]) for name in names]
        if len({len(column) for column in columns}) != 1:
            raise ValueError("the history's columns differ in length")
        numbers = columns[0]
        if len(numbers):
            if not 0 < numbers[0] <= numbers[-1] <= LAST_STEP or (numbers[1:] <= numbers[:-1]).any():
                raise ValueError("its steps do not rise from 1")
            # A damaged file may hold NaNs that numpy warns of when it widens them; a NaN is a gap in the curve.
            with np.errstate(invalid="ignore"):
                wide = [frozen(column, np.float64) for column in columns[1:]]
            history.add_steps(StepReports(frozen(numbers, np.int64), *wide))
        for row, per_dimension in zip(arrays["held_out.rows"], arrays["held_out.kl_per_dimension"], strict=True):
            step, epoch, nll, kl, num_images, complete = (float(value) for value in row)
            if not (0 <= step <= LAST_STEP and 0 <= epoch <= LAST_STEP and 0 <= num_images <= LAST_STEP):
                raise ValueError(f"an evaluation of {num_images:g} images after step {step:g}, epoch {epoch:g}")
            # A KL that is NaN is not one that is undefined: a model without KL has no shares of it either.
            means = ElboMeans(nll, kl if len(per_dimension) else None, tuple(float(value) for value in per_dimension))
            history.add_held_out(HeldOutReport(int(step), epoch, means, int(num_images), bool(complete)))
        history.notes.extend(notes)
        return history


def _columns(reports: StepReports) -> tuple[np.ndarray[Any, Any], ...]:
    return reports.step, reports.nll, reports.kl, reports.kl_per_dimension


def _held_out_row(report: HeldOutReport) -> tuple[float, ...]:
    kl = np.nan if report.means.kl is None else report.means.kl
    return report.step, report.epoch, report.means.nll, kl, report.num_images, report.complete
