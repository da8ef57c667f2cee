"""The numbers of one drawing as rows of a table, and the sentence under them, for each kind of model."""

import math

import numpy as np

from core.compatibility import is_normalised
from core.config import MOST_EXACT_DIMENSIONS, ModelConfig
from core.data.greys import has_greys
from core.findings.pixel_sampling import PixelScore
from core.shapes import Picture
from core.snapshots import PictureEncoding
from explorer.views.notation import dimension_name
from explorer.views.readouts import NumberRow, number, spread

NOTHING = "–"
COST_HEADER = ("", "nats", "bits/dim")
MOST_DIMENSIONS = 4
_ELBO_TIP = "Evidence lower bound of this picture, −(NLL + KL): at most log p(x); larger is better."
_NLL_TIP = "Reconstruction cost, the mean of −log p(x | z) over samples z of q(z | x); smaller is better."
_CODE_NLL_TIP = "Reconstruction cost, −log p(x | z) at the code z of this picture; smaller is better."
_CORRUPTED_NLL_TIP = "Cost of the clean picture, −log p(x | z) at the code z of the corrupted one; smaller is better."
_KL_TIP = "KL(q(z | x) ‖ p(z)): how far the posterior lies from the prior; exact for Gaussians."
_LOG_PX_TIP = "log p(x), exact: the sum of log p(xᵢ | x₁ … xᵢ₋₁) over all pixels; larger is better."
_GREY = "Grey pixels: these nats are not a likelihood."
_DENSITY = "Nats of a density: no bits, and not to be compared with those of a mass."
_NO_CODE = "MADE has no latent code: no KL and no bound, and its log p(x) is exact."
_KINDS = {
    "autoencoder": "An autoencoder",
    "denoising_autoencoder": "A denoising autoencoder",
    "sparse_autoencoder": "A sparse autoencoder",
}


def no_bound(model: ModelConfig) -> str:
    """Return why a model has neither ELBO nor KL, in a sentence; empty where it has them."""
    if model.has_prior:
        return ""
    return f"{_KINDS[model.model]} defines no p(x): ELBO and KL do not exist." if model.has_codes else _NO_CODE


def empty_costs(model: ModelConfig) -> list[NumberRow]:
    """Return the rows while nothing is drawn."""
    names = ("ELBO", "NLL", "KL") if model.has_codes else ("log p", "", "")
    return [NumberRow(name, (NOTHING if name else "",) * 2) for name in names]


def posterior_rows(encoding: PictureEncoding) -> tuple[tuple[str, ...], list[NumberRow]]:
    """Return header and rows of q(z|x), or of the plain code."""
    mean = encoding.mean.tolist()
    hidden = len(mean) - MOST_DIMENSIONS
    if encoding.log_var is None:
        header: tuple[str, ...] = ("code", "z")
        cells: list[tuple[str, ...]] = [(number(value),) for value in mean]
    else:
        header = ("q(z | x)", "μ", "σ")
        std = np.exp(0.5 * encoding.log_var).tolist()
        cells = [(number(value), spread(deviation)) for value, deviation in zip(mean, std, strict=True)]
    rows = [
        NumberRow(
            dimension_name(index), texts, f"Latent dimension {index + 1}: mean and standard deviation of q(z | x)."
        )
        for index, texts in enumerate(cells[:MOST_DIMENSIONS])
    ]
    if hidden > 0:
        rows[-1] = NumberRow(f"… and {hidden + 1} more", (), "The sliders show every dimension.")
    return header, rows


def cost_rows(encoding: PictureEncoding, model: ModelConfig) -> list[NumberRow]:
    """Return ELBO, NLL and KL in nats, and in bits per pixel where these nats are those of a mass."""
    nll_tip = _NLL_TIP if encoding.kl is not None else _CODE_NLL_TIP
    if encoding.corrupted is not None:
        nll_tip = _CORRUPTED_NLL_TIP
    rows = []
    for name, value, tip in (
        ("ELBO", encoding.elbo, _ELBO_TIP),
        ("NLL", encoding.nll, nll_tip),
        ("KL", encoding.kl, _KL_TIP),
    ):
        if value is None:
            rows.append(NumberRow(name, (NOTHING, NOTHING), no_bound(model)))
        else:
            rows.append(NumberRow(name, (number(value), _bits(value, encoding.seen, model)), tip))
    return rows


def score_rows(score: PixelScore, model: ModelConfig) -> list[NumberRow]:
    """Return log p(x) of an autoregressive model, in as many rows as other models have."""
    bits = _bits(score.log_prob, score.seen, model)
    return [
        NumberRow("log p", (number(score.log_prob), bits), _LOG_PX_TIP),
        NumberRow("", ("", "")),
        NumberRow("", ("", "")),
    ]


def encoding_sentence(encoding: PictureEncoding, model: ModelConfig) -> str:
    """Return what has to be said of an encoding's numbers."""
    sentences = [no_bound(model)]
    if encoding.kl is not None:
        sentences = [f"NLL {_average(encoding)}; weights version {encoding.version}."]
    elif encoding.corrupted is not None:
        sentences.append("It reconstructs from the corrupted x̃.")
    return " ".join([*sentences, *_unit_sentence(encoding.seen, model)])


def _average(encoding: PictureEncoding) -> str:
    """Return of what the NLL is an average: nodes of a quadrature, or samples where the dimensions are too many."""
    if len(encoding.mean) <= MOST_EXACT_DIMENSIONS:
        return f"by quadrature at {encoding.num_samples} codes"
    return f"over {encoding.num_samples} samples of q(z | x)"


def score_sentence(score: PixelScore, model: ModelConfig) -> str:
    """Return what has to be said of an autoregressive model's number."""
    parts = [no_bound(model), f"Weights version {score.version}.", *_unit_sentence(score.seen, model)]
    return " ".join(parts)


def _unit_sentence(seen: Picture, model: ModelConfig) -> list[str]:
    if not model.is_mass:
        return [_DENSITY]
    return [_GREY] if _is_no_likelihood(seen, model) else []


def _bits(nats: float, seen: Picture, model: ModelConfig) -> str:
    # Bits per pixel exist for masses only, and Bernoulli pixels that are grey have none.
    if not model.is_mass or _is_no_likelihood(seen, model):
        return NOTHING
    return number(nats / (seen.size * math.log(2.0)), 3)


def _is_no_likelihood(seen: Picture, model: ModelConfig) -> bool:
    return not is_normalised(model, grey=has_greys(seen))
