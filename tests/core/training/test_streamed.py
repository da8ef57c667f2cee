"""Images that are streamed to the device: the weights, costs and curves of resident ones, bit for bit."""

import itertools
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.config import ExperimentConfig
from core.data.dataset import Dataset
from core.snapshots import Split
from core.stored_pictures import StoredPictures, StoredPicturesError
from core.training import resident, streamed
from core.training.loop import TrainingRun
from core.training.resident import ResidentImages, fits_on
from core.training.streamed import StreamedImages, place_images
from tests.core.training.runs import SMALL, a_run, finished, same_arrays, same_weights, some_data

LITTLE = 100


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have room for three batches of eight 36-pixel images, and a fourth's half."""
    monkeypatch.setattr(streamed, "STAGED_BYTES", 28 * 36)


def in_a_file(data: Dataset, folder: Path) -> Dataset:
    """Return the same data set with its images in one file, the halves' among each other."""
    halves = (data.train, data.held_out)
    pixels = np.concatenate([half.images[:] for half in halves])
    order = np.random.default_rng(0).permutation(len(pixels))
    path = folder / "pictures"
    path.write_bytes(pixels[order].tobytes())
    stored = StoredPictures(path, path.name, 0, pixels.shape)
    rows = np.argsort(order)
    train, held_out = (
        Split(stored.taken(part), half.labels)
        for part, half in zip(np.split(rows, [len(data.train)]), halves, strict=True)
    )
    return replace(data, train=train, held_out=held_out)


def with_little_memory(data: Dataset, monkeypatch: pytest.MonkeyPatch, **values: object) -> TrainingRun:
    with monkeypatch.context() as patch:
        patch.setattr(resident, "memory_to_plan_with", lambda: LITTLE)
        run = a_run(data, **values)  # type: ignore[arg-type]
    assert isinstance(run._place.images, StreamedImages)
    assert run.plan.images == "streamed"
    return run


def check_alike(one: TrainingRun, other: TrainingRun) -> None:
    assert same_weights(one.weights(), other.weights())
    assert same_arrays(one.saved().optimiser, other.saved().optimiser)
    assert np.array_equal(one.history.steps().nll, other.history.steps().nll)
    assert one.history.held_out == other.history.held_out


CASES = (
    {"binarisation": "dynamic"},
    {"binarisation": "fixed"},
    {"binarisation": "threshold"},
    {"binarisation": "none", "likelihood": "gaussian"},
    {"binarisation": "none", "likelihood": "categorical", "num_levels": 4},
    {"model": "made"},
    {"network": "conv"},
)


@pytest.mark.parametrize("values", CASES, ids=str)
@pytest.mark.parametrize("capture", [False, True])
def test_a_run_is_that_of_resident_images_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: dict[str, object], *, capture: bool
) -> None:
    data = some_data(30, 10)  # batches of 8, 8, 8 and 6
    in_memory = a_run(data, capture=capture, **values)  # type: ignore[arg-type]
    assert in_memory.plan.images == "resident"
    stored = with_little_memory(in_a_file(data, tmp_path), monkeypatch, capture=capture, **values)
    assert stored.plan.path == in_memory.plan.path
    finished(in_memory)
    finished(stored)
    check_alike(in_memory, stored)


@pytest.mark.parametrize("steps_per_chunk", [1, 5, None])
@pytest.mark.parametrize("batch_size", [1, 7, 30, 64])
def test_any_chunk_and_batch_is_streamed(
    monkeypatch: pytest.MonkeyPatch, steps_per_chunk: int | None, batch_size: int
) -> None:
    data = some_data(30, 10)
    values = {"steps_per_chunk": steps_per_chunk, "batch_size": batch_size}
    in_memory = a_run(data, **values)  # type: ignore[arg-type]
    streamed_run = with_little_memory(data, monkeypatch, **values)
    finished(in_memory)
    finished(streamed_run)
    check_alike(in_memory, streamed_run)


@pytest.mark.parametrize("before_streams", [False, True])
def test_a_run_that_was_interrupted_goes_on_with_either_bit_for_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, before_streams: bool
) -> None:
    data = some_data(30, 10)
    stored, unbroken = in_a_file(data, tmp_path), a_run(data)
    finished(unbroken)
    first = with_little_memory(stored, monkeypatch) if before_streams else a_run(data)
    events = first.events()
    while first.step < 5:
        next(events)
    events.close()
    kept = first.saved()
    with monkeypatch.context() as patch:
        if not before_streams:
            patch.setattr(resident, "memory_to_plan_with", lambda: LITTLE)
        second = TrainingRun(
            kept.config, data if before_streams else stored, start=kept, resume=True, steps_per_chunk=4
        )
    assert second.plan.images == ("resident" if before_streams else "streamed")
    assert "as if it had not been interrupted" in second.history.notes[-1].text + second.history.notes[-2].text
    finished(second)
    assert same_weights(unbroken.weights(), second.weights())
    assert unbroken.history.held_out == second.history.held_out


def test_the_run_says_that_it_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    run = with_little_memory(some_data(), monkeypatch)
    assert "streamed images" in run.history.notes[0].text
    assert run.saved().provenance["images"] == "streamed"
    assert "streamed" not in a_run().history.notes[0].text


def test_images_stream_where_they_take_more_than_half_of_what_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    images, config, cpu = some_data(30, 1).train.images, some_data().config, torch.device("cpu")
    for free, kind in ((2 * images.nbytes, ResidentImages), (2 * images.nbytes - 2, StreamedImages)):
        monkeypatch.setattr(resident, "memory_to_plan_with", lambda free=free: free)
        assert type(place_images(images, config, cpu, 8)) is kind


