"""What answers for one version of a model: a table where log p(x) can be integrated, samples where it cannot."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np

from core.config import MOST_EXACT_DIMENSIONS, ModelConfig
from core.data.dataset import Dataset
from core.findings.evidence import PosteriorMap
from core.findings.ledger import Ledger
from core.inference.autoregressive import AutoregressiveCoder
from core.inference.coders import make_coder
from core.inference.codes import encode_split
from core.shapes import CodeArray, Pixels
from core.snapshots import Weights
from explorer.workers.torch_import import import_torch

if TYPE_CHECKING:
    from core.inference.coders import Coder
    from core.inference.evidence.table import EvidenceTable

COARSE_NODES = {1: 2**11, 2: 2**14}
"""Of a table for weights that are in training: a quarter of the time and the memory of a whole one."""
QUICK_SAMPLES, MANY_SAMPLES = 500, 5_000
"""Codes of an estimate while the hand moves, and when it rests."""
_SUBSET = 2_000
"""Images whose codes a table must cover."""
NO_PRIOR = "An autoencoder defines no p(x): it has no prior p(z)."
NO_CODE = "MADE has no latent code z, and so no bound: its log p(x) is a product of conditionals, and exact."

ShouldStop = Callable[[], bool]
Found = tuple[Ledger, PosteriorMap | None]


class Ledgers(Protocol):
    """Answers for one version of a model."""

    @property
    def memory_bytes(self) -> int:
        """What is held ready."""
        ...

    @property
    def refines(self) -> bool:
        """Whether a second, better answer can be had."""
        ...

    def covers(self, dataset: Dataset) -> bool:
        """Return whether the codes of these data lie where answers are exact."""
        ...

    def quick(self, pixels: Pixels) -> Found:
        """Return the ledger of one image, shape (1, D), and its posterior, at the pen's speed."""
        ...

    def refined(self, pixels: Pixels, should_stop: ShouldStop) -> Found | None:
        """Return the same to 1e-3 nats, or from more samples; None when `should_stop` said so."""
        ...


@dataclass(frozen=True, slots=True)
class NoLedgers:
    """Says why there is no ledger."""

    reason: str
    version: int
    memory_bytes: int = 0
    refines: bool = False

    def covers(self, dataset: Dataset) -> bool:  # noqa: ARG002 - one signature for all
        """Return True, for any data."""
        return True

    def quick(self, pixels: Pixels) -> Found:  # noqa: ARG002 - one signature for all
        """Return the reason in the place of numbers."""
        return Ledger.undefined(self.reason, self.version), None

    def refined(self, pixels: Pixels, should_stop: ShouldStop) -> Found | None:  # noqa: ARG002 - as above
        """Return the same."""
        return self.quick(pixels)


@dataclass(frozen=True, slots=True, eq=False)
class ExactLedgers:
    """By quadrature over the codes of a table."""

    table: "EvidenceTable"
    refines: bool = True

    @property
    def memory_bytes(self) -> int:
        """Bytes of the table."""
        return self.table.memory_bytes

    def covers(self, dataset: Dataset) -> bool:
        """Return whether the codes of a subset lie inside the table."""
        codes = some_codes(self.table.coder, dataset, None)
        if codes is None or not len(codes):
            return True
        lattice = self.table.lattice
        low = np.array(lattice.low)
        high = low + lattice.step * (np.array(lattice.shape) - 1)
        return bool((codes.min(axis=0) >= low).all() and (codes.max(axis=0) <= high).all())

    def quick(self, pixels: Pixels) -> Found:
        """Return what the table alone says."""
        from core.inference.evidence.ledgers import ledger_and_map

        return ledger_and_map(self.table, pixels, refined=False)

    def refined(self, pixels: Pixels, should_stop: ShouldStop) -> Found | None:
        """Return what fresh codes say where the mass lies."""
        from core.inference.evidence.ledgers import ledger_and_map

        found = ledger_and_map(self.table, pixels, should_stop=should_stop)
        return None if should_stop() else found


@dataclass(frozen=True, slots=True, eq=False)
class EstimatedLedgers:
    """By importance sampling from q, for more latent dimensions than can be integrated."""

    coder: "Coder"
    memory_bytes: int = 0
    refines: bool = True

    def covers(self, dataset: Dataset) -> bool:  # noqa: ARG002 - one signature for all
        """Return True: there is no table."""
        return True

    def quick(self, pixels: Pixels) -> Found:
        """Return IWAE with few samples."""
        from core.inference.evidence.ledgers import estimated_ledger

        return estimated_ledger(self.coder, pixels, QUICK_SAMPLES), None

    def refined(self, pixels: Pixels, should_stop: ShouldStop) -> Found | None:
        """Return IWAE with as many samples as figures are reported with."""
        from core.inference.evidence.ledgers import estimated_ledger

        found = estimated_ledger(self.coder, pixels, MANY_SAMPLES)
        return None if should_stop() else (found, None)


@dataclass(frozen=True, slots=True, eq=False)
class ProductLedgers:
    """Of an autoregressive model: log p(x) is a product of conditionals, and there is nothing to bound."""

    coder: AutoregressiveCoder
    memory_bytes: int = 0
    refines: bool = False

    def covers(self, dataset: Dataset) -> bool:  # noqa: ARG002 - one signature for all
        """Return True: there is no table."""
        return True

    def quick(self, pixels: Pixels) -> Found:
        """Return log p(x), exact, and why there is no more."""
        nothing = Ledger.undefined(NO_CODE, self.coder.version)
        return replace(nothing, log_px=float(self.coder.log_prob(pixels)[0])), None

    def refined(self, pixels: Pixels, should_stop: ShouldStop) -> Found | None:  # noqa: ARG002 - one signature for all
        """Return the same."""
        return self.quick(pixels)


def needs_torch(config: ModelConfig) -> bool:
    """Return whether what is computed for such a model is computed by torch."""
    return config.has_prior


def make_ledgers(
    config: ModelConfig, weights: Weights, dataset: Dataset | None, should_stop: ShouldStop, *, coarse: bool
) -> Ledgers | None:
    """Return what answers for these weights; None when `should_stop` said so before it was there."""
    if not config.has_codes:
        return ProductLedgers(AutoregressiveCoder(config, weights))
    if not config.has_prior:
        return NoLedgers(NO_PRIOR, weights.version)
    import_torch()
    leave_a_core()
    coder = make_coder(config, weights)
    if config.latent_dim > MOST_EXACT_DIMENSIONS:
        return EstimatedLedgers(coder)
    from core.inference.evidence.table import EvidenceTable

    codes = None if dataset is None else some_codes(coder, dataset, should_stop)
    most_nodes = COARSE_NODES[config.latent_dim] if coarse else None
    table = EvidenceTable.build(config, weights, codes, should_stop, most_nodes=most_nodes)
    return None if table is None else ExactLedgers(table)


def some_codes(coder: "Coder", dataset: Dataset, should_stop: ShouldStop | None) -> CodeArray | None:
    """Return codes of a fixed subset of the held-out images; None where they do not fit, or when told to stop."""
    if (dataset.height, dataset.width) != (coder.config.image_height, coder.config.image_width):
        return None
    stop = should_stop if should_stop is not None else _never
    codes = encode_split(coder, dataset.held_out, "held_out", dataset.config, _SUBSET, should_stop=stop)
    return None if codes is None else codes.mean


def leave_a_core() -> None:
    """Have torch leave a core to the window, as training does."""
    import torch

    spare = max((os.cpu_count() or 2) - 1, 1)
    if torch.get_num_threads() > spare:
        torch.set_num_threads(spare)


def _never() -> bool:
    return False
