"""The handles on the canvas."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.session.handles import CODE_LIMIT, HandleSet, placed, sane


def code(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


@pytest.fixture
def handles() -> HandleSet:
    handles = HandleSet()
    handles.add(code(0, 0))
    return handles


def test_a_new_handle_is_selected(handles: HandleSet) -> None:
    id_ = handles.add(code(1, 2), image=7)
    assert handles.selected == id_
    assert handles.current is not None
    assert handles.current.image == 7


def test_the_last_handle_stays(handles: HandleSet) -> None:
    assert handles.selected is not None
    assert not handles.remove(handles.selected)
    assert len(handles) == 1


def test_removing_the_selected_handle_selects_another(handles: HandleSet) -> None:
    id_ = handles.add(code(1, 2))
    assert handles.remove(id_)
    assert handles.current is not None
    np.testing.assert_array_equal(handles.current.code, code(0, 0))


def test_a_pinned_handle_follows_its_image_and_others_keep_their_code(handles: HandleSet) -> None:
    pinned, free = handles.add(code(1, 1), image=3), handles.add(code(2, 2), image=4)
    handles.toggle_pin(pinned)
    handles.follow_pins(lambda image: code(image, -image))
    np.testing.assert_array_equal(handles[pinned].code, code(3, -3))
    np.testing.assert_array_equal(handles[free].code, code(2, 2))


def test_dragging_a_pinned_handle_frees_it(handles: HandleSet) -> None:
    id_ = handles.add(code(1, 1), image=3)
    handles.toggle_pin(id_)
    handles.move(id_, code(5, 5), keeps_image=True)
    assert not handles[id_].pinned
    assert handles[id_].image == 3


def test_a_handle_without_an_image_cannot_be_pinned(handles: HandleSet) -> None:
    assert handles.selected is not None
    handles.toggle_pin(handles.selected)
    assert not handles[handles.selected].pinned


def test_codes_of_handles_cannot_be_written(handles: HandleSet) -> None:
    mine = code(1, 2)
    id_ = handles.add(mine)
    mine[0] = 99
    assert handles[id_].code[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        handles[id_].code[0] = 5


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=1, max_size=5))
def test_no_code_is_ever_infinite_or_nan(values: list[float]) -> None:
    with np.errstate(over="ignore"):
        result = sane(np.array(values, np.float32))
    assert np.isfinite(result).all()
    assert np.abs(result).max() <= CODE_LIMIT


def test_placing_changes_only_the_shown_axes() -> None:
    before = code(1, 2, 3, 4)
    np.testing.assert_array_equal(placed(before, (3, 1), 9, 8), code(1, 8, 3, 9))
    np.testing.assert_array_equal(before, code(1, 2, 3, 4))


def test_a_code_of_one_dimension_takes_only_the_first_coordinate() -> None:
    np.testing.assert_array_equal(placed(code(1), (0, 0), 5, 99), code(5))


def test_a_handle_the_program_placed_counts_as_untouched_until_a_hand_moves_it(handles: HandleSet) -> None:
    handles.place(code(2, 3))
    assert not handles.touched
    assert handles.selected is not None
    handles.move(handles.selected, code(4, 4), keeps_image=False)
    assert handles.touched
