import statistics

import numpy as np
import pytest
import torch

from core.config import DataConfig
from core.data.binarisation import seen_by_model
from core.inference import codes as codes_module
from core.inference import evaluation as evaluation_module
from core.inference.coders import make_coder
from core.inference.codes import encode_split, latent_statistics
from core.inference.evaluation import evaluate
from core.inference.pictures import encode_picture
from core.snapshots import Codes, Split, frozen
from tests.core.tiny_models import random_weights, tiny_config

DATA = DataConfig(binarisation="dynamic", data_seed=3)


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codes_module, "PIECE_IMAGES", 16)
    monkeypatch.setattr(evaluation_module, "PIECE_IMAGES", 16)


@pytest.fixture(scope="module")
def split() -> Split:
    generator = np.random.default_rng(0)
    return Split(
        frozen(generator.integers(0, 256, (70, 6, 5)), np.uint8), frozen(generator.integers(0, 10, 70), np.int64)
    )


@pytest.mark.parametrize("model", ["vae", "autoencoder"])
def test_codes_are_those_of_the_images_as_the_model_sees_them(split: Split, model: str) -> None:
    config = tiny_config(model=model)
    coder = make_coder(config, random_weights(config))
    codes = encode_split(coder, split, "train", DATA)
    posterior = coder.encode(seen_by_model(split.images, np.arange(70), DATA))
    np.testing.assert_allclose(codes.mean, posterior.mean, atol=1e-6)
    assert (codes.log_var is None) == (posterior.log_var is None) == (codes.kl is None)
    np.testing.assert_array_equal(codes.indices, np.arange(70))
    np.testing.assert_array_equal(codes.labels, split.labels)
    assert (codes.split, codes.total, codes.version) == ("train", 70, 7)


def test_a_subset_is_the_same_for_every_model_and_keeps_its_labels_and_pixels(split: Split) -> None:
    config = tiny_config()
    whole = encode_split(make_coder(config, random_weights(config, 1)), split, "train", DATA)
    first = encode_split(make_coder(config, random_weights(config, 1)), split, "train", DATA, 20)
    other = encode_split(make_coder(config, random_weights(config, 2)), split, "train", DATA, 20)
    assert len(first) == 20
    assert (np.diff(first.indices) > 0).all()
    assert first.total == 70
    np.testing.assert_array_equal(first.indices, other.indices)
    np.testing.assert_allclose(first.mean, whole.mean[first.indices], atol=1e-6)
    assert split.labels is not None
    np.testing.assert_array_equal(first.labels, split.labels[first.indices])
    reseeded = encode_split(make_coder(config, random_weights(config, 1)), split, "train", DATA, 20, seed=1)
    assert not np.array_equal(first.indices, reseeded.indices)


def test_encoding_stops_between_pieces_when_told(split: Split) -> None:
    config = tiny_config()
    coder = make_coder(config, random_weights(config))
    asked: list[bool] = []

    def stop_at_third() -> bool:
        asked.append(True)
        return len(asked) == 3

    assert encode_split(coder, split, "train", DATA, should_stop=stop_at_third) is None
    assert len(asked) == 3
    finished = encode_split(coder, split, "train", DATA, should_stop=lambda: False)
    assert finished is not None
    assert len(finished) == 70


def test_statistics_are_those_of_numpy_and_of_torch_distributions() -> None:
    generator = np.random.default_rng(1)
    scale = np.array([2.0, 0.05, 0.5])
    mean = frozen(generator.standard_normal((500, 3)) * scale + [0.0, 1.0, -1.0], np.float32)
    log_var = frozen(generator.standard_normal((500, 3)) - [3.0, 0.0, 1.0], np.float32)
    normal = torch.distributions.Normal(torch.from_numpy(mean.copy()), torch.from_numpy(log_var.copy()).mul(0.5).exp())
    shares = torch.distributions.kl_divergence(normal, torch.distributions.Normal(0.0, 1.0))
    codes = Codes(mean, log_var, frozen(shares.numpy()), frozen(np.arange(500)), None, "train", 500, 1)
    found = latent_statistics(codes, tiny_config(latent_dim=3))
    kl = shares.mean(dim=0).numpy()
    assert found.kl is not None
    np.testing.assert_allclose(found.kl, kl, rtol=1e-4)
    np.testing.assert_allclose(found.spread, mean.var(axis=0), rtol=1e-4)
    np.testing.assert_allclose(found.median, np.median(mean, axis=0), atol=1e-6)
    for dimension in range(3):
        outside = (mean[:, dimension] < found.low[dimension]) | (mean[:, dimension] > found.high[dimension])
        assert 4 <= outside.sum() <= 6
    assert found.active == (True, False, True)
    assert found.order[0] == 0


