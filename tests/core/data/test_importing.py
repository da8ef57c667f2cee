from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.config import DataConfig
from core.data.dataset import DataError
from core.data.fitting import fitted
from core.data.importing import import_picture, needs_import_choices, preview_import, suggested_config
from core.data.sources import load_dataset, load_quick_look
from resources import resource
from tests.core.data.writers import some_pictures


@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    side=st.integers(8, 64),
    fit=st.sampled_from(["fit", "crop"]),
    level=st.integers(0, 255),
)
def test_an_even_picture_of_any_size_stays_even(height: int, width: int, side: int, fit: str, level: int) -> None:
    result = fitted(np.full((height, width), level, np.uint8), (side, side), fit)
    assert result.shape == (side, side)
    assert np.unique(result).tolist() == [level]


def test_fit_shows_all_on_the_colour_of_the_border_and_crop_the_middle() -> None:
    picture = np.full((20, 40), 60, np.uint8)
    picture[8:12, 18:22] = 255
    picture[8:12, 2:6] = 255
    whole = fitted(picture, (20, 20), "fit")
    assert np.unique(whole[:4]).tolist() == [60]
    assert (whole[9:11, 1:3] > 200).all()
    middle = fitted(picture, (20, 20), "crop")
    assert np.array_equal(middle, picture[:, 10:30])


def test_a_picture_of_the_right_size_is_not_resampled() -> None:
    picture = some_pictures(1, 28, 28)[0]
    config = DataConfig()
    assert np.array_equal(import_picture(picture, config), picture)
    inverted = import_picture(picture, DataConfig(invert=True))
    assert np.array_equal(inverted, 255 - picture)


def test_an_imported_picture_is_frozen_and_its_source_untouched() -> None:
    picture = some_pictures(1, 28, 28)[0]
    result = import_picture(picture, DataConfig())
    assert not result.flags.writeable
    assert picture.flags.writeable
    assert not np.shares_memory(result, picture)


def test_a_single_dark_drawing_is_not_stretched() -> None:
    faint = np.full((28, 28), 3, np.uint8)
    assert np.array_equal(import_picture(faint, DataConfig()), faint)


@pytest.mark.parametrize(
    "array",
    [np.zeros((28, 28, 2), np.uint8), np.zeros(28), np.zeros((0, 5)), np.full((9, 9), np.nan), np.array([["a"]])],
)
def test_an_array_that_is_no_picture_is_refused(array: np.ndarray[Any, Any]) -> None:
    with pytest.raises(DataError):
        import_picture(array, DataConfig())


def test_the_same_choices_make_the_same_picture_alone_in_a_preview_and_in_the_data(tmp_path: Path) -> None:
    pictures = some_pictures(12, 30, 44)
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(tmp_path / f"{number:02}.png")
    config = DataConfig(source=str(tmp_path), image_size=16, fit="crop", invert=True)
    alone = [import_picture(tmp_path / f"{number:02}.png", config) for number in range(12)]
    preview = preview_import(tmp_path, config, 12)
    assert all(np.array_equal(a, b) for a, b in zip(alone, preview.pictures, strict=True))
    dataset = load_dataset(config)
    loaded = {picture.tobytes() for half in (dataset.train, dataset.held_out) for picture in half.images}
    assert loaded == {picture.tobytes() for picture in alone}
    as_array = tmp_path / "a.npy"
    np.save(as_array, pictures)
    dataset = load_dataset(DataConfig(source=str(as_array), image_size=16, fit="crop", invert=True))
    assert loaded == {picture.tobytes() for half in (dataset.train, dataset.held_out) for picture in half.images}


def test_a_preview_shows_pictures_of_every_part_of_a_folder(tmp_path: Path) -> None:
    for label in range(10):
        (tmp_path / str(label)).mkdir()
        for number in range(30):
            Image.fromarray(np.full((8, 8), 20 * label, np.uint8)).save(tmp_path / str(label) / f"{number}.png")
    preview = preview_import(tmp_path, DataConfig(source=str(tmp_path), image_size=8), 24)
    assert preview.num_images == 300
    assert len(preview.pictures) == 24
    assert {int(picture[0, 0]) // 20 for picture in preview.pictures} == set(range(10))
    assert preview.label_names == tuple("0123456789")


def test_folders_and_arrays_need_choices(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", some_pictures())
    assert needs_import_choices(tmp_path)
    assert needs_import_choices(tmp_path / "a.npy")
    assert not needs_import_choices(resource("data", "mnist", "t10k-images-idx3-ubyte.gz"))
    with pytest.raises(DataError, match="missing"):
        needs_import_choices(tmp_path / "missing")


def test_centring_is_suggested_only_for_data_made_as_mnist_was(tmp_path: Path) -> None:
    look = load_quick_look(DataConfig())
    assert look is not None
    digits = look.held_out.images[:300]
    np.save(tmp_path / "digits.npy", digits)
    np.save(tmp_path / "ink.npy", 255 - digits)
    np.save(tmp_path / "shifted.npy", np.roll(digits, 3, axis=1))
    np.save(tmp_path / "noise.npy", some_pictures(100, 28, 28))
    assert suggested_config("mnist") == DataConfig()
    assert not suggested_config("shapes").centre_drawings
    assert suggested_config(tmp_path / "digits.npy").centre_drawings
    ink = suggested_config(tmp_path / "ink.npy")
    assert (ink.centre_drawings, ink.invert, ink.image_size) == (True, True, 28)
    assert not suggested_config(tmp_path / "shifted.npy").centre_drawings
    assert not suggested_config(tmp_path / "noise.npy").centre_drawings
    assert suggested_config(resource("data", "mnist", "t10k-images-idx3-ubyte.gz")).centre_drawings


@pytest.mark.parametrize(("side", "suggested"), [(4, 8), (20, 20), (64, 64), (200, 64)])
def test_the_suggested_size_is_that_of_the_pictures_within_what_is_allowed(
    tmp_path: Path, side: int, suggested: int
) -> None:
    np.save(tmp_path / "a.npy", some_pictures(6, side, side))
    config = suggested_config(tmp_path / "a.npy")
    assert config.image_size == suggested
    assert Path(config.source).is_absolute()


@pytest.mark.parametrize("source", ["~nobody-of-this-name/data", "a\0b", "x" * 5000])
def test_a_source_that_can_be_no_path_is_refused_as_unknown(source: str) -> None:
    with pytest.raises(DataError, match="unknown data"):
        load_dataset(DataConfig(source=source))


def test_unknown_data_lists_what_is_known() -> None:
    for source in ("minst", "\0", "x" * 5000):
        with pytest.raises(DataError, match=r"unknown data .*mnist, shapes"):
            load_dataset(DataConfig(source=source))


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"^table\.csv: it starts with b'a,b\\n1,2\\n' and is not an IDX file"):
        load_dataset(DataConfig(source=str(tmp_path / "table.csv")))
