"""log p(x) = ELBO + KL(q(z|x) ‖ p(z|x)), every term by itself: one picture, or a whole split."""

from collections.abc import Callable
from typing import Any

import numpy as np

from core.findings.evidence import PosteriorMap, SplitEvidence
from core.findings.ledger import Ledger, SplitLedger
from core.inference.coders import Coder
from core.inference.evidence.decoding import ShouldStop, Stopped
from core.inference.evidence.expectations import FINE, PEN, Expectations, Resolution, expectations
from core.inference.evidence.importance import weighted_mean
from core.inference.evidence.maps import map_of_cells
from core.inference.evidence.table import TOLERANCE, EvidenceTable, why_undefined
from core.probability.constants import LOG_TWO_PI
from core.shapes import Pixels
from core.snapshots import frozen

NUM_SAMPLES = 5000
"""Codes of an estimate, k of IWAE-k: what Burda et al. 2015 report with."""
_AT_ONCE = 500
_SHARE = 0.2
"""Of the tolerance, that the two rules under q may differ by."""
_PIECE_IMAGES = 256


def ledger(
    table: EvidenceTable,
    pixels: Pixels,
    *,
    refined: bool = True,
    tolerance: float = TOLERANCE,
    should_stop: ShouldStop | None = None,
) -> Ledger:
    """Return the terms of the identity for the one picture, shape (1, D); at the pen's speed unless `refined`.

    Refined: KL(q ‖ p(z|x)) takes its log p(x) from the second lattice, so that the residual compares numbers that
    share no node.  At the pen's speed there is no second lattice: the residual shows what the averages over q err by.
    """
    return ledger_and_map(table, pixels, refined=refined, tolerance=tolerance, should_stop=should_stop)[0]


def ledger_and_map(
    table: EvidenceTable,
    pixels: Pixels,
    *,
    refined: bool = True,
    tolerance: float = TOLERANCE,
    should_stop: ShouldStop | None = None,
) -> tuple[Ledger, PosteriorMap]:
    """Return the ledger of the one picture, shape (1, D), and its p(z|x), both from one look at the table."""
    if refined:
        integrals, cells = table.integrals(pixels, tolerance, keep=True, should_stop=should_stop)
        log_px, second, error_bar = integrals.log_z[0], integrals.second[0], integrals.error_bar[0]
        averages, posterior = (
            _settled(table, pixels, tolerance, should_stop),
            map_of_cells(table.lattice, cells, table.version),
        )
    else:
        evidence, posterior = table.quick(pixels)
        log_px, second, error_bar = evidence.log_px, evidence.log_px, evidence.error_bar
        averages = _averages(table, pixels, PEN)
    return ledger_of(float(log_px), float(second), float(error_bar), averages, table.version), posterior


def ledger_of(log_px: float, second: float, error_bar: float, averages: Expectations, version: int) -> Ledger:
    """Return the ledger of one picture from log p(x) by two lattices and its averages over q."""
    elbo = float(averages.elbo[0])
    kl_to_posterior = float(averages.log_ratio[0]) + second
    return Ledger(
        log_px=log_px,
        error_bar=error_bar,
        elbo=elbo,
        expected_log_likelihood=float(averages.log_likelihood[0]),
        kl_to_prior=float(averages.kl_to_prior[0]),
        kl_to_posterior=kl_to_posterior,
        residual=log_px - elbo - kl_to_posterior,
        is_estimate=False,
        standard_error=None,
        effective_sample_size=None,
        num_samples=0,
        undefined_reason="",
        version=version,
    )


def estimated_ledger(coder: Coder, pixels: Pixels, num_samples: int = NUM_SAMPLES, seed: int = 0) -> Ledger:
    """Return the ledger of the one picture, shape (1, D), with log p(x) estimated by IWAE-k.  Burda et al. 2015.

    For any number of latent dimensions.  The estimate is a lower bound in expectation, and can lie far below log p(x)
    with a small standard error where q misses the posterior; a small effective sample size says not to trust it.
    """
    reason = why_undefined(coder.config)
    if reason:
        return Ledger.undefined(reason, coder.version)
    posterior = coder.encode(pixels)
    shares = posterior.kl_per_dimension()
    if shares is None:
        raise TypeError("a model with a prior gives each code a density")
    generator = np.random.default_rng(seed)
    log_likelihood, log_weights = [], []
    for start in range(0, num_samples, _AT_ONCE):
        count = min(_AT_ONCE, num_samples - start)
        codes = posterior.at(generator.standard_normal((count, coder.config.latent_dim), np.float32))
        nats = -coder.nll(np.broadcast_to(pixels, (count, pixels.shape[1])), codes).astype(np.float64)
        log_prior = -0.5 * (codes.astype(np.float64) ** 2 + LOG_TWO_PI).sum(axis=1)
        log_likelihood.append(nats)
        log_weights.append(nats + log_prior - posterior.log_prob(codes))
    estimate = weighted_mean(np.concatenate(log_weights))
    expected = float(np.concatenate(log_likelihood).mean())
    kl_to_prior = float(shares.sum(dtype=np.float64))
    return Ledger(
        log_px=estimate.log_mean,
        error_bar=None,
        elbo=expected - kl_to_prior,
        expected_log_likelihood=expected,
        kl_to_prior=kl_to_prior,
        kl_to_posterior=estimate.log_mean - (expected - kl_to_prior),
        residual=None,
        is_estimate=True,
        standard_error=estimate.standard_error,
        effective_sample_size=estimate.effective_sample_size,
        num_samples=num_samples,
        undefined_reason="",
        version=coder.version,
    )


