"""How fast a run is, by a clock that never goes back."""

import math
import time
from collections.abc import Callable

# Work is pulled every few hundredths of a second; a longer gap is a pause, or the machine slept.
_PAUSE_SECONDS = 1.0
_SMOOTHING_SECONDS = 2.0

Clock = Callable[[], float]


class Pace:
    """Images a second, smoothed over two seconds of work, and the time that is left; pauses do not count."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self.now = clock
        self.images_per_second = 0.0
        self.last_seconds = 0.0
        """How long the last work took, without what lay between."""
        self._begun = 0.0
        self._ended: float | None = None
        self._images = 0
        self._seconds = 0.0

    def begin(self) -> None:
        """Note that work begins; the gap since the last work counts towards the time left unless it was a pause."""
        self._begun = self.now()
        if self._ended is not None and self._begun - self._ended <= _PAUSE_SECONDS:
            self._seconds += max(self._begun - self._ended, 0.0)

    def end(self, num_images: int) -> None:
        """Note that the work is done, and on how many images it trained: none, if it was something else."""
        self._ended = self.now()
        self.last_seconds = max(self._ended - self._begun, 1e-9)
        self._images += num_images
        self._seconds += self.last_seconds
        if num_images:
            rate = num_images / self.last_seconds
            share = 1.0 - math.exp(-self.last_seconds / _SMOOTHING_SECONDS)
            self.images_per_second += (share if self.images_per_second else 1.0) * (rate - self.images_per_second)

    def seconds_for(self, num_images: float) -> float | None:
        """Return how long so many more images will take at the run's mean pace; None before anything was measured."""
        return num_images * self._seconds / self._images if self._images else None
