"""Tensors under foreign names are recognised as the layers they are, or refused with what was found."""

import numpy as np
import pytest

from core.config import ModelConfig
from core.models.layout import expected_shapes
from core.settings import ConfigError
from core.storage.foreign.conversion import mapped
from core.storage.foreign.layers import Array, NotMappableError
from tests.core.tiny_models import random_weights, tiny_config

Tensors = dict[str, Array]


def linear(tensors: Tensors, name: str, inputs: int, outputs: int, *, bias: bool = True) -> None:
    """Add a layer whose numbers tell it from every other."""
    generator = np.random.default_rng(len(tensors))
    tensors[f"{name}.weight"] = generator.standard_normal((outputs, inputs)).astype(np.float32)
    if bias:
        tensors[f"{name}.bias"] = generator.standard_normal(outputs).astype(np.float32)


def chain(*layers: tuple[str, int, int], bias: bool = True) -> Tensors:
    """Return the tensors of some layers."""
    tensors: Tensors = {}
    for name, inputs, outputs in layers:
        linear(tensors, name, inputs, outputs, bias=bias)
    return tensors


PYTORCH = (("fc1", 16, 6), ("fc21", 6, 2), ("fc22", 6, 2), ("fc3", 2, 6), ("fc4", 6, 16))
PYTHAE = (
    ("encoder.layers.0.0", 16, 6),
    ("encoder.embedding", 6, 2),
    ("encoder.log_var", 6, 2),
    ("decoder.layers.0.0", 2, 6),
    ("decoder.layers.1.0", 6, 16),
)
DECODER_FIRST = (
    ("decoder.0", 2, 5),
    ("decoder.2", 5, 6),
    ("decoder.4", 6, 16),
    ("mu_head", 5, 2),
    ("logvar_head", 5, 2),
    ("encoder.0", 16, 6),
    ("encoder.2", 6, 5),
)


@pytest.mark.parametrize(
    ("layers", "mean", "log_var"),
    [
        (PYTORCH, "fc21", "fc22"),
        (PYTHAE, "encoder.embedding", "encoder.log_var"),
        (DECODER_FIRST, "mu_head", "logvar_head"),
        ((("a", 16, 6), ("fc_logvar", 6, 2), ("fc_mu", 6, 2), ("b", 2, 6), ("c", 6, 16)), "fc_mu", "fc_logvar"),
        ((("a", 16, 6), ("one", 6, 2), ("two", 6, 2), ("b", 2, 6), ("c", 6, 16)), "one", "two"),
        ((("z_loc", 16, 2), ("z_sigma", 16, 2), ("out", 2, 16)), "z_loc", "z_sigma"),
    ],
)
def test_two_heads_are_told_apart_by_their_names_or_else_their_order(
    layers: tuple[tuple[str, int, int], ...], mean: str, log_var: str
) -> None:
    tensors = chain(*layers)
    config, weights, notes = mapped(tensors, {})
    assert config.model.model == "vae"
    assert config.model.latent_dim == 2
    head = f"encoder.layers.{len(config.model.hidden)}"
    np.testing.assert_array_equal(
        weights[f"{head}.weight"], np.concatenate([tensors[f"{mean}.weight"], tensors[f"{log_var}.weight"]])
    )
    np.testing.assert_array_equal(
        weights[f"{head}.bias"], np.concatenate([tensors[f"{mean}.bias"], tensors[f"{log_var}.bias"]])
    )
    assert any(mean in note and log_var in note for note in notes)
    assert any("by their order" in note for note in notes) == (mean == "one")
    assert weights.keys() == expected_shapes(config.model).keys()


def test_the_order_of_the_halves_does_not_matter() -> None:
    tensors = chain(*DECODER_FIRST)
    config, weights, _ = mapped(tensors, {})
    assert config.model.hidden == (6, 5)
    np.testing.assert_array_equal(weights["encoder.layers.0.weight"], tensors["encoder.0.weight"])
    np.testing.assert_array_equal(weights["decoder.layers.2.bias"], tensors["decoder.4.bias"])


