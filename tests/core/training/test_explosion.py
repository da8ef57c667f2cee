"""A loss that grows far above its best, but stays finite."""

import numpy as np
import pytest

from core.training.divergence import EXPLOSION_STEPS, EXPLOSION_WARNING, Divergence
from core.training.errors import TrainingError
from core.training.loop import TrainingRun
from tests.core.training.runs import a_run, finished, notes_of, same_weights, some_data


def taken(losses: list[float], *, chunk: int) -> tuple[Divergence, int, list[int]]:
    """Return what became of these losses, taken in chunks: how many counted, and at which steps a warning came."""
    divergence = Divergence(a_run()._place.stepper, 0)
    counted, warned = 0, []
    for start in range(0, len(losses), chunk):
        part = np.array(losses[start : start + chunk])
        kept, warning = divergence.count_kept(np.zeros(len(part), np.bool_), part)
        counted += kept
        warned += [] if warning is None else [start + warning]
        if divergence.halted:
            break
    return divergence, counted, warned


@pytest.mark.parametrize("chunk", [1, 7, 64, 1000])
def test_two_hundred_steps_in_a_row_are_enough_whatever_the_chunk(chunk: int) -> None:
    divergence, counted, warned = taken([500.0] + [140.0] * 99 + [1401.0] * 300, chunk=chunk)
    assert divergence.exploded
    assert counted == 100 + EXPLOSION_STEPS
    assert warned == [100 + EXPLOSION_WARNING - 1]
    assert "for 200 steps the loss was more than 10 times its best, 140" in divergence.complaint


@pytest.mark.parametrize(
    "losses",
    [
        [500.0] + [140.0] * 99 + [1390.0] * 400,
        [500.0] + [140.0] * 99 + ([1401.0] * 199 + [140.0]) * 3,
        # One batch of easy images is no best that others could be measured by.
        [500.0] + [1.0] + [140.0] * 500,
        [500.0] + [0.01] * 100 + [5.0] * 400,
        [700.0] + [-1000.0] * 100 + [7000.0] * 400,
    ],
    ids=["just below", "199 steps", "an easy batch", "near zero", "a density"],
)
def test_less_is_no_explosion(losses: list[float]) -> None:
    divergence, counted, _ = taken(losses, chunk=50)
    assert not divergence.halted
    assert counted == len(losses)


def test_a_density_that_explodes_is_noticed() -> None:
    assert taken([700.0] + [-1000.0] * 100 + [8100.0] * 400, chunk=50)[0].exploded


def test_states_within_an_explosion_are_not_good_ones() -> None:
    run = a_run(epochs=400, learning_rate=0.001)
    assert run.total_steps > 600
    divergence = run._divergence
    for value, step in ((140.0, 256), (14_000.0, 512)):
        divergence.count_kept(np.zeros(60, np.bool_), np.full(60, value))
        divergence.remember(step)
    assert [snapshot.step for snapshot in divergence._good] == [0, 256]


def test_what_was_counted_goes_with_the_model() -> None:
    divergence, _, _ = taken([500.0] + [140.0] * 99 + [1401.0] * 150, chunk=10)
    other = Divergence(a_run()._place.stepper, 250)
    other.load(divergence.to_arrays())
    kept, _ = other.count_kept(np.zeros(100, np.bool_), np.full(100, 1401.0))
    assert other.exploded
    assert kept == 50


class Exploding:
    """Makes the costs of all steps that are taken at a rate above a limit explode, as weights that flew away would."""

    def __init__(self, run: TrainingRun, limit: float) -> None:
        take_costs = run._place.stepper.take_costs

        def taken() -> object:
            costs = take_costs()
            if run.config.training.learning_rate > limit and run.step >= 8:
                costs.nll[:] = 1e7
            return costs

        run._place.stepper.take_costs = taken  # type: ignore[method-assign, assignment]


def test_an_explosion_is_said_undone_and_slowed_down() -> None:
    run = a_run(data=some_data(32), epochs=300, learning_rate=0.008, steps_per_chunk=16)
    Exploding(run, limit=0.005)
    events = run.events()
    notes: dict[str, int] = {}
    while "rollback" not in notes:
        event = next(events)
        for kind in ("warning", "rollback"):
            for note in notes_of([event], kind):
                notes[kind] = note.step
    assert notes["rollback"] - notes["warning"] == EXPLOSION_STEPS - EXPLOSION_WARNING
    assert run.config.training.learning_rate == 0.004
    start = a_run(data=some_data(32), epochs=300, learning_rate=0.008)
    assert same_weights(run.weights(), start.weights()), "the only good state so far is the first"
    assert any(event.step > notes["rollback"] for event in events if hasattr(event, "total_steps"))


def test_the_fourth_explosion_ends_the_run() -> None:
    run = a_run(data=some_data(32), epochs=1000, learning_rate=0.008, steps_per_chunk=64)
    Exploding(run, limit=0.0)
    with pytest.raises(TrainingError, match=r"training diverges: at step \d+ for 200 steps the loss was more than 10"):
        finished(run)
    steps = [note.step for note in notes_of(list(run.history.notes), "rollback")]
    assert len(steps) == 3
    assert np.diff([*steps, run.step]).min() >= EXPLOSION_STEPS, "each one is counted from its return"
    assert run.config.training.learning_rate == 0.001