@pytest.mark.parametrize("model", ["vae", "autoencoder"])
def test_no_codes_give_the_range_of_the_prior(model: str) -> None:
    config = tiny_config(model=model)
    empty = Split(frozen(np.zeros((0, 6, 5)), np.uint8), None)
    codes = encode_split(make_coder(config, random_weights(config)), empty, "held_out", DATA, 10)
    found = latent_statistics(codes, config)
    assert (found.low < 0).all()
    assert (found.high > 0).all()
    assert found.active == (False, False)
    assert (found.kl is None) == (model == "autoencoder")


@pytest.mark.parametrize("latent_dim", [2, 3])
def test_held_out_means_are_those_of_torch_distributions(split: Split, latent_dim: int) -> None:
    config = tiny_config(latent_dim=latent_dim)
    coder = make_coder(config, random_weights(config))
    shares: list[float] = []
    result = evaluate(coder, split, DATA, 5, shares.append)
    seen = seen_by_model(split.images, np.arange(70), DATA)
    encoded = coder.encode(seen)
    assert encoded.log_var is not None
    std = torch.from_numpy(encoded.log_var).mul(0.5).exp()
    posterior = torch.distributions.Normal(torch.from_numpy(encoded.mean), std)
    kl = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0))
    np.testing.assert_allclose(result.means.kl_per_dimension, kl.mean(dim=0).numpy(), rtol=1e-4)
    assert result.means.kl == pytest.approx(float(kl.sum(dim=1).mean()), rel=1e-5)
    torch.manual_seed(0)
    means = []
    for _ in range(400):
        logits = torch.from_numpy(coder.parameters(posterior.sample().numpy()))  # type: ignore[no-untyped-call]
        likelihood = torch.distributions.Bernoulli(logits=logits)
        log_prob = likelihood.log_prob(torch.from_numpy(seen)).sum(dim=1)  # type: ignore[no-untyped-call]
        means.append(-float(log_prob.mean()))
    # In a plane it is an integral, which their mean comes near; beyond, it is one draw of these 400.
    draws = len(means) if latent_dim == 2 else 1
    assert result.num_nodes == (36 if latent_dim == 2 else 1)
    assert abs(result.means.nll - np.mean(means)) < 4.0 * np.std(means) / draws**0.5
    assert result.means.elbo == pytest.approx(-(result.means.nll + float(kl.sum(dim=1).mean())), rel=1e-5)
    assert result.standard_error is not None
    assert 0.0 < result.standard_error < result.means.nll
    assert (result.num_images, result.binarisation, result.seed) == (70, "dynamic", 5)
    assert result.likelihood_normalised
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_the_seed_decides_the_noise_and_pieces_do_not(split: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tiny_config(latent_dim=3)
    coder = make_coder(config, random_weights(config))
    first = evaluate(coder, split, DATA, 5)
    assert evaluate(coder, split, DATA, 6).means.nll != first.means.nll
    monkeypatch.setattr(evaluation_module, "PIECE_IMAGES", 33)
    assert evaluate(coder, split, DATA, 5).means.nll == pytest.approx(first.means.nll, rel=1e-6)


def test_an_autoencoder_is_evaluated_without_a_bound(split: Split) -> None:
    config = tiny_config(model="autoencoder")
    coder = make_coder(config, random_weights(config))
    grey = DataConfig(binarisation="none")
    result = evaluate(coder, split, grey)
    assert (result.means.kl, result.means.elbo, result.means.kl_per_dimension) == (None, None, ())
    seen = seen_by_model(split.images, np.arange(70), grey)
    costs = coder.nll(seen, coder.encode(seen).mean)
    assert result.means.nll == pytest.approx(float(costs.mean()), rel=1e-5)
    assert result.standard_error == pytest.approx(statistics.stdev(costs.tolist()) / 70**0.5, rel=1e-5)
    assert not result.likelihood_normalised


def test_nothing_to_evaluate_on_is_an_error_and_one_image_has_no_standard_error(split: Split) -> None:
    config = tiny_config()
    coder = make_coder(config, random_weights(config))
    with pytest.raises(ValueError, match="no images"):
        evaluate(coder, Split(split.images[:0], None), DATA)
    assert evaluate(coder, Split(frozen(split.images[:1]), None), DATA).standard_error is None


@pytest.mark.parametrize("network", ["mlp", "conv"])
@pytest.mark.parametrize("scale", [1e8, 1e13, 1e30])
def test_weights_gone_wild_give_numbers_that_say_so_and_no_warning(split: Split, network: str, scale: float) -> None:
    config = tiny_config(network=network, activation="relu")
    coder = make_coder(config, random_weights(config, scale=scale))
    evaluation = evaluate(coder, split, DATA)
    assert not np.isfinite(evaluation.means.nll) or evaluation.means.nll > 1e8
    codes = encode_split(coder, split, "train", DATA)
    found = latent_statistics(codes, config)
    assert sorted(found.order) == [0, 1]
    for values in (found.low, found.median, found.high, found.spread):
        assert np.isfinite(values).all()
    encoding = encode_picture(coder, seen_by_model(split.images[:1], np.arange(1), DATA))
    assert encoding.deterministic.shape == (6, 5)
