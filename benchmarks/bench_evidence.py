"""Exact log p(x) of the shipped model: at the pen's speed, at its rest, for the whole test set; and how right it is.

Set LATENT_EXPLORER_ALL_IMAGES=1 to check all 10,000 test images by importance sampling and for the honesty of the pen's
error bars, not only one in fifty.
"""

import os
import sys
from collections.abc import Callable
from time import perf_counter

import numpy as np
import torch

from benchmarks.report import row
from core.compatibility import data_for
from core.config import ModelConfig
from core.data.binarisation import seen_by_model
from core.data.mnist import quick_look_at_mnist
from core.findings.evidence import SplitEvidence
from core.inference.coders import make_coder
from core.inference.evidence.importance import defensive_estimate
from core.inference.evidence.ledgers import ledger, ledger_of_split
from core.inference.evidence.refinement import Cells
from core.inference.evidence.table import TOLERANCE, EvidenceTable
from core.shapes import CodeArray, Pixels
from core.snapshots import Weights, frozen
from core.storage.model_file import load_model
from resources import resource

THREADS = 2
QUICK_LIMIT_MS, REFINED_LIMIT_MS, BUILD_LIMIT_S = 5.0, 100.0, 1.0
MEMORY_LIMIT_MB, SET_LIMIT_S = 300.0, 120.0
PEN_IMAGES, REST_IMAGES = 400, 200
SUBSET = 50
"""One image in so many is checked by importance sampling."""
SAMPLES = 2000
BUILDS = 5


def main() -> int:
    """Return 0 after printing the rows."""
    torch.set_num_threads(THREADS)
    saved = load_model(resource("models", "mnist-2d.safetensors"))
    config, weights = saved.config.model, saved.as_weights(1)
    images = quick_look_at_mnist(saved.config.data).held_out.images
    pixels = seen_by_model(images, np.arange(len(images)), data_for(saved.config.data, config))
    codes = make_coder(config, weights).encode(pixels).mean
    table = built(config, weights, codes)
    # As in the program: its hundreds of small products are slower in two threads than in one.
    torch.set_num_threads(1)
    pen(table, pixels)
    rest(table, pixels)
    torch.set_num_threads(THREADS)
    evidence, cells = whole_set(table, pixels)
    identity(table, pixels, evidence)
    every = 1 if os.environ.get("LATENT_EXPLORER_ALL_IMAGES") else SUBSET
    importance(table, pixels, evidence, cells, every)
    honesty(table, pixels, evidence, every)
    return 0


def built(config: ModelConfig, weights: Weights, codes: CodeArray) -> EvidenceTable:
    """Print how long a table takes after new weights, and what it holds; return one."""
    times = []
    for _ in range(BUILDS):
        begin = perf_counter()
        table = EvidenceTable.build(config, weights, codes)
        times.append(perf_counter() - begin)
    if table is None:
        raise RuntimeError("nobody stopped the building, and yet there is no table")
    row(
        f"table of {table.lattice.num_nodes:,} codes after new weights, median of {BUILDS}",
        float(np.median(times)),
        BUILD_LIMIT_S,
        "s",
    )
    row("memory of the table", table.memory_bytes / 1e6, MEMORY_LIMIT_MB, "MB")
    return table


def pen(table: EvidenceTable, pixels: Pixels) -> None:
    """Print how long log p(x), its error bar and the posterior take while the pen moves."""
    bars: list[float] = []
    times = timed(lambda picture: bars.append(table.quick(picture)[0].error_bar), pixels, PEN_IMAGES)
    row("log p(x), error bar and posterior while the pen moves, p95", quantile(times, 0.95), QUICK_LIMIT_MS, "ms")
    row("the same, p50", quantile(times, 0.5), None, "ms")
    row("its measured error bar, p50", quantile(bars, 0.5), None, "nats")
    row("its measured error bar, p95", quantile(bars, 0.95), None, "nats")
    times = timed(lambda picture: ledger(table, picture, refined=False), pixels, PEN_IMAGES)
    row("every term of the identity while the pen moves, p95", quantile(times, 0.95), None, "ms")


