"""The analysis that encodes all images of a half, beside whatever else goes on."""

import time
from dataclasses import dataclass
from typing import ClassVar

from core.data.dataset import Dataset
from core.findings.encoding import EncodedHalf, EncodedSoFar
from core.inference.codes import encoding_of, latent_statistics
from explorer.workers.analysis import Analysis, OpenModel, Steps

_TELL_EVERY_S = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class EncodeAll(Analysis):
    """Every image of one half of a data set."""

    patient: ClassVar[bool] = True
    dataset: Dataset
    split_name: str

    def steps(self, model: OpenModel) -> Steps:
        """Yield how far it is, and at last the codes."""
        split, told = self.dataset.half(self.split_name), time.monotonic()
        work = encoding_of(model.coder, split, self.split_name, self.dataset.config)
        while True:
            try:
                done = next(work)
            except StopIteration as end:
                codes = end.value
                break
            now = time.monotonic()
            if now - told < _TELL_EVERY_S:
                yield None
            else:
                told = now
                yield EncodedSoFar(done, len(split))
        yield EncodedHalf(codes, latent_statistics(codes, model.config))