def test_layers_are_counted_as_people_count() -> None:
    widths = (16, 15, 14, 13, 12, 11, 2, 11, 12, 13, 14, 15, 16)
    order = [*range(1, 13)]
    layers = [(f"fc{number}", widths[number - 1], widths[number]) for number in sorted(order, key=str)]
    config, weights, _ = mapped(chain(*layers), {})
    assert config.model.hidden == (15, 14, 13, 12, 11)
    assert weights["decoder.layers.5.weight"].shape == (16, 15)


def test_one_head_twice_as_wide_is_mean_and_log_variance() -> None:
    config, weights, notes = mapped(chain(("e.0", 16, 6), ("e.2", 6, 4), ("d.0", 2, 6), ("d.2", 6, 16)), {})
    assert (config.model.model, config.model.latent_dim, config.model.hidden) == ("vae", 2, (6,))
    assert weights["encoder.layers.1.weight"].shape == (4, 6)
    assert "first half" in notes[0]


def test_one_head_as_wide_as_the_code_is_an_autoencoder() -> None:
    config, _, notes = mapped(chain(("e.0", 16, 6), ("e.2", 6, 2), ("d.0", 2, 6), ("d.2", 6, 16)), {})
    assert config.model.model == "autoencoder"
    assert "autoencoder" in notes[0]


def test_a_log_sigma_is_doubled_to_a_log_variance() -> None:
    tensors = chain(("a", 16, 6), ("mu", 6, 2), ("log_sigma", 6, 2), ("b", 2, 6), ("c", 6, 16))
    _, weights, notes = mapped(tensors, {})
    np.testing.assert_array_equal(weights["encoder.layers.1.weight"][2:], 2 * tensors["log_sigma.weight"])
    np.testing.assert_array_equal(weights["encoder.layers.1.bias"][2:], 2 * tensors["log_sigma.bias"])
    assert "log σ" in notes[0]


def test_layers_without_bias_get_zeros() -> None:
    _, weights, _ = mapped(chain(*PYTORCH, bias=False), {})
    assert not any(weights[name].any() for name in weights if name.endswith(".bias"))


def test_what_the_weights_were_wrapped_in_is_taken_off() -> None:
    plain = chain(*PYTORCH)
    wrapped = {f"_orig_mod.module.{name}": array for name, array in plain.items()}
    ours, theirs = mapped(plain, {})[1], mapped(wrapped, {})[1]
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name])


def test_the_activation_is_relu_and_said_unless_it_is_given() -> None:
    config, _, notes = mapped(chain(*PYTORCH), {})
    assert config.model.activation == "relu"
    assert any("ReLU" in note for note in notes)
    config, _, notes = mapped(chain(*PYTORCH), {"model.activation": "tanh"})
    assert config.model.activation == "tanh"
    assert not any("ReLU" in note for note in notes)


OBLONG = chain(("e", 15, 4), ("d", 2, 15))


@pytest.mark.parametrize(
    "given", [{"image_height": "5"}, {"model.image_width": "3"}, {"image_height": 5, "image_width": 3}]
)
def test_pictures_that_are_not_square_have_their_size_given(given: dict[str, object]) -> None:
    config, _, _ = mapped(OBLONG, given)
    assert (config.model.image_height, config.model.image_width) == (5, 3)


