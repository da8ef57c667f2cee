"""Codes under noise: against a coder whose codes are known, and against loops over every pair."""

from collections.abc import Generator
from typing import TypeVar

import numpy as np
import pytest

from core.data.noises import noisy_copies
from core.inference.clouds import codes_under_noise, map_codes, relative_spread
from core.inference.coders import Coder, make_coder
from core.inference.codes import encode_split
from core.snapshots import Codes, frozen
from tests.core.tiny_models import random_weights, tiny_config
from tests.small_data import SIDE, bar_data

T = TypeVar("T")


def finished(steps: Generator[None, None, T]) -> T:
    """Return what the steps lead to."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result


def bar_coder(**values: object) -> Coder:
    config = tiny_config(image_height=SIDE, image_width=SIDE, **values)
    return make_coder(config, random_weights(config, scale=2.0))


def data_codes(mean: np.ndarray, labels: list[int] | None) -> Codes:
    rows = np.arange(len(mean))
    return Codes(
        frozen(mean, np.float32),
        None,
        None,
        frozen(rows, np.int64),
        None if labels is None else frozen(labels, np.int64),
        "held_out",
        len(mean),
        7,
    )


@pytest.mark.parametrize("model", ["vae", "autoencoder", "denoising_autoencoder"])
@pytest.mark.parametrize("latent_dim", [1, 2, 5])
def test_spread_offset_and_labels_agree_with_loops_over_all_pairs(model: str, latent_dim: int) -> None:
    coder, data = bar_coder(model=model, latent_dim=latent_dim), bar_data()
    codes = encode_split(coder, data.held_out, "held_out", data.config)
    assert codes.labels is not None
    image = 9
    clean = (data.held_out.images[image : image + 1] >= 128).ravel().astype(np.float32)
    copies = noisy_copies(clean, "flip", 0.1, 300, 0, (SIDE, SIDE))
    label = int(codes.labels[image])
    cloud = finished(codes_under_noise(coder, clean, copies, codes, image=image, label=label))

    each = np.stack([coder.encode(copies[row : row + 1]).mean[0] for row in range(300)]).astype(np.float64)
    np.testing.assert_allclose(cloud.codes, each, atol=1e-5)
    unit = np.trace(np.atleast_2d(np.cov(codes.mean.T.astype(np.float64), bias=True)))
    assert cloud.spread == pytest.approx(np.trace(np.atleast_2d(np.cov(each.T, bias=True))) / unit, rel=1e-4)
    clean_code = coder.encode(clean[None]).mean[0].astype(np.float64)
    assert cloud.offset == pytest.approx(np.linalg.norm(each.mean(axis=0) - clean_code) / np.sqrt(unit), rel=1e-3)
    mean_square = (np.linalg.norm(each - clean_code, axis=1) ** 2).mean() / unit
    assert cloud.spread + cloud.offset**2 == pytest.approx(mean_square, rel=1e-3)
    hits = 0
    for code in cloud.codes.astype(np.float64):
        distances = [
            float(np.linalg.norm(code - other)) if row != image else np.inf for row, other in enumerate(codes.mean)
        ]
        hits += int(codes.labels[int(np.argmin(distances))] == label)
    assert cloud.same_label == hits / 300
    assert (cloud.label, cloud.label_is_own, cloud.num_data) == (label, True, len(codes))


def test_a_cloud_without_noise_has_no_spread_and_no_offset() -> None:
    coder, data = bar_coder(), bar_data()
    codes = encode_split(coder, data.held_out, "held_out", data.config)
    clean = np.zeros(SIDE * SIDE, np.float32)
    cloud = finished(codes_under_noise(coder, clean, np.repeat(clean[None], 10, axis=0), codes))
    assert cloud.spread == pytest.approx(0.0, abs=1e-9)
    assert cloud.offset == pytest.approx(0.0, abs=1e-5)
    assert cloud.same_label == 1.0, "every copy lies where the clean code does"


def test_an_image_without_a_label_has_that_of_the_code_nearest_to_its_own() -> None:
    coder = bar_coder()
    clean = np.zeros(SIDE * SIDE, np.float32)
    code = coder.encode(clean[None]).mean[0]
    codes = data_codes(np.stack([code + 3.0, code + 0.1, code - 5.0]), [4, 6, 5])
    cloud = finished(codes_under_noise(coder, clean, np.repeat(clean[None], 4, axis=0), codes))
    assert (cloud.label, cloud.label_is_own, cloud.same_label) == (6, False, 1.0)


def test_its_own_code_is_no_neighbour_of_the_copies() -> None:
    coder = bar_coder()
    clean = np.zeros(SIDE * SIDE, np.float32)
    code = coder.encode(clean[None]).mean[0]
    codes = data_codes(np.stack([code, code + 0.1]), [1, 2])
    cloud = finished(codes_under_noise(coder, clean, np.repeat(clean[None], 4, axis=0), codes, image=0, label=1))
    assert cloud.same_label == 0.0, "the only other code has another label"


def test_without_labels_there_is_no_share_of_them() -> None:
    coder = bar_coder()
    clean = np.zeros(SIDE * SIDE, np.float32)
    cloud = finished(codes_under_noise(coder, clean, clean[None], data_codes(np.eye(2, dtype=np.float32), None)))
    assert cloud.same_label is None
    assert cloud.label is None


def test_data_whose_codes_do_not_differ_give_no_unit() -> None:
    codes = np.random.default_rng(0).standard_normal((5, 2)).astype(np.float32)
    same = np.ones((4, 2), np.float32)
    assert np.isnan(relative_spread(codes, codes[0], same)).all()
    assert np.isnan(relative_spread(codes, codes[0], codes[:0])).all()


@pytest.mark.parametrize("limit", [40, 10_000])
def test_map_codes_are_the_means_that_the_canvas_shows(limit: int) -> None:
    coder, data = bar_coder(), bar_data()
    found = finished(map_codes(coder, data.train, "train", data.config, limit))
    expected = encode_split(coder, data.train, "train", data.config, limit)
    np.testing.assert_allclose(found.mean, expected.mean, atol=1e-6)
    np.testing.assert_array_equal(found.indices, expected.indices)
    assert found.labels is not None
    np.testing.assert_array_equal(found.labels, expected.labels)
    assert (found.split, found.total, found.version) == ("train", len(data.train), coder.version)