def evidence_of(
    table: EvidenceTable,
    pixels: Pixels,
    tolerance: float = TOLERANCE,
    *,
    progress: Callable[[float], None] | None = None,
    should_stop: ShouldStop | None = None,
) -> SplitEvidence | None:
    """Return log p(x) of many pictures by two lattices; None when `should_stop` said so before all were done.

    A picture that does not come to its tolerance keeps the larger error bar that was measured.
    """
    integrals, _ = table.integrals(pixels, tolerance, progress=progress, should_stop=should_stop)
    if should_stop is not None and should_stop():
        return None
    return SplitEvidence(
        log_px=frozen(integrals.log_z),
        second_log_px=frozen(integrals.second),
        error_bar=frozen(integrals.error_bar),
        tolerance=tolerance,
        version=table.version,
    )


def ledger_of_split(
    table: EvidenceTable,
    pixels: Pixels,
    evidence: SplitEvidence,
    *,
    progress: Callable[[float], None] | None = None,
    should_stop: ShouldStop | None = None,
) -> SplitLedger | None:
    """Return the terms of the identity for the pictures whose evidence is known; None when `should_stop` said so."""
    parts = []
    for start in range(0, len(pixels), _PIECE_IMAGES):
        if should_stop is not None and should_stop():
            return None
        parts.append(_settled(table, pixels[start : start + _PIECE_IMAGES], evidence.tolerance))
        if progress is not None:
            progress(min(start + _PIECE_IMAGES, len(pixels)) / len(pixels))
    log_likelihood, kl_to_prior, log_ratio = (
        np.concatenate([getattr(part, name) for part in parts]) if parts else np.zeros(0)
        for name in ("log_likelihood", "kl_to_prior", "log_ratio")
    )
    elbo = log_likelihood - kl_to_prior
    kl_to_posterior = log_ratio + evidence.second_log_px
    return SplitLedger(
        log_px=evidence.log_px,
        elbo=frozen(elbo),
        expected_log_likelihood=frozen(log_likelihood),
        kl_to_prior=frozen(kl_to_prior),
        kl_to_posterior=frozen(kl_to_posterior),
        residual=frozen(evidence.log_px - elbo - kl_to_posterior),
        version=evidence.version,
    )


def _averages(
    table: EvidenceTable, pixels: Pixels, resolution: Resolution, should_stop: ShouldStop | None = None
) -> Expectations:
    decoder = table.decoder
    posterior = table.coder.encode(pixels)
    return expectations(decoder, posterior, decoder.statistics(pixels), decoder.base(pixels), resolution, should_stop)


def _settled(
    table: EvidenceTable, pixels: Pixels, tolerance: float, should_stop: ShouldStop | None = None
) -> Expectations:
    """Return the averages; of pictures whose two rules differ, by finer rules, which stay two different ones.

    When `should_stop` says so, what the rules so far give: the residual tells how far that is right.
    """
    merged: dict[str, np.ndarray[Any, Any]] = {}
    open_rows = np.arange(len(pixels))
    for resolution in FINE:
        try:
            found = _averages(table, pixels[open_rows], resolution, should_stop if merged else None)
        except Stopped:
            break
        for name in ("log_likelihood", "kl_to_prior", "log_ratio"):
            merged.setdefault(name, np.empty(len(pixels)))[open_rows] = getattr(found, name)
        # The even lattice gives −ELBO too, in one sum with what the closed form gives.
        differs = ~(np.abs(found.elbo + found.log_ratio) <= _SHARE * tolerance)
        open_rows = open_rows[differs]
        if not len(open_rows):
            break
    return Expectations(**merged)
