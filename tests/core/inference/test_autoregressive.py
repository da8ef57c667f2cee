"""The autoregressive coder against the model in torch and against all tiny images."""

import itertools
import math
import time
from typing import Any

import numpy as np
import pytest
import torch

from core.choices import LIKELIHOODS
from core.config import ModelConfig
from core.inference.autoregressive import AutoregressiveCoder
from core.models.build import build_model, load_weights
from core.models.made import Made
from core.snapshots import Weights
from tests.core.tiny_models import random_weights, tiny_config

Array = np.ndarray[Any, np.dtype[np.float32]]
CONFIGS = [
    tiny_config(model="made", likelihood=likelihood.name, hidden=hidden, variance=variance, **ordering)
    for likelihood in LIKELIHOODS
    for hidden in ((20,), (9, 7), (30, 25, 20))
    for ordering in ({"ordering": "raster"}, {"ordering": "random", "ordering_seed": 4})
    for variance in (("fixed", "global", "per_pixel") if likelihood.name == "gaussian" else ("fixed",))
]


def name_of(config: ModelConfig) -> str:
    return f"{config.likelihood}-{config.variance}-{len(config.hidden)}-{config.ordering}"


def coder_and_model(config: ModelConfig) -> tuple[AutoregressiveCoder, Made]:
    weights = random_weights(config, scale=1.5)
    model = build_model(config, None)
    load_weights(model, weights.arrays)
    assert isinstance(model, Made)
    return AutoregressiveCoder(config, weights), model


def some_pixels(config: ModelConfig, batch: int = 6) -> Array:
    uniform = np.random.default_rng(1).random((batch, config.num_pixels)).astype(np.float32)
    steps = {"bernoulli": 1, "categorical": config.grey_levels - 1}.get(config.likelihood)
    return uniform if steps is None else (np.rint(uniform * steps) / steps).astype(np.float32)


@pytest.mark.parametrize("config", CONFIGS, ids=name_of)
def test_it_says_what_the_model_of_torch_says(config: ModelConfig) -> None:
    coder, model = coder_and_model(config)
    pixels = some_pixels(config)
    x = torch.from_numpy(pixels)
    with torch.no_grad():
        parameters, log_prob = model(x), model.log_prob(x)
        mean = model.likelihood.mean(parameters)
    np.testing.assert_allclose(coder.parameters(pixels), parameters.numpy(), atol=1e-4)
    np.testing.assert_allclose(coder.conditionals(pixels), mean.numpy(), atol=1e-5)
    np.testing.assert_allclose(coder.log_prob(pixels), log_prob.numpy(), rtol=2e-5, atol=1e-4)
    np.testing.assert_allclose(coder.log_prob_by_pixel(pixels).sum(axis=1), log_prob.numpy(), rtol=2e-5, atol=1e-4)


@pytest.mark.parametrize("config", CONFIGS, ids=name_of)
def test_what_is_drawn_pixel_by_pixel_is_what_a_whole_pass_says(config: ModelConfig) -> None:
    coder, model = coder_and_model(config)
    sampler = coder.sampler(seed=3)
    said = []
    while not sampler.is_done:
        state = sampler.state()
        assert state.next_pixel is not None
        said.append(state.next_pixel)
        sampler.step()
    x = torch.from_numpy(sampler.pixels[None])
    with torch.no_grad():
        mean = model.likelihood.mean(model(x))[0].numpy()
        log_prob = float(model.log_prob(x))
    np.testing.assert_allclose(sampler.means, mean, atol=1e-4)
    assert sampler.log_prob == pytest.approx(log_prob, rel=1e-4, abs=1e-3)
    places = [pixel.row * config.image_width + pixel.column for pixel in said]
    assert places == coder.ordering.tolist()
    np.testing.assert_allclose([pixel.mean for pixel in said], mean[coder.ordering], atol=1e-4)
    for pixel in said:
        if config.is_mass:
            greys = np.linspace(0.0, 1.0, len(pixel.probabilities))
            assert sum(pixel.probabilities) == pytest.approx(1.0, abs=1e-5)
            assert float(greys @ pixel.probabilities) == pytest.approx(pixel.mean, abs=1e-5)
        else:
            assert pixel.probabilities == ()


@pytest.mark.parametrize(("likelihood", "levels"), [("bernoulli", 2), ("categorical", 3)])
@pytest.mark.parametrize("ordering", ["raster", "random"])
def test_probabilities_of_all_tiny_images_sum_to_one_and_samples_follow_them(
    likelihood: str, levels: int, ordering: str
) -> None:
    config = tiny_config(
        model="made", likelihood=likelihood, grey_levels=levels, image_height=2, image_width=2, ordering=ordering
    )
    coder, _ = coder_and_model(config)
    pictures = np.array(list(itertools.product(np.linspace(0.0, 1.0, levels), repeat=4)), np.float32)
    probability = np.exp(coder.log_prob(pictures).astype(np.float64))
    assert probability.sum() == pytest.approx(1.0, abs=1e-5)
    num_samples = 1000
    drawn = np.rint(coder.sample(num_samples, seed=100) * (levels - 1)).astype(int)
    index = drawn @ levels ** np.arange(3, -1, -1)
    counts = np.bincount(index, minlength=len(pictures))
    # Pearson's statistic over the likely pictures has about as many degrees of freedom.
    likely = probability * num_samples > 5.0
    expected = probability[likely] * num_samples
    statistic = float(((counts[likely] - expected) ** 2 / expected).sum())
    freedom = int(likely.sum())
    assert statistic < freedom + 4.0 * math.sqrt(2.0 * freedom)


