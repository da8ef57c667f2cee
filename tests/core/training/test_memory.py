"""A run that memory does not suffice for goes on with less."""

import gc
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch

from core.config import DataConfig
from core.training.errors import TrainingError
from core.training.loop import TrainingRun
from core.training.memory import is_out_of_memory
from core.training.resident import ResidentImages
from tests.core.training.runs import a_run, finished, held_out_of, notes_of, same_weights, some_data

ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 4 bytes."),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)"),
    MemoryError(),
]


def too_much_above(run: TrainingRun, largest: int, error: Exception) -> None:
    """Let steps of more than so many images run out of memory."""
    step = run._place.stepper.step

    def limited(x: torch.Tensor, beta: float, generator: torch.Generator) -> None:
        if len(x) > largest:
            raise error
        step(x, beta, generator)

    run._place.stepper.step = limited  # type: ignore[method-assign, assignment]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_the_batch_is_halved_until_memory_suffices(error: Exception) -> None:
    run = a_run(capture=False, batch_size=8, epochs=2)
    too_much_above(run, 3, error)
    events = finished(run)
    assert [note.text for note in notes_of(events, "memory")] == [
        "out of memory with batches of 8: 4 from here on",
        "out of memory with batches of 4: 2 from here on",
    ]
    assert run.config.training.batch_size == 2
    assert run.step == run.total_steps == 30
    assert run.total_epochs == 2.0
    assert [report.epoch for report in held_out_of(events, complete=True)][-1] == 2.0


def test_steps_that_were_taken_before_memory_ran_out_are_kept() -> None:
    run = a_run(capture=False, batch_size=8, epochs=2, steps_per_chunk=4)
    step, calls = run._place.stepper.step, 0

    def third_fails(x: torch.Tensor, beta: float, generator: torch.Generator) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise MemoryError
        step(x, beta, generator)

    run._place.stepper.step = third_fails  # type: ignore[method-assign, assignment]
    events = finished(run)
    assert [note.step for note in notes_of(events, "memory")] == [2]
    same = a_run(capture=False, batch_size=8, epochs=2, steps_per_chunk=1)
    iterator = same.events()
    while same.step < 2:
        next(iterator)
    assert run.history.steps().nll[:2].tolist() == same.history.steps().nll.tolist()


def test_the_schedule_goes_on_from_the_share_that_was_done() -> None:
    run = a_run(capture=False, batch_size=8, epochs=2, schedule="cosine", steps_per_chunk=1)
    too_much_above(run, 8, MemoryError())
    iterator = run.events()
    while run.step < 4:
        next(iterator)
    assert run._timetable.share_done(4) == 0.5
    too_much_above(run, 4, MemoryError())
    while run.config.training.batch_size == 8:
        next(iterator)
    assert run._timetable.share_done(run.step) == pytest.approx(0.5, abs=0.05)
    list(iterator)
    assert run.step == run.total_steps


def test_one_image_at_a_time_is_the_least() -> None:
    run = a_run(capture=False, batch_size=4)
    too_much_above(run, 0, MemoryError())
    before = run.weights()
    with pytest.raises(TrainingError, match="not enough memory to train this model, even one image at a time"):
        finished(run)
    assert same_weights(before, run.weights())


