"""Variational inference without an encoder: the decoder is fixed, q(z) of each image is fitted by itself."""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import torch

from core.findings.fitting import FitStep
from core.inference.ascent import Ascent, in_family
from core.inference.fixed_decoder import FixedDecoder
from core.inference.gaussians import Gaussians, Nodes, Shares, opposite_nodes, product_rule
from core.models.vae import Vae
from core.shapes import Pixels
from core.snapshots import frozen
from core.tensors import Nats

STARTS = ("encoder", "prior")
"""What an ascent may be told to start from by name."""

_EVALUATION_SEED = 20_140_501
# (fewer, more, many) nodes on each axis of the evaluation, by latent dimensions: many where the first two differ.
_EVALUATION_NODES = {1: (41, 64, 256), 2: (8, 12, 40)}
_AGREED = 1e-3
_REPLICATES, _REPLICATE_PAIRS = 8, 32

_SCREENING_STEPS, _SECOND_STEPS, _MOST_STEPS = 6, 6, 20
_SECOND_COUNT = 2
_NOISY_FACTOR = 4
_NEGLIGIBLE_GAIN = 1e-4


def elbo_of(decoder: FixedDecoder, q: Gaussians) -> tuple[Nats, Nats]:
    """Return the ELBO of each q in nats, and its error; in float64.

    E_q[log p(x|z)] by a Gauss-Hermite product rule on nodes that no ascent uses, the error being its difference from a
    rule with fewer nodes; above two dimensions by 512 codes in eight independent groups, with their standard error.
    The KL is exact.
    """
    kl = q.kl_to_prior().double()
    latent_dim = decoder.latent_dim
    if latent_dim > 2:
        generator = torch.Generator().manual_seed(_EVALUATION_SEED)
        groups = torch.stack(
            [_average(decoder, q, *opposite_nodes(latent_dim, _REPLICATE_PAIRS, generator)) for _ in range(_REPLICATES)]
        )
        return groups.mean(dim=0) - kl, groups.std(dim=0) / _REPLICATES**0.5
    fewer, more, many = _EVALUATION_NODES[latent_dim]
    coarse = _average(decoder, q, *product_rule(latent_dim, fewer))
    fine = _average(decoder, q, *product_rule(latent_dim, more))
    error = (fine - coarse).abs()
    doubtful = torch.nonzero(error > _AGREED)[:, 0]
    if len(doubtful):
        finest = _average(decoder.rows(doubtful), q.rows(doubtful), *product_rule(latent_dim, many))
        error[doubtful] = (finest - fine[doubtful]).abs()
        fine[doubtful] = finest
    return fine - kl, error


def _average(decoder: FixedDecoder, q: Gaussians, nodes: Nodes, shares: Shares) -> Nats:
    return decoder.log_likelihood(q.at(nodes)) @ shares


def fit_steps(
    model: Vae,
    pixels: Pixels,
    family: str,
    start: str | Gaussians = "encoder",
    *,
    rate: float = 0.3,
    max_iterations: int = 300,
    seed: int = 0,
    version: int = 0,
) -> Iterator[FitStep]:
    """Yield q of the one image in `pixels`, shape (1, D), iteration by iteration, the start first.

    `rate` is the share taken of each natural-gradient step: at 1 the way is short, at 0.3 it can be watched.  Ends when
    no step promises 1e-5 nats any more.  Raises ValueError.
    """
    decoder = FixedDecoder.of(model, pixels)
    encoder = Gaussians.of(model.inference(decoder.x))
    first = in_family(_started(start, encoder), family)
    encoder_elbo = float(elbo_of(decoder, encoder)[0])
    start_elbo = float(elbo_of(decoder, first)[0])
    # Never the nodes of the evaluation, in number or in seed.
    ascent = Ascent(decoder, first, family, torch.Generator().manual_seed(seed), per_axis=10, rate=rate)
    noiseless = decoder.latent_dim <= 2
    for iteration in range(max_iterations + 1):
        if iteration:
            ascent.advance()
        elbo, error = elbo_of(decoder, ascent.q)
        finished = iteration == max_iterations or (noiseless and float(ascent.expected_gain) < 1e-5)
        yield FitStep(
            iteration=iteration,
            mean=frozen(ascent.q.mean[0].float().numpy()),
            scale=frozen(ascent.q.scale[0].float().numpy()),
            elbo=float(elbo),
            elbo_error=float(error),
            gradient_norm=float(ascent.gradient_norm),
            start_elbo=start_elbo,
            encoder_elbo=encoder_elbo,
            family=family,
            finished=finished,
            version=version,
        )
        if finished:
            return


