"""The training thread, run for real on a small data set."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pytestqt.qtbot import QtBot

from core.saved_model import SavedModel
from core.snapshots import Split, frozen
from core.storage.model_file import load_model
from core.training import loop, resident
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
from explorer.workers import training
from explorer.workers.training import TrainingThread
from tests.explorer.workers.running import running
from tests.small_data import bar_data, small_config

LONG = 100_000


class Listener:
    """Keeps what the thread said."""

    def __init__(self, thread: TrainingThread) -> None:
        self.reports: list[RunReport] = []
        self.states: list[RunState] = []
        self.results: list[RunResult] = []
        self.weights: list[RunWeights] = []
        self.preparing: list[tuple[float, str]] = []
        thread.preparing.connect(self._on_preparing)
        thread.reported.connect(self.reports.append)
        thread.state_changed.connect(self.states.append)
        thread.ended.connect(self.results.append)
        thread.weights_ready.connect(self.weights.append)

    def _on_preparing(self, fraction: float, text: str) -> None:
        self.preparing.append((fraction, text))


@pytest.fixture
def thread(qtbot: QtBot) -> Iterator[TrainingThread]:
    with running(TrainingThread(), qtbot) as thread:
        yield thread


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


class SlowReading:
    """Images that are read for as long as nobody lets them go on, before a run's first step."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.may_end = threading.Event()
        self.begun = threading.Event()
        self._read = resident.ResidentImages.mean_picture
        monkeypatch.setattr(resident.ResidentImages, "mean_picture", self.mean_picture_of(self))
        monkeypatch.setattr(training, "_UNSEEN_S", 0.0)

    @staticmethod
    def mean_picture_of(slow: "SlowReading") -> Callable[..., torch.Tensor]:
        def mean_picture(
            images: resident.ResidentImages, progress: Callable[[float, str], None] | None = None
        ) -> torch.Tensor:
            assert progress is not None
            while not slow.may_end.wait(0.01):
                slow.begun.set()
                progress(0.25, "reading")
            return slow._read(images, progress)

        return mean_picture


def test_a_run_is_stopped_while_its_images_are_still_being_read(
    qtbot: QtBot, thread: TrainingThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, slow = Listener(thread), SlowReading(monkeypatch)
    thread.start_run(request_for(tmp_path))
    qtbot.waitUntil(lambda: heard.preparing[-1:] == [(0.25, "reading")], timeout=30_000)
    with qtbot.waitSignal(thread.ended, timeout=5_000):
        thread.stop()
    assert not slow.may_end.is_set()
    assert [(type(result.ending), result.saved) for result in heard.results] == [(Stopped, None)]
    assert heard.preparing[-1] == (1.0, "")
    assert not (tmp_path / "autosave.safetensors").exists()


def test_what_is_asked_while_the_images_are_read_is_done_afterwards(
    qtbot: QtBot, thread: TrainingThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, slow = Listener(thread), SlowReading(monkeypatch)
    thread.start_run(request_for(tmp_path, epochs=LONG))
    qtbot.waitUntil(slow.begun.is_set, timeout=30_000)
    with qtbot.waitSignal(thread.torch_loaded, timeout=5_000):
        thread.load_torch()
    thread.change("learning_rate", 0.01)
    thread.send_weights(7)
    thread.pause()
    qtbot.wait(50)
    slow.may_end.set()
    qtbot.waitUntil(lambda: heard.states[-1] is RunState.PAUSED, timeout=10_000)
    assert [sent.weights.version for sent in heard.weights] == [7]
    thread.resume()
    qtbot.waitUntil(lambda: len(heard.reports) > 3, timeout=10_000)
    thread.stop()
    qtbot.waitUntil(lambda: bool(heard.results), timeout=10_000)
    saved = heard.results[0].saved
    assert saved is not None
    assert any("learning_rate" in note.text for note in saved.history.notes)


def test_torch_is_told_of_also_when_a_run_came_first(qtbot: QtBot, thread: TrainingThread, tmp_path: Path) -> None:
    heard = Listener(thread)
    thread.start_run(request_for(tmp_path, epochs=LONG))
    qtbot.waitUntil(lambda: bool(heard.reports), timeout=30_000)
    with qtbot.waitSignal(thread.torch_loaded, timeout=5_000):
        thread.load_torch()


def test_the_thread_ends_while_the_images_of_a_run_are_read(
    qtbot: QtBot, thread: TrainingThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SlowReading(monkeypatch)
    thread.start_run(request_for(tmp_path))
    qtbot.waitUntil(slow.begun.is_set, timeout=30_000)
    thread.shut_down()
    assert thread.wait(2_000)


def test_images_that_are_there_at_once_are_not_spoken_of(qtbot: QtBot, thread: TrainingThread, tmp_path: Path) -> None:
    heard = Listener(thread)
    with qtbot.waitSignal(thread.ended, timeout=30_000):
        thread.start_run(request_for(tmp_path))
    assert heard.preparing == []


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
