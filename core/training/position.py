"""Where in its training a model stands, and how that is kept with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from core.history import LAST_STEP

# A file may claim more; what counts epochs has 64 bits.
_MOST_EPOCHS = 2.0**31
_NAMES = ("step", "epoch", "batch", "batches_per_epoch")


@dataclass(frozen=True, slots=True)
class Position:
    """Steps and epochs done, and batches done of the epoch under way."""

    step: int
    epoch: int
    batch: int
    batches_per_epoch: int

    @property
    def epochs(self) -> float:
        """Epochs done, the fraction included."""
        return self.epoch + self.batch / self.batches_per_epoch

    def images_seen(self, batch_size: int, num_images: int) -> int:
        """Return how many images epochs and batches come to, the last batch of an epoch being what is left."""
        return self.epoch * num_images + min(self.batch * batch_size, num_images)

    def after_step(self) -> Self:
        """Return the position one step on."""
        ends_epoch = self.batch + 1 == self.batches_per_epoch
        return type(self)(
            self.step + 1,
            self.epoch + ends_epoch,
            0 if ends_epoch else self.batch + 1,
            self.batches_per_epoch,
        )

    @classmethod
    def after_epochs(cls, step: int, epochs: float, batches_per_epoch: int) -> Self:
        """Return the position `epochs` into the training, to the nearest batch."""
        whole, batch = divmod(round(min(epochs, _MOST_EPOCHS) * batches_per_epoch), batches_per_epoch)
        return cls(step, whole, batch, batches_per_epoch)

    def with_batches(self, batches_per_epoch: int) -> Self:
        """Return the same share of an epoch where epochs have another number of batches."""
        batch = min(round(self.batch / self.batches_per_epoch * batches_per_epoch), batches_per_epoch - 1)
        return type(self)(self.step, self.epoch, batch, batches_per_epoch)

    def to_arrays(self) -> dict[str, np.ndarray[Any, Any]]:
        """Return the numbers under the names that `from_arrays` reads."""
        return {f"run.{name}": np.array(getattr(self, name), np.int64) for name in _NAMES}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray[Any, Any]], last_step: int) -> Self:
        """Return the position that was kept.  Raises ValueError for what cannot be that after `last_step` steps."""
        values = []
        for name in _NAMES:
            array = arrays.get(f"run.{name}")
            if array is None or array.size != 1 or array.dtype.kind != "i":
                raise ValueError(f"run.{name} is missing or not one whole number")
            values.append(int(array.reshape(())))
        step, epoch, batch, batches_per_epoch = values
        if min(step, epoch, batch) < 0 or not batch < batches_per_epoch or max(values) > LAST_STEP:
            raise ValueError(f"step {step}, epoch {epoch}, batch {batch} of {batches_per_epoch} is no position")
        if step != last_step:
            raise ValueError(f"it is that of step {step}, but the curves end at step {last_step}")
        return cls(step, epoch, batch, batches_per_epoch)
