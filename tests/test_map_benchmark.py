"""The race to a held-out ELBO: when it ends, and that only training counts."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.bench_map import CAP_S, TARGET, Ours, Race, held_out_elbo
from core.config import ExperimentConfig
from core.data.sources import load_dataset
from core.snapshots import Split

NO_ARRAYS: Mapping[str, np.ndarray[Any, Any]] = {}


class Paced:
    """Learns as many nats a second as it is told to."""

    def __init__(self, nats_per_second: float, last_s: float = np.inf) -> None:
        self._pace, self._last = nats_per_second, last_s
        self.seconds = 0.0

    @property
    def is_over(self) -> bool:
        return self.seconds >= self._last

    def take(self, seconds: float) -> float:
        self.seconds += seconds
        return seconds

    def arrays(self) -> Mapping[str, np.ndarray[Any, Any]]:
        return NO_ARRAYS

    def elbo(self, _arrays: Mapping[str, np.ndarray[Any, Any]]) -> float:
        return -200.0 + self._pace * self.seconds


def run_to_its_end(learner: Paced, last: float = CAP_S) -> Race:
    race = Race(learner, learner.elbo)
    while race.may_go_on(last):
        race.go()
    return race


def test_a_race_ends_with_the_turn_that_reaches_the_target() -> None:
    race = run_to_its_end(Paced(1.0))
    assert race.is_there
    assert race.elbo >= TARGET
    assert race.seconds == pytest.approx(60.0, rel=0.06)


@pytest.mark.parametrize("learner", [Paced(0.01), Paced(1.0, last_s=20.0)])
def test_a_race_is_given_up_when_it_takes_too_long_or_its_epochs_are_over(learner: Paced) -> None:
    race = run_to_its_end(learner, last=30.0)
    assert not race.is_there
    assert race.seconds < 32.0


def test_the_program_trains_in_its_turns_until_its_epochs_are_over() -> None:
    whole = load_dataset(ExperimentConfig().data)
    few = replace(whole, train=Split(whole.train.images[:256], None), held_out=Split(whole.held_out.images[:64], None))
    ours = Ours(few, seed=0)
    elbo_of = held_out_elbo(few)
    before = elbo_of(ours.arrays())
    assert ours.take(60.0) < 60.0
    assert ours.is_over
    assert elbo_of(ours.arrays()) > before
