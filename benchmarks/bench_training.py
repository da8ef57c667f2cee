"""How fast a run trains: images a second on the device that the setting `automatic` finds, a processor's or a card's.

MNIST's training images, binarised anew at every step, batches of 128, two latent dimensions, Adam.  The networks take
turns, so that whatever else the machine does meets all of them; of each the median of its turns is printed.
"""

import statistics
import sys
import time
from dataclasses import replace

import torch

from benchmarks.report import row
from core.config import ExperimentConfig
from core.data.dataset import Dataset
from core.data.sources import load_dataset
from core.snapshots import Split, StepReports
from core.training.loop import TrainingRun

NETWORKS: dict[str, dict[str, object]] = {
    "784-400-2": {"hidden": (400,)},
    "784-512-512-2": {"hidden": (512, 512)},
    "conv net": {"network": "conv"},
}
ROUNDS, WARM_UP_S, TURN_S = 5, 2.0, 2.0
ENDLESS = 10_000


class Turns:
    """A run that trains only in its turns."""

    def __init__(
        self, name: str, dataset: Dataset, values: dict[str, object], threads: int, *, capture: bool = True
    ) -> None:
        config = ExperimentConfig().with_values(
            {"epochs": ENDLESS, "batch_size": 128, "latent_dim": 2, "threads": threads, **values}
        )
        # Without held-out images nothing but steps is timed.
        training_only = replace(dataset, held_out=Split(dataset.held_out.images[:0], None))
        self.name = name
        self._run = TrainingRun(config, training_only, capture=capture)
        self._events = self._run.events()
        self.rates: list[float] = []

    def take(self, seconds: float) -> None:
        """Train for a while, and note the images a second."""
        began, steps, now = time.perf_counter(), 0, 0.0
        while now < seconds:
            event = next(self._events)
            if isinstance(event, StepReports):
                steps += len(event.step)
            now = time.perf_counter() - began
        self.rates.append(steps * self._run.config.training.batch_size / now)

    def warm_up(self) -> None:
        """Train until torch has everything it needs and the run has chosen how many steps it takes at once."""
        self.take(WARM_UP_S)
        self.rates.clear()

    @property
    def text(self) -> str:
        """What trains where."""
        return f"{self.name}, {self._run.plan.text}"


def main() -> int:
    """Print the rows."""
    dataset = load_dataset(ExperimentConfig().data)
    # A card leaves the processor's threads nothing to do, and can take its steps in two ways.
    ways = ((1, True), (1, False)) if torch.cuda.is_available() else ((1, True), (2, True))
    all_turns = [
        Turns(name, dataset, values, threads, capture=capture)
        for name, values in NETWORKS.items()
        for threads, capture in ways
    ]
    for turns in all_turns:
        turns.warm_up()
    for _ in range(ROUNDS):
        for turns in all_turns:
            turns.take(TURN_S)
    for turns in all_turns:
        row(f"training: {turns.text}", statistics.median(turns.rates), None, "images/s", "more")
    return 0


if __name__ == "__main__":
    sys.exit(main())
