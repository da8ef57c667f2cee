"""What the pad says of a drawing for each kind of model."""

import math
from dataclasses import replace

import numpy as np
import pytest

from core.choices import MODELS
from core.config import ModelConfig
from core.findings.pixel_sampling import PixelScore
from core.snapshots import frozen
from explorer.views.draw_pad.costs import no_bound
from tests.explorer.draw_pad.conftest import Hand, encoding

LINE = [(60.0, 60.0), (200.0, 200.0)]


def score(log_prob: float = -90.0, *, grey: bool = False) -> PixelScore:
    seen = np.where(np.random.default_rng(0).random((28, 28)) < 0.2, 100 if grey else 255, 0)
    return PixelScore(frozen(seen, np.uint8), frozen(np.full((28, 28), 60), np.uint8), log_prob, 5)


@pytest.mark.parametrize("model", [choice.name for choice in MODELS])
def test_every_kind_without_a_bound_says_why_in_a_sentence_of_its_own(model: str) -> None:
    config = ModelConfig(model=model)
    assert bool(no_bound(config)) != config.has_prior
    others = [no_bound(ModelConfig(model=choice.name)) for choice in MODELS if choice.name != model]
    assert config.has_prior or no_bound(config) not in others


def test_a_density_has_no_bits_and_is_not_called_a_mass(hand: Hand) -> None:
    hand.stroke(LINE)
    for likelihood in ("gaussian", "continuous_bernoulli"):
        hand.pad.set_model(ModelConfig(likelihood=likelihood))
        hand.pad.set_encoding(encoding(grey=True))
        lines = hand.pad.results.costs.text().splitlines()
        assert lines[1:] == ["ELBO\t−146.75\t–", "NLL\t140.25\t–", "KL\t6.50\t–"]
        assert "density" in hand.pad.results.status.text()
        assert "not a likelihood" not in hand.pad.results.status.text()


def test_grey_levels_of_a_categorical_model_have_bits(hand: Hand) -> None:
    hand.stroke(LINE)
    hand.pad.set_model(ModelConfig(likelihood="categorical"))
    hand.pad.set_encoding(encoding(grey=True))
    assert hand.pad.results.costs.text().splitlines()[2] == "NLL\t140.25\t0.258"
    assert "likelihood" not in hand.pad.results.status.text()


def test_a_denoising_autoencoder_has_the_corrupted_picture_between_the_clean_one_and_what_became_of_it(
    hand: Hand,
) -> None:
    hand.stroke(LINE)
    hand.pad.set_model(ModelConfig(model="denoising_autoencoder"))
    corrupted = frozen(np.full((28, 28), 77), np.uint8)
    hand.pad.set_encoding(replace(encoding(autoencoder=True), corrupted=corrupted))
    results = hand.pad.results
    shown = [view for view in results.pictures if view.isVisible()]
    assert shown == [results.raw, results.seen, results.corrupted, results.deterministic, results.stochastic]
    assert results.corrupted.picture is corrupted
    assert len({view.width() for view in shown}) == 1
    assert "reconstructs from the corrupted" in results.status.text()
    hand.pad.set_model(ModelConfig())
    assert not results.corrupted.isVisible()


def test_an_autoregressive_model_shows_its_exact_log_probability(hand: Hand) -> None:
    hand.stroke(LINE)
    hand.pad.set_model(ModelConfig(model="made"))
    hand.pad.set_score(score())
    results = hand.pad.results
    assert [view for view in results.pictures if view.isVisible()] == [results.raw, results.seen, results.expected]
    assert results.costs.text().splitlines()[1] == f"log p\t−90.00\t−{90 / (784 * math.log(2.0)):.3f}"
    assert results.score is not None
    assert not results.posterior.isVisible()
    assert "exact" in results.status.text()
    hand.pad.set_score(score(grey=True))
    assert results.costs.text().splitlines()[1] == "log p\t−90.00\t–"
    hand.pad.clear()
    assert results.score is None


def test_a_score_that_comes_after_the_ink_is_gone_is_not_shown(hand: Hand) -> None:
    hand.pad.set_model(ModelConfig(model="made"))
    hand.pad.set_score(score())
    assert hand.pad.results.score is None
