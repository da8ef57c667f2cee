"""Training images that stay where the data set has them, those of the next steps brought to the device in time.

What a step is made of is the same either way, so the weights are those of resident images, bit for bit.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from core.config import DataConfig
from core.data.dataset import ProgressCallback
from core.stored_pictures import Pictures
from core.training.resident import ResidentImages, fill_with_greys, fits_on
from core.training.taking import PlannedSteps

STAGED_BYTES: Final = 64 * 2**20
"""What lies on the device of images that are streamed, or one batch where that is more."""


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


def staged(images: ResidentImages, planned: PlannedSteps) -> Iterator[PlannedSteps]:
    """Yield the steps in parts, with indices as `images.batch` takes them; each is taken before the next is asked for.

    Raises StoredPicturesError where the images' file is not what it was.
    """
    if isinstance(images, StreamedImages):
        yield from images.staged(planned)
    else:
        yield planned


class StreamedImages(ResidentImages):
    """As many images on the device as some steps need; `batch` takes places among those."""

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
        self._filled = torch.empty(self._bytes.shape, dtype=torch.uint8, pin_memory=True) if on_card else self._bytes
        self._copied = torch.cuda.Event() if on_card else None  # type: ignore[no-untyped-call]

    def __len__(self) -> int:
        return len(self._images)

    def staged(self, planned: PlannedSteps) -> Iterator[PlannedSteps]:
        """Yield the steps in parts whose images lie on the device until the next part is asked for."""
        start = 0
        while start < len(planned):
            end = self._end_of_part(planned, start)
            part = planned.part(start, end)
            sizes = [len(indices) for indices in part.indices]
            self._stage(torch.cat(part.indices).numpy())
            places = torch.split(self._places[: sum(sizes)], sizes)
            yield PlannedSteps(list(places), part.seeds, part.betas, part.rates)
            start = end

    def _end_of_part(self, planned: PlannedSteps, start: int) -> int:
        """Return the step before which the images of those from `start` on fit on the device."""
        rows, end = len(planned.indices[start]), start + 1
        while end < len(planned) and rows + len(planned.indices[end]) <= len(self._bytes):
            rows += len(planned.indices[end])
            end += 1
        return end

    def _stage(self, indices: Int64[np.ndarray, "n"]) -> UInt8[Tensor, "n pixels"]:
        """Bring the images at these indices to the device, after whatever it still does with those before."""
        if self._copied is not None:
            self._copied.synchronize()
        fill_with_greys(self._filled[: len(indices)], self._images, indices, self._config)
        result = self._bytes[: len(indices)]
        if self._copied is not None:
            result.copy_(self._filled[: len(indices)], non_blocking=True)
            self._copied.record()
        return result

    def _pieces(self) -> Iterator[UInt8[Tensor, "n pixels"]]:
        for start in range(0, len(self), len(self._bytes)):
            yield self._stage(np.arange(start, min(start + len(self._bytes), len(self))))
