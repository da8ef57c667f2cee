"""Codes that were found once and are still those of the present weights, so that nothing is encoded twice."""

from dataclasses import dataclass

from core.config import DataConfig
from core.snapshots import Codes, LatentStatistics
from explorer.messages import CodesRequest, CodesResult

MAX_BYTES = 256 * 2**20
"""What is kept, six million codes of two dimensions; more only of what the canvas shows, or came last.

Those that were asked for longest ago go first.
"""


@dataclass(frozen=True, slots=True)
class _Key:
    """What was encoded."""

    fingerprint: str
    config: DataConfig
    split_name: str
    whole: bool


class KnownCodes:
    """Codes by data set, half and number, of one version of the weights; another version takes the place of all."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._version = -1
        self._shown: _Key | None = None
        # From the one that was asked for longest ago to the newest.
        self._results: dict[_Key, tuple[Codes, LatentStatistics]] = {}

    @property
    def num_bytes(self) -> int:
        """Bytes of what is kept."""
        return sum(_bytes_of(codes) for codes, _ in self._results.values())

    def keep(self, result: CodesResult) -> CodesResult:
        """Keep codes, unless it is not known what they are of; return them, or all of the half where those are there.

        Some may come late.
        """
        self._turn_to(result.codes.version)
        request = result.request
        # Of data that are still being read the fingerprint is not known.
        if not request.dataset.fingerprint:
            return result
        whole = self._results.get(_key(request, whole=True))
        if whole is not None:
            return CodesResult(*whole, elapsed_ms=0.0, request=request)
        key = _key_of(result)
        self._results.pop(key, None)
        # Not the result: it holds on to the data set.
        self._results[key] = (result.codes, result.statistics)
        for old in list(self._results):
            if self.num_bytes > self._max_bytes and old not in (key, self._shown):
                del self._results[old]
        return result

    def show(self, result: CodesResult | None) -> None:
        """Keep these codes, however many, until the canvas shows others."""
        self._shown = None if result is None else _key_of(result)

    def find(self, request: CodesRequest, version: int) -> CodesResult | None:
        """Return codes of that version that answer the request, all of the half where they are there; else None."""
        self._turn_to(version)
        for whole in (True, False):
            key = _key(request, whole=whole)
            found = self._results.get(key)
            if found is not None and (whole or len(found[0]) >= request.limit):
                self._results[key] = self._results.pop(key)
                return CodesResult(*found, elapsed_ms=0.0, request=request)
        return None

    def _turn_to(self, version: int) -> None:
        if version != self._version:
            self._version = version
            self._results.clear()


def _key_of(result: CodesResult) -> _Key:
    return _key(result.request, whole=len(result.codes) == result.codes.total)


def _key(request: CodesRequest, *, whole: bool) -> _Key:
    return _Key(request.dataset.fingerprint, request.dataset.config, request.split_name, whole)


def _bytes_of(codes: Codes) -> int:
    arrays = (codes.mean, codes.log_var, codes.kl, codes.indices, codes.labels)
    return sum(array.nbytes for array in arrays if array is not None)
