"""Nearest neighbours, against a loop over every image."""

import time

import numpy as np
import pytest

from core.config import DataConfig
from core.data.seen import SeenImages
from core.inference.coders import Coder
from core.inference.codes import encode_split
from core.inference.neighbours import find_neighbours, nearest_codes
from core.snapshots import Codes, Split, frozen
from tests.core.inference.test_clouds import bar_coder, finished
from tests.small_data import SIDE, bar_data


def brute_force(rows: np.ndarray, query: np.ndarray, exclude: int | None, num: int) -> list[tuple[float, int]]:
    """Return (distance, image) of the nearest: every pair by itself, in double precision."""
    pairs = [
        (float(np.sqrt(((row.astype(np.float64) - query) ** 2).sum())), image)
        for image, row in enumerate(rows)
        if image != exclude
    ]
    return sorted(pairs)[:num]


@pytest.mark.parametrize("latent_dim", [1, 2, 5])
@pytest.mark.parametrize("image", [None, 11])
@pytest.mark.parametrize("binarisation", ["dynamic", "none"])
def test_both_lists_are_those_of_a_loop_over_every_image(latent_dim: int, image: int | None, binarisation: str) -> None:
    data = bar_data(num_train=1_100)
    config = DataConfig(source="bars", binarisation=binarisation)
    coder: Coder = bar_coder(latent_dim=latent_dim)
    codes = encode_split(coder, data.train, "train", config)
    seen = SeenImages(data.train.images, config)
    rows = seen.rows(np.arange(len(data.train)))
    query = (
        rows[image] if image is not None else (np.random.default_rng(2).random(SIDE * SIDE) < 0.3).astype(np.float32)
    )
    code = coder.encode(query[None]).mean[0]
    found = finished(find_neighbours(query, code, seen, codes, 8, image=image, label=1))

    pixels = brute_force(rows, query, image, 8)
    near = brute_force(codes.mean, code, image, 8)
    np.testing.assert_allclose(found.in_pixels.distances, [distance for distance, _ in pixels], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.in_codes.distances, [distance for distance, _ in near], rtol=1e-9, atol=1e-12)
    if binarisation == "dynamic":
        # Squared distances of zeros and ones are whole numbers, so that even equal ones are in a certain order.
        assert found.in_pixels.images.tolist() == [other for _, other in pixels]
    assert found.in_codes.images.tolist() == [other for _, other in near]
    assert found.overlap == len({other for _, other in near} & set(found.in_pixels.images.tolist()))
    assert data.train.labels is not None
    assert found.in_pixels.labels is not None
    np.testing.assert_array_equal(found.in_pixels.labels, data.train.labels[found.in_pixels.images])
    assert found.in_codes.same_label == sum(int(data.train.labels[other] == 1) for _, other in near)
    assert found.num_images == 1_100 - (image is not None)


def test_the_image_itself_is_found_when_it_is_not_known_to_be_one_of_them() -> None:
    data = bar_data()
    seen = SeenImages(data.held_out.images, data.config)
    coder = bar_coder()
    codes = encode_split(coder, data.held_out, "held_out", data.config)
    query = seen.rows(np.array([4]))[0]
    found = finished(find_neighbours(query, codes.mean[4], seen, codes, image=None, label=None))
    assert found.in_pixels.distances[0] == 0.0
    assert found.in_codes.distances[0] == pytest.approx(0.0, abs=1e-6)


def test_without_a_label_the_commonest_counts_and_without_labels_none() -> None:
    data = bar_data()
    coder = bar_coder()
    query = np.zeros(SIDE * SIDE, np.float32)
    for split in (data.held_out, Split(data.held_out.images, None)):
        codes = encode_split(coder, split, "held_out", data.config)
        found = finished(
            find_neighbours(query, codes.mean[0], SeenImages(split.images, data.config), codes, image=None, label=None)
        )
        if split.labels is None:
            assert found.in_codes.same_label is None
            assert found.in_codes.labels is None
        else:
            assert found.in_codes.labels is not None
            assert found.in_codes.same_label == np.bincount(found.in_codes.labels).max()


def test_only_the_images_whose_codes_are_shown_are_searched() -> None:
    data = bar_data()
    coder = bar_coder()
    codes = encode_split(coder, data.train, "train", data.config, limit=50)
    seen = SeenImages(data.train.images, data.config)
    found = finished(find_neighbours(seen.rows(np.array([0]))[0], codes.mean[0], seen, codes, image=None, label=None))
    assert found.num_images == 50
    assert set(found.in_pixels.images.tolist()) <= set(codes.indices.tolist())


def test_fewer_images_than_neighbours_give_all_of_them() -> None:
    data = bar_data()
    few = Split(data.held_out.images[:3], None)
    coder = bar_coder()
    codes = encode_split(coder, few, "held_out", data.config)
    seen = SeenImages(few.images, data.config)
    query = np.zeros(SIDE * SIDE, np.float32)
    found = finished(find_neighbours(query, codes.mean[0], seen, codes, image=1, label=None))
    assert sorted(found.in_pixels.images.tolist()) == sorted(found.in_codes.images.tolist()) == [0, 2]
    assert found.overlap == 2


@pytest.mark.parametrize("dimensions", [1, 2, 7])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_nearest_codes_far_from_the_origin_are_still_told_apart(dimensions: int, scale: float) -> None:
    generator = np.random.default_rng(dimensions)
    codes = (scale * generator.standard_normal((500, dimensions)) + 30.0 * scale).astype(np.float32)
    queries = (scale * generator.standard_normal((90, dimensions)) + 30.0 * scale).astype(np.float32)
    found = nearest_codes(codes, queries, exclude=17)
    for row, query in zip(found, queries, strict=True):
        distances = np.linalg.norm(codes.astype(np.float64) - query, axis=1)
        distances[17] = np.inf
        assert distances[row] == pytest.approx(distances.min(), rel=1e-9)


@pytest.mark.slow
def test_ten_thousand_images_are_searched_within_three_tenths_of_a_second() -> None:
    generator = np.random.default_rng(0)
    images = frozen(generator.integers(0, 256, (10_000, 28, 28)), np.uint8)
    seen = SeenImages(images, DataConfig(source="noise"))
    mean = frozen(generator.standard_normal((10_000, 2)), np.float32)
    codes = Codes(mean, None, None, frozen(np.arange(10_000), np.int64), None, "held_out", 10_000, 1)
    query = seen.rows(np.arange(10_000))[5]
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        finished(find_neighbours(query, mean[5], seen, codes, image=5, label=None))
        best = min(best, time.perf_counter() - start)
    assert best < 0.3