def test_other_errors_are_none_of_memory() -> None:
    run = a_run(capture=False)
    too_much_above(run, 0, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        finished(run)
    assert not is_out_of_memory(ValueError("out of memory"))


def test_held_out_images_are_evaluated_in_smaller_pieces() -> None:
    plenty = a_run(capture=False, data=some_data(30, 150), epochs=1)
    finished(plenty)
    run = a_run(capture=False, data=some_data(30, 150), epochs=1)
    short_of_memory_in(run, lambda: run._place.held_out.per_call > 20)
    events = finished(run)
    assert run._place.held_out.per_call == 15
    report = held_out_of(events, complete=True)[-1]
    expected = held_out_of(list(plenty.history.held_out), complete=True)[-1]
    assert report.num_images == 150
    assert report.means.nll == pytest.approx(expected.means.nll, rel=0.05)
    assert not notes_of(events, "memory")


def test_where_nothing_can_be_evaluated_training_goes_on() -> None:
    run = a_run(capture=False, epochs=2)
    short_of_memory_in(run, lambda: True)
    events = finished(run)
    assert [note.text for note in notes_of(events, "memory")] == [
        "out of memory: held-out images are not evaluated any more"
    ]
    assert run.step == run.total_steps


def short_of_memory_in(run: TrainingRun, condition: Callable[[], bool]) -> None:
    """Let evaluations run out of memory as long as a condition holds."""
    objective = run._objective
    terms = type(objective).terms

    class Short(type(objective)):  # type: ignore[misc]
        def terms(self, model: object, x: torch.Tensor, generator: torch.Generator) -> object:
            if not torch.is_grad_enabled() and condition():
                raise MemoryError
            return terms(objective, model, x, generator)  # type: ignore[arg-type]

    run._objective.__class__ = Short


def test_a_card_is_left_for_the_processor_after_three_halvings(monkeypatch: pytest.MonkeyPatch) -> None:
    run = a_run(capture=False, batch_size=64, epochs=2, data=some_data(200))
    iterator = run.events()
    while run.step < 2:
        next(iterator)
    moments, leave = run._place.stepper.adam.to_arrays(), run._place.leave_card
    on_card = True

    def left() -> None:
        nonlocal on_card
        on_card = False
        leave()

    device = property(lambda _: torch.device("cuda" if on_card else "cpu"))
    monkeypatch.setattr(TrainingRun, "device", device)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    monkeypatch.setattr("core.training.workplace._name_of", lambda _: "Some Card" if on_card else "processor")
    run._place.leave_card = left  # type: ignore[method-assign]
    too_much_above(run, 0, torch.OutOfMemoryError("CUDA out of memory"))
    events = list(iterator)
    assert [note.text for note in notes_of(events, "memory")] == [
        "out of memory with batches of 64: 32 from here on",
        "out of memory with batches of 32: 16 from here on",
        "out of memory with batches of 16: 8 from here on",
        "out of memory on Some Card: training goes on with the processor",
    ]
    assert run.plan.device == "processor"
    assert run.step == run.total_steps
    assert all(not (array == run._place.stepper.adam.to_arrays()[name]).all() for name, array in moments.items())


def test_an_evaluation_that_is_due_on_a_card_that_is_left_looks_at_the_images_on_the_processor() -> None:
    run = a_run(capture=False)
    iterator = run.events()
    while run.step < run._position.batches_per_epoch:
        next(iterator)
    run._plan_evaluation()
    before = run._evaluation
    assert before is not None
    run._leave_card()
    assert run._evaluation is not before
    assert run._evaluation is not None
    assert run._evaluation.images is run._place.held_out


_CHILD = """
import resource, sys
import torch
from tests.core.training.runs import a_run, some_data, notes_of
data = some_data(20_000, 10, side=28)
# Once before the limit: torch's own pools and threads are not what is tested.
list(a_run(data=data, batch_size=2_000, hidden=(16,), epochs=1).events())
(used,) = (int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmSize"))
resource.setrlimit(resource.RLIMIT_AS, (used * 1024 + 400 * 2**20,) * 2)
run = a_run(data=data, batch_size=20_000, hidden=(2_000,), epochs=1)
notes = notes_of(list(run.events()), "memory")
assert notes and run.step == run.total_steps, notes
assert all(torch.isfinite(parameter).all() for parameter in run._model.parameters())
print(notes[-1].text)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are those of Linux")
def test_a_process_with_too_little_memory_trains_with_smaller_batches() -> None:
    done = subprocess.run(  # noqa: S603 - this very interpreter
        [sys.executable, "-c", _CHILD], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.startswith("out of memory with batches of")


def test_images_on_the_processor_are_not_there_twice_and_outlive_their_array() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (500, 784), dtype=np.uint8)
    wanted, address = pixels.copy(), pixels.ctypes.data
    pixels.flags.writeable = False
    images = ResidentImages(pixels.reshape(500, 28, 28), DataConfig(binarisation="none"), torch.device("cpu"))
    del pixels
    gc.collect()
    others = [np.ones((500, 784), np.uint8) for _ in range(20)]
    assert images._bytes.data_ptr() == address
    np.testing.assert_array_equal(images._bytes.numpy(), wanted)
    assert len(others) == 20
