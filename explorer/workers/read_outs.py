"""Read-outs and scoreboard rows as work for the analysis thread."""

import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from core.config import DataConfig, ModelConfig
from core.findings import Finding
from core.findings.read_outs import Measuring
from core.findings.scoreboard import scoreboard_entry
from core.snapshots import Split
from explorer.workers.analysis import Analysis, OpenModel, Steps

_TOLD_SHARE = 0.01
"""Progress is told at every hundredth, however finely the work is cut."""
_PULL_S = 0.02
"""Work is pulled for so long between two looks at what else the thread is asked for."""

F = TypeVar("F", bound=Finding)


@dataclass(frozen=True, slots=True, eq=False)
class MeasureReadOuts(Analysis):
    """Find the read-outs of a split's images, all of them or a seeded subset."""

    patient: ClassVar[bool] = True

    config: ModelConfig
    """The model it is about; another one is left alone."""
    split: Split
    data: DataConfig
    limit: int | None
    num_nodes: int
    """Codes of each image behind the NLL of up to two dimensions."""

    def steps(self, model: OpenModel) -> Steps:
        """Yield progress and at last the read-outs."""
        from core.inference.read_outs import exact_read_outs, read_outs

        if model.config != self.config:
            return
        if self.config.has_codes:
            work = read_outs(model.coder, self.split, self.data, limit=self.limit, num_nodes=self.num_nodes)
        else:
            work = exact_read_outs(self.config, model.weights, self.split, self.data, limit=self.limit)
        yield (yield from _told(work))


@dataclass(frozen=True, slots=True, eq=False)
class FollowReadOuts(MeasureReadOuts):
    """The same again and again while a model changes: a kind of its own, so that it never ends what was asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class MeasureNll(Analysis):
    """Find -log p(x) over held-out images, as a row of the scoreboard."""

    patient: ClassVar[bool] = True

    config: ModelConfig
    split: Split
    data: DataConfig
    data_name: str
    data_fingerprint: str
    name: str
    limit: int | None
    num_samples: int

    def steps(self, model: OpenModel) -> Steps:
        """Yield progress and at last the row."""
        from core.inference.nll import held_out_nll

        if model.config != self.config:
            return
        work = held_out_nll(
            self.config, model.weights, self.split, self.data, limit=self.limit, num_samples=self.num_samples
        )
        found = yield from _told(work)
        yield scoreboard_entry(self.name, self.config, self.data, self.data_name, self.data_fingerprint, found)


def _told(work: Generator[float, None, F]) -> Generator[Finding | None, None, F]:
    told, looked = 0.0, time.perf_counter()
    while True:
        try:
            share = next(work)
        except StopIteration as end:
            result: F = end.value
            return result
        if time.perf_counter() - looked < _PULL_S:
            continue
        news = share - told >= _TOLD_SHARE
        told = share if news else told
        yield Measuring(share) if news else None
        looked = time.perf_counter()
