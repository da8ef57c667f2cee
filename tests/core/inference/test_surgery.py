import math
from collections.abc import Callable, Generator

import numpy as np
import pytest
import torch
from torch.distributions import Categorical, Distribution, Independent, MixtureSameFamily, MultivariateNormal, Normal

from core.findings.surgery import Surgery
from core.inference import surgery as surgery_module
from core.inference.array_posteriors import ArrayPosterior, Factorised, Full, PlainCode
from core.inference.encoding import joined
from core.inference.surgery import AggregatePosterior, surgery

Make = Callable[[int, int], Factorised | Full]


def _found(steps: Generator[float, None, Surgery]) -> Surgery:
    shares = []
    while True:
        try:
            shares.append(next(steps))
        except StopIteration as end:
            assert shares == sorted(shares)
            assert shares[-1] == pytest.approx(1.0)
            result: Surgery = end.value
            return result


def _factorised(num_images: int, latent_dim: int, seed: int = 0) -> Factorised:
    generator = np.random.default_rng(seed)
    shape = (num_images, latent_dim)
    return Factorised(
        generator.standard_normal(shape, dtype=np.float32),
        (2.0 * np.log(generator.uniform(0.2, 0.6, shape))).astype(np.float32),
    )


def _full(num_images: int, latent_dim: int, seed: int = 0) -> Full:
    generator = np.random.default_rng(seed)
    scale = np.tril(generator.uniform(-0.4, 0.4, (num_images, latent_dim, latent_dim)), -1)
    scale += np.eye(latent_dim) * generator.uniform(0.2, 0.6, (num_images, 1, latent_dim))
    return Full(generator.standard_normal((num_images, latent_dim), dtype=np.float32), scale.astype(np.float32))


def _mixture(posterior: ArrayPosterior) -> MixtureSameFamily:
    mean, scale = (torch.from_numpy(part.astype(np.float64)) for part in (posterior.mean, posterior.scale))
    return MixtureSameFamily(
        Categorical(torch.ones(len(mean), dtype=torch.float64)), MultivariateNormal(mean, scale_tril=scale)
    )


def _log_prob(distribution: Distribution, codes: torch.Tensor) -> torch.Tensor:
    result: torch.Tensor = distribution.log_prob(codes)
    return result


def _integrated(posterior: ArrayPosterior) -> tuple[float, float]:
    """Return mutual information and marginal KL by sums over a fine grid of codes, with densities of torch."""
    dim = posterior.mean.shape[1]
    axis = torch.linspace(-7.0, 7.0, {1: 6001, 2: 181}[dim], dtype=torch.float64)
    step = float(axis[1] - axis[0])
    codes = torch.cartesian_prod(*[axis] * dim).reshape(-1, dim)
    marginal = _log_prob(_mixture(posterior), codes)
    prior = _log_prob(Independent(Normal(torch.zeros(dim, dtype=torch.float64), 1.0), 1), codes)
    information = 0.0
    for mean, scale in zip(posterior.mean, posterior.scale, strict=True):
        one = MultivariateNormal(torch.from_numpy(mean).double(), scale_tril=torch.from_numpy(scale).double())
        log_prob = _log_prob(one, codes)
        information += float((log_prob.exp() * (log_prob - marginal)).sum()) * step**dim / len(posterior.mean)
    return information, float((marginal.exp() * (marginal - prior)).sum()) * step**dim


@pytest.mark.parametrize(
    "posterior", [_factorised(40, 1), _factorised(40, 2), _full(40, 2)], ids=["1 dimension", "2", "2, full"]
)
def test_mutual_information_and_marginal_kl_are_those_of_a_fine_grid(
    posterior: ArrayPosterior, monkeypatch: pytest.MonkeyPatch
) -> None:
    information, marginal_kl = _integrated(posterior)
    found = _found(surgery(posterior, version=3))
    assert not found.is_estimate
    assert (found.num_images, found.version) == (40, 3)
    assert found.mutual_information == pytest.approx(information, abs=1e-3)
    assert found.marginal_kl == pytest.approx(marginal_kl, abs=1e-3)
    # As few nodes as for many images: worse, and told so.
    monkeypatch.setattr(surgery_module, "QUADRATURE_DENSITIES", 0.0)
    coarse = _found(surgery(posterior))
    assert coarse.error < 0.02
    assert coarse.mutual_information == pytest.approx(information, abs=coarse.error)


