"""What happens when training goes wrong: steps that are not finite are skipped, and a run of bad ones is undone."""

from collections import deque
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from jaxtyping import Bool, Float64

from core.training.steps import GuardedStepper, Snapshot

STREAK_TO_HALT: Final = 3
"""So many steps in a row that are not finite are undone, with whatever the chunk took after them."""
MAX_ROLLBACKS: Final = 3
SNAPSHOT_STEPS: Final = 256
"""Good states are kept at multiples of this step, hence the same ones whatever the chunk."""

EXPLOSION_FACTOR: Final = 10.0
"""A loss that is so many times the best one has exploded, though it be finite."""
EXPLOSION_WARNING: Final = 50
EXPLOSION_STEPS: Final = 200
"""So many steps in a row with an exploded loss are undone."""
_BLOCK = 50
# Losses near zero, and those of densities, which cross it, are compared on the scale of one nat an image.
_LEAST_SCALE = 1.0


class Divergence:
    """Counts steps in a row that went wrong, and keeps the two latest good states."""

    def __init__(self, stepper: GuardedStepper, step: int) -> None:
        self._stepper = stepper
        self._good = deque([stepper.snapshot(step)], maxlen=2)
        self._streak = 0
        self._explosion = _Explosion()
        self.rollbacks = 0

    @property
    def halted(self) -> bool:
        """Whether what counts of the steps ended in too many that went wrong: it is time to `roll_back`."""
        return self._streak == STREAK_TO_HALT or self.exploded

    @property
    def exploded(self) -> bool:
        """Whether the loss, though finite, was far above its best for too long."""
        return self._explosion.streak >= EXPLOSION_STEPS

    @property
    def complaint(self) -> str:
        """What halted the run, as part of a sentence."""
        if self.exploded:
            return self._explosion.text(EXPLOSION_STEPS)
        return f"loss or gradient was not finite {STREAK_TO_HALT} times in a row"

    @property
    def warning(self) -> str:
        """What a warning says, a sentence without its full stop."""
        return self._explosion.text(EXPLOSION_WARNING)

    def count_kept(
        self, skipped: Bool[np.ndarray, "steps"], loss: Float64[np.ndarray, "steps"]
    ) -> tuple[int, int | None]:
        """Return how many steps of a chunk count, those up to one that halts the run, and the row of a warning.

        Rows that were skipped have no loss worth the name.
        """
        warning = None
        for row, (was_skipped, value) in enumerate(zip(skipped.tolist(), loss.tolist(), strict=True)):
            self._streak = self._streak + 1 if was_skipped else 0
            if not was_skipped and self._explosion.take(value) == EXPLOSION_WARNING:
                warning = row
            if self.halted:
                return row + 1, warning
        return len(skipped), warning

    def forget_best(self) -> None:
        """Measure losses against those to come: what is minimised has been changed."""
        self._explosion = _Explosion()

    def remember(self, step: int) -> None:
        """Keep the state after `step` as a good one, if it is time to and nothing is amiss."""
        amiss = self._streak or self._explosion.streak
        if step % SNAPSHOT_STEPS == 0 and not amiss and self._good[-1].step < step:
            self._good.append(self._stepper.snapshot(step))

    def roll_back(self) -> int:
        """Restore the newest good state, the next time the one before; return the step it stood at."""
        snapshot: Snapshot = self._good.pop() if len(self._good) > 1 else self._good[0]
        self._stepper.restore(snapshot)
        self._streak = 0
        self._explosion.begin_again()
        self.rollbacks += 1
        return snapshot.step

    def to_arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return what was counted, under the names that `load` reads; the good states are not among it."""
        counts = [self._streak, self.rollbacks, *self._explosion.state()]
        return {"run.divergence": np.array(counts, np.float64)}

    def load(self, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
        """Count on from what was kept; what cannot be a count is passed over."""
        kept = arrays.get("run.divergence")
        if kept is None or kept.shape != (6,) or not np.isfinite(kept[[0, 1, 3, 4, 5]]).all() or np.isnan(kept[2]):
            return
        streak, rollbacks, *explosion = kept.tolist()
        self._streak = min(max(int(streak), 0), STREAK_TO_HALT - 1)
        self.rollbacks = min(max(int(rollbacks), 0), MAX_ROLLBACKS)
        self._explosion = _Explosion(*explosion)


class _Explosion:
    """How many steps in a row cost far more than the best so far, as the mean of a block of steps tells it."""

    def __init__(self, best: float = np.inf, total: float = 0.0, count: float = 0.0, streak: float = 0.0) -> None:
        self.best = best
        self._total = total
        self._count = int(count)
        self.streak = int(streak)

    def take(self, loss: float) -> int:
        """Count a step; return how many have exploded in a row."""
        if self.best == np.inf:
            # Of untrained weights: there is nothing yet that a single batch could be an exception from.
            self.best = loss
        scale = max(abs(self.best), _LEAST_SCALE)
        self.streak = self.streak + 1 if loss > self.best + (EXPLOSION_FACTOR - 1.0) * scale else 0
        self._total += loss
        self._count += 1
        if self._count == _BLOCK:
            self.best = min(self.best, self._total / _BLOCK)
            self._total, self._count = 0.0, 0
        return self.streak

    def text(self, num_steps: int) -> str:
        """Return how it shows, as part of a sentence."""
        return f"for {num_steps} steps the loss was more than {EXPLOSION_FACTOR:g} times its best, {self.best:.4g} nats"

    def begin_again(self) -> None:
        """Count from here; the best stays the best."""
        self._total, self._count, self.streak = 0.0, 0, 0

    def state(self) -> tuple[float, float, float, float]:
        return self.best, self._total, self._count, self.streak
