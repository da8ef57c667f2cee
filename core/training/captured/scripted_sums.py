"""The costs of held-out images on the processor, many pieces in one call that holds no lock of Python's."""

import itertools

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from core.models.picture_model import PictureModel
from core.objectives.terms import Objective
from core.training.captured.recording import record
from core.training.captured.script import ScriptedLoop
from core.training.captured.simplifying import simplified
from core.training.held_out import HeldOutImages
from core.training.summing import summed


class ScriptedSums:
    """What an eager evaluation asks of torch, recorded once for each size of piece and replayed."""

    def __init__(self, images: HeldOutImages, model: PictureModel, objective: Objective) -> None:
        """Capture the evaluation of a piece.  Raises RuntimeError, CaptureError for one, where that cannot be done."""
        self._images = images
        self._model = model
        self._objective = objective
        self._generator = torch.Generator(images.device)
        # A loop of steps has a learning rate.
        self._rate = torch.zeros(())
        # All are of one size but the last.
        ends = {0, images.num_pieces - 1} if images.num_pieces else set()
        self._loops = {size: self._captured(size) for size in {images.size_of(piece) for piece in ends}}

    def of(self, pieces: range) -> Float64[Tensor, "pieces cost_columns"]:
        """Return the sums of each piece."""
        self._images.fill(pieces)
        alike = itertools.groupby(pieces, key=self._images.size_of)
        return torch.cat([self._of_alike(list(group), self._loops[size]) for size, group in alike])

    def _of_alike(self, pieces: list[int], loop: ScriptedLoop) -> Float64[Tensor, "pieces cost_columns"]:
        sums = torch.empty(len(pieces), loop.num_costs, dtype=torch.float64)
        loop.run(
            # Of numpy's making, for which the interpreter's lock is not given away once for each piece.
            torch.from_numpy(np.stack([self._images.places_of(piece) for piece in pieces])),
            [self._images.seed_of(piece) for piece in pieces],
            torch.zeros(len(pieces)),
            [0.0] * len(pieces),
            self._rate,
            sums,
            torch.zeros((), dtype=torch.int64),
            self._generator,
        )
        return sums

    @torch.no_grad()
    def _captured(self, size: int) -> ScriptedLoop:
        inputs = [torch.zeros(size, dtype=torch.int64), torch.ones(()), self._rate]
        program = record(
            lambda indices, _beta, _rate: [
                summed(self._objective.terms(self._model, self._images.batch(indices), self._generator))
            ],
            inputs,
            self._generator,
        )
        program.changing = tuple(self._model.parameters())
        return ScriptedLoop(simplified(program))