def test_on_a_card_it_is_the_card_s_memory_that_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resident, "memory_to_plan_with", lambda: 0)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (1000, 4000))
    assert fits_on(torch.device("cuda"), 500)
    assert not fits_on(torch.device("cuda"), 501)


def test_the_model_starts_at_the_same_mean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = some_data(30, 10)
    stored = with_little_memory(in_a_file(data, tmp_path), monkeypatch)
    in_memory = a_run(data)
    assert torch.equal(stored._place.images.mean_picture(), in_memory._place.images.mean_picture())
    assert same_weights(stored.weights(), in_memory.weights())


class Enough(Exception):  # noqa: N818 - a request, not an error
    """Whoever waits gives up."""


@pytest.mark.parametrize("place", ["streamed", "resident"])
def test_how_far_the_images_are_read_before_the_first_step_is_told_and_can_be_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    stored = in_a_file(some_data(56, 10), tmp_path)
    monkeypatch.setattr(resident, "memory_to_plan_with", lambda: LITTLE if place == "streamed" else 2**30)
    monkeypatch.setattr(resident, "PIECE", 28)
    told: list[tuple[float, str]] = []
    config = ExperimentConfig().with_values(SMALL)
    run = TrainingRun(config, stored, progress=lambda *what: told.append(what))
    assert run.plan.images == place
    reading = [fraction for fraction, text in told if ("mean" in text) is (place == "streamed")]
    assert reading == pytest.approx([0.5, 1.0])

    def give_up(*_: object) -> None:
        raise Enough

    with pytest.raises(Enough):
        TrainingRun(config, stored, progress=give_up)


@pytest.mark.parametrize("capture", [False, True])
def test_a_file_that_is_cut_short_during_a_run_ends_it_with_an_error_and_the_model_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, capture: bool
) -> None:
    data = some_data(30, 10)
    run = with_little_memory(in_a_file(data, tmp_path), monkeypatch, capture=capture, steps_per_chunk=2)
    events = run.events()
    while run.step < 2:
        next(events)
    os.truncate(tmp_path / "pictures", 36)
    with pytest.raises(StoredPicturesError, match="changed"):
        list(events)
    assert run.step == 2
    assert all(np.isfinite(array).all() for array in run.saved().weights.values())


def test_what_was_done_before_a_file_could_not_be_read_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the weights would be ahead of the step that they are said to be of, and a resumed run would repeat it."""
    monkeypatch.setattr(streamed, "STAGED_BYTES", 1)
    run = with_little_memory(in_a_file(some_data(30, 10), tmp_path), monkeypatch, steps_per_chunk=3)
    images = run._place.images
    assert isinstance(images, StreamedImages)
    read, calls = images._read_now, itertools.count(1)

    def read_twice(rows: np.ndarray[Any, np.dtype[np.int64]]) -> None:
        if next(calls) == 3:
            raise StoredPicturesError("the disk is gone")
        read(rows)

    monkeypatch.setattr(images, "_read_now", read_twice)
    with pytest.raises(StoredPicturesError, match="gone"):
        list(run.events())
    assert run.step == 2
    assert run.history.num_steps == 2
    assert float(run._place.stepper.adam._steps) == 2.0


class Reads:
    """Notes which images are read, and by whom."""

    def __init__(self, run: TrainingRun, monkeypatch: pytest.MonkeyPatch) -> None:
        images = run._place.images
        assert isinstance(images, StreamedImages)
        self.images, self._read = images, images._read_now
        self.sizes: list[int] = []
        self.by_the_run: list[bool] = []
        monkeypatch.setattr(images, "_read_now", self._noted)

    def _noted(self, rows: np.ndarray[Any, np.dtype[np.int64]]) -> None:
        self.sizes.append(len(rows))
        self.by_the_run.append(threading.current_thread() is threading.main_thread())
        self._read(rows)


def test_the_images_of_the_next_steps_are_read_by_another_thread_while_steps_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = with_little_memory(in_a_file(some_data(64, 10), tmp_path), monkeypatch, steps_per_chunk=2)
    reads = Reads(run, monkeypatch)
    finished(run)
    # Eight batches of eight an epoch; what begins an epoch is waited for.
    assert reads.sizes == [16] * (run.total_steps // 2)
    assert reads.by_the_run == [True, False, False, False] * (run.total_steps // 8)


def test_where_other_steps_come_than_was_foreseen_theirs_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = some_data(64, 10)
    in_memory, stored = a_run(data), with_little_memory(in_a_file(data, tmp_path), monkeypatch, steps_per_chunk=1)
    reads, events = Reads(stored, monkeypatch), stored.events()
    for _ in events:
        # A hand that moves at times makes chunks longer and shorter.
        stored.stretch = 1 + stored.step % 3
        if stored.step == 5 and reads.images._ahead is not None:
            reads.images._ahead.rows = reads.images._ahead.rows[::-1]
    finished(in_memory)
    check_alike(in_memory, stored)


def test_what_could_not_be_read_ahead_is_an_error_of_the_steps_that_need_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = with_little_memory(in_a_file(some_data(64, 10), tmp_path), monkeypatch, steps_per_chunk=2)
    reads, events = Reads(run, monkeypatch), run.events()
    read = reads._read

    def broken(rows: np.ndarray[Any, np.dtype[np.int64]]) -> None:
        if len(reads.sizes) == 3:
            raise StoredPicturesError("the disk is gone")
        read(rows)

    reads._read = broken
    with pytest.raises(StoredPicturesError, match="gone"):
        list(events)
    assert run.step == 4
    assert reads.by_the_run == [True, False, False]
