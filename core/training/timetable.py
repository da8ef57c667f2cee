"""Which steps a run takes, and what is due after which of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from core.history import LAST_STEP
from core.training.divergence import SNAPSHOT_STEPS
from core.training.position import Position

EVALUATIONS_PER_EPOCH: Final = 4
_MOST_EPOCHS = 2.0**32


@dataclass(frozen=True, slots=True)
class Timetable:
    """The first and the last step of a run; `total_epochs` counts those of earlier runs too."""

    first_step: int
    """The step the run stood at when it began; after a change of the batch size, where its schedule would have."""
    last_step: int
    total_epochs: float

    @classmethod
    def of_epochs(cls, position: Position, epochs: int) -> Self:
        """Return the timetable of so many epochs more."""
        last_step = position.step + epochs * position.batches_per_epoch
        return cls(position.step, last_step, position.epochs + epochs)

    def share_done(self, step: int) -> float:
        """Return how much of the run is done after `step`, 0 to 1, which a schedule of the learning rate follows."""
        return (step - self.first_step) / (self.last_step - self.first_step)

    def rebatched(self, position: Position) -> Self:
        """Return the timetable from `position` on, whose epochs have another number of batches, to the same epoch.

        The schedule goes on from the share that was done.
        """
        steps_left = max(round((self.total_epochs - position.epochs) * position.batches_per_epoch), 0)
        done = self.share_done(position.step)
        before = round(steps_left * done / (1.0 - done)) if done < 1.0 else position.step - self.first_step
        return type(self)(position.step - before, position.step + steps_left, self.total_epochs)

    def steps_to_boundary(self, position: Position) -> int:
        """Return how many steps there are to the next one after which something is due."""
        to_mark = min(mark - position.batch for mark in _marks(position) if mark > position.batch)
        to_snapshot = SNAPSHOT_STEPS - position.step % SNAPSHOT_STEPS
        return min(to_mark, to_snapshot, self.last_step - position.step)

    def ends(self, position: Position) -> bool:
        """Whether an epoch, or the run, ends here: then all held-out images are evaluated."""
        return position.batch == 0 or position.step == self.last_step

    def is_evaluation_due(self, position: Position) -> bool:
        """Whether held-out images are to be evaluated at this position."""
        return self.ends(position) or position.batch in _marks(position)

    def to_arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return the numbers under the names that `from_arrays` reads."""
        return {
            "run.first_step": np.array(self.first_step, np.int64),
            "run.last_step": np.array(self.last_step, np.int64),
            "run.total_epochs": np.array(self.total_epochs, np.float64),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray[Any, Any]], position: Position) -> Self:
        """Return the timetable that was kept.  Raises ValueError for one that cannot be that of a run at `position`."""
        values = []
        for name, kind in (("run.first_step", "i"), ("run.last_step", "i"), ("run.total_epochs", "f")):
            array = arrays.get(name)
            if array is None or array.size != 1 or array.dtype.kind != kind:
                raise ValueError(f"{name} is missing or not one number")
            values.append(array.reshape(()).item())
        first, last, total = values
        possible = abs(first) <= LAST_STEP and first <= position.step <= last <= LAST_STEP and first < last
        if not (possible and position.epochs - 1e-6 <= total <= _MOST_EPOCHS):
            raise ValueError(
                f"a run from step {first} to {last} and epoch {total:g} is not one at step {position.step}"
            )
        return cls(first, last, total)


def _marks(position: Position) -> set[int]:
    """Return after how many batches of an epoch held-out images are evaluated; the last is its end."""
    batches = position.batches_per_epoch
    return {round(batches * part / EVALUATIONS_PER_EPOCH) for part in range(1, EVALUATIONS_PER_EPOCH + 1)}