def test_the_first_pixels_can_be_given_and_the_rest_is_drawn() -> None:
    config = tiny_config(model="made", ordering="random", ordering_seed=2)
    coder, model = coder_and_model(config)
    given = some_pixels(config, 1)[0]
    sampler = coder.sampler(5, given, 11)
    state = sampler.state()
    assert (state.num_known, state.num_given, state.num_pixels) == (11, 11, 30)
    first = coder.ordering[:11]
    np.testing.assert_array_equal(sampler.pixels[first], given[first])
    assert state.known.ravel()[first].all()
    assert state.known.sum() == 11
    by_pixel = coder.log_prob_by_pixel(given[None])[0]
    assert state.log_prob == state.log_prob_given == pytest.approx(float(by_pixel[first].sum()), abs=1e-4)
    sampler.finish()
    np.testing.assert_array_equal(sampler.pixels[first], given[first])
    whole = sampler.state()
    assert whole.next_pixel is None
    assert whole.known.all()
    with torch.no_grad():
        expected = float(model.log_prob(torch.from_numpy(sampler.pixels[None])))
    assert whole.log_prob == pytest.approx(expected, abs=1e-3)
    assert whole.log_prob_given == state.log_prob


def test_given_pixels_decide_what_is_drawn_after_them_and_nothing_else_does() -> None:
    config = tiny_config(model="made", hidden=(200,))
    coder, _ = coder_and_model(config)
    black, white = np.zeros(30, np.float32), np.ones(30, np.float32)
    assert coder.sampler(1, black, 10).state().next_pixel != coder.sampler(1, white, 10).state().next_pixel
    later = black.copy()
    later[10:] = 1.0
    assert coder.sampler(1, black, 10).state().next_pixel == coder.sampler(1, later, 10).state().next_pixel


def test_the_seed_decides_a_sample() -> None:
    config = tiny_config(model="made")
    coder, _ = coder_and_model(config)
    first, again, other = (coder.sample(1, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("num_given", [-1, 31])
def test_more_pixels_than_there_are_cannot_be_given(num_given: int) -> None:
    config = tiny_config(model="made")
    coder, _ = coder_and_model(config)
    with pytest.raises(ValueError, match=r"\[0, 30\]"):
        coder.sampler(0, np.zeros(30, np.float32), num_given)
    with pytest.raises(ValueError, match=r"\[0, 0\]"):
        coder.sampler(0, None, 3)


def test_models_with_codes_and_weights_that_do_not_fit_are_refused() -> None:
    config = tiny_config(model="made")
    with pytest.raises(ValueError, match="vae model has codes"):
        AutoregressiveCoder(tiny_config(), random_weights(tiny_config()))
    with pytest.raises(ValueError, match="do not fit"):
        AutoregressiveCoder(config, random_weights(tiny_config(model="made", hidden=(5,))))


def test_batches_of_any_size_are_the_same() -> None:
    config = tiny_config(model="made")
    coder, _ = coder_and_model(config)
    pixels = some_pixels(config, 9)
    whole = coder.log_prob(pixels)
    coder._rows = 4
    np.testing.assert_allclose(coder.log_prob(pixels), whole, atol=1e-5)
    np.testing.assert_allclose(coder.parameters(pixels)[:0], coder.parameters(pixels[:0]))
    assert coder.log_prob(pixels[:0]).shape == (0,)


@pytest.mark.parametrize("scale", [1e12, 1e30])
def test_weights_gone_wild_give_a_picture_and_no_warning(scale: float) -> None:
    config = tiny_config(model="made", activation="relu")
    coder = AutoregressiveCoder(config, random_weights(config, scale=scale))
    sampler = coder.sampler(0)
    sampler.finish()
    assert set(np.unique(sampler.state().picture)) <= {0, 255}


@pytest.mark.parametrize("hidden", [(500,), (512, 256, 128)])
def test_a_whole_picture_of_the_usual_size_is_drawn_in_a_third_of_a_second(hidden: tuple[int, ...]) -> None:
    config = ModelConfig(model="made", hidden=hidden)
    coder = AutoregressiveCoder(config, random_weights(config))
    seconds = []
    for seed in range(3):
        begun = time.process_time()
        coder.sampler(seed).finish()
        seconds.append(time.process_time() - begun)
    # Each annotation is executed here; without that it is a quarter of it.
    assert min(seconds) < 0.3 * 4


def test_a_state_is_frozen() -> None:
    config = tiny_config(model="made")
    coder, _ = coder_and_model(config)
    sampler = coder.sampler(0)
    state = sampler.state()
    sampler.finish()
    assert state.num_known == 0
    assert not state.picture.any()
    for array in (state.picture, state.known, state.means):
        assert not array.flags.writeable


def test_numbered_weights_are_told() -> None:
    config = tiny_config(model="made")
    weights = random_weights(config)
    coder = AutoregressiveCoder(config, Weights(12, 3, weights.arrays))
    assert coder.version == coder.sampler(0).state().version == 12
