"""Training images that stay where the data set has them, those of the next steps brought to the device in time.

What a step is made of is the same either way, so the weights are those of resident images, bit for bit.
"""

from collections.abc import Callable, Iterator, Sequence
from threading import Thread
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from core.config import DataConfig
from core.data.dataset import ProgressCallback
from core.stored_pictures import Pictures
from core.training.resident import PIECE, ResidentImages, fits_on, greys_of
from core.training.taking import PlannedSteps

STAGED_BYTES: Final = 64 * 2**20
"""What lies on the device of images that are streamed, or one batch where that is more; and as much is read ahead."""

Rows = np.ndarray[Any, np.dtype[np.int64]]


def place_images(
    images: Pictures,
    config: DataConfig,
    device: torch.device,
    batch_size: int,
    progress: ProgressCallback | None = None,
) -> ResidentImages:
    """Return the training images on the device where they fit on it, else streamed to it."""
    if fits_on(device, images.nbytes):
        return ResidentImages(images, config, device, progress)
    return StreamedImages(images, config, device, batch_size)


def staged(images: ResidentImages, planned: PlannedSteps, following: Sequence[Tensor] = ()) -> Iterator[PlannedSteps]:
    """Yield the steps in parts, with indices as `images.batch` takes them; each is taken before the next is asked for.

    `following` are the indices of steps that are likely to come then, whose images may be read meanwhile.  Raises
    StoredPicturesError where the images' file is not what it was.
    """
    if isinstance(images, StreamedImages):
        yield from images.staged(planned, following)
    else:
        yield planned


class StreamedImages(ResidentImages):
    """As many images on the device as some steps need; `batch` takes places among those.

    While steps are taken another thread reads what the next ones need.
    """

    place = "streamed"

    def __init__(self, images: Pictures, config: DataConfig, device: torch.device, batch_size: int) -> None:
        self.dynamic = config.binarisation == "dynamic"
        self.indices_on = torch.device("cpu")
        self._images = images
        self._config = config
        num_pixels = images.shape[1] * images.shape[2]
        num_rows = min(max(STAGED_BYTES // num_pixels, batch_size), len(images))
        # Always this one: a captured step reads from where it was when it was captured.
        self._bytes = torch.empty((num_rows, num_pixels), dtype=torch.uint8, device=device)
        self._places = torch.arange(num_rows, device=device)
        on_card = device.type == "cuda"
        self._read = torch.empty(self._bytes.shape, dtype=torch.uint8, pin_memory=on_card)
        self._copied = torch.cuda.Event() if on_card else None  # type: ignore[no-untyped-call]
        self._ahead: _Ahead | None = None

    def __len__(self) -> int:
        return len(self._images)

    def staged(self, planned: PlannedSteps, following: Sequence[Tensor]) -> Iterator[PlannedSteps]:
        """Yield the steps in parts whose images lie on the device until the next part is asked for."""
        start, steps = 0, [*planned.indices, *following]
        while start < len(planned):
            end = min(self._end_of_part(steps, start, self._rows_ahead(steps[start])), len(planned))
            after = self._end_of_part(steps, end, len(self._bytes)) if end < len(steps) else end
            self._bring(_rows(steps[start:end]), _rows(steps[end:after]))
            part = planned.part(start, end)
            sizes = [len(indices) for indices in part.indices]
            places = torch.split(self._places[: sum(sizes)], sizes)
            yield PlannedSteps(list(places), part.seeds, part.betas, part.rates)
            start = end

    def _rows_ahead(self, first: Tensor) -> int:
        """Return how many images a part that begins with these may have: as many as are read already, if any are."""
        ahead = self._ahead
        if ahead is None or not np.array_equal(ahead.rows[: len(first)], first.numpy()):
            return len(self._bytes)
        return len(ahead.rows)

    def _end_of_part(self, steps: list[Tensor], start: int, most: int) -> int:
        """Return the step before which the images of those from `start` on are at most so many; one is always."""
        count, end = len(steps[start]), start + 1
        while end < len(steps) and count + len(steps[end]) <= most:
            count += len(steps[end])
            end += 1
        return end

    def _bring(self, rows: Rows, following: Rows) -> UInt8[Tensor, "n pixels"]:
        """Bring images to the device, after whatever it still does with those before; begin to read the next ones."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.join()
        if ahead is None or not ahead.holds(rows):
            self._read_now(rows)
        elif ahead.error is not None:
            raise ahead.error
        result = self._bytes[: len(rows)]
        result.copy_(self._read[: len(rows)], non_blocking=True)
        if self._copied is not None:
            self._copied.record()
        if len(following):
            self._ahead = _Ahead(following, self._read_now)
            self._ahead.start()
        return result

    def _read_now(self, rows: Rows) -> None:
        """Read images, by whichever thread; nothing of torch's computes here, which would have threads of its own."""
        if self._copied is not None:
            self._copied.synchronize()
        target = self._read.numpy()
        for start in range(0, len(rows), PIECE):
            piece = rows[start : start + PIECE]
            target[start : start + len(piece)] = greys_of(self._images, piece, self._config)

    def _pieces(self) -> Iterator[UInt8[Tensor, "n pixels"]]:
        step, total = len(self._bytes), len(self)
        for start in range(0, total, step):
            rows, following = (np.arange(first, min(first + step, total)) for first in (start, start + step))
            yield self._bring(rows, following)


class _Ahead(Thread):
    """Reads images while the processor does something else; it ends by itself, so that nobody has to end it."""

    def __init__(self, rows: Rows, read: Callable[[Rows], None]) -> None:
        super().__init__(name="images", daemon=True)
        self.rows = rows
        self.error: Exception | None = None
        self._read = read

    def run(self) -> None:
        """Read, or keep why that was not possible."""
        try:
            self._read(self.rows)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised where the images are needed
            self.error = error
        finally:
            # It knows the images, which know this thread: neither would be let go of by itself.
            del self._read

    def holds(self, rows: Rows) -> bool:
        """Whether these are the first of them."""
        return np.array_equal(self.rows[: len(rows)], rows)


def _rows(steps: Sequence[Tensor]) -> Rows:
    return torch.cat(list(steps)).numpy() if steps else np.arange(0)
