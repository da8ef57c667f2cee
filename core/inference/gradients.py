"""The reparameterisation: where it carries noise, and how much quieter its gradient is than the score function's."""

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from core.findings.sampling import GradientNoise, ReparameterisedDraws
from core.inference.array_posteriors import ArrayPosterior
from core.inference.fixed_decoder import FixedDecoder
from core.inference.gaussians import Gaussians
from core.models.vae import Vae
from core.shapes import Pixels
from core.snapshots import frozen

NUM_SAMPLES = 20_000
_PIECE = 1000
_GROUPS = 20
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")

PerSample = Float[Tensor, "samples parameters"]


def reparameterised(posterior: ArrayPosterior, num: int, seed: int = 0) -> ReparameterisedDraws:
    """Return `num` draws ε ~ N(0, I) and z = μ + L ε of a posterior of one image.  Kingma & Welling 2014, sec. 2.4."""
    noise = np.random.default_rng(seed).standard_normal((num, posterior.mean.shape[1]), dtype=np.float32)
    return ReparameterisedDraws(frozen(noise), frozen(posterior.at(noise), np.float32), seed)


def gradient_noise_steps(
    model: Vae, pixels: Pixels, *, num_samples: int = NUM_SAMPLES, seed: int = 0, version: int = 0
) -> Iterator[GradientNoise | None]:
    """Yield means and variances of both estimators for the one image in `pixels`, each time the samples doubled.

    Of the gradient of E_q[log p(x|z)] − KL(q ‖ p) in (μ, log σ), at the encoder's q.  The KL's part is the closed form
    in both, without noise.  Pathwise: ∇ log p(x|μ + L ε) (Kingma & Welling 2014).  Score function:
    log p(x|z) ∇ log q(z) (Williams 1992), by itself and with the mean of the other samples as baseline.
    """
    decoder = FixedDecoder.of(model, pixels)
    q = Gaussians.of(model.inference(decoder.x))
    full = model.config.posterior == "full"
    exact = _gradient_of_kl(q, full=full)
    generator = torch.Generator().manual_seed(seed)
    pathwise: list[PerSample] = []
    scores: list[PerSample] = []
    values: list[Tensor] = []
    drawn, told = 0, 0
    while drawn < num_samples:
        count = min(_PIECE, num_samples - drawn)
        noise = torch.randn(count, decoder.latent_dim, generator=generator, dtype=torch.float64)
        nats, gradients = decoder.with_gradient(q.at(noise))
        values.append(nats[0].double())
        pathwise.append(pathwise_gradients(q, noise, gradients[0].double(), full=full))
        scores.append(score_gradients(q, noise, full=full))
        drawn += count
        if drawn < 2 * told and drawn < num_samples:
            yield None
            continue
        told = drawn
        yield _found(
            torch.cat(pathwise) - exact,
            torch.cat(scores),
            torch.cat(values),
            exact,
            names=parameter_names(decoder.latent_dim, full=full),
            total_samples=num_samples,
            version=version,
        )


def parameter_names(latent_dim: int, *, full: bool) -> tuple[str, ...]:
    """Return the names of q's parameters, in the order of the gradients here."""
    below = zip(*np.tril_indices(latent_dim, -1), strict=True) if full else ()
    numbers = [str(number + 1).translate(_SUBSCRIPTS) for number in range(latent_dim)]
    entries = [f"L{numbers[row]}{numbers[column]}" for row, column in below]
    diagonal = [f"L{number}{number}" if full else f"σ{number}" for number in numbers]
    return (*(f"μ{number}" for number in numbers), *(f"log {name}" for name in diagonal), *entries)