def test_pictures_that_are_not_square_are_refused_without_a_size() -> None:
    with pytest.raises(NotMappableError, match=r"15 inputs are no square picture; set image_height and image_width"):
        mapped(OBLONG, {})


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"image_height": "4"}, "must be 15, not 4×3"),
        ({"image_height": "0"}, "a side of a picture must be a whole number"),
        ({"image_height": "5", "image_width": "3", "latent_dim": "3"}, "other weights than the file holds"),
        ({"image_height": "5", "likelihood": "categorical"}, "other weights than the file holds"),
        ({"image_height": "5", "activation": "swish"}, "activation must be one of relu, gelu, tanh"),
    ],
)
def test_settings_that_contradict_the_weights_are_refused(given: dict[str, object], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        mapped(OBLONG, given)


@pytest.mark.parametrize("model", ["vae", "autoencoder"])
@pytest.mark.parametrize("network", ["mlp", "conv"])
def test_the_weights_of_a_network_of_ours_are_taken_by_their_names(model: str, network: str) -> None:
    config = tiny_config(model=model, network=network, image_height=8, image_width=8, hidden=(7,))
    arrays = dict(random_weights(config).arrays)
    found, weights, _ = mapped(arrays, {})
    assert ModelConfig.from_mapping({**found.model.to_mapping(), "channels": [3, 4], "activation": "tanh"}) == config
    for name, array in arrays.items():
        np.testing.assert_array_equal(weights[name], array)


def test_convolutions_of_an_odd_picture_need_its_size() -> None:
    config = tiny_config(network="conv", image_height=7, image_width=7)
    arrays = dict(random_weights(config).arrays)
    assert mapped(arrays, {})[0].model.image_height == 8
    assert mapped(arrays, {"image_height": 7, "image_width": 7})[0].model.image_height == 7


@pytest.mark.parametrize(
    ("tensors", "reason"),
    [
        ({}, "0 linear layer"),
        (chain(("a", 16, 4)), "1 linear layer"),
        (chain(("a", 16, 4), ("b", 3, 16)), "b 3→16 does not take the code of a 16→4"),
        (chain(("a", 16, 6), ("b", 6, 2), ("c", 2, 5), ("d", 5, 16)), "are not the encoder's (6,) in reverse"),
        (chain(("a", 16, 6), ("b", 6, 2), ("c", 2, 6), ("d", 6, 15)), "does not give the 16 pixels"),
        (chain(("a", 16, 6), ("b", 7, 2), ("c", 2, 6), ("d", 6, 16)), "b 7→2 does not follow a 16→6"),
        (chain(("a", 16, 2), ("b", 16, 3), ("c", 2, 16)), "no two heads of one shape"),
        (chain(*((f"l{number}", 16, 16) for number in range(20))), "9 hidden layers; at most 8"),
        ({**chain(*PYTORCH), "bn.running_mean": np.zeros(3, np.float32)}, "not of linear layers: bn.running_mean [3]"),
        ({"a.weight": np.zeros((1, 1, 3, 3), np.float32)}, "only from networks of this program"),
        ({"a.weight": np.zeros((0, 3), np.float32)}, "not of linear layers"),
        (chain(("a", 90000, 2), ("b", 2, 90000)), "image_height must lie in"),
        (chain(("a", 16, 600), ("b", 300, 16)), "latent_dim must lie in"),
    ],
)
def test_what_is_no_model_here_is_refused_with_what_was_found_and_what_is_allowed(
    tensors: Tensors, reason: str
) -> None:
    with pytest.raises(NotMappableError) as caught:
        mapped(tensors, {})
    message = str(caught.value)
    assert reason in message
    assert "Allowed: a fully connected autoencoder or VAE" in message
    for name in list(tensors)[:3]:
        assert name in message


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_refused(value: float) -> None:
    tensors = chain(*PYTORCH)
    tensors["fc3.bias"][1] = value
    with pytest.raises(NotMappableError, match=r"decoder\.layers\.0\.bias.*not finite"):
        mapped(tensors, {})


def test_a_log_sigma_that_doubles_to_infinity_is_refused() -> None:
    tensors = chain(("a", 16, 6), ("mu", 6, 2), ("log_sigma", 6, 2), ("b", 2, 6), ("c", 6, 16))
    tensors["log_sigma.bias"][0] = 3e38
    with pytest.raises(NotMappableError, match="not finite"):
        mapped(tensors, {})


def test_names_of_a_file_are_no_markup_in_a_message() -> None:
    name = "<img src='x'>\n\ud800" + "a" * 300
    with pytest.raises(NotMappableError) as caught:
        mapped({name: np.zeros(3, np.float32)}, {})
    message = str(caught.value)
    assert "<" not in message
    assert message.isprintable()
    assert "?img?src??x???" in message
