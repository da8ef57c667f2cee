"""A run that is kept beside its training: how often, and what is left of it in the end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.history import History
from core.saved_model import SavedModel
from core.storage.run_folder import RunFolderError, interrupted_runs, read_run
from core.storage.run_writer import RunWriter
from core.training.keeping import FIRST_S, GAP_S, LONGEST_GAP_S, RunKeeper
from core.training.loop import TrainingRun
from tests.core.training.runs import a_run


class Clock:
    """A clock that is set by hand, or by what takes long."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def run() -> TrainingRun:
    return a_run(epochs=50, steps_per_chunk=1)


@pytest.fixture
def keeper(tmp_path: Path, run: TrainingRun, clock: Clock) -> Iterator[RunKeeper]:
    keeper = RunKeeper(tmp_path / "runs" / "a", "Bars", pytest.fail, clock)
    keeper.begin(run, History(2))
    yield keeper
    keeper.close()


def train(run: TrainingRun, keeper: RunKeeper) -> None:
    """Take a step and see whether it is time."""
    events, step = run.events(), run.step
    while run.step == step:
        keeper.record(next(events))
    events.close()
    keeper.keep_if_due(run)


def checkpoints(keeper: RunKeeper) -> list[int]:
    assert keeper.folder is not None
    return [checkpoint.step for checkpoint in read_run(keeper.folder).checkpoints]


def test_the_first_checkpoint_comes_soon_and_the_next_ones_seldom(
    run: TrainingRun, keeper: RunKeeper, clock: Clock
) -> None:
    train(run, keeper)
    assert checkpoints(keeper) == []
    clock.now += FIRST_S
    train(run, keeper)
    assert checkpoints(keeper) == [2]
    clock.now += GAP_S - 0.1
    train(run, keeper)
    assert checkpoints(keeper) == [2]
    clock.now += 0.2
    train(run, keeper)
    assert checkpoints(keeper) == [2, 4]


@pytest.mark.parametrize(("took_s", "gap_s"), [(0.5, 25.0), (60.0, LONGEST_GAP_S)])
def test_a_disk_that_is_slow_is_asked_seldom_but_once_a_minute(
    run: TrainingRun, keeper: RunKeeper, clock: Clock, took_s: float, gap_s: float
) -> None:
    saved = run.saved

    def slow() -> object:
        clock.now += took_s
        return saved()

    run.saved = slow  # type: ignore[method-assign, assignment]
    clock.now += FIRST_S
    train(run, keeper)
    clock.now += gap_s - 0.1
    train(run, keeper)
    assert checkpoints(keeper) == [1]
    clock.now += 0.2
    train(run, keeper)
    assert checkpoints(keeper) == [1, 3]


def test_a_run_that_could_not_even_begin_again_stays_interrupted(
    run: TrainingRun, keeper: RunKeeper, clock: Clock
) -> None:
    clock.now += FIRST_S
    train(run, keeper)
    folder = keeper.folder
    assert folder is not None
    keeper.close()
    again = RunKeeper(folder, "Bars", pytest.fail, clock)
    again.take_up(1)
    again.end("failed", None, is_written=False)
    (record,) = interrupted_runs(folder.parent)
    assert record.path == folder


def test_a_run_that_ended_and_is_written_elsewhere_is_none_that_was_interrupted(
    run: TrainingRun, keeper: RunKeeper, clock: Clock
) -> None:
    clock.now += FIRST_S
    train(run, keeper)
    folder = keeper.folder
    assert folder is not None
    keeper.end("stopped", run.saved(), is_written=True)
    assert interrupted_runs(folder.parent) == ()
    assert read_run(folder).ending == "stopped"


def test_a_problem_is_told_once_and_so_is_its_end(tmp_path: Path, run: TrainingRun, clock: Clock) -> None:
    told: list[str] = []
    (tmp_path / "runs").write_text("a file, no folder")
    keeper = RunKeeper(tmp_path / "runs" / "a", "Bars", told.append, clock)
    keeper.begin(run, History(2))
    for _ in range(3):
        clock.now += LONGEST_GAP_S
        train(run, keeper)
    assert len(told) == 1
    assert "Not a directory" in told[0]
    (tmp_path / "runs").unlink()
    clock.now += LONGEST_GAP_S
    train(run, keeper)
    assert told[1:] == [""]
    assert checkpoints(keeper) == [4]
    keeper.close()


def test_a_record_that_can_be_written_does_not_say_that_checkpoints_can(
    tmp_path: Path, run: TrainingRun, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a disk with room for a few lines and none for a model."""

    def no_room(writer: RunWriter, _saved: SavedModel) -> None:
        raise RunFolderError(writer.path, "the disk is full")

    told: list[str] = []
    keeper = RunKeeper(tmp_path / "a", "Bars", told.append, clock)
    keeper.begin(run, History(2))
    with monkeypatch.context() as patch:
        patch.setattr(RunWriter, "checkpoint", no_room)
        for _ in range(3):
            clock.now += LONGEST_GAP_S
            train(run, keeper)
            clock.now += 2.0
            train(run, keeper)
        assert len(told) == 1
        assert "the disk is full" in told[0]
    clock.now += LONGEST_GAP_S
    train(run, keeper)
    assert told[1:] == [""]
    keeper.close()
