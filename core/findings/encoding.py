"""What is found while all images of a half are encoded."""

from dataclasses import dataclass

from core.findings import Finding
from core.snapshots import Codes, LatentStatistics


@dataclass(frozen=True, slots=True, eq=False)
class EncodedSoFar(Finding):
    """How many of how many images are encoded."""

    done: int
    total: int


@dataclass(frozen=True, slots=True, eq=False)
class EncodedHalf(Finding):
    """The codes of all images of a half, with what they say of each dimension."""

    codes: Codes
    statistics: LatentStatistics
