import threading
from typing import Any

import numpy as np
import pytest
import torch

from core.choices import ACTIVATIONS as ACTIVATION_CHOICES
from core.config import ModelConfig
from core.inference import network_coder
from core.inference.coders import Coder, make_coder
from core.inference.numpy_coder import ARRAY_ACTIVATIONS, NumpyCoder
from core.inference.torch_coder import TorchCoder
from core.models.build import build_latent_model, load_weights
from core.models.latent import LatentModel
from core.models.networks import ACTIVATIONS
from core.probability.limits import LOG_VAR_MAX, LOG_VAR_MIN
from core.snapshots import Weights, frozen
from tests.core.tiny_models import random_weights, tiny_config

Array = np.ndarray[Any, np.dtype[np.float32]]

CONFIGS = [
    tiny_config(model=model, network=network, activation=activation, latent_dim=3)
    for model in ("vae", "autoencoder")
    for network, activations in (("mlp", ARRAY_ACTIVATIONS.names), ("conv", ("gelu",)))
    for activation in activations
]


def _model(config: ModelConfig, weights: Weights) -> LatentModel:
    model = build_latent_model(config, None)
    load_weights(model, weights.arrays)
    return model


def _pixels(count: int, config: ModelConfig) -> Array:
    return (np.random.default_rng(1).random((count, config.num_pixels)) < 0.5).astype(np.float32)


def _codes(count: int, config: ModelConfig) -> Array:
    return np.random.default_rng(2).standard_normal((count, config.latent_dim)).astype(np.float32)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: f"{config.model}-{config.network}-{config.activation}")
def test_a_coder_computes_what_the_model_of_torch_computes(config: ModelConfig) -> None:
    weights = random_weights(config, scale=1.5)
    coder, model = make_coder(config, weights), _model(config, weights)
    pixels, codes = _pixels(20, config), _codes(20, config)
    with torch.no_grad():
        posterior = model.inference(torch.from_numpy(pixels))
        parameters = model.generative(torch.from_numpy(codes))
        decoded = model.likelihood.mean(parameters).numpy()
        log_prob = model.likelihood.log_prob(torch.from_numpy(pixels), parameters).numpy()
    encoded = coder.encode(pixels)
    np.testing.assert_allclose(encoded.mean, posterior.mean.numpy(), atol=1e-5)
    if posterior.log_var is None:
        assert encoded.log_var is None
    else:
        assert encoded.log_var is not None
        np.testing.assert_allclose(encoded.log_var, posterior.log_var.numpy(), atol=1e-5)
    np.testing.assert_allclose(coder.parameters(codes), parameters.numpy(), atol=1e-5)
    np.testing.assert_allclose(coder.decode(codes), decoded, atol=1e-5)
    np.testing.assert_allclose(coder.nll(pixels, codes), -log_prob, rtol=1e-5, atol=1e-4)
    assert coder.version == weights.version


def test_every_activation_of_the_settings_is_there_in_numpy_and_in_torch() -> None:
    assert set(ARRAY_ACTIVATIONS.names) == set(ACTIVATIONS.names) == {choice.name for choice in ACTIVATION_CHOICES}


@pytest.mark.parametrize("name", ARRAY_ACTIVATIONS.names)
def test_activations_are_those_of_torch_over_their_whole_range(name: str) -> None:
    values = np.concatenate([np.linspace(-12.0, 12.0, 4001), [-1e4, 1e4, 0.0]]).astype(np.float32)
    ours = values.copy()
    ARRAY_ACTIVATIONS[name](ours, np.empty_like(ours))
    np.testing.assert_allclose(ours, ACTIVATIONS[name](torch.from_numpy(values)).numpy(), rtol=1e-6, atol=1e-6)


def test_full_networks_run_in_numpy_and_all_others_in_torch() -> None:
    for network, kind in (("mlp", NumpyCoder), ("conv", TorchCoder)):
        config = tiny_config(network=network)
        assert isinstance(make_coder(config, random_weights(config)), kind)


