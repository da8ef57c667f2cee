"""What held-out images cost, summed piece by piece: one operation after another, or captured and replayed."""

from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float64
from torch import Tensor

from core.models.picture_model import PictureModel
from core.objectives.terms import ElboTerms, Objective
from core.training.held_out import HeldOutImages

Sums = Float64[Tensor, "cost_columns"]


@runtime_checkable
class PieceSums(Protocol):
    """Sums the costs of pieces of the held-out images.  However that is done, the sums are the same bit for bit."""

    def of(self, pieces: range) -> Float64[Tensor, "pieces cost_columns"]:
        """Return of each piece its NLL, and the KL of each dimension where there is one, in nats."""


def summed(terms: ElboTerms) -> Sums:
    """Return the costs of some images together."""
    sums = [terms.nll.sum(dtype=torch.float64).reshape(1)]
    if terms.kl_per_dimension is not None:
        sums.append(terms.kl_per_dimension.sum(dim=0, dtype=torch.float64))
    return torch.cat(sums)


class EagerSums:
    """Every operation by itself, in parts where memory is short: the reference for any other way."""

    def __init__(self, images: HeldOutImages, model: PictureModel, objective: Objective) -> None:
        self._images = images
        self._model = model
        self._objective = objective

    def of(self, pieces: range) -> Float64[Tensor, "pieces cost_columns"]:
        """Return the sums of each piece."""
        return torch.stack([self._of_one(piece) for piece in pieces])

    @torch.no_grad()
    def _of_one(self, piece: int) -> Sums:
        x, generator = self._images.piece(piece)
        sums = [
            summed(self._objective.terms(self._model, part, generator))
            for part in torch.split(x, self._images.per_call)
        ]
        return torch.stack(sums).sum(dim=0)
