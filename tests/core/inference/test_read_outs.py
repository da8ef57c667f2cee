import math

import numpy as np
import pytest

from core.config import DataConfig
from core.data.binarisation import seen_by_model
from core.findings.read_outs import ReadOuts, collapse_sentence
from core.inference import encoding as encoding_module
from core.inference.array_posteriors import Full
from core.inference.coders import make_coder
from core.inference.encoding import encoded, joined, of_image
from core.inference.evaluation import evaluate
from core.inference.read_outs import exact_read_outs, read_outs
from core.inference.steps import completed
from core.inference.surgery import surgery
from core.snapshots import Split, Weights, frozen
from tests.core.tiny_models import random_weights, tiny_config

DATA = DataConfig(binarisation="dynamic", data_seed=3)


@pytest.fixture(scope="module")
def split() -> Split:
    generator = np.random.default_rng(0)
    return Split(frozen(generator.integers(0, 256, (60, 6, 5)), np.uint8), None)


def _found(split: Split, limit: int | None = None, num_nodes: int = 36, **model: object) -> ReadOuts:
    config = tiny_config(**model)
    shares: list[float] = []
    coder = make_coder(config, random_weights(config))
    found = completed(read_outs(coder, split, DATA, limit=limit, num_nodes=num_nodes), shares.append)
    assert shares == sorted(shares)
    return found


@pytest.mark.parametrize("posterior", ["factorised", "full"])
def test_figures_are_those_of_evaluation_and_surgery_over_the_same_images(split: Split, posterior: str) -> None:
    config = tiny_config(posterior=posterior)
    coder = make_coder(config, random_weights(config))
    found = _found(split, posterior=posterior)
    expected = evaluate(coder, split, DATA)
    assert found.means == expected.means
    assert found.standard_error == expected.standard_error
    assert "36 codes" in found.method
    whole = coder.encode(seen_by_model(split.images, np.arange(60), DATA))
    parts = completed(surgery(whole))
    assert found.surgery is not None
    assert found.surgery.mutual_information == pytest.approx(parts.mutual_information, abs=1e-6)
    assert found.surgery.cap == pytest.approx(math.log(60))
    assert found.rate == pytest.approx(found.surgery.mutual_information + found.surgery.marginal_kl, abs=1e-5)
    assert found.distortion == found.means.nll
    np.testing.assert_allclose(found.spread, whole.mean.var(axis=0), rtol=1e-4)
    assert found.active_units == int((whole.mean.var(axis=0) > 0.01).sum())
    assert (found.num_images, found.of_images, found.version, found.undefined_reason) == (60, 60, 7, "")


def test_a_subset_says_of_how_many_images_it_is(split: Split) -> None:
    found = _found(split, limit=20, num_nodes=1)
    assert (found.num_images, found.of_images) == (20, 60)
    assert "one sample" in found.method
    assert found.surgery is not None
    assert found.surgery.num_images == 20


def test_an_autoencoder_has_activity_and_a_cost_and_the_rest_is_not_defined(split: Split) -> None:
    found = _found(split, model="autoencoder")
    assert (found.rate, found.means.elbo, found.surgery, found.collapse) == (None, None, None, "")
    assert "no prior" in found.undefined_reason
    assert found.active_units == 2
    assert found.distortion == found.means.nll


def test_an_autoregressive_model_has_its_exact_cost_alone(split: Split) -> None:
    config = tiny_config(model="made")
    found = completed(exact_read_outs(config, random_weights(config), split, DATA, limit=30))
    assert found.means.nll > 0.0
    assert (found.rate, found.distortion, found.active_units, found.surgery) == (None, None, None, None)
    assert "no codes" in found.undefined_reason
    assert (found.num_images, found.of_images) == (30, 60)


def test_codes_that_are_not_finite_are_told_without_a_warning(split: Split) -> None:
    config = tiny_config()
    weights = random_weights(config)
    arrays = dict(weights.arrays)
    arrays["encoder.layers.2.weight"] = frozen(np.full_like(arrays["encoder.layers.2.weight"], 3e38))
    coder = make_coder(config, Weights(7, 0, arrays))
    found = completed(read_outs(coder, split, DATA))
    assert found.surgery is None
    assert "not finite" in found.undefined_reason


@pytest.mark.parametrize("model", [{}, {"posterior": "full"}, {"model": "autoencoder"}])
def test_a_batch_in_pieces_is_the_batch(
    split: Split, model: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding_module, "PIECE_IMAGES", 17)
    config = tiny_config(**model)
    coder = make_coder(config, random_weights(config))
    pieces = completed(encoded(coder, split, np.arange(60), DATA))
    whole = coder.encode(seen_by_model(split.images, np.arange(60), DATA))
    np.testing.assert_allclose(pieces.mean, whole.mean, atol=1e-6)
    np.testing.assert_allclose(pieces.scale, whole.scale, atol=1e-6)
    one = of_image(pieces, 33)
    np.testing.assert_array_equal(one.scale, pieces.scale[33:34])
    assert type(one) is type(pieces) is type(whole)


def test_nothing_cannot_be_joined() -> None:
    with pytest.raises(ValueError, match="no posteriors"):
        joined([])
    full = Full(np.zeros((1, 2), np.float32), np.eye(2, dtype=np.float32)[None])
    assert len(joined([full, full]).mean) == 2


@pytest.mark.parametrize(
    ("kl", "said"),
    [
        ((), ""),
        ((2.0, 0.5), "No dimension has collapsed: each carries at least 0.5 nats."),
        ((3.83, 3.659), "No dimension has collapsed: each carries at least 3.65 nats."),
        ((2.0, 0.29), "No dimension has collapsed: each carries at least 0.29 nats."),
        ((float("nan"),), "No dimension has collapsed: each carries at least nan nats."),
        ((2.0, 0.001), "1 of 2 dimensions carries less than 0.01 nats: collapsed."),
        ((2.0, 0.001, 0.0), "2 of 3 dimensions carry less than 0.01 nats: collapsed."),
        ((0.001, 0.0), "Every dimension carries less than 0.01 nats: the posterior has collapsed to the prior."),
    ],
)
def test_collapse_is_said_in_words(kl: tuple[float, ...], said: str) -> None:
    assert collapse_sentence(kl) == said
