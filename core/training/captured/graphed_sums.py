"""The costs of held-out images on a card, many pieces in one CUDA graph."""

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from core.models.picture_model import PictureModel
from core.objectives.terms import Objective
from core.training.captured.cuda_graph import MOST, GraphedWork
from core.training.held_out import PIECE, HeldOutImages
from core.training.summing import EagerSums, summed


class GraphedSums:
    """The evaluation of a whole piece captured and replayed; the last piece, where it is smaller, comes eagerly."""

    def __init__(self, images: HeldOutImages, model: PictureModel, objective: Objective) -> None:
        """Capture the evaluation of pieces.  Raises RuntimeError where the card cannot do it."""
        self._images = images
        self._model = model
        self._objective = objective
        self._eager = EagerSums(images, model, objective)
        self._places = torch.zeros(MOST, PIECE, dtype=torch.int64, device=images.device)
        self._pieces = GraphedWork(self._of_one, images.device)

    def of(self, pieces: range) -> Float64[Tensor, "pieces cost_columns"]:
        """Return the sums of each piece."""
        self._images.fill(pieces)
        sums, start = [], pieces.start
        whole = sum(self._images.size_of(piece) == PIECE for piece in pieces)
        while times := self._pieces.fitting(whole):
            sums.append(self._of_alike(range(start, start + times)))
            start, whole = start + times, whole - times
        if start < pieces.stop:
            sums.append(self._eager.of(range(start, pieces.stop)))
        return torch.cat(sums)

    def _of_alike(self, pieces: range) -> Float64[Tensor, "pieces cost_columns"]:
        places = torch.from_numpy(np.stack([self._images.places_of(piece) for piece in pieces]))
        self._places[: len(pieces)].copy_(places, non_blocking=True)
        return self._pieces.replay([self._images.seed_of(piece) for piece in pieces])

    @torch.no_grad()
    def _of_one(self, number: int, generator: torch.Generator) -> Float64[Tensor, "cost_columns"]:
        return summed(self._objective.terms(self._model, self._images.batch(self._places[number]), generator))
