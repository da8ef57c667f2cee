"""How many steps are taken between two looks at them, chosen by how long the first ones took."""

from typing import Final

CHUNK_SECONDS: Final = 0.03
MAX_STEPS: Final = 256
# The first steps of all wait for memory and for torch's first use of everything.
_WARM_UP_CHUNKS: Final = 2
_ENOUGH_SECONDS: Final = 0.1
_ENOUGH_CHUNKS: Final = 6


class ChunkLength:
    """Steps of a chunk: one at first, growing while it is measured, then as many as fit in about 30 ms, and kept."""

    def __init__(self, steps: int | None = None) -> None:
        self.steps = steps or 1
        self.chosen = steps is not None
        self._chunks = 0
        self._seconds = 0.0
        self._best = float("inf")

    def measured(self, num_steps: int, seconds: float) -> bool:
        """Take in how long a chunk lasted; return whether the choice was made just now."""
        if self.chosen:
            return False
        self._chunks += 1
        if self._chunks <= _WARM_UP_CHUNKS:
            return False
        # Whatever else the machine does only adds time: the quickest chunk says most about the steps.
        self._best = min(self._best, seconds / num_steps)
        self._seconds += seconds
        self.chosen = self._seconds >= _ENOUGH_SECONDS and self._chunks >= _WARM_UP_CHUNKS + _ENOUGH_CHUNKS
        fits = round(CHUNK_SECONDS / self._best)
        self.steps = max(1, min(fits if self.chosen else 2 * self.steps, fits, MAX_STEPS))
        return self.chosen
