"""One version of a model on a lattice of codes: what log p(x) and the true posterior of any picture are read from."""

from collections.abc import Callable, Generator

import numpy as np
import torch
from jaxtyping import Float32, Float64
from torch import Tensor

from core.config import MOST_EXACT_DIMENSIONS, ModelConfig
from core.findings.evidence import Evidence, PosteriorMap
from core.inference.coders import Coder, make_coder
from core.inference.evidence.decoding import CHUNK_NODES, Eta, NodeDecoder, ShouldStop, Stopped
from core.inference.evidence.lattice import BLOCK, Lattice
from core.inference.evidence.maps import map_of_cells, map_of_nodes
from core.inference.evidence.refinement import Cells, Integrals
from core.inference.evidence.screening import Screen, look
from core.inference.evidence.whole import refined
from core.inference.network_coder import bounded
from core.inference.steps import completed
from core.shapes import CodeArray, Pixels
from core.snapshots import Weights

MOST_NODES = {1: 2**13, 2: 2**16}
"""Nodes of a table by latent dimensions: 256 × 256 in a plane, a step of 0.047 over ±6."""
MOST_BYTES = 206_000_000
"""Of η at all nodes: what 256 × 256 nodes of 784 numbers take; larger pictures get fewer nodes."""
RANK = 32
"""Directions of η by which nodes are screened before the best are computed exactly."""
TOLERANCE = 1e-3
"""Nats to which a refined log p(x) is taken."""

_BASIS_ROWS = 1024
_BASIS_SPREAD = 1.5
_FARTHEST = 1e6


class EvidenceTable:
    """Frozen once built, so any thread may ask it; made by `build`."""

    def __init__(
        self,
        decoder: NodeDecoder,
        coder: Coder,
        lattice: Lattice,
        eta: Eta,
        offset: Float64[np.ndarray, "nodes"],
        screen: Screen,
    ) -> None:
        self.decoder = decoder
        self.coder = coder
        self.lattice = lattice
        self.eta = eta
        self.offset = offset
        """log p(z) − A(z) of each node, nats."""
        self._screen = screen

    @classmethod
    def build(
        cls,
        config: ModelConfig,
        weights: Weights,
        data_codes: CodeArray | None,
        should_stop: ShouldStop | None = None,
        *,
        most_nodes: int | None = None,
        rank: int = RANK,
    ) -> "EvidenceTable | None":
        """Return the table of a version of a model, over the prior and the data's codes (means of q(z|x)).

        Returns None when `should_stop` said so.  Raises ValueError, with the reason, for a model without log p(x) or
        with more than two latent dimensions.
        """
        return completed(cls.building(config, weights, data_codes, should_stop, most_nodes=most_nodes, rank=rank))

    @classmethod
    def building(
        cls,
        config: ModelConfig,
        weights: Weights,
        data_codes: CodeArray | None,
        should_stop: ShouldStop | None = None,
        *,
        most_nodes: int | None = None,
        rank: int = RANK,
    ) -> Generator[float, None, "EvidenceTable | None"]:
        """Yield the share done, chunk after chunk, and return what `build` returns."""
        reason = why_not_exact(config)
        if reason:
            raise ValueError(reason)
        decoder = NodeDecoder(config, weights)
        statistics = decoder.family.num_statistics(config.num_pixels)
        affordable = MOST_BYTES // (statistics * decoder.family.dtype.itemsize)
        most_nodes = min(most_nodes or MOST_NODES[config.latent_dim], max(affordable, (2 * BLOCK) ** config.latent_dim))
        lattice = Lattice.over(config.latent_dim, data_codes, most_nodes)
        nodes = lattice.nodes()
        eta = torch.empty(lattice.num_nodes, statistics, dtype=decoder.family.dtype)
        offset = torch.empty(lattice.num_nodes, dtype=torch.float64)
        try:
            basis = _basis(decoder, nodes, rank, should_stop)
            screen = Screen.empty(lattice.num_nodes, basis)
            for place, some_eta, some_offset in decoder.chunks(nodes, should_stop, CHUNK_NODES):
                eta[place] = some_eta
                offset[place] = some_offset
                screen.fill(place, some_eta, some_offset)
                yield place.stop / len(nodes)
        except Stopped:
            return None
        return cls(decoder, make_coder(config, weights), lattice, eta, offset.numpy(), screen)

    @property
    def config(self) -> ModelConfig:
        """The model this is a table of."""
        return self.decoder.config

    @property
    def version(self) -> int:
        """Number of the weights' version."""
        return self.decoder.version

    @property
    def memory_bytes(self) -> int:
        """Bytes that the table holds: η, offsets and the projection."""
        held = self.eta.element_size() * self.eta.nelement() + self.offset.nbytes
        return held + self._screen.memory_bytes

    def quick(self, pixels: Pixels) -> tuple[Evidence, PosteriorMap]:
        """Return log p(x) and p(z|x) of the one picture, shape (1, D), from the table alone: at the pen's speed.

        The nodes are screened by their projection, the best 2,048 computed exactly.
        """
        found = look(self._screen, self.eta, self.offset, self.decoder.statistics(pixels), self.lattice)
        evidence = Evidence(
            log_px=found.log_z + float(self.decoder.base(pixels)[0]),
            error_bar=found.error_bar,
            num_nodes=len(found.nodes),
            refined=False,
            version=self.version,
        )
        return evidence, map_of_nodes(self.lattice, found.nodes, found.log_joint, self.version)

    def refined(
        self, pixels: Pixels, tolerance: float = TOLERANCE, should_stop: ShouldStop | None = None
    ) -> tuple[Evidence, PosteriorMap]:
        """Return log p(x) and p(z|x) of the one picture, shape (1, D), to a tolerance in nats.

        The whole table, then fresh codes where the mass lies, at half the step again and again.  When `should_stop`
        says so, what is known by then, with its larger error bar.
        """
        integrals, cells = self.integrals(pixels, tolerance, keep=True, should_stop=should_stop)
        evidence = Evidence(
            log_px=float(integrals.log_z[0]),
            error_bar=float(integrals.error_bar[0]),
            num_nodes=int(integrals.num_nodes[0]),
            refined=True,
            version=self.version,
        )
        return evidence, map_of_cells(self.lattice, cells, self.version)

    def integrals(
        self,
        pixels: Pixels,
        tolerance: float = TOLERANCE,
        *,
        keep: bool = False,
        progress: Callable[[float], None] | None = None,
        should_stop: ShouldStop | None = None,
    ) -> tuple[Integrals, list[Cells]]:
        """Return log p(x) of each picture by both lattices, and the cells of its posterior where they are to be kept.

        Many pictures share the codes that are decoded.  When `should_stop` says so, what is known by then.
        """
        integrals, cells = refined(
            self.decoder,
            self.lattice,
            self.eta,
            torch.from_numpy(self.offset),
            self.decoder.statistics(pixels),
            bounded(self.coder.encode(pixels).mean).astype(np.float64),
            tolerance,
            keep=keep,
            progress=progress,
            should_stop=should_stop,
        )
        base = self.decoder.base(pixels)
        integrals.log_z += base
        integrals.second += base
        return integrals, cells


