"""What is said under the reconstructions of two compared models."""

from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from core.config import ModelConfig
from core.snapshots import PictureEncoding
from explorer.views.compare.pictures import ModelPictures

GREY = np.full((4, 4), 128, np.uint8)
CODE = np.zeros(2, np.float32)
ENCODING = PictureEncoding(
    seen=GREY,
    mean=CODE,
    log_var=CODE,
    deterministic=GREY,
    stochastic=GREY,
    nll=90.0,
    kl=5.0,
    num_samples=64,
    version=1,
    scale=np.eye(2, dtype=np.float32),
)


@pytest.mark.parametrize(("likelihood", "said"), [("bernoulli", True), ("categorical", False), ("gaussian", False)])
def test_only_bernoulli_nats_of_grey_pixels_are_called_no_likelihood(
    qtbot: QtBot, likelihood: str, *, said: bool
) -> None:
    pictures = ModelPictures()
    qtbot.addWidget(pictures)
    model = ModelConfig(likelihood=likelihood)
    pictures.set_encoding(ENCODING, model, model)
    assert ("not a likelihood" in pictures.reason) == said


def test_black_and_white_pixels_need_no_remark(qtbot: QtBot) -> None:
    pictures = ModelPictures()
    qtbot.addWidget(pictures)
    pictures.set_encoding(replace(ENCODING, seen=np.zeros((4, 4), np.uint8)), ModelConfig(), ModelConfig())
    assert pictures.reason == ""


def test_a_mass_beside_a_density_cannot_be_compared(qtbot: QtBot) -> None:
    pictures = ModelPictures()
    qtbot.addWidget(pictures)
    pictures.set_encoding(ENCODING, ModelConfig(likelihood="gaussian"), ModelConfig())
    assert "cannot be compared" in pictures.reason