@pytest.mark.parametrize("latent_dim", [1, 2, 3, 8])
@pytest.mark.parametrize("make", [_factorised, _full])
def test_the_parts_add_up_to_the_mean_kl(make: Make, latent_dim: int) -> None:
    posterior = make(30, latent_dim)
    kl = posterior.kl_per_dimension()
    assert kl is not None
    found = _found(surgery(posterior))
    assert found.mutual_information + found.marginal_kl == pytest.approx(float(kl.sum(axis=1).mean()), abs=1e-5)
    assert found.mean_kl == pytest.approx(float(kl.sum(axis=1).mean()), abs=1e-5)


@pytest.mark.parametrize("latent_dim", [1, 2, 3, 8])
@pytest.mark.parametrize("make", [_factorised, _full])
def test_images_whose_codes_are_far_apart_are_told_apart_entirely(make: Make, latent_dim: int) -> None:
    posterior = make(12, latent_dim)
    posterior.mean[:, 0] = 100.0 * np.arange(12)
    found = _found(surgery(posterior))
    assert found.mutual_information == pytest.approx(math.log(12), abs=1e-9)
    assert found.cap == pytest.approx(math.log(12))
    assert found.error < 1e-9


@pytest.mark.parametrize("latent_dim", [1, 2, 3])
@pytest.mark.parametrize("make", [_factorised, _full])
def test_codes_that_do_not_depend_on_the_image_tell_nothing(make: Make, latent_dim: int) -> None:
    one = make(1, latent_dim)
    posterior = joined([one] * 9)
    found = _found(surgery(posterior))
    assert found.mutual_information == pytest.approx(0.0, abs=1e-9)
    assert found.marginal_kl == pytest.approx(found.mean_kl, abs=1e-9)


def test_samples_agree_with_a_fine_grid_within_their_standard_error() -> None:
    # A third dimension that is the same for every image adds nothing to what a code tells of its image.
    flat = _factorised(150, 2)
    column = np.full((150, 1), 0.5, np.float32)
    posterior = Factorised(np.hstack([flat.mean, column]), np.hstack([flat.log_var, -column]))
    found = _found(surgery(posterior, seed=1))
    assert found.is_estimate
    assert 0.0 < found.error < 0.05
    assert found.mutual_information == pytest.approx(_integrated(flat)[0], abs=4.0 * found.error)


def test_the_standard_error_is_the_spread_over_seeds() -> None:
    posterior = _full(60, 3)
    found = [_found(surgery(posterior, seed)) for seed in range(60)]
    spread = np.std([each.mutual_information for each in found], ddof=1)
    assert np.mean([each.error for each in found]) == pytest.approx(spread, rel=0.35)


@pytest.mark.parametrize("make", [_factorised, _full])
@pytest.mark.parametrize("latent_dim", [1, 2, 5])
def test_the_aggregate_density_is_that_of_torch_whatever_the_blocks(
    make: Make, latent_dim: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(surgery_module, "BLOCK_CODES", 7)
    monkeypatch.setattr(surgery_module, "BLOCK_IMAGES", 12)
    monkeypatch.setattr(surgery_module, "NEIGHBOURS", 4)
    posterior = make(50, latent_dim)
    posterior.mean[:, 0] *= 30.0
    aggregate = AggregatePosterior(posterior)
    codes, least = aggregate.codes_at(np.random.default_rng(2).standard_normal((50, latent_dim)))
    steps = aggregate.log_density(codes, least)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found = end.value
            break
    np.testing.assert_allclose(found, _log_prob(_mixture(posterior), torch.from_numpy(codes)), rtol=1e-6)


def test_very_narrow_posteriors_far_from_the_origin_lose_no_digits() -> None:
    mean = np.array([[30.0, 5.0], [30.0, 5.0], [-30.0, 5.0], [-30.0, 5.0]], np.float32)
    found = _found(surgery(Factorised(mean, np.full((4, 2), -20.0, np.float32))))
    assert found.mutual_information == pytest.approx(math.log(2.0), abs=1e-3)


def test_what_has_no_density_or_no_images_is_refused() -> None:
    with pytest.raises(ValueError, match="no density"):
        next(surgery(PlainCode(np.zeros((3, 2), np.float32))))
    with pytest.raises(ValueError, match="at least one image"):
        next(surgery(Factorised(np.zeros((0, 2), np.float32), np.zeros((0, 2), np.float32))))
