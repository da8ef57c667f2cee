"""The denoising and the sparse cost against formulas written out by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.choices import CORRUPTIONS as CORRUPTION_CHOICES
from core.choices import SPARSITIES
from core.config import ModelConfig, ObjectiveConfig
from core.data.corruption import ARRAY_CORRUPTIONS, Corruptor, corruptor_for
from core.inference.array_posteriors import array_posterior
from core.models.autoencoder import Autoencoder
from core.models.build import build_model
from core.objectives.corruption import CORRUPTIONS
from core.objectives.registry import OBJECTIVES
from core.objectives.sparsity import PENALTIES

SMALL = ModelConfig(hidden=(6,), latent_dim=3, image_height=2, image_width=3)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def a_model(**values: object) -> Autoencoder:
    model = build_model(replace(SMALL, **values), seeded())  # type: ignore[arg-type]
    assert isinstance(model, Autoencoder)
    return model.double()


def some_images(batch: int = 5) -> torch.Tensor:
    return (torch.rand(batch, 6, generator=seeded(9)) < 0.4).double()


def by_hand(model: Autoencoder, x: torch.Tensor, code: torch.Tensor) -> torch.Tensor:
    """Return -Σ_d x_d log p_d + (1 − x_d) log(1 − p_d) of each image."""
    p = torch.sigmoid(model.decoder(code))
    return -(x * p.log() + (1.0 - x) * (1.0 - p).log()).sum(dim=1)


def test_corruptions_and_prices_are_those_that_can_be_chosen() -> None:
    expected = tuple(choice.name for choice in CORRUPTION_CHOICES)
    assert CORRUPTIONS.names == ARRAY_CORRUPTIONS.names == expected
    assert PENALTIES.names == tuple(choice.name for choice in SPARSITIES)


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_noise_and_dropped_pixels_are_what_they_say_in_torch_and_in_numpy(level: float) -> None:
    x = torch.full((400, 100), 0.75)
    pairs = [
        (CORRUPTIONS[name](x, level, seeded(1)), ARRAY_CORRUPTIONS[name](x.numpy(), level, np.random.default_rng(1)))
        for name in ("gaussian", "dropout")
    ]
    for noisy in (pairs[0][0].numpy(), pairs[0][1]):
        assert noisy.mean() == pytest.approx(0.75, abs=4.0 * level / 200 + 1e-6)
        assert noisy.std() == pytest.approx(level, rel=0.015, abs=1e-6)
    for dropped in (pairs[1][0].numpy(), pairs[1][1]):
        assert set(np.unique(dropped)) <= {0.0, 0.75}
        assert (dropped == 0.0).mean() == pytest.approx(level, abs=4.0 * 0.5 / 200)


@pytest.mark.parametrize("corruption", CORRUPTIONS.names)
def test_a_denoising_autoencoder_pays_for_the_clean_image_at_the_code_of_the_corrupted_one(corruption: str) -> None:
    model, x = a_model(model="denoising_autoencoder"), some_images()
    objective = OBJECTIVES["denoising_autoencoder"](ObjectiveConfig(corruption=corruption, corruption_level=0.4))
    terms = objective.terms(model, x, seeded(1))
    generator = seeded(1)
    if corruption == "gaussian":
        corrupted = x + 0.4 * torch.randn(x.shape, generator=generator, dtype=x.dtype)
    else:
        corrupted = torch.where(torch.rand(x.shape, generator=generator, dtype=x.dtype) < 0.4, 0.0, x)
    expected = by_hand(model, x, model.encoder(corrupted))
    torch.testing.assert_close(terms.nll, expected)
    torch.testing.assert_close(objective.loss(terms, 7.0), expected.mean())
    assert terms.kl is None
    assert not torch.allclose(terms.nll, by_hand(model, x, model.encoder(x)))


def test_the_kl_price_of_active_units_is_that_of_its_formula() -> None:
    model, x = a_model(model="sparse_autoencoder", sparsity="kl"), some_images()
    objective = OBJECTIVES["sparse_autoencoder"](ObjectiveConfig(sparsity_weight=3.0, sparsity_target=0.1))
    terms = objective.terms(model, x, seeded(1))
    code = 1.0 / (1.0 + (-model.encoder(x)).exp())
    price = sum(
        0.1 * math.log(0.1 / float(mean)) + 0.9 * math.log(0.9 / (1.0 - float(mean)))
        for mean in code.detach().mean(dim=0)
    )
    torch.testing.assert_close(objective.loss(terms, 1.0), by_hand(model, x, code).mean() + 3.0 * price)
    torch.testing.assert_close(terms.nll, by_hand(model, x, code))


def test_the_l1_price_of_active_units_is_that_of_its_formula() -> None:
    model, x = a_model(model="sparse_autoencoder", sparsity="l1"), some_images()
    objective = OBJECTIVES["sparse_autoencoder"](ObjectiveConfig(sparsity_weight=0.5))
    terms = objective.terms(model, x, seeded(1))
    code = model.encoder(x)
    price = float(code.detach().abs().sum()) / len(x)
    torch.testing.assert_close(objective.loss(terms, 1.0), by_hand(model, x, code).mean() + 0.5 * price)


def test_the_price_is_zero_at_the_target_and_finite_for_units_that_are_never_active() -> None:
    at_target = PENALTIES["kl"](torch.full((4, 3), 0.05), 0.05)
    assert float(at_target) == pytest.approx(0.0, abs=1e-6)
    for activation in (0.0, 1.0):
        silent = torch.full((4, 3), activation, requires_grad=True)
        price = PENALTIES["kl"](silent, 0.05)
        assert math.isfinite(float(price.detach()))
        assert float(price.detach()) > 0.1


@pytest.mark.parametrize("sparsity", PENALTIES.names)
def test_the_code_of_a_sparse_autoencoder_is_the_same_in_numpy(sparsity: str) -> None:
    model, x = a_model(model="sparse_autoencoder", sparsity=sparsity), some_images()
    with torch.no_grad():
        head, code = model.encoder(x).float().numpy(), model.inference(x).mean.numpy()
    np.testing.assert_allclose(array_posterior(model.config, head).mean, code, atol=1e-6)
    if sparsity == "kl":
        assert ((code > 0.0) & (code < 1.0)).all()


def test_what_is_shown_is_corrupted_as_in_training_and_does_not_flicker() -> None:
    objective = ObjectiveConfig(corruption="dropout", corruption_level=0.5)
    corruptor = corruptor_for(replace(SMALL, model="denoising_autoencoder"), objective)
    assert corruptor == Corruptor("dropout", 0.5)
    pixels = np.full(400, 0.75, np.float32)
    first = corruptor.corrupted(pixels, 3)
    np.testing.assert_array_equal(first, corruptor.corrupted(pixels, 3))
    assert not np.array_equal(first, corruptor.corrupted(pixels, 4))
    assert 150 < (first == 0.0).sum() < 250
    assert corruptor_for(SMALL, objective) is None


def test_a_unit_that_is_off_for_all_images_is_still_drawn_to_the_target() -> None:
    head = torch.full((4, 2), -16.0, requires_grad=True)

    PENALTIES["kl"](torch.sigmoid(head), 0.05).backward()  # type: ignore[no-untyped-call]

    assert head.grad is not None
    assert (head.grad < 0.0).all()
