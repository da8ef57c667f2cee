from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from core import cli
from core.storage.model_file import load_model
from tests.core.cli.hands import refused


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    layers = {"fc1": (15, 4), "mu": (4, 2), "logvar": (4, 2), "fc3": (2, 4), "fc4": (4, 15)}
    module = nn.ModuleDict({name: nn.Linear(*sizes) for name, sizes in layers.items()})
    torch.save(module.state_dict(), tmp_path / "vae.pt")
    return tmp_path / "vae.pt"


def test_weights_become_a_model_file(weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "vae.safetensors"
    settings = ["--set", "image_height=5", "--set", "model.activation=tanh", "--set", "binarisation=none"]
    assert cli.main(["convert", str(weights), str(out), *settings]) == 0
    saved = load_model(out)
    assert (saved.config.model.image_height, saved.config.model.image_width) == (5, 3)
    assert saved.config.model.activation == "tanh"
    assert saved.config.data.binarisation == "none"
    assert saved.weights["encoder.layers.1.weight"].shape == (4, 4)
    assert np.isfinite(saved.weights["encoder.layers.1.weight"]).all()
    assert saved.provenance["command"].startswith("main.py convert ")
    told = capsys.readouterr().out
    assert told == "vae 15-4-2: mu was taken for the mean and logvar for the log-variance.\n"


def test_converting_refuses_what_makes_no_sense(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "vae.safetensors"
    out.write_bytes(b"mine")
    convert = ["convert", str(weights), str(out)]
    assert "exists already; --force overwrites it" in refused(capsys, convert, 2)
    onto_itself = ["convert", str(weights), str(weights), "--force"]
    assert "would overwrite the weights" in refused(capsys, onto_itself, 2)
    convert.append("--force")
    assert "15 inputs are no square picture" in refused(capsys, convert, 1)
    for settings, reason in (
        (["wings=2"], "unknown setting 'wings'"),
        (["source=mnist"], "source cannot be set"),
        (["image_height=5", "image_width=7"], "must be 15, not 5×7"),
    ):
        given = [part for setting in settings for part in ("--set", setting)]
        assert reason in refused(capsys, convert + given, 2)
    assert "could not be read: No such file" in refused(capsys, ["convert", "nowhere.pt", str(out), "--force"], 1)
    assert out.read_bytes() == b"mine"
