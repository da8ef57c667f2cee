"""Curves: appended, copied, kept in arrays and checked when they come back."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.history import History
from core.snapshots import ElboMeans, HeldOutReport, RunNote, StepReports, frozen

Arrays = dict[str, np.ndarray[Any, Any]]


def reports(*steps: int, columns: int = 2) -> StepReports:
    nll = np.array(steps, np.float64)
    return StepReports(
        frozen(list(steps), np.int64), frozen(nll), frozen(nll / 10), frozen(np.outer(nll, np.ones(columns)))
    )


def a_history() -> History:
    history = History(2)
    history.add_steps(reports(1, 2, 3))
    history.add_steps(reports(4))
    history.add_held_out(HeldOutReport(3, 0.75, ElboMeans(9.0, 3.0, (1.0, 2.0)), 20, complete=False))
    history.add_note(RunNote(2, "setting", "beta 1 → 2"))
    return history


def test_steps_are_joined_in_their_order() -> None:
    joined = a_history().steps()
    assert joined.step.tolist() == [1, 2, 3, 4]
    assert joined.kl_per_dimension.shape == (4, 2)
    assert not joined.nll.flags.writeable


def test_to_look_at_a_history_without_steps_leaves_room_for_any_number_of_columns() -> None:
    history = History(2)
    assert len(history.steps()) == history.num_steps == 0
    history.to_arrays()
    history.add_steps(reports(1, 2))
    assert history.steps().kl_per_dimension.shape == (2, 2)


def test_a_copy_goes_its_own_way() -> None:
    history = a_history()
    copy = history.copy()
    history.add_steps(reports(5))
    copy.add_note(RunNote(4, "setting", "beta 2 → 3"))
    assert (history.num_steps, copy.num_steps) == (5, 4)
    assert (len(history.notes), len(copy.notes)) == (1, 2)
    assert copy.held_out == history.held_out


def test_a_history_comes_back_from_its_arrays() -> None:
    history = a_history()
    back = History.from_arrays(2, history.to_arrays(), history.notes)
    assert back.held_out == history.held_out
    assert back.notes == history.notes
    np.testing.assert_array_equal(back.steps().nll, history.steps().nll)
    assert back.epochs == 0.75


def test_a_kl_that_was_not_finite_is_not_taken_for_one_that_is_undefined() -> None:
    history, undefined = History(2), History(2)
    history.add_held_out(HeldOutReport(1, 1.0, ElboMeans(9.0, np.nan, (np.nan, 1.0)), 20, complete=True))
    undefined.add_held_out(HeldOutReport(1, 1.0, ElboMeans(9.0, None, ()), 20, complete=True))
    for given, is_undefined in ((history, False), (undefined, True)):
        means = History.from_arrays(2, given.to_arrays(), []).held_out[0].means
        assert (means.kl is None) == (means.elbo is None) == is_undefined


def put(name: str, index: tuple[int, ...], value: float) -> Callable[[Arrays], None]:
    def change(arrays: Arrays) -> None:
        arrays[name] = arrays[name].copy()
        arrays[name][index] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        put("steps.step", (0,), 0),
        put("steps.step", (0,), -1),
        put("steps.step", (1,), 1),
        put("steps.step", (2,), -(2**63)),
        put("steps.step", (3,), 2**62),
        put("held_out.rows", (0, 0), 1e300),
        put("held_out.rows", (0, 0), np.nan),
        put("held_out.rows", (0, 1), np.inf),
        put("held_out.rows", (0, 1), -1.0),
        put("held_out.rows", (0, 4), -1.0),
        put("held_out.rows", (0, 4), np.inf),
        lambda arrays: arrays.update({"steps.nll": arrays["steps.nll"][:2]}),
        lambda arrays: arrays.update({"held_out.rows": arrays["held_out.rows"][:, :5]}),
        lambda arrays: arrays.update({"held_out.rows": np.zeros((2, 6))}),
        lambda arrays: arrays.pop("steps.kl"),
    ],
)
def test_columns_that_no_run_writes_are_refused(change: Callable[[Arrays], None]) -> None:
    arrays = a_history().to_arrays()
    change(arrays)
    with pytest.raises((KeyError, ValueError)):
        History.from_arrays(2, arrays, [])


def test_signalling_nans_and_numbers_too_large_for_float32_are_gaps_and_infinities_without_a_warning() -> None:
    signalling = np.array([0x7F800001, 0x3F800000], np.uint32).view(np.float32)
    arrays = {
        "steps.step": np.array([1, 2]),
        "steps.nll": signalling,
        "steps.kl": np.array([1.0, 2.0]),
        "steps.kl_per_dimension": np.array([[1e300], [1.0]]),
        "held_out.rows": np.zeros((0, 6)),
        "held_out.kl_per_dimension": np.zeros((0, 1)),
    }
    history = History.from_arrays(1, arrays, [])
    assert np.isnan(history.steps().nll[0])
    assert np.isinf(history.to_arrays()["steps.kl_per_dimension"][0, 0])