def pathwise_gradients(
    q: Gaussians,
    noise: Float[Tensor, "samples latent_dim"],
    of_code: Float[Tensor, "samples latent_dim"],
    *,
    full: bool,
) -> PerSample:
    """Return ∇ f(μ + L ε) in (μ, log L_jj, L below its diagonal) for each ε, given ∇f at the code it is carried to."""
    diagonal = torch.diagonal(q.scale[0]).double()
    parts = [of_code, of_code * diagonal * noise]
    if full:
        rows, columns = _below(q.scale.shape[1])
        parts.append(of_code[:, rows] * noise[:, columns])
    return torch.cat(parts, dim=1)


def score_gradients(q: Gaussians, noise: Float[Tensor, "samples latent_dim"], *, full: bool) -> PerSample:
    """Return ∇ log q(z) in (μ, log L_jj, L below its diagonal) at z = μ + L ε for each ε."""
    scale = q.scale[0].double()
    # L⁻ᵀ ε: the gradient of log q in μ.
    of_mean = torch.linalg.solve_triangular(scale.T, noise.T, upper=True).T
    parts = [of_mean, of_mean * torch.diagonal(scale) * noise - 1.0]
    if full:
        rows, columns = _below(len(scale))
        parts.append(of_mean[:, rows] * noise[:, columns])
    return torch.cat(parts, dim=1)


def _below(latent_dim: int) -> tuple[Tensor, Tensor]:
    rows, columns = torch.tril_indices(latent_dim, latent_dim, offset=-1)
    return rows, columns


def _gradient_of_kl(q: Gaussians, *, full: bool) -> Float[Tensor, "parameters"]:
    scale = q.scale[0].double()
    parts = [q.mean[0].double(), torch.diagonal(scale).square() - 1.0]
    if full:
        rows, columns = _below(len(scale))
        parts.append(scale[rows, columns])
    return torch.cat(parts)


def _found(
    pathwise: PerSample,
    scores: PerSample,
    values: Float[Tensor, "samples"],
    exact: Float[Tensor, "parameters"],
    *,
    names: tuple[str, ...],
    total_samples: int,
    version: int,
) -> GradientNoise:
    score = values[:, None] * scores - exact
    # Each sample's baseline is the mean of the others: with its own in it the estimator would be biased.
    others = (values - values.mean()) * (len(values) / (len(values) - 1))
    baseline = others[:, None] * scores - exact
    ratio, ratio_error = _ratio(score, pathwise)
    baseline_ratio, baseline_ratio_error = _ratio(baseline, pathwise)
    return GradientNoise(
        names=names,
        pathwise_mean=frozen(pathwise.mean(dim=0).numpy()),
        score_mean=frozen(score.mean(dim=0).numpy()),
        baseline_mean=frozen(baseline.mean(dim=0).numpy()),
        pathwise_variance=frozen(pathwise.var(dim=0).numpy()),
        score_variance=frozen(score.var(dim=0).numpy()),
        baseline_variance=frozen(baseline.var(dim=0).numpy()),
        ratio=ratio,
        ratio_error=ratio_error,
        baseline_ratio=baseline_ratio,
        baseline_ratio_error=baseline_ratio_error,
        num_samples=len(values),
        total_samples=total_samples,
        version=version,
    )


def _ratio(noisy: PerSample, quiet: PerSample) -> tuple[float, float]:
    """Return Σ variance of the one / Σ variance of the other, and its standard error by the jackknife over groups."""
    size = len(noisy) // _GROUPS

    def left_out(samples: PerSample) -> Float[Tensor, "groups"]:
        kept = samples[: size * _GROUPS].reshape(_GROUPS, size, -1)
        count = size * (_GROUPS - 1)
        sums, squares = kept.sum(dim=1), kept.square().sum(dim=1)
        mean, square = (sums.sum(dim=0) - sums) / count, (squares.sum(dim=0) - squares) / count
        return (square - mean.square()).sum(dim=1)

    ratios = left_out(noisy) / left_out(quiet)
    spread = (_GROUPS - 1) / _GROUPS * (ratios - ratios.mean()).square().sum()
    return float(noisy.var(dim=0).sum() / quiet.var(dim=0).sum()), float(spread.sqrt())
