"""What `evaluate` writes beyond the held-out means: log p(x), surgery and active units, or why there are none."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.findings.fitting import Gaps, PerImage
from core.findings.nll import HeldOutNll
from core.findings.read_outs import active_units
from core.findings.surgery import Surgery

NO_PRIOR = "an autoencoder defines no p(x): it has no prior, hence no KL and no ELBO"
NO_CODES = "an autoregressive model has no codes, hence no bound and no KL: its log p(x) is exact"
LEFT_OUT = "it was left out: --log-px-images 0"
GAPS_LEFT_OUT = "they were left out: --gap-images 0"
SINGLE = "a single image has no standard error"
GAPS_NOT_ASKED = "for more than 2 latent dimensions they are estimates, found where --gap-images asks for them"

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Undefined:
    """Why a figure is not there, in words."""

    reason: str


def put(result: Json, key: str, value: float | Undefined) -> None:
    """Set a figure, or null with `<key>_reason` where it is undefined or not finite."""
    if isinstance(value, Undefined):
        result[key], result[f"{key}_reason"] = None, value.reason
    elif not math.isfinite(value):
        result[key], result[f"{key}_reason"] = None, f"it is not finite, but {value}"
    else:
        result[key] = value


def evidence_figures(nll: HeldOutNll | Undefined) -> Json:
    """Return log p(x) as JSON holds it: `log_px` where it is exact, `log_px_estimate` where it is an estimate."""
    result: Json = {}
    if isinstance(nll, Undefined):
        for key in ("log_px", "log_px_error_bar", "log_px_estimate", "log_px_standard_error", "log_px_num_samples"):
            put(result, key, nll)
        result["log_px_images"] = 0
        result["log_px_method"] = None
        return result
    exact, estimate = _exact_and_estimate(nll)
    put(result, "log_px", exact)
    bar = Undefined("it is exact but for rounding" if nll.method == "product" else "an estimate has a standard error")
    put(result, "log_px_error_bar", bar if nll.error_bar is None else nll.error_bar)
    put(result, "log_px_estimate", estimate)
    put(result, "log_px_standard_error", Undefined(SINGLE) if nll.standard_error is None else nll.standard_error)
    samples = Undefined("log p(x) is exact, without samples")
    put(result, "log_px_num_samples", samples if nll.num_samples is None else nll.num_samples)
    if nll.effective_samples is not None:
        put(result, "log_px_effective_samples", nll.effective_samples)
    result["log_px_images"] = nll.num_images
    result["log_px_method"] = nll.how
    return result


def _exact_and_estimate(nll: HeldOutNll) -> tuple[float | Undefined, float | Undefined]:
    if nll.is_estimate:
        return Undefined("it is estimated for more than 2 latent dimensions, not integrated"), -nll.nll
    return -nll.nll, Undefined("log_px is exact")


def code_figures(surgery: Surgery | Undefined, spread: tuple[float, ...]) -> Json:
    """Return what the codes of all images say together."""
    result: Json = {}
    undefined = surgery if isinstance(surgery, Undefined) else None
    parts: Mapping[str, float] = {}
    if isinstance(surgery, Surgery):
        parts = {
            "mutual_information": surgery.mutual_information,
            "mutual_information_cap": surgery.cap,
            "marginal_kl": surgery.marginal_kl,
            "surgery_error": surgery.error,
        }
    for key in ("mutual_information", "mutual_information_cap", "marginal_kl", "surgery_error"):
        put(result, key, undefined or parts[key])
    result["surgery_method"] = surgery.method if isinstance(surgery, Surgery) else None
    put(result, "active_units", active_units(spread) if spread else Undefined(NO_CODES))
    return result


def gap_figures(gaps: Gaps | Undefined) -> Json:
    """Return the mean approximation and amortisation gap as JSON holds them, with standard errors over the images."""
    result: Json = {}
    for key in ("approximation_gap", "amortisation_gap"):
        if isinstance(gaps, Undefined):
            put(result, key, gaps)
            put(result, f"{key}_standard_error", gaps)
            continue
        values: PerImage = gaps.approximation if key == "approximation_gap" else gaps.amortisation
        put(result, key, float(values.mean()))
        error = float(np.std(values, ddof=1) / len(values) ** 0.5) if len(values) > 1 else Undefined(SINGLE)
        put(result, f"{key}_standard_error", error)
    if isinstance(gaps, Undefined):
        return {**result, "gap_images": 0, "gap_method": None}
    log_px = "exact log p(x)" if gaps.exact else "estimated log p(x), too small in expectation, as is the first gap"
    return {**result, "gap_images": len(gaps), "gap_method": f"best {gaps.family} q of each image; {log_px}"}
