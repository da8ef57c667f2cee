"""Networks, models, and weights into and out of them."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from core import choices
from core.config import ModelConfig
from core.models.build import WeightsError, build_model, load_weights, weights_of
from core.models.latent import LatentModel
from core.models.layout import expected_shapes, num_parameters
from core.models.networks import ACTIVATIONS, NETWORKS, run_layers
from core.models.picture_model import MODELS

CONFIGS = [
    ModelConfig(
        model=model, network=network, latent_dim=3, hidden=(7, 5), channels=(4, 6), image_height=9, image_width=13
    )
    for model in MODELS
    for network in NETWORKS
    if (model, network) != ("made", "conv")
]
LATENT = [config for config in CONFIGS if config.has_codes]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def latent_model(config: ModelConfig, generator: torch.Generator | None) -> LatentModel:
    model = build_model(config, generator)
    assert isinstance(model, LatentModel)
    return model


def name_of(config: ModelConfig) -> str:
    return f"{config.model}-{config.network}"


def test_everything_that_can_be_chosen_is_registered() -> None:
    assert sorted(MODELS.names) == sorted(choice.name for choice in choices.MODELS)
    assert NETWORKS.names == tuple(choice.name for choice in choices.NETWORKS)
    assert sorted(ACTIVATIONS.names) == sorted(choice.name for choice in choices.ACTIVATIONS)
    for name in MODELS:
        assert MODELS[name].has_prior == ModelConfig(model=name).has_prior


@pytest.mark.parametrize("config", CONFIGS, ids=name_of)
def test_every_model_has_the_weights_that_its_configuration_says(config: ModelConfig) -> None:
    model = build_model(config, seeded())
    found = {name: tuple(parameter.shape) for name, parameter in model.named_parameters()}
    assert list(found.items()) == list(expected_shapes(config).items())
    assert num_parameters(config) == sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("config", LATENT, ids=name_of)
def test_every_latent_model_goes_from_pixels_to_codes_to_parameters(config: ModelConfig) -> None:
    model = latent_model(config, seeded())
    x = torch.rand(6, config.num_pixels, generator=seeded(1))
    posterior = model.inference(x)
    parameters = model.generative(posterior.rsample(seeded(2)))
    assert posterior.mean.shape == (6, 3)
    assert (posterior.log_var is not None) == config.has_prior
    assert parameters.shape == (6, config.num_pixels)
    assert torch.equal(model(x), model.generative(posterior.mean))


@pytest.mark.parametrize("config", CONFIGS, ids=name_of)
def test_every_weight_of_every_model_is_learned_from(config: ModelConfig) -> None:
    model = build_model(config, seeded())
    x = torch.rand(6, config.num_pixels, generator=seeded(1))
    parameters = model(x)
    if isinstance(model, LatentModel):
        parameters = model.generative(model.inference(x).rsample(seeded(2)))
    model.likelihood.log_prob(x, parameters).sum().backward()  # type: ignore[no-untyped-call]
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert float(parameter.grad.abs().sum()) > 0.0, name


@pytest.mark.parametrize("height", [4, 7, 8, 11])
@pytest.mark.parametrize("width", [4, 5, 10])
@pytest.mark.parametrize("channels", [(3,), (3, 5)])
@pytest.mark.parametrize("hidden", [(6,), ()])
def test_convolutions_fit_pictures_of_any_size(
    height: int, width: int, channels: tuple[int, ...], hidden: tuple[int, ...]
) -> None:
    config = ModelConfig(network="conv", image_height=height, image_width=width, channels=channels, hidden=hidden)
    model = build_model(config, seeded())
    assert model(torch.rand(2, height * width)).shape == (2, height * width)


def test_a_convolutional_decoder_puts_a_local_feature_where_it_belongs() -> None:
    config = ModelConfig(network="conv", channels=(4, 6), hidden=(), image_height=12, image_width=20)
    decoder = latent_model(config, seeded()).decoder
    features = torch.zeros(1, 3, 5, 6)
    features[0, 1, 3, :] = 5.0
    with torch.no_grad():
        layer = decoder.get_submodule("layers.0")
        assert isinstance(layer, torch.nn.Linear)
        layer.weight.zero_()
        layer.bias.copy_(features.flatten())
        without = decoder(torch.zeros(1, 2))
        layer.bias.add_(torch.rand(90) * 0.0)
        layer.bias[:] = 0.0
        changed = (without - decoder(torch.zeros(1, 2))).abs().reshape(12, 20) > 1e-6
    rows, columns = np.nonzero(changed.numpy())
    assert rows.mean() == pytest.approx((1 + 0.5) * 4 - 0.5, abs=1.0)
    assert columns.mean() == pytest.approx((3 + 0.5) * 4 - 0.5, abs=1.0)


def test_gelu_has_the_tanh_form() -> None:
    value = torch.linspace(-4.0, 4.0, 50)
    expected = 0.5 * value * (1.0 + torch.tanh((2.0 / torch.pi) ** 0.5 * (value + 0.044715 * value**3)))
    torch.testing.assert_close(ACTIVATIONS["gelu"](value), expected)


def test_an_mlp_is_the_plain_product_of_its_named_weights() -> None:
    config = ModelConfig(hidden=(7, 5), image_height=3, image_width=4, activation="relu")
    model = latent_model(config, seeded())
    weights = {name: torch.from_numpy(array.copy()) for name, array in weights_of(model).items()}
    x = torch.rand(2, 12, generator=seeded(1))
    value = x
    for index in range(3):
        value = functional.linear(
            value, weights[f"encoder.layers.{index}.weight"], weights[f"encoder.layers.{index}.bias"]
        )
        value = torch.relu(value) if index < 2 else value
    torch.testing.assert_close(model.inference(x).mean, value[:, :2])
    torch.testing.assert_close(model.inference(x).log_var, value[:, 2:])


def test_initial_weights_come_from_the_generator_alone() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = weights_of(build_model(CONFIGS[0], seeded(4)))
    assert torch.equal(torch.get_rng_state(), before)
    second, other = weights_of(build_model(CONFIGS[0], seeded(4))), weights_of(build_model(CONFIGS[0], seeded(5)))
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert not np.array_equal(first["encoder.layers.0.weight"], other["encoder.layers.0.weight"])


@pytest.mark.parametrize("activation", ACTIVATIONS.names)
def test_initial_weights_keep_the_size_of_what_passes_through(activation: str) -> None:
    config = ModelConfig(hidden=(400,) * 8, activation=activation)
    model = latent_model(config, seeded())
    value = torch.randn(200, config.num_pixels, generator=seeded(1))
    layers = model.encoder.get_submodule("layers")
    assert isinstance(layers, torch.nn.ModuleList)
    deep = run_layers(layers[:-1], value, ACTIVATIONS[activation]).detach()
    assert 0.05 < float(deep.square().mean().sqrt()) < 3.0


def test_only_a_decoder_s_first_biases_are_drawn() -> None:
    for config in CONFIGS:
        model = build_model(replace(config, hidden=(400,)), seeded())
        for name, parameter in model.named_parameters():
            if name == "decoder.layers.0.bias":
                assert float(parameter.detach().std()) == pytest.approx(1.0, rel=0.15)
            elif name.endswith("bias"):
                assert not parameter.any(), name


@pytest.mark.parametrize("channels", [(64, 64), (64, 64, 64)])
def test_initial_convolutions_keep_the_size_of_what_passes_through(channels: tuple[int, ...]) -> None:
    config = ModelConfig(network="conv", channels=channels, hidden=(), activation="relu", latent_dim=64)
    decoder = latent_model(config, seeded()).decoder
    sizes = []
    for name, layer in decoder.named_modules():
        if name.startswith("upscalings."):
            layer.register_forward_hook(lambda _, __, output: sizes.append(float(output.square().mean())))
    with torch.no_grad():
        decoder(torch.randn(50, 64, generator=seeded(1)))
    # Twice what follows the nonlinearity; at the border a few taps find nothing.
    assert len(sizes) == len(channels) - 1
    assert all(1.0 < size < 4.0 for size in sizes)


@pytest.mark.parametrize(("height", "width"), [(11, 19), (9, 17)])
def test_a_picture_of_odd_sides_is_cut_at_its_lower_right(height: int, width: int) -> None:
    """Above and left of the cut it is that of the same weights at the even size."""
    even, odd = (
        ModelConfig(network="conv", channels=(4, 6), hidden=(), image_height=rows, image_width=columns)
        for rows, columns in ((12, 20), (height, width))
    )
    whole, cut = latent_model(even, seeded()), latent_model(odd, None)
    load_weights(cut, weights_of(whole))
    codes = torch.randn(3, 2, generator=seeded(1))
    with torch.no_grad():
        expected, found = (model(codes).reshape(3, 1, -1) for model in (whole.generative, cut.generative))
    rows, columns = height - height % 4, width - width % 4
    torch.testing.assert_close(
        found.reshape(3, height, width)[:, :rows, :columns], expected.reshape(3, 12, 20)[:, :rows, :columns]
    )


def test_a_convolutional_model_starts_at_the_datas_mean_grey() -> None:
    config = ModelConfig(network="conv", channels=(4,), hidden=(), image_height=6, image_width=8)
    model = latent_model(config, seeded())
    model.start_at_mean(torch.full((1, 48), 0.2))
    at_zero = model.likelihood.mean(model.generative(torch.zeros(1, 2))).detach()
    assert float((at_zero - 0.2).abs().max()) < 0.1


def test_a_model_starts_at_the_datas_mean_picture() -> None:
    picture = torch.linspace(0.05, 0.95, 12).reshape(1, 12)
    model = latent_model(ModelConfig(hidden=(5,), image_height=3, image_width=4), seeded())
    model.start_at_mean(picture)
    at_zero = model.likelihood.mean(model.generative(torch.zeros(1, 2))).detach()
    assert float((at_zero - picture).abs().max()) < 0.1


def test_weights_go_out_and_back_unchanged() -> None:
    for config in CONFIGS:
        model, other = build_model(config, seeded(1)), build_model(config, seeded(2))
        x = torch.rand(3, config.num_pixels)
        load_weights(other, weights_of(model))
        assert torch.equal(model(x), other(x))


def test_a_copy_of_weights_is_read_only_and_not_the_model() -> None:
    model = build_model(CONFIGS[0], seeded())
    weights = weights_of(model)
    kept = weights["encoder.layers.0.bias"].copy()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)
    assert not weights["encoder.layers.0.bias"].flags.writeable
    assert np.array_equal(weights["encoder.layers.0.bias"], kept)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("missing", "encoder.layers.0.bias is missing"),
        ("renamed", "encoder.layers.0.offset is unknown"),
        ("shape", "encoder.layers.0.bias has shape 1×7, not 7"),
        ("dtype", "encoder.layers.0.bias is of type float64, not float32"),
        ("nan", "encoder.layers.0.bias holds 2 values that are not finite"),
    ],
)
def test_weights_that_do_not_fit_change_nothing_and_are_named(fault: str, said: str) -> None:
    model = build_model(CONFIGS[0], seeded(1))
    before = weights_of(model)
    arrays = dict(weights_of(build_model(CONFIGS[0], seeded(2))))
    name = "encoder.layers.0.bias"
    bias = arrays.pop(name)
    if fault == "renamed":
        arrays["encoder.layers.0.offset"] = bias
    elif fault == "shape":
        arrays[name] = bias.reshape(1, 7)
    elif fault == "dtype":
        arrays[name] = bias.astype(np.float64)
    elif fault == "nan":
        arrays[name] = np.array([np.nan, np.inf, 0, 0, 0, 0, 0], np.float32)
    with pytest.raises(WeightsError, match=said):
        load_weights(model, arrays)
    assert all(np.array_equal(before[key], array) for key, array in weights_of(model).items())


def test_the_shapes_of_a_huge_model_are_known_without_building_it() -> None:
    huge = ModelConfig(hidden=(8192,) * 8, image_height=256, image_width=256, latent_dim=256)
    assert num_parameters(huge) > 10**9
    assert num_parameters(replace(huge, network="conv", channels=(1024,) * 4)) > 10**7


def test_the_layout_and_the_limits_are_known_without_torch() -> None:
    script = (
        "import sys, core.models, core.models.layout, core.probability.limits, core.training.errors;"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0  # noqa: S603
