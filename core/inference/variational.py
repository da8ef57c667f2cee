"""Variational inference without an encoder: the decoder is fixed, q(z) of each image is fitted by itself."""

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

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
# Nodes on each axis of the evaluation, by latent dimensions: more where the rules before differ.
_EVALUATION_NODES = {1: (41, 64, 180), 2: (7, 11, 40, 90)}
_AGREED = 1e-3
_REPLICATES, _REPLICATE_PAIRS = 8, 32

_SCREENING_STEPS, _SECOND_STEPS, _MOST_STEPS = 6, 6, 20
_SECOND_COUNT = 2
_NOISY_FACTOR = 4
_NEGLIGIBLE_GAIN = 1e-4
_NO_GAIN, _STALLED_GAIN, _STALLED_STEPS = 1e-5, 1e-3, 20
_PER_AXIS = 5
_ROUGH, _ROUGH_PER_AXIS, _ROUGH_DECAY = 3e-3, 16, 4.0


def elbo_of(decoder: FixedDecoder, q: Gaussians) -> tuple[Nats, Nats]:
    """Return the ELBO of each q in nats, and its error; in float64.

    E_q[log p(x|z)] by a Gauss-Hermite product rule on nodes that no ascent uses.  The error is its difference from a
    rule with fewer nodes; where that exceeds 1e-3, more nodes are taken.  Above two dimensions: 512 codes in eight
    independent groups, with their standard error.  The KL is exact.
    """
    kl = q.kl_to_prior().double()
    latent_dim = decoder.latent_dim
    if latent_dim > 2:
        generator = torch.Generator().manual_seed(_EVALUATION_SEED)
        groups = torch.stack(
            [_average(decoder, q, *opposite_nodes(latent_dim, _REPLICATE_PAIRS, generator)) for _ in range(_REPLICATES)]
        )
        return groups.mean(dim=0) - kl, groups.std(dim=0) / _REPLICATES**0.5
    first, *further = _EVALUATION_NODES[latent_dim]
    average = _average(decoder, q, *product_rule(latent_dim, first))
    error = torch.full_like(average, torch.inf)
    for per_axis in further:
        doubtful = torch.nonzero(~(error <= _AGREED))[:, 0]
        if len(doubtful):
            finer = _average(decoder.rows(doubtful), q.rows(doubtful), *product_rule(latent_dim, per_axis))
            error[doubtful] = (finer - average[doubtful]).abs()
            average[doubtful] = finer
    return average - kl, error


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
    no step promises 1e-5 nats any more, or the last twenty brought less than 1e-3.  Raises ValueError.
    """
    decoder = FixedDecoder.of(model, pixels)
    encoder = Gaussians.of(model.inference(decoder.x))
    first = in_family(_started(start, encoder), family)
    encoder_elbo = float(elbo_of(decoder, encoder)[0])
    start_elbo = float(elbo_of(decoder, first)[0])
    # Never the nodes of the evaluation, in number or in seed.
    ascent = Ascent(decoder, first, family, torch.Generator().manual_seed(seed), per_axis=10, rate=rate)
    highest, highest_at = -math.inf, 0
    for iteration in range(max_iterations + 1):
        if iteration:
            ascent.advance()
        elbo, error = elbo_of(decoder, ascent.q)
        if not float(elbo) <= highest + _STALLED_GAIN:
            highest, highest_at = float(elbo), iteration
        stalled = iteration >= highest_at + _STALLED_STEPS or float(ascent.expected_gain) < _NO_GAIN
        finished = iteration == max_iterations or stalled
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
    for steps, per_axis, count in ((_SCREENING_STEPS, 3, _SECOND_COUNT), (_SECOND_STEPS, _PER_AXIS, 1)):
        joined = Gaussians(*(torch.cat(parts) for parts in zip(*((q.mean, q.scale) for q in candidates), strict=True)))
        repeated = decoder.rows(torch.arange(len(decoder)).repeat(len(candidates)))
        ascent = Ascent(repeated, joined, family, generator, per_axis=per_axis)
        for _ in range(steps * factor):
            ascent.advance()
            yield
        candidates = _best_of(ascent, len(candidates), min(count, len(candidates)))
    (last,) = candidates
    fitted, believed = yield from _to_the_end(decoder, last, family, generator, _MOST_STEPS * factor)
    elbo, error = elbo_of(decoder, fitted)
    yield
    rough = torch.nonzero(_is_rough(decoder, fitted, believed, elbo))[:, 0]
    if len(rough):
        some = decoder.rows(rough)
        again, _ = yield from _to_the_end(
            some, fitted.rows(rough), family, generator, _MOST_STEPS, _ROUGH_PER_AXIS, _ROUGH_DECAY
        )
        fitted.mean[rough], fitted.scale[rough] = again.mean, again.scale
        elbo[rough], error[rough] = elbo_of(some, again)
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


def _is_rough(decoder: FixedDecoder, q: Gaussians, believed: Nats, elbo: Nats) -> Tensor:
    """Return where as few nodes as the ascent's see another ELBO than those of the evaluation: there they are too few.

    At its last nodes, whose sum is `believed`, or at as many others.
    """
    if decoder.latent_dim > 2:
        return torch.zeros(len(decoder), dtype=torch.bool)
    few = _average(decoder, q, *product_rule(decoder.latent_dim, _PER_AXIS)) - q.kl_to_prior()
    return torch.maximum((believed - elbo).abs(), (few - elbo).abs()) > _ROUGH


def _best_of(ascent: Ascent, groups: int, count: int) -> list[Gaussians]:
    """Return the `count` best of each image's ascents, which lie group after group."""
    values = ascent.value.reshape(groups, -1)
    # A value that is not finite is no start to go on from.
    best = torch.nan_to_num(values, nan=-torch.inf).topk(count, dim=0).indices
    images = torch.arange(values.shape[1])
    return [ascent.q.rows(group * values.shape[1] + images) for group in best]


def _to_the_end(
    decoder: FixedDecoder,
    start: Gaussians,
    family: str,
    generator: torch.Generator,
    most_steps: int,
    per_axis: int = _PER_AXIS,
    decay: float | None = None,
) -> Generator[None, None, tuple[Gaussians, Nats]]:
    """Return q of each image where no step promises a gain any more, and its ELBO at the ascent's nodes.

    Images that are there take no further steps.
    """
    ascent = Ascent(decoder, start, family, generator, per_axis=per_axis, decay=decay)
    result = Gaussians(ascent.q.mean.clone(), ascent.q.scale.clone())
    values = ascent.value.double()
    images = torch.arange(len(decoder))
    for _ in range(most_steps):
        ascent.advance()
        yield
        result.mean[images], result.scale[images] = ascent.q.mean, ascent.q.scale
        values[images] = ascent.value.double()
        going = torch.nonzero(ascent.expected_gain > _NEGLIGIBLE_GAIN)[:, 0]
        if not len(going):
            break
        if len(going) < len(images):
            ascent.keep(going)
            images = images[going]
    return result, values