def why_not_exact(config: ModelConfig) -> str:
    """Return, in a sentence, why log p(x) cannot be had by quadrature; nothing where it can."""
    reason = why_undefined(config)
    if reason:
        return reason
    if config.latent_dim > MOST_EXACT_DIMENSIONS:
        return (
            f"log p(x) is integrated exactly over at most {MOST_EXACT_DIMENSIONS} latent dimensions, and this model "
            f"has {config.latent_dim}."
        )
    return ""


def why_undefined(config: ModelConfig) -> str:
    """Return, in a sentence, why the identity of bound and evidence is not defined; nothing where it is."""
    if not config.has_codes:
        return "An autoregressive model has no latent code: its log p(x) is a product of conditionals, without a bound."
    if not config.has_prior:
        return (
            "An autoencoder defines no distribution of codes, p(z), so that neither log p(x) nor a bound on it exists."
        )
    return ""


def _basis(
    decoder: NodeDecoder, nodes: Float64[np.ndarray, "nodes latent_dim"], rank: int, should_stop: ShouldStop | None
) -> tuple[Float32[Tensor, "rank statistics"], Float32[Tensor, "statistics"]]:
    """Return the directions in which η varies most over random nodes, more where the prior is dense, and its mean."""
    generator = np.random.default_rng(0)
    density = np.exp(-0.5 * ((nodes / _BASIS_SPREAD) ** 2).sum(axis=1)) + 1e-3
    count = min(_BASIS_ROWS, len(nodes))
    rows = generator.choice(len(nodes), count, replace=False, p=density / density.sum())
    some = torch.cat([eta for _, eta, _ in decoder.chunks(nodes[rows], should_stop)]).to(torch.float32)
    mean = some.mean(dim=0)
    some -= mean
    # Weights gone wild have no directions; any will do for a table that shows it.
    some = torch.nan_to_num(some, nan=0.0, posinf=0.0, neginf=0.0).clamp_(-_FARTHEST, _FARTHEST)
    rank = min(rank, *some.shape)
    # A random range with two power iterations: as good as the SVD here, in a twentieth of its time.
    start = generator.standard_normal((some.shape[1], min(rank + 8, *some.shape)), np.float32)
    directions = torch.from_numpy(start)
    for _ in range(2):
        directions = torch.linalg.qr(some.T @ (some @ directions))[0]
    _, _, right = torch.linalg.svd(some @ directions, full_matrices=False)
    return (right @ directions.T)[:rank].contiguous(), mean
