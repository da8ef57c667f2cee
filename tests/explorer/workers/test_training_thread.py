"""The training thread, run for real on a small data set."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from core.saved_model import SavedModel
from core.snapshots import Split, frozen
from core.storage.model_file import load_model
from core.training import loop
from explorer.messages import (
    Completed,
    Failed,
    RunKeeping,
    RunReport,
    RunRequest,
    RunResult,
    RunState,
    RunWeights,
    Stopped,
)
from explorer.workers.training import TrainingThread
from tests.small_data import bar_data, small_config

LONG = 100_000


class Listener:
    """Keeps what the thread said."""

    def __init__(self, thread: TrainingThread) -> None:
        self.reports: list[RunReport] = []
        self.states: list[RunState] = []
        self.results: list[RunResult] = []
        self.weights: list[RunWeights] = []
        thread.reported.connect(self.reports.append)
        thread.state_changed.connect(self.states.append)
        thread.ended.connect(self.results.append)
        thread.weights_ready.connect(self.weights.append)


@pytest.fixture
def thread(qtbot: QtBot) -> Iterator[TrainingThread]:
    thread = TrainingThread()
    thread.start()
    yield thread
    thread.shut_down()
    assert thread.wait(10_000)
    qtbot.wait(1)


def request_for(tmp_path: Path, start: SavedModel | None = None, **changes: object) -> RunRequest:
    keeping = RunKeeping(tmp_path / "run", "Bars")
    return RunRequest(1, small_config(**changes), bar_data(), start, tmp_path / "autosave.safetensors", keeping)


def test_a_run_completes_reports_every_step_and_is_saved(qtbot: QtBot, thread: TrainingThread, tmp_path: Path) -> None:
    heard = Listener(thread)
    with qtbot.waitSignal(thread.ended, timeout=30_000):
        thread.start_run(request_for(tmp_path))
    result = heard.results[0]
    assert isinstance(result.ending, Completed)
    steps = np.concatenate([steps.step for report in heard.reports for steps in report.steps])
    np.testing.assert_array_equal(steps, np.arange(1, 33))
    assert sum(len(report.held_out) for report in heard.reports) >= 2
    loaded = load_model(tmp_path / "autosave.safetensors")
    assert result.saved is not None
    for name, array in result.saved.weights.items():
        np.testing.assert_array_equal(loaded.weights[name], array)
    assert loaded.history.num_steps == 32


def test_a_stopped_run_ends_once_and_keeps_what_it_learned(
    qtbot: QtBot, thread: TrainingThread, tmp_path: Path
) -> None:
    heard = Listener(thread)
    thread.start_run(request_for(tmp_path, epochs=LONG))
    qtbot.waitUntil(lambda: len(heard.reports) > 3, timeout=30_000)
    with qtbot.waitSignal(thread.ended, timeout=10_000):
        thread.stop()
        thread.stop()
    qtbot.wait(50)
    assert [type(result.ending) for result in heard.results] == [Stopped]
    assert heard.results[0].saved is not None
    assert heard.results[0].saved.history.num_steps > 0


def test_a_paused_run_stands_still_until_resumed(qtbot: QtBot, thread: TrainingThread, tmp_path: Path) -> None:
    heard = Listener(thread)
    thread.start_run(request_for(tmp_path, epochs=LONG))
    qtbot.waitUntil(lambda: len(heard.reports) > 1, timeout=30_000)
    thread.pause()
    qtbot.waitUntil(lambda: heard.states[-1] is RunState.PAUSED, timeout=10_000)
    count = len(heard.reports)
    qtbot.wait(150)
    assert len(heard.reports) == count
    thread.resume()
    qtbot.waitUntil(lambda: len(heard.reports) > count, timeout=10_000)
    assert heard.states[-1] is RunState.RUNNING


def test_a_run_can_be_stopped_while_paused(qtbot: QtBot, thread: TrainingThread, tmp_path: Path) -> None:
    heard = Listener(thread)
    thread.start_run(request_for(tmp_path, epochs=LONG))
    qtbot.waitUntil(lambda: len(heard.reports) > 1, timeout=30_000)
    thread.pause()
    qtbot.waitUntil(lambda: heard.states[-1] is RunState.PAUSED, timeout=10_000)
    with qtbot.waitSignal(thread.ended, timeout=10_000):
        thread.stop()


def test_weights_are_sent_under_the_number_they_were_asked_for(
    qtbot: QtBot, thread: TrainingThread, tmp_path: Path
) -> None:
    heard = Listener(thread)
    thread.start_run(request_for(tmp_path, epochs=LONG))
    thread.send_weights(17)
    qtbot.waitUntil(lambda: bool(heard.weights), timeout=30_000)
    assert heard.weights[0].weights.version == 17
    with pytest.raises(ValueError, match="read-only"):
        next(iter(heard.weights[0].weights.arrays.values()))[...] = 0.0


def test_a_live_change_is_noted_with_its_step(qtbot: QtBot, thread: TrainingThread, tmp_path: Path) -> None:
    heard = Listener(thread)
    thread.start_run(request_for(tmp_path, epochs=LONG))
    qtbot.waitUntil(lambda: bool(heard.reports), timeout=30_000)
    thread.change("learning_rate", 5e-4)

    def noted() -> bool:
        notes = [note for report in heard.reports for note in report.notes]
        return any(note.kind == "setting" and "0.0005" in note.text for note in notes)

    qtbot.waitUntil(noted, timeout=10_000)


def test_an_impossible_live_change_ends_nothing_else(qtbot: QtBot, thread: TrainingThread, tmp_path: Path) -> None:
    heard = Listener(thread)
    thread.start_run(request_for(tmp_path, epochs=LONG))
    qtbot.waitUntil(lambda: bool(heard.reports), timeout=30_000)
    count = len(heard.reports)
    thread.change("learning_rate", float("nan"))
    qtbot.waitUntil(lambda: len(heard.reports) > count + 2, timeout=10_000)
    assert heard.results == []


def test_a_run_that_cannot_begin_fails_with_a_reason_and_the_thread_lives(
    qtbot: QtBot, thread: TrainingThread, tmp_path: Path
) -> None:
    heard = Listener(thread)
    nothing = Split(frozen(np.zeros((0, 12, 12), np.uint8)), None)
    request = request_for(tmp_path)
    with qtbot.waitSignal(thread.ended, timeout=30_000):
        thread.start_run(replace(request, dataset=replace(request.dataset, train=nothing)))
    assert isinstance(heard.results[0].ending, Failed)
    assert heard.results[0].ending.reason
    with qtbot.waitSignal(thread.ended, timeout=30_000):
        thread.start_run(request)
    assert isinstance(heard.results[1].ending, Completed)


def test_a_model_that_cannot_be_saved_is_still_handed_back(
    qtbot: QtBot, thread: TrainingThread, tmp_path: Path
) -> None:
    heard = Listener(thread)
    blocked = tmp_path / "a file, no folder"
    blocked.write_text("")
    with qtbot.waitSignal(thread.ended, timeout=30_000):
        thread.start_run(replace(request_for(tmp_path), autosave=blocked / "model.safetensors"))
    assert heard.results[0].autosave is None
    assert heard.results[0].save_error
    assert heard.results[0].saved is not None


def test_continuing_adds_epochs_to_the_saved_model(qtbot: QtBot, thread: TrainingThread, tmp_path: Path) -> None:
    heard = Listener(thread)
    with qtbot.waitSignal(thread.ended, timeout=30_000):
        thread.start_run(request_for(tmp_path))
    with qtbot.waitSignal(thread.ended, timeout=30_000):
        thread.start_run(request_for(tmp_path, start=heard.results[0].saved))
    saved = heard.results[1].saved
    assert saved is not None
    assert saved.history.epochs == pytest.approx(4.0)
    assert saved.history.num_steps == 64


def test_shutting_down_in_the_middle_of_a_run_saves_it(qtbot: QtBot, tmp_path: Path) -> None:
    thread = TrainingThread()
    heard = Listener(thread)
    thread.start()
    thread.start_run(request_for(tmp_path, epochs=LONG))
    qtbot.waitUntil(lambda: bool(heard.reports), timeout=30_000)
    thread.shut_down()
    assert thread.wait(5_000)
    qtbot.waitUntil(lambda: bool(heard.results), timeout=5_000)
    assert load_model(tmp_path / "autosave.safetensors").history.num_steps > 0


def test_a_run_comes_up_for_air_less_often_while_the_hand_moves(
    qtbot: QtBot, thread: TrainingThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stretches: list[int] = []
    noted = property(lambda _run: 1, lambda _run, stretch: stretches.append(stretch))
    monkeypatch.setattr(loop.TrainingRun, "stretch", noted, raising=False)
    thread.start_run(request_for(tmp_path, epochs=LONG))
    qtbot.waitUntil(lambda: stretches[-5:] == [1] * 5)
    thread.set_hand_moving(True)
    qtbot.waitUntil(lambda: stretches[-1] > 1)
    thread.set_hand_moving(False)
    qtbot.waitUntil(lambda: stretches[-1] == 1)
    thread.stop()
