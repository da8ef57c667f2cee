"""The record of a run, line by line, and what a kill or a full disk does to it."""

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

from core.history import History
from core.snapshots import ElboMeans, HeldOutReport, RunNote, StepReports, frozen
from core.storage.metrics import MetricsLog, read_metrics
from tests.core.training.runs import same_arrays


def steps(first: int, count: int, *, nll: float = 100.0) -> StepReports:
    numbers = np.arange(first, first + count)
    costs = np.full(count, nll) + 1e-13 * numbers
    return StepReports(frozen(numbers, np.int64), frozen(costs), frozen(costs / 7), frozen(np.stack([costs] * 2, 1)))


def recorded(path: Path, *events: StepReports | HeldOutReport | RunNote) -> MetricsLog:
    log = MetricsLog(path)
    for event in events:
        log.add(event)
    return log


EVENTS = (
    steps(1, 3),
    RunNote(2, "non_finite", "a note\nof two lines, \N{GREEK SMALL LETTER BETA}"),
    steps(4, 2, nll=float("nan")),
    HeldOutReport(5, 0.5, ElboMeans(120.25, 3.5, (1.0, 2.5)), 10, complete=False),
    HeldOutReport(5, 0.5, ElboMeans(float("inf"), None, ()), 10, complete=True),
)


def test_what_was_recorded_is_read_bit_for_bit(tmp_path: Path) -> None:
    log = recorded(tmp_path / "m", *EVENTS)
    log.close()
    history, problem = read_metrics(tmp_path / "m", 2)
    expected = History(2)
    for event in EVENTS:
        match event:
            case StepReports():
                expected.add_steps(event)
            case HeldOutReport():
                expected.add_held_out(event)
            case RunNote():
                expected.add_note(event)
    assert problem == ""
    assert np.array_equal(history.steps().step, expected.steps().step)
    for name in ("nll", "kl", "kl_per_dimension"):
        assert np.array_equal(getattr(history.steps(), name), getattr(expected.steps(), name), equal_nan=True)
    assert history.held_out == expected.held_out
    assert history.notes == expected.notes


def test_a_history_is_recorded_as_its_events_were(tmp_path: Path) -> None:
    history = History(2)
    for first in range(1, 2000, 10):
        history.add_steps(steps(first, 10))
    history.add_note(RunNote(3, "setting", "beta 1 → 2"))
    log = MetricsLog(tmp_path / "m")
    log.add_history(history)
    log.close()
    found, problem = read_metrics(tmp_path / "m", 2)
    assert not problem
    assert same_arrays(found.to_arrays(), history.to_arrays())
    assert found.notes == history.notes


@pytest.mark.parametrize("cut", [1, 5, 40, 80])
def test_half_a_last_line_is_dropped_and_the_rest_kept(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "m"
    recorded(path, steps(1, 3), steps(4, 2)).close()
    data = path.read_bytes()
    path.write_bytes(data[:-cut])
    history, problem = read_metrics(path, 2)
    assert (history.last_step, problem) == (3, "")
    log = recorded(path, steps(4, 5))
    log.close()
    history, problem = read_metrics(path, 2)
    assert (history.last_step, problem) == (8, "")


def test_what_came_after_the_step_that_a_run_was_resumed_at_is_not_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "m"
    log = recorded(path, *EVENTS, steps(6, 10))
    log.resume_at(3)
    log.add(steps(4, 2, nll=55.0))
    log.close()
    history, problem = read_metrics(path, 2)
    assert problem == ""
    assert history.steps().step.tolist() == [1, 2, 3, 4, 5]
    assert round(history.steps().nll[-1]) == 55
    assert history.held_out == []
    assert [note.step for note in history.notes] == [2]


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"[]\n",
        b'{"kind":"other"}\n',
        b'{"kind":"steps","first":2,"nll":[1.0],"kl":[1.0],"kl_per_dimension":[[1.0]]}\n',
        b'{"kind":"steps","first":9,"nll":[1.0,2.0],"kl":[1.0],"kl_per_dimension":[[1.0],[1.0]]}\n',
        b'{"kind":"steps","first":9,"nll":[],"kl":[],"kl_per_dimension":[]}\n',
        b'{"kind":"steps","first":9,"nll":["x"],"kl":[1.0],"kl_per_dimension":[[1.0]]}\n',
        b'{"kind":"steps","first":99999999999999999999,"nll":[1],"kl":[1],"kl_per_dimension":[[1]]}\n',
        b'{"kind":"steps","first":9,"nll":[1],"kl":[1],"kl_per_dimension":[[[1,[2]]]]}\n',
        b'{"kind":"held_out","step":5,"num_images":1,"complete":true}\n',
        b'{"kind":"note","step":1,"note":"x","text":"y","text":"z"}\n',
        b"[" * 100_000 + b"\n",
        b"\xff\xfe\n",
        b"NaN\n",
    ],
)
def test_a_damaged_line_ends_the_record_with_the_reason(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "m"
    recorded(path, steps(1, 3)).close()
    path.write_bytes(path.read_bytes() + line + b'{"kind":"note","step":3,"note":"x","text":"y"}\n')
    history, problem = read_metrics(path, 2)
    assert problem.startswith("line 2 of its record, and what follows, cannot be read: ")
    assert history.last_step == 3
    assert history.notes == []


def test_a_full_disk_tears_no_line_and_loses_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m"
    log = recorded(path, steps(1, 3))
    log.flush()
    whole = path.read_bytes()
    log.add(steps(4, 5))
    write, room = os.write, iter([10, 7])

    def short(descriptor: int, data: memoryview) -> int:
        count = next(room, 0)
        if not count:
            raise OSError(errno.ENOSPC, "no room")
        return write(descriptor, data[:count])

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", short)
        with pytest.raises(OSError, match="no room"):
            log.flush()
    assert path.read_bytes() == whole
    log.add(steps(9, 1))
    log.close()
    history, problem = read_metrics(path, 2)
    assert (history.last_step, problem) == (9, "")


def test_numbers_are_those_of_json(tmp_path: Path) -> None:
    recorded(tmp_path / "m", *EVENTS).close()
    for line in (tmp_path / "m").read_text("utf-8").splitlines():
        json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