def rest(table: EvidenceTable, pixels: Pixels) -> None:
    """Print how long the same takes to 1e-3 nats."""
    bars: list[float] = []
    times = timed(lambda picture: bars.append(table.refined(picture)[0].error_bar), pixels, REST_IMAGES)
    row(f"log p(x) and posterior refined to {TOLERANCE:g} nats, p95", quantile(times, 0.95), REFINED_LIMIT_MS, "ms")
    row("the same, p50", quantile(times, 0.5), None, "ms")
    row("its largest error bar", max(bars), TOLERANCE, "nats")
    times = timed(lambda picture: ledger(table, picture), pixels, REST_IMAGES // 2)
    row("every term of the identity refined, p95", quantile(times, 0.95), None, "ms")


def whole_set(table: EvidenceTable, pixels: Pixels) -> tuple[SplitEvidence, list[Cells]]:
    """Print how long the whole test set takes and whether two lattices agree on every image; return the evidence."""
    begin = perf_counter()
    integrals, cells = table.integrals(pixels, keep=True)
    row(f"log p(x) of {len(pixels):,} test images", perf_counter() - begin, SET_LIMIT_S, "s")
    difference = np.abs(integrals.log_z - integrals.second)
    row("images on which two lattices differ by more than 0.001 nats", float((difference > 1e-3).sum()), 0.0, "images")
    row("largest difference of two lattices", float(difference.max()), 1e-3, "nats")
    row("images whose error bar is above 0.001 nats", float((integrals.error_bar > 1e-3).sum()), 0.0, "images")
    row("mean log p(x) of the test images", float(integrals.log_z.mean()), None, "nats")
    evidence = SplitEvidence(
        frozen(integrals.log_z), frozen(integrals.second), frozen(integrals.error_bar), TOLERANCE, table.version
    )
    return evidence, cells


def identity(table: EvidenceTable, pixels: Pixels, evidence: SplitEvidence) -> None:
    """Print how well log p(x) = ELBO + KL(q ‖ p(z|x)) holds, each integrated by itself."""
    begin = perf_counter()
    found = ledger_of_split(table, pixels, evidence)
    if found is None:
        raise RuntimeError("nobody stopped it, and yet there is no ledger")
    row("ELBO and KL(q ‖ p(z|x)) of the test images", perf_counter() - begin, None, "s")
    row("largest residual of the identity", float(np.abs(found.residual).max()), 1e-3, "nats")
    row("mean ELBO of the test images", float(found.elbo.mean()), None, "nats")
    row("mean KL(q ‖ p(z|x)) of the test images", float(found.kl_to_posterior.mean()), None, "nats")
    row("its 99 % quantile", float(np.quantile(found.kl_to_posterior, 0.99)), None, "nats")


def importance(table: EvidenceTable, pixels: Pixels, evidence: SplitEvidence, cells: list[Cells], every: int) -> None:
    """Print on how many images an independent estimate agrees within four of its standard errors."""
    begin = perf_counter()
    within, errors = [], []
    rows = range(0, len(pixels), every)
    for image in rows:
        found = defensive_estimate(table, pixels[image : image + 1], SAMPLES, image, cells=cells, image=image)
        within.append(abs(found.log_px - evidence.log_px[image]) <= 4.0 * found.standard_error)
        errors.append(found.standard_error)
    label = f"importance sampling of {len(rows):,} images"
    row(f"{label}: within 4 standard errors", 100.0 * float(np.mean(within)), 99.0, "%", "more")
    row(f"{label}: standard error, p50", quantile(errors, 0.5), None, "nats")
    row(f"{label}: {SAMPLES:,} samples each", perf_counter() - begin, None, "s")


def honesty(table: EvidenceTable, pixels: Pixels, evidence: SplitEvidence, every: int) -> None:
    """Print how often the pen's error bar holds the refined log p(x)."""
    rows = range(0, len(pixels), every)
    quick = [table.quick(pixels[image : image + 1])[0] for image in rows]
    error = np.abs(np.array([one.log_px for one in quick]) - evidence.log_px[rows.start : rows.stop : rows.step])
    held = error <= np.array([one.error_bar for one in quick]) + 1e-3
    row(f"the pen's error bar holds, of {len(rows):,} images", 100.0 * float(held.mean()), 99.0, "%", "more")
    row("the pen's true error, p50", quantile(error, 0.5), None, "nats")
    row("the pen's true error, p95", quantile(error, 0.95), None, "nats")


def timed(function: Callable[[Pixels], object], pixels: Pixels, count: int) -> list[float]:
    """Return the milliseconds of each call, one picture after the other, spread over the test set."""
    every = len(pixels) // count
    function(pixels[:1])
    times = []
    for image in range(0, every * count, every):
        begin = perf_counter()
        function(pixels[image : image + 1])
        times.append((perf_counter() - begin) * 1e3)
    return times


def quantile(values: object, share: float) -> float:
    """Return a quantile as a plain number."""
    return float(np.quantile(np.asarray(values, np.float64), share))


if __name__ == "__main__":
    sys.exit(main())
