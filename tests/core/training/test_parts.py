"""The loop's parts: device and threads, schedules, random streams, pace, chunks and position."""

import math
import threading

import numpy as np
import pytest
import torch

from core import choices
from core.config import DataConfig, ModelConfig, TrainingConfig
from core.training import held_out
from core.training.chunks import MAX_STEPS, ChunkLength
from core.training.device import available_cores, check_size, choose_device, choose_threads
from core.training.errors import TrainingError
from core.training.held_out import Evaluation, HeldOutImages
from core.training.pace import Pace
from core.training.position import Position
from core.training.randomness import Stream, epoch_order, reseed, stream_seed
from core.training.resident import ResidentImages
from core.training.schedules import BURDA_PASSES, SCHEDULES
from tests.core.training.runs import a_run, finished, some_data


class FakeClock:
    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def test_every_schedule_that_can_be_chosen_is_registered() -> None:
    assert SCHEDULES.names == tuple(choice.name for choice in choices.SCHEDULES)


@pytest.mark.parametrize("name", SCHEDULES.names)
def test_every_schedule_starts_at_one_and_never_leaves_the_range(name: str) -> None:
    factors = [SCHEDULES[name](done) for done in np.linspace(0.0, 1.0, 101)]
    assert factors[0] == 1.0
    assert min(factors) >= 0.0
    assert max(factors) == 1.0


def test_cosine_is_that_of_torch() -> None:
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    oracle = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=10)
    for step in range(11):
        assert SCHEDULES["cosine"](step / 10) == pytest.approx(oracle.get_last_lr()[0], abs=1e-9)
        optimiser.step()
        oracle.step()


def test_each_of_burdas_stages_takes_three_times_the_passes_of_the_one_before() -> None:
    expected = [10.0 ** (-stage / 7) for stage in range(8) for _ in range(3**stage)]
    assert len(expected) == BURDA_PASSES
    steps_a_pass = 3
    factors = [
        SCHEDULES["burda"](step / (steps_a_pass * len(expected))) for step in range(steps_a_pass * len(expected))
    ]
    assert factors == pytest.approx(np.repeat(expected, steps_a_pass))
    assert SCHEDULES["burda"](1.0) == pytest.approx(0.1)


def test_adams_epsilon_is_the_one_that_is_set() -> None:
    rate, moves = 0.01, []
    for epsilon in (0.5, 1.0):
        run = a_run(learning_rate=rate, adam_epsilon=epsilon, epochs=1, batch_size=30)
        before = run.weights().arrays
        finished(run)
        moves.append(np.concatenate([(run.weights().arrays[name] - before[name]).ravel() for name in before]))
    # The first step of Adam is rate * g / (|g| + ε): one ε gives g, and with it the step of the other.
    size = np.abs(moves[0].astype(np.float64))
    gradient = 0.5 * size / (rate - size)
    np.testing.assert_allclose(np.abs(moves[1]), rate * gradient / (gradient + 1.0), rtol=1e-2, atol=1e-6)
    assert size.max() > 1e-4


