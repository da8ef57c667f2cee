import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config import DataConfig
from core.data.binarisation import drawing_seen, seen_by_model
from core.data.draws import BINARISATION_STREAM, random_bits
from tests.core.data.writers import some_pictures

IMAGES = some_pictures(60, 9, 7)
INDICES = np.arange(60)


@pytest.mark.parametrize("binarisation", ["dynamic", "fixed", "threshold", "none"])
def test_what_the_model_sees_is_flat_float32_between_zero_and_one(binarisation: str) -> None:
    seen = seen_by_model(IMAGES, INDICES, DataConfig(binarisation=binarisation))
    assert seen.dtype == np.float32
    assert seen.shape == (60, 63)
    assert np.isin(seen, [0, 1]).all() == (binarisation != "none")
    assert 0 <= seen.min() <= seen.max() <= 1


def test_greys_are_divided_by_255_and_the_threshold_is_one_half() -> None:
    ramp = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    grey = seen_by_model(ramp, np.zeros(1, int), DataConfig(binarisation="none"))
    assert np.array_equal(grey[0], (np.arange(256) / 255).astype(np.float32))
    bits = seen_by_model(ramp, np.zeros(1, int), DataConfig(binarisation="threshold"))
    assert np.array_equal(bits, grey >= 0.5)
    for binarisation in ("threshold", "dynamic", "fixed"):
        assert np.array_equal(drawing_seen(ramp[0], DataConfig(binarisation=binarisation)), bits)
    assert np.array_equal(drawing_seen(ramp[0], DataConfig(binarisation="none")), grey)


@given(st.lists(st.integers(0, 59), max_size=80), st.integers(0, 2**31 - 1))
def test_a_draw_depends_on_seed_and_index_alone(rows: list[int], seed: int) -> None:
    chosen = np.array(rows, np.int64)
    config = DataConfig(data_seed=seed)
    whole = seen_by_model(IMAGES, INDICES, config)
    assert np.array_equal(seen_by_model(IMAGES[chosen], chosen, config), whole[chosen])


def test_many_images_are_drawn_as_few_are() -> None:
    many = np.full((3000, 3, 3), 100, np.uint8)
    whole = seen_by_model(many, np.arange(3000), DataConfig())
    assert np.array_equal(seen_by_model(many[2900:], np.arange(2900, 3000), DataConfig()), whole[2900:])


def test_other_seeds_and_other_indices_give_other_draws() -> None:
    first = seen_by_model(IMAGES, INDICES, DataConfig())
    assert (first != seen_by_model(IMAGES, INDICES, DataConfig(data_seed=1))).mean() > 0.2
    assert (first != seen_by_model(IMAGES, INDICES + 1, DataConfig())).mean() > 0.2


def test_each_grey_level_is_the_probability_of_a_one() -> None:
    num_images = 20_000
    levels = np.tile(np.array([0, 1, 2, 64, 127, 128, 200, 254, 255], np.uint8), (num_images, 1)).reshape(-1, 3, 3)
    seen = seen_by_model(levels, np.arange(num_images), DataConfig())
    wanted = levels[0].ravel() / 255
    error = np.abs(seen.mean(axis=0, dtype=np.float64) - wanted)
    assert (error <= 4 * np.sqrt(wanted * (1 - wanted) / num_images) + 2**-16).all()
    assert error[0] == error[-1] == 0


def test_neighbouring_pixels_and_images_are_independent() -> None:
    seen = seen_by_model(np.full((4000, 6, 6), 128, np.uint8), np.arange(4000), DataConfig())
    signs = seen - seen.mean()
    for product in (signs[:, 1:] * signs[:, :-1], signs[1:] * signs[:-1], signs[:, 4:] * signs[:, :-4]):
        assert abs(product.mean()) < 4 * 0.25 / np.sqrt(product.size)


def test_the_draws_are_the_same_for_ever() -> None:
    seen = seen_by_model(np.full((2, 3, 3), 128, np.uint8), np.array([0, 7]), DataConfig())
    assert seen.astype(int).tolist() == [[0, 0, 1, 1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 1, 1, 0, 0, 1]]


def test_the_bits_are_those_of_splitmix64_as_published() -> None:
    gamma, mask = 0x9E3779B97F4A7C15, 2**64 - 1

    def mixed(word: int) -> int:
        word = ((word ^ word >> 30) * 0xBF58476D1CE4E5B9) & mask
        word = ((word ^ word >> 27) * 0x94D049BB133111EB) & mask
        return word ^ word >> 31

    assert mixed(gamma) == 0xE220A8397B1DCDAF  # the first number of seed 0, in every published table
    key = mixed((mixed((9 * gamma + BINARISATION_STREAM) & mask) + 6 * gamma) & mask)
    expected = [mixed((key + count * gamma) & mask) for count in (1, 2, 3)]
    assert random_bits(9, BINARISATION_STREAM, np.array([5]), 3)[0].tolist() == expected


def test_images_and_indices_must_agree_in_number() -> None:
    with pytest.raises(ValueError, match="60 images need as many indices, not 59"):
        seen_by_model(IMAGES, INDICES[1:], DataConfig())


def test_white_is_drawn_as_one_and_black_as_zero_without_exception() -> None:
    # Among a million draws of 16 bits the largest and the smallest come up some fifteen times each.
    num_images = 250
    for level in (0, 255):
        even = np.full((num_images, 64, 64), level, np.uint8)
        assert (seen_by_model(even, np.arange(num_images), DataConfig()) == level / 255).all()
