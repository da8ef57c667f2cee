"""The loading thread, run for real on small files."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from core.config import DataConfig
from core.data.sources import load_dataset
from core.storage.model_file import load_model
from explorer.messages import (
    ImportedPicture,
    ImportPreview,
    JobFailed,
    LoadedData,
    LoadedModel,
    SavedFile,
)
from explorer.workers import loading as module
from explorer.workers.loading import LoadingThread
from tests.open_program import bars_config, bars_file, model_file, trained
from tests.small_data import SIDE, bars


class Listener:
    """Keeps what the thread said."""

    def __init__(self, thread: LoadingThread) -> None:
        self.data: list[LoadedData] = []
        self.models: list[LoadedModel] = []
        self.saved: list[SavedFile] = []
        self.previews: list[ImportPreview] = []
        self.wanted: list[ImportPreview] = []
        self.pictures: list[ImportedPicture] = []
        self.failures: list[JobFailed] = []
        thread.data_loaded.connect(self.data.append)
        thread.model_loaded.connect(self.models.append)
        thread.model_saved.connect(self.saved.append)
        thread.preview_ready.connect(self.previews.append)
        thread.import_wanted.connect(self.wanted.append)
        thread.picture_imported.connect(self.pictures.append)
        thread.failed.connect(self.failures.append)


@pytest.fixture
def thread(qtbot: QtBot) -> Iterator[LoadingThread]:
    thread = LoadingThread("loading")
    thread.start()
    yield thread
    thread.shut_down()
    assert thread.wait(5_000)
    qtbot.wait(1)


@pytest.fixture
def heard(thread: LoadingThread) -> Listener:
    return Listener(thread)


def test_data_are_read_with_the_choices_given(qtbot: QtBot, thread: LoadingThread, heard: Listener) -> None:
    thread.load_data(replace(bars_config(), image_size=16))
    qtbot.waitUntil(lambda: bool(heard.data))
    assert not heard.data[0].partial
    assert (heard.data[0].dataset.height, heard.data[0].dataset.width) == (16, 16)


def test_the_rest_of_data_with_a_quick_look_waits_until_it_is_wanted(
    qtbot: QtBot, thread: LoadingThread, heard: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LONGEST_LOOK_S", 60.0)
    thread.look_first()
    thread.load_data(DataConfig())
    qtbot.waitUntil(lambda: len(heard.data) == 1, timeout=20_000)
    qtbot.wait(600)
    assert len(heard.data) == 1
    thread.read_all()
    qtbot.waitUntil(lambda: len(heard.data) == 2, timeout=20_000)


def test_the_rest_of_data_does_not_wait_for_ever(
    qtbot: QtBot, thread: LoadingThread, heard: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LONGEST_LOOK_S", 0.01)
    thread.look_first()
    thread.load_data(DataConfig())
    qtbot.waitUntil(lambda: len(heard.data) == 2, timeout=20_000)


def test_what_draws_curves_is_imported_by_the_thread(qtbot: QtBot, thread: LoadingThread) -> None:
    with qtbot.waitSignal(thread.plots_imported, timeout=20_000):
        thread.import_plots()
    assert "pyqtgraph" in sys.modules


def test_mnist_comes_in_two_parts_with_the_same_held_out_half(
    qtbot: QtBot, thread: LoadingThread, heard: Listener
) -> None:
    thread.load_data(DataConfig())
    qtbot.waitUntil(lambda: len(heard.data) == 2, timeout=20_000)
    first, whole = heard.data
    assert first.partial
    assert not whole.partial
    assert len(first.dataset.train) == 0
    assert len(whole.dataset.train) == 60_000
    np.testing.assert_array_equal(first.dataset.held_out.images, whole.dataset.held_out.images)
    assert first.dataset.config == whole.dataset.config


def test_an_archive_is_shown_before_it_is_imported(qtbot: QtBot, thread: LoadingThread, heard: Listener) -> None:
    thread.open_path(bars_file())
    qtbot.waitUntil(lambda: bool(heard.wanted))
    assert heard.data == []
    assert heard.wanted[0].num_images == 640
    assert heard.wanted[0].pictures
    assert heard.wanted[0].config.source == str(bars_file())


def test_a_plain_idx_file_is_opened_at_once(
    qtbot: QtBot, thread: LoadingThread, heard: Listener, tmp_path: Path
) -> None:
    images = np.asarray(bars(30).images)
    path = tmp_path / "bars-idx3-ubyte"
    header = b"\x00\x00\x08\x03" + b"".join(side.to_bytes(4, "big") for side in images.shape)
    path.write_bytes(header + images.tobytes())
    thread.open_path(path)
    qtbot.waitUntil(lambda: bool(heard.data))
    dataset = heard.data[0].dataset
    assert len(dataset.train) + len(dataset.held_out) == 30
    assert heard.wanted == []


def test_a_preview_shows_the_choices(qtbot: QtBot, thread: LoadingThread, heard: Listener) -> None:
    thread.preview(replace(bars_config(), invert=True))
    thread.preview(bars_config())
    qtbot.waitUntil(lambda: len(heard.previews) == 2)
    inverted, plain = heard.previews
    np.testing.assert_array_equal(inverted.pictures[0], 255 - np.asarray(plain.pictures[0]))


def test_a_model_is_written_and_read_back(qtbot: QtBot, thread: LoadingThread, heard: Listener, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    thread.save_model(path, trained())
    thread.load_model(path, "opened")
    qtbot.waitUntil(lambda: bool(heard.models))
    assert heard.saved[0].path == path
    assert heard.models[0].origin == "opened"
    for name, array in trained().weights.items():
        np.testing.assert_array_equal(heard.models[0].saved.weights[name], array)


def test_a_save_that_fails_leaves_the_former_file(
    qtbot: QtBot, thread: LoadingThread, heard: Listener, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    path.mkdir()
    thread.save_model(path, trained())
    qtbot.waitUntil(lambda: bool(heard.failures))
    failure = heard.failures[0]
    assert failure.job == "save model"
    assert "model.safetensors" in failure.failure.reason
    assert path.is_dir()
    assert heard.saved == []


@pytest.mark.parametrize(
    ("ask", "job"),
    [
        (lambda thread, path: thread.open_path(path), "open data"),
        (lambda thread, path: thread.load_data(DataConfig(source=str(path))), "open data"),
        (lambda thread, path: thread.load_model(path, "opened"), "open model"),
        (lambda thread, path: thread.preview(DataConfig(source=str(path))), "preview data"),
        (lambda thread, path: thread.import_picture(path, DataConfig(), SIDE, SIDE), "open picture"),
    ],
)
def test_every_job_that_fails_says_which_file_and_why_and_the_next_is_done(
    qtbot: QtBot,
    thread: LoadingThread,
    heard: Listener,
    tmp_path: Path,
    ask: Callable[[LoadingThread, Path], None],
    job: str,
) -> None:
    path = tmp_path / "nonsense.npz"
    path.write_bytes(b"PK\x03\x04 and nothing more")
    ask(thread, path)
    qtbot.waitUntil(lambda: bool(heard.failures))
    assert heard.failures[0].job == job
    assert "nonsense.npz" in heard.failures[0].failure.reason
    assert heard.failures[0].path == str(path)
    thread.load_model(model_file(), "opened")
    qtbot.waitUntil(lambda: bool(heard.models))


def test_an_error_that_nobody_foresaw_is_said_with_its_stack(
    qtbot: QtBot, thread: LoadingThread, heard: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_path: Path) -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr(module, "load_model", fail)
    thread.load_model(model_file(), "opened")
    qtbot.waitUntil(lambda: bool(heard.failures))
    assert heard.failures[0].failure.reason == "planted"
    assert "Traceback" in heard.failures[0].failure.details


def test_a_picture_is_read_through_the_choices_of_the_model_s_data(
    qtbot: QtBot, thread: LoadingThread, heard: Listener, tmp_path: Path
) -> None:
    path = tmp_path / "picture.png"
    grey = np.full((24, 24), 255, np.uint8)
    grey[:12] = 0
    Image.fromarray(grey).save(path)
    thread.import_picture(path, DataConfig(source="somewhere", invert=True), SIDE, SIDE)
    qtbot.waitUntil(lambda: bool(heard.pictures))
    picture = heard.pictures[0].picture
    assert picture.shape == (SIDE, SIDE)
    assert (picture[0], picture[-1]) == (pytest.approx(np.full(SIDE, 255)), pytest.approx(np.zeros(SIDE)))


def test_a_reading_can_be_given_up_and_the_next_is_not(
    qtbot: QtBot, thread: LoadingThread, heard: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    def read_for_ever(config: DataConfig, progress: Callable[[float, str], None]) -> None:
        begun.append(config.source)
        while True:  # ended by the exception that `progress` raises
            progress(0.5, "reading …")

    monkeypatch.setattr(module, "load_dataset", read_for_ever)
    thread.load_data(bars_config())
    qtbot.waitUntil(lambda: bool(begun))
    thread.cancel()
    qtbot.waitUntil(lambda: bool(heard.failures))
    assert heard.failures[0].failure.reason == "cancelled"
    monkeypatch.setattr(module, "load_dataset", load_dataset)
    thread.load_data(bars_config())
    qtbot.waitUntil(lambda: bool(heard.data))


def test_what_was_asked_before_the_end_is_still_written(qtbot: QtBot, tmp_path: Path) -> None:
    thread = LoadingThread("storage")
    thread.start()
    paths = [tmp_path / f"{number}.safetensors" for number in range(3)]
    for path in paths:
        thread.save_model(path, trained())
    thread.shut_down()
    assert thread.wait(5_000)
    for path in paths:
        assert load_model(path).history.num_steps == trained().history.num_steps
    qtbot.wait(1)
