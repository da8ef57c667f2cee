import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.config import DataConfig
from core.data.dataset import DataError
from core.data.held_out import held_out_rows, split_dataset
from tests.core.data.writers import some_pictures


@given(
    labels=st.none() | st.lists(st.integers(0, 6), min_size=2, max_size=300),
    count=st.integers(2, 300),
    fraction=st.floats(0.001, 0.9),
    seed=st.integers(0, 2**31 - 1),
)
def test_the_share_is_held_out_of_each_label_to_within_one_image(
    labels: list[int] | None, count: int, fraction: float, seed: int
) -> None:
    array = None if labels is None else np.array(labels, np.int64)
    count = count if labels is None else len(labels)
    rows = held_out_rows(array, count, fraction, seed)
    total = min(max(round(fraction * count), 1), count - 1)
    assert len(rows) == total
    assert np.array_equal(rows, np.unique(rows))
    assert rows.min() >= 0
    assert rows.max() < count
    assert np.array_equal(rows, held_out_rows(array, count, fraction, seed))
    if array is not None:
        wanted = np.bincount(array, minlength=7) * total / count
        assert (np.abs(np.bincount(array[rows], minlength=7) - wanted) < 1).all()


def test_another_seed_holds_out_other_images() -> None:
    assert not np.array_equal(held_out_rows(None, 1000, 0.1, 0), held_out_rows(None, 1000, 0.1, 1))


def test_every_image_is_as_likely_to_be_held_out_as_any_other() -> None:
    times = np.zeros(50)
    for seed in range(2000):
        times[held_out_rows(None, 50, 0.2, seed)] += 1
    # 2,000 draws with probability 0.2: 400 ± 18; the largest of 50 deviations stays below 4 of those.
    assert np.abs(times - 400).max() < 72


def test_the_split_is_the_same_for_ever() -> None:
    assert held_out_rows(None, 40, 0.1, 0).tolist() == [9, 12, 14, 31]


def test_one_image_is_refused_by_name() -> None:
    with pytest.raises(DataError, match="lonely: there is 1 image, but at least 2"):
        split_dataset("lonely", DataConfig(), some_pictures(1), None, ())


def test_each_image_is_in_one_half_with_its_own_label_and_the_note_counts_them() -> None:
    pictures = some_pictures(40)
    labels = np.arange(40)
    dataset = split_dataset("x", DataConfig(held_out_fraction=0.25), pictures, labels, tuple(map(str, range(40))))
    for half in (dataset.train, dataset.held_out):
        assert half.labels is not None
        assert np.array_equal(half.images, pictures[half.labels])
        assert not half.images[:].flags.writeable
    assert "30 images to train on, 10 held out" in dataset.note


def test_the_fingerprint_follows_pictures_labels_and_split() -> None:
    pictures, labels = some_pictures(40), np.arange(40) % 2

    def fingerprint(seed: int = 0, pixel: int = 0, label: int = 0) -> str:
        changed, named = pictures.copy(), labels.copy()
        changed[7, 3, 3] ^= pixel
        named[7] ^= label
        return split_dataset("x", DataConfig(data_seed=seed), changed, named, ("0", "1")).fingerprint

    assert fingerprint() == fingerprint()
    assert len({fingerprint(), fingerprint(seed=1), fingerprint(pixel=1), fingerprint(label=1)}) == 4
