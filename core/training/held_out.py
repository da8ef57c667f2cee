"""The cost of held-out images, at beta = 1 and with noise that never changes, so that a curve shows only the model."""

import time
from typing import TYPE_CHECKING

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from core.config import DataConfig
from core.snapshots import ElboMeans, Split
from core.tensors import Images
from core.training.randomness import Stream, stream_seed
from core.training.resident import fill_as_seen, fits_on

if TYPE_CHECKING:
    from core.training.summing import PieceSums

PIECE = 125
"""Images of one call, few enough that none takes long."""
_ROOM = 16
"""Pieces that lie on the device where not all can."""
NUM_SUBSET = 2000
"""Images of the fixed subset that is evaluated within an epoch; whole pieces."""


class HeldOutImages:
    """The held-out images as the model sees them, on the device: a seeded subset first, then the rest."""

    def __init__(self, split: Split, config: DataConfig, device: torch.device) -> None:
        self._images = split.images
        self._config = config
        order = np.random.default_rng(config.data_seed).permutation(len(split)).astype(np.int64)
        self._order = order
        self.device = device
        num_pixels = split.images.shape[1] * split.images.shape[2]
        self._kept = fits_on(device, len(split) * num_pixels)
        """Whether what was made once is kept; else pieces are made anew in the place of others."""
        self.room = max(self.num_pieces, 1) if self._kept else _ROOM
        """How many pieces there is room for at once."""
        num_rows = len(split) if self._kept else PIECE * _ROOM
        self._seen = torch.empty((num_rows, num_pixels), dtype=torch.uint8, device=device)
        self._filled = 0  # pieces
        self._generator = torch.Generator(device)
        self.per_call = PIECE
        """How many images are evaluated at once; fewer where memory is short, none where it suffices for none."""

    def __len__(self) -> int:
        return len(self._order)

    @property
    def num_subset(self) -> int:
        """How many images the subset has."""
        return min(NUM_SUBSET, len(self))

    @property
    def evaluates_whole_pieces(self) -> bool:
        """Whether memory suffices for that."""
        return self.per_call == PIECE

    def take_fewer(self) -> bool:
        """Evaluate half as many at once; return whether any are left."""
        self.per_call //= 2
        return self.per_call > 0

    @property
    def num_pieces(self) -> int:
        """How many pieces they come in; the last may be smaller."""
        return -(-len(self) // PIECE)

    def size_of(self, piece: int) -> int:
        """Return how many images a piece has."""
        return min(PIECE, len(self) - piece * PIECE)

    def places_of(self, piece: int) -> Int64[np.ndarray, "n"]:
        """Return where the images of a piece lie."""
        start = piece % self.room * PIECE
        return np.arange(start, start + self.size_of(piece), dtype=np.int64)

    def seed_of(self, piece: int) -> int:
        """Return the seed of a piece's noise, always the same."""
        return stream_seed(self._config.data_seed, Stream.HELD_OUT, piece)

    def fill(self, pieces: range) -> None:
        """Make what the model sees of these pieces, no more than there is room for."""
        # One draw for each image, made when it is first needed: all at once would hold up the start.
        for piece in range(self._filled, pieces.stop) if self._kept else pieces:
            row = piece % self.room * PIECE
            indices = self._order[piece * PIECE : (piece + 1) * PIECE]
            fill_as_seen(self._seen[row : row + len(indices)], self._images, indices, self._config)
        self._filled = max(self._filled, pieces.stop)

    def batch(self, indices: Int64[Tensor, "n"]) -> Images:
        """Return the x of images that have been filled in."""
        return self._seen.index_select(0, indices).float().div_(255.0)

    def piece(self, piece: int) -> tuple[Images, torch.Generator]:
        """Return the x of a piece, and the generator of its noise."""
        self.fill(range(piece, piece + 1))
        places = torch.from_numpy(self.places_of(piece)).to(self.device)
        return self.batch(places), self._generator.manual_seed(self.seed_of(piece))


class Evaluation:
    """One pass over held-out images, advanced some pieces at a time so that commands are heard in between."""

    def __init__(self, images: HeldOutImages, sums: "PieceSums", *, has_prior: bool, complete: bool) -> None:
        self.images = images
        self._sums_of = sums
        self._has_prior = has_prior
        self._num_images = len(images) if complete else images.num_subset
        self._num_pieces = -(-self._num_images // PIECE)
        self._sums: list[Tensor] = []
        self._done, self._last = 0, 1
        self._seconds_per_piece = float("inf")

    def advance(self, seconds: float) -> bool:
        """Evaluate pieces for about so long, at least one; return whether any are left."""
        # Pieces that are seen for the first time take longer than those that were: no leap is taken on their account.
        fits = min(int(seconds / self._seconds_per_piece), 2 * self._last, self.images.room)
        pieces = range(self._done, min(self._done + max(fits, 1), self._num_pieces))
        start = time.perf_counter()
        self._sums.append(self._sums_of.of(pieces))
        if self.images.device.type == "cuda":
            # Else it would be measured how quickly the card is asked, and all be asked for at once.
            torch.cuda.synchronize(self.images.device)
        # What else the machine does only adds time.
        self._seconds_per_piece = min(self._seconds_per_piece, (time.perf_counter() - start) / len(pieces))
        self._done, self._last = pieces.stop, len(pieces)
        return self._done < self._num_pieces

    def means(self) -> list[tuple[int, ElboMeans]]:
        """Return (number of images, means) over the subset and, where more were evaluated, over all of them."""
        sums = torch.cat(self._sums).cpu().numpy()
        counts = np.minimum(np.arange(1, self._num_pieces + 1) * PIECE, self._num_images)
        totals = np.cumsum(sums, axis=0)
        wanted = sorted({self.images.num_subset, self._num_images})
        return [
            (int(counts[row]), self._means_of(totals[row] / counts[row])) for row in np.searchsorted(counts, wanted)
        ]

    def _means_of(self, row: np.ndarray[tuple[int], np.dtype[np.float64]]) -> ElboMeans:
        per_dimension = tuple(float(value) for value in row[1:])
        kl = float(row[1:].sum()) if self._has_prior else None
        return ElboMeans(float(row[0]), kl, per_dimension)
