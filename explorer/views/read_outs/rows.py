"""Read-outs as rows of text: name, figure, how far it can be trusted, and what it is."""

import math
from dataclasses import dataclass

from core.findings.read_outs import ReadOuts
from explorer.views.readouts import number

ABSENT = "–"
HELP = {
    "elbo": "Evidence lower bound at β = 1, −(NLL + KL): log p(x) is at least that, on average. ± is the standard "
    "error over the images.",
    "nll": "The distortion: nats that the decoder still needs for an image when it is told the code, E_q[−log p(x|z)].",
    "kl": "The rate: nats that telling the code costs, KL(q(z|x) ‖ p(z)).",
    "active": "Dimensions whose code differs from image to image: Var_x E_q[z_j] > 0.01 (Burda et al. 2015).",
    "information": "I(n; z): what a code tells of which of these images it belongs to. It cannot exceed ln N, so that "
    "figures over different numbers of images do not compare (Hoffman & Johnson 2016).",
    "marginal": "KL(q̄(z) ‖ p(z)): how far the codes of all images together are from the prior. With the mutual "
    "information it adds up to the KL.",
    "exact": "−log p(x) of an autoregressive model: the sum of its conditionals, no bound.",
    "cost": "Cost of reconstruction from the image's own code, −log p(x|z).",
}


@dataclass(frozen=True, slots=True)
class ReadOutRow:
    """One figure."""

    name: str
    value: str
    note: str
    tip: str


def figure_rows(found: ReadOuts) -> tuple[ReadOutRow, ...]:
    """Return the figures in the order in which they are read; what is not defined has a dash."""
    if not found.spread:
        return (ReadOutRow("−log p(x)", nats(found.means.nll), f"exact{error_of(found)}", HELP["exact"]),)
    active = f"{found.active_units} of {len(found.spread)}"
    if found.rate is None:
        return (
            ReadOutRow("NLL", nats(found.means.nll), f"reconstruction{error_of(found)}", HELP["cost"]),
            ReadOutRow("Active units", active, "", HELP["active"]),
        )
    parts = found.surgery
    share = "" if parts is None else f"± {parts.error:.1g}"
    return (
        ReadOutRow("ELBO (β = 1)", nats(found.means.elbo), error_of(found).removeprefix(" "), HELP["elbo"]),
        ReadOutRow("NLL, the distortion", nats(found.means.nll), "", f"{HELP['nll']} Found by {found.method}."),
        ReadOutRow("KL, the rate", nats(found.means.kl), "", HELP["kl"]),
        ReadOutRow(
            "Mutual information",
            nats(None if parts is None else parts.mutual_information),
            share,
            HELP["information"],
        ),
        ReadOutRow(
            "  its cap, ln N", nats(None if parts is None else parts.cap), of_images(found), HELP["information"]
        ),
        ReadOutRow("Marginal KL", nats(None if parts is None else parts.marginal_kl), share, HELP["marginal"]),
        ReadOutRow("Active units", active, "", HELP["active"]),
    )


def nats(value: float | None) -> str:
    """Return nats as text, a dash where there are none."""
    if value is None:
        return ABSENT
    return number(value) if math.isfinite(value) else "not finite"


def error_of(found: ReadOuts) -> str:
    """Return the standard error as text, with a blank before it; nothing for a single image."""
    error = found.standard_error
    return "" if error is None or not math.isfinite(error) else f" ± {error:.2f}"


def of_images(found: ReadOuts) -> str:
    """Return the number of images as a formula."""
    return f"N = {found.num_images:,}"


def basis(found: ReadOuts) -> str:
    """Return which images the figures are means over, in words."""
    split = "held-out" if found.split == "held_out" else "training"
    if found.num_images == found.of_images:
        return f"Over all {found.num_images:,} {split} images."
    return f"Over {found.num_images:,} of {found.of_images:,} {split} images, always the same."


def as_text(found: ReadOuts) -> str:
    """Return the figures as lines of text, cells separated by tabs."""
    lines = [f"{row.name}\t{row.value}\t{row.note}".rstrip("\t") for row in figure_rows(found)]
    lines += [f"KL of z{j}\t{nats(kl)}" for j, kl in enumerate(found.means.kl_per_dimension, 1)]
    sentences = [text for text in (found.collapse, found.undefined_reason, basis(found)) if text]
    return "\n".join(lines + sentences)
