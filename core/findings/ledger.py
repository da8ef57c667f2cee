"""The bound with nothing hidden: log p(x) = ELBO + KL(q(z|x) ‖ p(z|x)) of one picture."""

from dataclasses import dataclass
from typing import Self

from core.findings import Finding
from core.findings.evidence import NatsOfImages


@dataclass(frozen=True, slots=True)
class Ledger(Finding):
    """The terms of the identity, nats for one picture; None where a term is not defined or not known."""

    log_px: float | None
    error_bar: float | None
    """Of log p(x), measured between two resolutions; None for an estimate."""
    elbo: float | None
    expected_log_likelihood: float | None
    """E_q[log p(x|z)]."""
    kl_to_prior: float | None
    """KL(q(z|x) ‖ p(z))."""
    kl_to_posterior: float | None
    """KL(q(z|x) ‖ p(z|x)): integrated by itself, or for an estimate what is left of log p(x) beyond the ELBO."""
    residual: float | None
    """log p(x) − ELBO − KL(q ‖ p(z|x)), each integrated separately: zero but for errors.  None for an estimate."""
    is_estimate: bool
    """Whether log p(x) is an importance-weighted estimate, which lies below log p(x) in expectation."""
    standard_error: float | None
    """Of the estimate; None for a quadrature."""
    effective_sample_size: float | None
    """(Σ w)² / Σ w² of the estimate's importance weights; near 1, a single code carries the estimate."""
    num_samples: int
    """Codes drawn for the estimate; 0 for a quadrature."""
    undefined_reason: str
    """Why the model has no such ledger, in a sentence; empty where it has one."""
    version: int

    @classmethod
    def undefined(cls, reason: str, version: int) -> Self:
        """Return the ledger of a model that defines none of it."""
        return cls(
            log_px=None,
            error_bar=None,
            elbo=None,
            expected_log_likelihood=None,
            kl_to_prior=None,
            kl_to_posterior=None,
            residual=None,
            is_estimate=False,
            standard_error=None,
            effective_sample_size=None,
            num_samples=0,
            undefined_reason=reason,
            version=version,
        )


@dataclass(frozen=True, slots=True, eq=False)
class SplitLedger(Finding):
    """The terms of the identity for many pictures, nats, each integrated separately."""

    log_px: NatsOfImages
    elbo: NatsOfImages
    expected_log_likelihood: NatsOfImages
    kl_to_prior: NatsOfImages
    kl_to_posterior: NatsOfImages
    residual: NatsOfImages
    version: int
