"""How many steps are taken between two looks at them, chosen by how long the first ones took."""

from typing import Final

CHUNK_SECONDS: Final = 0.03
MAX_STEPS: Final = 256
# The first steps of all wait for memory and for torch's first use of everything.
_WARM_UP_CHUNKS: Final = 2
_ENOUGH_SECONDS: Final = 0.1
_ENOUGH_CHUNKS: Final = 6
_CHUNKS_TO_GROW: Final = 32


class ChunkLength:
    """Steps of a chunk: one at first, growing while it is measured, then as many as fit in about 30 ms.

    Chosen once, but for a run that began while the machine was busy: where steps turn out to take half the time or
    less, a chunk becomes longer.  What is computed does not depend on it.
    """

    def __init__(self, steps: int | None = None) -> None:
        self.steps = steps or 1
        self.chosen = self._fixed = steps is not None
        self._chunks = 0
        self._seconds = 0.0
        self._best = float("inf")

    def measured(self, num_steps: int, seconds: float) -> bool:
        """Take in how long a chunk lasted; return whether the choice was made just now."""
        if self._fixed:
            return False
        self._chunks += 1
        if not self.chosen and self._chunks <= _WARM_UP_CHUNKS:
            return False
        # Whatever else the machine does only adds time: the quickest chunk says most about the steps.
        self._best = min(self._best, seconds / num_steps)
        if self.chosen:
            self._grow()
            return False
        self._seconds += seconds
        self.chosen = self._seconds >= _ENOUGH_SECONDS and self._chunks >= _WARM_UP_CHUNKS + _ENOUGH_CHUNKS
        self.steps = self._fitting() if self.chosen else min(2 * self.steps, self._fitting())
        if self.chosen:
            self._begin_anew()
        return self.chosen

    def _grow(self) -> None:
        if self._chunks == _CHUNKS_TO_GROW:
            if self._fitting() >= 2 * self.steps:
                self.steps = self._fitting()
            self._begin_anew()

    def _begin_anew(self) -> None:
        self._chunks, self._best = 0, float("inf")

    def _fitting(self) -> int:
        return max(1, min(round(CHUNK_SECONDS / self._best), MAX_STEPS))