@pytest.mark.parametrize("network", ["mlp", "conv"])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8])
def test_pieces_give_what_the_whole_gives(monkeypatch: pytest.MonkeyPatch, network: str, count: int) -> None:
    config = tiny_config(network=network)
    weights = random_weights(config)
    whole = make_coder(config, weights)
    with monkeypatch.context() as patch:
        patch.setattr(network_coder, "PIECE_FLOATS", 3 * config.num_pixels)
        pieces = make_coder(config, weights)
    pixels, codes = _pixels(count, config), _codes(count, config)
    ours, theirs = pieces.encode(pixels), whole.encode(pixels)
    np.testing.assert_allclose(ours.mean, theirs.mean, atol=1e-6)
    np.testing.assert_allclose(ours.scale, theirs.scale, rtol=1e-6)
    np.testing.assert_allclose(pieces.decode(codes), whole.decode(codes), atol=1e-6)
    np.testing.assert_allclose(pieces.nll(pixels, codes), whole.nll(pixels, codes), rtol=1e-5)
    drawn = pieces.draw(codes, np.random.default_rng(4))
    np.testing.assert_array_equal(drawn, whole.draw(codes, np.random.default_rng(4)))
    assert drawn.shape == pixels.shape


def test_a_picture_is_not_overwritten_by_the_next_one() -> None:
    config = tiny_config()
    coder = make_coder(config, random_weights(config))
    codes = _codes(5, config)
    one_by_one = np.concatenate([coder.decode(codes[row : row + 1]) for row in range(5)])
    np.testing.assert_allclose(one_by_one, coder.decode(codes), atol=1e-6)


def test_two_threads_may_decode_with_the_same_coder() -> None:
    config = tiny_config(hidden=(400, 400), latent_dim=2)
    coder = make_coder(config, random_weights(config))
    codes = _codes(2, config)
    expected = coder.decode(codes)
    wrong: list[int] = []

    def decode(row: int) -> None:
        pictures = (coder.decode(codes[row : row + 1]) for _ in range(300))
        wrong.extend(row for picture in pictures if not np.allclose(picture, expected[row], atol=1e-5))

    threads = [threading.Thread(target=decode, args=(row,)) for row in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_log_variances_stay_in_their_range() -> None:
    config = tiny_config(latent_dim=1)
    arrays = dict(random_weights(config).arrays)
    for value, bound in ((1e6, LOG_VAR_MAX), (-1e6, LOG_VAR_MIN)):
        arrays["encoder.layers.2.bias"] = frozen([0.0, value], np.float32)
        log_var = make_coder(config, Weights(1, 0, arrays)).encode(_pixels(2, config)).log_var
        assert log_var is not None
        np.testing.assert_array_equal(log_var, bound)


@pytest.mark.parametrize("scale", [1.0, 1e12])
@pytest.mark.parametrize("activation", ARRAY_ACTIVATIONS.names)
def test_every_code_decodes_to_a_finite_picture(activation: str, scale: float) -> None:
    config = tiny_config(activation=activation)
    coder = make_coder(config, random_weights(config, scale=scale))
    wild = np.array([[1e6, -1e6], [3e38, 1.0], [np.nan, 0.0], [np.inf, -np.inf], [0.0, 0.0]], np.float32)
    pictures = [coder.decode(wild), *(coder.decode(wild[row : row + 1]) for row in range(len(wild)))]
    for picture in pictures:
        assert np.isfinite(picture).all()
        assert ((picture >= 0.0) & (picture <= 1.0)).all()


@pytest.mark.parametrize("network", ["mlp", "conv"])
def test_weights_of_another_model_are_refused(network: str) -> None:
    config = tiny_config(network=network)
    weights = random_weights(tiny_config(network=network, latent_dim=5))
    with pytest.raises(ValueError, match=r"has shape \(5|has shape \(10|shape \(.*5\)"):
        make_coder(config, weights)


@pytest.mark.parametrize("network", ["mlp", "conv"])
@pytest.mark.parametrize("name", ["encoder.layers.0.bias", "decoder.layers.1.weight"])
def test_weights_that_lack_one_are_refused_by_its_name(network: str, name: str) -> None:
    config = tiny_config(network=network)
    arrays = {key: array for key, array in random_weights(config).arrays.items() if key != name}
    with pytest.raises(ValueError, match=name):
        make_coder(config, Weights(1, 0, arrays))


def test_read_only_pixels_are_taken() -> None:
    for network in ("mlp", "conv"):
        config = tiny_config(network=network)
        coder: Coder = make_coder(config, random_weights(config))
        coder.decode(frozen(coder.encode(frozen(_pixels(2, config))).mean))
