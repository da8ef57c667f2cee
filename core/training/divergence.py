"""What happens when steps are not finite: skipped one by one, rolled back at the third in a row."""

from collections import deque
from typing import Final

import numpy as np

from core.training.steps import GuardedStepper, Snapshot

STREAK_TO_HALT: Final = 3
"""So many steps in a row that are not finite are undone, with whatever the chunk took after them."""
MAX_ROLLBACKS: Final = 3
SNAPSHOT_STEPS: Final = 256
"""Good states are kept at multiples of this step, hence the same ones whatever the chunk."""


class Divergence:
    """Counts steps in a row that were not finite, and keeps the two latest good states."""

    def __init__(self, stepper: GuardedStepper, step: int) -> None:
        self._stepper = stepper
        self._good = deque([stepper.snapshot(step)], maxlen=2)
        self._streak = 0
        self.rollbacks = 0

    @property
    def halted(self) -> bool:
        """Whether what counts of the steps ended in too many that were not finite: it is time to `roll_back`."""
        return self._streak == STREAK_TO_HALT

    def count_kept(self, skipped: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> int:
        """Return how many steps of a chunk count: those up to the third in a row that was not finite."""
        for row, was_skipped in enumerate(skipped.tolist()):
            self._streak = self._streak + 1 if was_skipped else 0
            if self.halted:
                return row + 1
        return len(skipped)

    def remember(self, step: int) -> None:
        """Keep the state after `step` as a good one, if it is time to and nothing is amiss."""
        if step % SNAPSHOT_STEPS == 0 and self._streak == 0 and self._good[-1].step < step:
            self._good.append(self._stepper.snapshot(step))

    def roll_back(self) -> int:
        """Restore the newest good state, the next time the one before; return the step it stood at."""
        snapshot: Snapshot = self._good.pop() if len(self._good) > 1 else self._good[0]
        self._stepper.restore(snapshot)
        self._streak = 0
        self.rollbacks += 1
        return snapshot.step
