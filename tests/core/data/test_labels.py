import numpy as np
import pytest

from core.data.dataset import DataError
from core.data.labels import named_labels


@pytest.mark.parametrize("order", ["<", ">"])
def test_texts_of_numbers_that_are_no_characters_are_refused(order: str) -> None:
    codes = np.array([[65, 0x110000], [66, 67]], f"{order}u4")
    with pytest.raises(DataError, match="no characters"):
        named_labels(codes.view(f"{order}U2")[:, 0])


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_surrogate_in_a_name_becomes_something_that_can_be_shown(order: str) -> None:
    codes = np.array([[65, 0xD800], [0x1F600, 0]], f"{order}u4")
    (labels,), names = named_labels(codes.view(f"{order}U2")[:, 0])
    assert names == ("A?", "\N{GRINNING FACE}")
    assert labels.tolist() == [0, 1]
