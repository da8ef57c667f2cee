"""Settings: what they take, what they refuse, and what they say of it."""

import json

import pytest

from core.cli.arguments import shown_value
from core.config import SECTIONS, DataConfig, ExperimentConfig, find_setting
from core.settings import ConfigError, Setting, parse

EVERY_SETTING = [declared for section in SECTIONS.values() for declared in section.settings()]


def setting_of(name: str) -> Setting:
    return find_setting(name)[1]


@pytest.mark.parametrize("declared", EVERY_SETTING, ids=lambda declared: declared.name)
def test_every_setting_has_words_a_default_of_its_type_and_comes_back_from_text(declared: Setting) -> None:
    assert declared.declaration.label
    assert declared.declaration.help.endswith(".")
    assert type(declared.default) is declared.type
    text = shown_value(declared.default)
    assert parse(declared, text) == declared.default


def test_an_experiment_survives_json() -> None:
    config = ExperimentConfig().with_values({"hidden": (7, 5), "beta": 0.1, "source": "/data/\udcff 😀", "epochs": 3})
    assert ExperimentConfig.from_mapping(json.loads(json.dumps(config.to_mapping()))) == config


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("epochs", 100_001),
        ("epochs", 10**400),
        ("epochs", -(10**400)),
        ("epochs", 2.0),
        ("epochs", True),
        ("epochs", "2"),
        ("beta", 10**400),
        ("beta", -(10**400)),
        ("beta", float("nan")),
        ("beta", float("inf")),
        ("learning_rate", 0),
        ("learning_rate", float("-inf")),
        ("hidden", [512, 0]),
        ("hidden", [512, 10**400]),
        ("hidden", [512, True]),
        ("hidden", [512, 2.0]),
        ("hidden", [1] * 9),
        ("hidden", 512),
        ("model", "gan"),
        ("model", ["vae"]),
        ("source", None),
        ("invert", 1),
        ("network", "c" * 10_000_000),
        ("x" * 10_000_000, 1),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_value_that_is_not_allowed_is_refused_in_a_sentence_that_names_it(name: str, value: object) -> None:
    section = next((section for section in SECTIONS.values() if name in section.__annotations__), DataConfig)
    with pytest.raises(ConfigError) as caught:
        section.from_mapping({name: value})
    message = str(caught.value)
    assert name[:50] in message
    assert len(message) < 500


@pytest.mark.parametrize("name", ["epochs", "training.epochs", "seed", "training.seed", "model"])
def test_a_setting_is_found_by_its_name_or_its_section_and_name(name: str) -> None:
    section, declared = find_setting(name)
    assert name.rpartition(".")[2] == declared.name
    assert declared in SECTIONS[section].settings()


@pytest.mark.parametrize(
    "name", ["", ".", "epoch", "model.epochs", "training.", "training.epochs.more", "z" * 10_000_000]
)
def test_an_unknown_setting_is_refused_naming_those_that_are_known(name: str) -> None:
    with pytest.raises(ConfigError, match=r"unknown setting .*known: data\.binarisation, ") as caught:
        find_setting(name)
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize("names", [("network", "hidden", "channels"), ("channels", "hidden", "network")])
def test_settings_that_only_make_sense_together_are_taken_in_any_order(names: tuple[str, ...]) -> None:
    values = {"network": "conv", "hidden": "", "channels": "8"}
    config = ExperimentConfig().with_values({name: values[name] for name in names})
    assert (config.model.network, config.model.hidden, config.model.channels) == ("conv", (), (8,))


@pytest.mark.parametrize(
    ("text", "expected"), [("512,256", (512, 256)), ("512-256 - 128", (512, 256, 128)), (" 7 , ", (7,)), ("", ())]
)
def test_widths_are_read_with_commas_or_dashes(text: str, expected: tuple[int, ...]) -> None:
    assert parse(setting_of("hidden"), text) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("hidden", "-5"),
        ("hidden", "512,-5"),
        ("hidden", "a"),
        ("hidden", "2.5"),
        ("hidden", ","),
        ("hidden", "512,,256"),
        ("hidden", "512,,-3"),
        ("hidden", ",512"),
        ("hidden", "512 - - 3"),
        ("hidden", "512, ,"),
        ("epochs", "1.5"),
        ("epochs", ""),
        ("epochs", "9" * 400),
        ("epochs", "9" * 5000),
        ("beta", "one"),
        ("beta", "nan"),
        ("beta", "1e999"),
        ("invert", "maybe"),
    ],
)
def test_a_text_that_is_no_allowed_value_is_refused(name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=name) as caught:
        ExperimentConfig().with_values({name: text})
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("name", "wanted"), [("epochs", "a whole number"), ("beta", "a number"), ("invert", "yes or no")]
)
def test_an_empty_text_is_called_empty(name: str, wanted: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name} must be {wanted}; it is empty$"):
        parse(setting_of(name), "  ")
