import numpy as np
import pytest

from core.config import DataConfig
from core.findings.nll import HeldOutNll
from core.findings.scoreboard import ScoreboardEntry, grouped, scoreboard_entry
from core.snapshots import frozen
from tests.core.tiny_models import tiny_config


def _entry(
    name: str,
    nats: float,
    *,
    binarisation: str = "dynamic",
    fingerprint: str = "a",
    split: str = "held_out",
    method: str = "quadrature",
    num_images: int = 3,
    data_seed: int = 0,
    **model: object,
) -> ScoreboardEntry:
    config = tiny_config(**model)
    found = HeldOutNll(
        nll=nats,
        standard_error=1.0,
        per_image=frozen(np.full(num_images, nats)),
        num_images=num_images,
        of_images=10,
        split=split,
        method=method,
        error_bar=None,
        num_samples=None,
        effective_samples=None,
        likelihood_normalised=config.likelihood != "bernoulli" or binarisation != "none",
        version=1,
    )
    data = DataConfig(binarisation=binarisation, data_seed=data_seed)
    return scoreboard_entry(name, config, data, "Digits", fingerprint, found)


def test_models_of_the_same_pixels_stand_in_one_group_the_best_first() -> None:
    rows = [
        _entry("vae", 91.0),
        _entry("made", 88.0, model="made", method="product"),
        _entry("broken", float("nan")),
        _entry("iwae", 89.0, model="iwae"),
    ]
    (group,) = grouped(rows)
    assert [entry.name for entry in group.entries] == ["made", "iwae", "vae", "broken"]
    assert group.why_apart == ""
    assert group.entries[0].latent_dim is None
    assert "Digits, held-out · binarisation: dynamic · probability mass" in group.key.title


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (_entry("x", 1.0, binarisation="threshold"), "another binarisation"),
        (_entry("x", 1.0, binarisation="fixed"), "another binarisation"),
        (_entry("x", 1.0, likelihood="gaussian", binarisation="none"), "density"),
        (_entry("x", 1.0, likelihood="continuous_bernoulli", binarisation="none"), "density"),
        (_entry("x", 1.0, likelihood="categorical", binarisation="none"), "another binarisation"),
        (_entry("x", 1.0, binarisation="none"), "belong to no distribution"),
        (_entry("x", 1.0, fingerprint="b"), "other images"),
        (_entry("x", 1.0, split="train"), "trained on"),
    ],
)
def test_nats_that_cannot_be_compared_stand_apart_with_the_reason(other: ScoreboardEntry, said: str) -> None:
    first, apart = grouped([_entry("vae", 91.0), other])
    assert said in apart.why_apart
    assert first.key.title in apart.why_apart
    assert first.why_apart == ""


def test_other_levels_and_other_fixed_draws_are_other_pixels() -> None:
    four = _entry("x", 1.0, likelihood="categorical", binarisation="none", grey_levels=4)
    eight = _entry("y", 1.0, likelihood="categorical", binarisation="none", grey_levels=8)
    assert len(grouped([four, eight])) == 2
    drawn = [_entry("x", 1.0, binarisation="fixed", data_seed=seed) for seed in (0, 1)]
    assert len(grouped(drawn)) == 2


def test_two_densities_of_the_same_greys_can_be_compared() -> None:
    rows = [
        _entry("g", -1.0, likelihood="gaussian", binarisation="none"),
        _entry("c", -2.0, likelihood="continuous_bernoulli", binarisation="none"),
    ]
    (group,) = grouped(rows)
    assert all(entry.bits_per_dim is None for entry in group.entries)


def test_bits_per_dim_are_those_of_a_mass() -> None:
    assert _entry("vae", 30.0 * np.log(2.0)).bits_per_dim == pytest.approx(1.0)
    assert _entry("grey", 30.0, binarisation="none").bits_per_dim is None


def test_a_group_says_what_to_mind() -> None:
    (group,) = grouped([_entry("a", 1.0), _entry("b", 2.0, method="importance", num_images=5)])
    assert "different numbers of images" in group.note
    assert "too large in expectation" in group.note
    (group,) = grouped([_entry("a", 1.0), _entry("b", 2.0)])
    assert group.note == ""
