"""The cost of held-out images, at beta = 1 and with noise that never changes, so that a curve shows only the model."""

from collections.abc import Iterator

import numpy as np
import torch

from core.config import DataConfig
from core.models.picture_model import PictureModel
from core.objectives.terms import Objective
from core.snapshots import ElboMeans, Split
from core.training.randomness import Stream, reseed
from core.training.resident import fill_as_seen, fits_on

PIECE = 125
"""Images of one call, few enough that none takes long."""
NUM_SUBSET = 2000
"""Images of the fixed subset that is evaluated within an epoch; whole pieces."""


class HeldOutImages:
    """The held-out images as the model sees them, on the device: a seeded subset first, then the rest."""

    def __init__(self, split: Split, config: DataConfig, device: torch.device) -> None:
        self._images = split.images
        self._config = config
        order = np.random.default_rng(config.data_seed).permutation(len(split)).astype(np.int64)
        self._order = order
        num_pixels = split.images.shape[1] * split.images.shape[2]
        self._kept = fits_on(device, len(split) * num_pixels)
        """Whether what was made once is kept; else every piece is made anew in the place of the first."""
        self._seen = torch.empty((len(split) if self._kept else PIECE, num_pixels), dtype=torch.uint8, device=device)
        self._filled = 0
        self._generator = torch.Generator(device)
        self.per_call = PIECE
        """How many images are evaluated at once; fewer where memory is short, none where it suffices for none."""

    def __len__(self) -> int:
        return len(self._order)

    @property
    def num_subset(self) -> int:
        """How many images the subset has."""
        return min(NUM_SUBSET, len(self))

    def take_fewer(self) -> bool:
        """Evaluate half as many at once; return whether any are left."""
        self.per_call //= 2
        return self.per_call > 0

    def pieces(self, num_images: int) -> Iterator[tuple[torch.Tensor, torch.Generator]]:
        """Yield x of the first images, piece after piece, each with the generator of its fixed noise."""
        for start in range(0, num_images, PIECE):
            stop = min(start + PIECE, num_images)
            seen = self._seen[start:stop] if self._kept else self._seen[: stop - start]
            if not self._kept or stop > self._filled:
                # One draw for each image, made when it is first needed: all at once would hold up the start.
                fill_as_seen(seen, self._images, self._order[start:stop], self._config)
                self._filled = stop
            reseed(self._generator, self._config.data_seed, Stream.HELD_OUT, start // PIECE)
            yield seen.float().div_(255.0), self._generator


class Evaluation:
    """One pass over held-out images, advanced piece by piece so that commands are heard in between."""

    def __init__(self, images: HeldOutImages, model: PictureModel, objective: Objective, *, complete: bool) -> None:
        self._images = images
        self._model = model
        self._objective = objective
        self._num_images = len(images) if complete else images.num_subset
        self._pieces = images.pieces(self._num_images)
        self._sums: list[torch.Tensor] = []
        self._counts: list[int] = []

    @torch.no_grad()
    def advance(self) -> bool:
        """Evaluate the next piece; return False when there was none left."""
        piece = next(self._pieces, None)
        if piece is None:
            return False
        x, generator = piece
        for part in torch.split(x, self._images.per_call):
            terms = self._objective.terms(self._model, part, generator)
            sums = [terms.nll.sum(dtype=torch.float64).reshape(1)]
            if terms.kl_per_dimension is not None:
                sums.append(terms.kl_per_dimension.sum(dim=0, dtype=torch.float64))
            self._sums.append(torch.cat(sums))
            self._counts.append(len(part))
        return True

    def means(self) -> list[tuple[int, ElboMeans]]:
        """Return (number of images, means) over the subset and, where more were evaluated, over all of them."""
        sums = torch.stack(self._sums).cpu().numpy()
        counts = np.cumsum(self._counts)
        totals = np.cumsum(sums, axis=0)
        wanted = sorted({self._images.num_subset, self._num_images})
        return [
            (int(counts[row]), self._means_of(totals[row] / counts[row])) for row in np.searchsorted(counts, wanted)
        ]

    def _means_of(self, row: np.ndarray[tuple[int], np.dtype[np.float64]]) -> ElboMeans:
        per_dimension = tuple(float(value) for value in row[1:])
        kl = float(row[1:].sum()) if self._model.has_prior else None
        return ElboMeans(float(row[0]), kl, per_dimension)