def test_the_processor_is_always_there_and_automatic_takes_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_device("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == torch.device("cuda")
    assert choose_device("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == torch.device("cpu")
    with pytest.raises(TrainingError, match=r"device is set to CUDA, but .* choose automatic"):
        choose_device("cuda")


@pytest.mark.parametrize(
    ("threads", "batch_size", "cores", "expected"),
    [(0, 128, 8, 7), (0, 128, 2, 1), (0, 128, 1, 1), (0, 20, 8, 1), (3, 20, 8, 3), (3, 128, 2, 3)],
)
def test_threads_are_as_set_or_one_fewer_than_cores(threads: int, batch_size: int, cores: int, expected: int) -> None:
    assert choose_threads(TrainingConfig(threads=threads, batch_size=batch_size), cores) == expected
    assert available_cores() >= 1


def test_one_thread_is_enough_where_a_card_computes() -> None:
    assert choose_threads(TrainingConfig(), 8, on_card=True) == 1
    assert choose_threads(TrainingConfig(threads=3), 8, on_card=True) == 3


def test_memory_is_compared_with_what_weights_gradients_and_moments_need() -> None:
    config = ModelConfig()
    check_size(config, 20_000_000)
    with pytest.raises(TrainingError, match=r"1,133,844 weights needs 0\.0 GiB"):
        check_size(config, 10_000_000)


def test_a_network_too_large_for_its_file_is_refused_however_much_memory_there_is() -> None:
    check_size(ModelConfig(hidden=(8192, 8192)), 2**50)
    with pytest.raises(TrainingError, match=r"281,379,604 weights could not be saved.*at most \d+,\d+,\d+"):
        check_size(ModelConfig(hidden=(8192, 8192, 8192)), 2**50)


def test_streams_are_all_different_and_always_the_same() -> None:
    seeds = {stream_seed(seed, stream, counter) for seed in range(20) for stream in Stream for counter in range(100)}
    assert len(seeds) == 20 * len(Stream) * 100
    assert all(0 <= seed < 2**64 for seed in seeds)
    assert stream_seed(0, Stream.STEP, 7) == stream_seed(0, Stream.STEP, 7)


def test_neighbouring_streams_are_not_correlated() -> None:
    draws = torch.stack([torch.randn(2000, generator=reseed(torch.Generator(), 0, Stream.STEP, n)) for n in range(20)])
    correlations = torch.corrcoef(draws) - torch.eye(20)
    assert float(correlations.abs().max()) < 5.0 / math.sqrt(2000)


def test_an_epochs_order_is_a_permutation() -> None:
    assert sorted(epoch_order(1, 2, 50).tolist()) == list(range(50))
    assert epoch_order(1, 2, 50).tolist() != epoch_order(1, 3, 50).tolist()


def test_pace_counts_work_and_short_gaps_but_no_pause() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    assert pace.seconds_for(10) is None
    for gap in (0.01, 500.0, 0.01):
        pace.begin()
        clock.time += 0.09
        pace.end(9)
        clock.time += gap
    assert pace.images_per_second == pytest.approx(100.0)
    assert pace.seconds_for(27) == pytest.approx(0.28)


def test_a_clock_that_stands_still_gives_no_division_by_zero() -> None:
    pace = Pace(FakeClock())
    pace.begin()
    pace.end(10)
    assert math.isfinite(pace.images_per_second)
    assert pace.seconds_for(10) is not None


def test_the_pace_follows_a_change_within_seconds() -> None:
    clock = FakeClock()
    pace = Pace(clock)
    for images in [10] * 100 + [20] * 100:
        pace.begin()
        clock.time += 0.1
        pace.end(images)
    assert pace.images_per_second == pytest.approx(200.0, rel=0.02)


@pytest.mark.parametrize(("seconds_per_step", "expected"), [(1e-6, MAX_STEPS), (1e-3, 30), (0.0137, 2), (0.2, 1)])
def test_a_chunk_lasts_about_thirty_milliseconds(seconds_per_step: float, expected: int) -> None:
    chunk = ChunkLength()
    choices_made = 0
    for index in range(10_000):
        slow_start = 10.0 if index < 2 else 1.0
        choices_made += chunk.measured(chunk.steps, slow_start * seconds_per_step * chunk.steps)
    assert chunk.steps == expected
    assert choices_made == (1 if seconds_per_step * MAX_STEPS * 10_000 > 0.1 else 0)


def test_a_run_that_began_on_a_busy_machine_takes_longer_chunks_once_it_is_free_and_never_shorter_ones() -> None:
    chunk = ChunkLength()
    while not chunk.measured(chunk.steps, 25e-3 * chunk.steps):
        pass
    assert chunk.steps == 1
    for _ in range(100):
        assert not chunk.measured(chunk.steps, 5e-3 * chunk.steps)
    assert chunk.steps == 6
    for _ in range(100):
        assert not chunk.measured(chunk.steps, 25e-3 * chunk.steps)
    assert chunk.steps == 6


def test_steps_that_are_a_little_quicker_later_change_nothing() -> None:
    chunk = ChunkLength()
    while not chunk.measured(chunk.steps, 5e-3 * chunk.steps):
        pass
    for _ in range(100):
        chunk.measured(chunk.steps, 3e-3 * chunk.steps)
    assert chunk.steps == 6


def test_what_else_the_machine_does_while_steps_are_measured_does_not_shorten_the_chunk() -> None:
    chunk = ChunkLength()
    for index in range(100):
        disturbance = 0.5 if index % 2 else 0.0
        if chunk.measured(chunk.steps, 1e-3 * chunk.steps + disturbance):
            break
    assert chunk.steps == 30


def test_a_chunk_that_was_given_is_kept() -> None:
    chunk = ChunkLength(5)
    assert not any(chunk.measured(5, 1e-9) for _ in range(100))
    assert chunk.steps == 5


def test_a_position_walks_through_epochs_and_is_kept_in_arrays() -> None:
    position = Position(0, 0, 0, 3)
    for _ in range(7):
        position = position.after_step()
    assert position == Position(7, 2, 1, 3)
    assert position.epochs == pytest.approx(7 / 3)
    assert Position.from_arrays(position.to_arrays(), 7) == position
    assert position.with_batches(30) == Position(7, 2, 10, 30)
    assert position.with_batches(1) == Position(7, 2, 0, 1)
    assert Position.after_epochs(7, 7 / 3, 3) == position
    assert Position.after_epochs(6, 2.0, 3) == Position(6, 2, 0, 3)
    Position.after_epochs(6, 1e300, 3).to_arrays()
    with pytest.raises(ValueError, match="step 7, but the curves end at step 8"):
        Position.from_arrays(position.to_arrays(), 8)


@pytest.mark.parametrize("value", [np.array(-1), np.array(3), np.array(1.0), np.array([1, 2]), np.array(2**62)])
def test_a_position_that_cannot_be_is_refused(value: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"run\.batch|is no position"):
        Position.from_arrays(Position(7, 2, 1, 3).to_arrays() | {"run.batch": value}, 7)


def test_the_mean_picture_is_that_of_the_images() -> None:
    images = some_data(60, 1).train.images[:]
    resident = ResidentImages(images, DataConfig(), torch.device("cpu"))
    expected = images.reshape(60, -1).mean(axis=0) / 255.0
    np.testing.assert_allclose(resident.mean_picture()[0].numpy(), expected, rtol=1e-6)


def test_every_piece_of_held_out_images_has_noise_of_its_own_that_stays_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(held_out, "PIECE", 4)
    drawn = []
    for seed in (3, 3, 4):
        images = HeldOutImages(some_data(2, 10).held_out, DataConfig(data_seed=seed), torch.device("cpu"))
        drawn.append(
            [
                torch.randn(3, generator=generator).tolist()
                for _, generator in (images.piece(piece) for piece in range(3))
            ]
        )
    first, again, other = drawn
    assert len({tuple(noise) for noise in first}) == 3
    assert first == again
    assert not any(noise in other for noise in first)


def test_an_evaluation_asks_for_at_most_twice_as_many_pieces_as_the_last_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces seen for the first time take longer, perhaps from a slow disk: nobody is heard until they are done."""
    monkeypatch.setattr(held_out, "PIECE", 2)
    asked: list[int] = []

    class Instant:
        def of(self, pieces: range) -> torch.Tensor:
            asked.append(len(pieces))
            return torch.zeros(len(pieces), 3, dtype=torch.float64)

    images = HeldOutImages(some_data(2, 60).held_out, DataConfig(), torch.device("cpu"))
    evaluation = Evaluation(images, Instant(), has_prior=True, complete=True)
    while evaluation.advance(60.0):
        pass
    assert asked == [1, 2, 4, 8, 15]


def test_denormals_are_flushed_by_every_thread_of_a_run() -> None:
    """Else Adam's pass takes several times as long once moments have decayed, in every thread but the first."""
    denormal = torch.full((1_000_000,), 1e-39)
    products: list[torch.Tensor] = []

    def train() -> None:
        # A thread that has not computed yet has no pool of threads; as in a thread of the program it will have several.
        torch.set_num_threads(2)
        run = a_run(some_data(40, side=28), hidden=(512,), threads=2, epochs=1)
        finished(run)
        with run._place.computing():
            products.append(denormal * 1.0)

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert torch.count_nonzero(denormal * 1.0) == len(denormal), "outside of a run nothing is flushed"
    assert torch.count_nonzero(products[0]) == 0