def _started(start: str | Gaussians, encoder: Gaussians) -> Gaussians:
    if isinstance(start, Gaussians):
        return start
    if start not in STARTS:
        raise ValueError(f"start must be one of {', '.join(STARTS)}, not {start!r}")
    return encoder if start == "encoder" else Gaussians.prior_like(encoder)


@dataclass(frozen=True, slots=True, eq=False)
class Best:
    """The best q found in a family for each image of a batch."""

    q: Gaussians
    elbo: Nats
    error: Nats
    encoder_elbo: Nats
    """Of the encoder's q, by the same quadrature."""
    encoder_error: Nats


def best_elbo(
    decoder: FixedDecoder, encoder: Gaussians, family: str, modes: Sequence[Gaussians] = (), *, seed: int = 0
) -> Best:
    """Return max_q ELBO over a family for each image; `best_steps` says how."""
    steps = best_steps(decoder, encoder, family, modes, seed=seed)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            best: Best = end.value
            return best


def best_steps(
    decoder: FixedDecoder, encoder: Gaussians, family: str, modes: Sequence[Gaussians] = (), *, seed: int = 0
) -> Generator[None, None, Best]:
    """Return max_q ELBO over a family for each image of a batch, yielding after each step of the ascent.

    Ascents from the encoder's q, from the prior and from the `modes`; after a few steps only the better ones go on,
    and the best to its end.  What is returned is evaluated by a quadrature other than the ascent's, and is never below
    the encoder's own q where that is of the family.
    """
    generator = torch.Generator().manual_seed(seed)
    # Random nodes, above two dimensions, need more steps to average their noise out.
    factor = _NOISY_FACTOR if decoder.latent_dim > 2 else 1
    starts = [encoder, Gaussians.prior_like(encoder), *modes]
    candidates = [in_family(start, family) for start in starts]
    for steps, per_axis, count in ((_SCREENING_STEPS, 3, _SECOND_COUNT), (_SECOND_STEPS, 5, 1)):
        joined = Gaussians(*(torch.cat(parts) for parts in zip(*((q.mean, q.scale) for q in candidates), strict=True)))
        repeated = decoder.rows(torch.arange(len(decoder)).repeat(len(candidates)))
        ascent = Ascent(repeated, joined, family, generator, per_axis=per_axis)
        for _ in range(steps * factor):
            ascent.advance()
            yield
        candidates = _best_of(ascent, len(candidates), min(count, len(candidates)))
    (last,) = candidates
    fitted = yield from _to_the_end(decoder, last, family, generator, _MOST_STEPS * factor)
    elbo, error = elbo_of(decoder, fitted)
    yield
    encoder_elbo, encoder_error = elbo_of(decoder, encoder)
    own = (in_family(encoder, family).scale - encoder.scale).abs().flatten(1).max(dim=1).values == 0.0
    keep = own & (encoder_elbo > elbo)
    return Best(
        fitted.where(keep, encoder),
        torch.where(keep, encoder_elbo, elbo),
        torch.where(keep, encoder_error, error),
        encoder_elbo,
        encoder_error,
    )


def _best_of(ascent: Ascent, groups: int, count: int) -> list[Gaussians]:
    """Return the `count` best of each image's ascents, which lie group after group."""
    values = ascent.value.reshape(groups, -1)
    # A value that is not finite is no start to go on from.
    best = torch.nan_to_num(values, nan=-torch.inf).topk(count, dim=0).indices
    images = torch.arange(values.shape[1])
    return [ascent.q.rows(group * values.shape[1] + images) for group in best]


def _to_the_end(
    decoder: FixedDecoder, start: Gaussians, family: str, generator: torch.Generator, most_steps: int
) -> Generator[None, None, Gaussians]:
    """Return q of each image where no step promises a gain any more; images that are there take no further steps."""
    ascent = Ascent(decoder, start, family, generator)
    result = Gaussians(ascent.q.mean.clone(), ascent.q.scale.clone())
    images = torch.arange(len(decoder))
    for _ in range(most_steps):
        ascent.advance()
        yield
        result.mean[images], result.scale[images] = ascent.q.mean, ascent.q.scale
        going = torch.nonzero(ascent.expected_gain > _NEGLIGIBLE_GAIN)[:, 0]
        if not len(going):
            break
        if len(going) < len(images):
            ascent.keep(going)
            images = images[going]
    return result
