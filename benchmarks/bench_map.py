"""How soon a map is worth looking at: seconds of training to a held-out ELBO of -140 nats, two latent dimensions.

MNIST, binarised anew at every step, one thread.  A run with the program's defaults takes turns with pythae's trainer
with pythae's defaults (batches of 64, a learning rate of 1e-4) and the same network, until each is there, is over or is
given up: after ten minutes, or when the peer has taken so long that the promise is decided.  With the first seed pythae
then has a go with the program's batches and learning rate as well; that only informs.

Only training counts, in processor time: on one thread that is what a clock on the wall shows where nothing else runs,
and what other programs take does not lengthen it.  Both are evaluated between their turns, by the program and with the
same noise: one sample of q(z|x) for each of the 10,000 held-out images, each binarised once.  The clock of the program
starts before a run is made and its steps are captured; that of pythae with its trainer's first step.  Seeds may be
given as arguments.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

# Before numpy is first imported: its threads would wait for work while the run trains.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.peers.environment import PYTHAE, Peer, peers_python
from benchmarks.peers.pythae_settings import Settings, pythae_peer
from benchmarks.report import row
from core.config import ExperimentConfig
from core.data.dataset import Dataset
from core.data.sources import load_dataset
from core.inference.coders import make_coder
from core.inference.evaluation import evaluation
from core.inference.steps import completed
from core.snapshots import Split, Weights
from core.training.loop import TrainingRun

TARGET = -140.0
WHAT = f"training to {TARGET:g} nats held out"
LIMIT = 0.2
CAP_S = 600.0
DECIDED = 1.2
"""A peer is given up once it has taken this much more than breaks the promise."""
TURN_S, TURN_SHARE = 1.0, 0.05
SEEDS = (0, 1, 2)

Arrays = Mapping[str, np.ndarray[Any, Any]]


class Learns(Protocol):
    """Whatever has turns, and weights after each."""

    @property
    def is_over(self) -> bool:
        """Whether it has trained as long as it was to."""

    def take(self, seconds: float) -> float:
        """Train for about so long; return how long it was."""

    def arrays(self) -> Arrays:
        """Return the weights as they are, under the program's names."""


class Ours:
    """A run with the program's defaults, on one thread."""

    def __init__(self, dataset: Dataset, seed: int) -> None:
        began = time.process_time()
        config = ExperimentConfig().with_values({"threads": 1, "training.seed": seed})
        # Without held-out images it is evaluated here only.
        self._run = TrainingRun(config, replace(dataset, held_out=Split(dataset.held_out.images[:0], None)))
        self._events = self._run.events()
        self._owed = time.process_time() - began

    @property
    def is_over(self) -> bool:
        """Whether its epochs are done."""
        return self._run.step == self._run.total_steps

    def take(self, seconds: float) -> float:
        """Train for about so long; the first time the making of the run counts."""
        began, owed, self._owed = time.process_time(), self._owed, 0.0
        while time.process_time() - began < seconds - owed and not self.is_over:
            next(self._events)
        return time.process_time() - began + owed

    def arrays(self) -> Arrays:
        """Return the weights."""
        return self._run.weights().arrays


class Theirs:
    """pythae's trainer, on one thread."""

    def __init__(self, peer: Peer, weights: Path) -> None:
        self._peer = peer
        self._weights = weights

    @property
    def is_over(self) -> bool:
        """Its epochs never end."""
        return False

    def take(self, seconds: float) -> float:
        """Train for so long; a turn ends with a step."""
        self._peer.take(seconds)
        return seconds

    def arrays(self) -> Arrays:
        """Return the weights that the turn has left."""
        with np.load(self._weights) as found:
            return dict(found)


class Race:
    """One that trains, and where it stands."""

    def __init__(self, learner: Learns, elbo_of: Callable[[Arrays], float]) -> None:
        self._learner = learner
        self._elbo_of = elbo_of
        self.seconds = 0.0
        self.elbo = -np.inf

    @property
    def is_there(self) -> bool:
        """Whether the target was reached."""
        return bool(self.elbo >= TARGET)

    def may_go_on(self, last: float = CAP_S) -> bool:
        """Whether it is on its way yet, and has trained for less than so many seconds."""
        return not self.is_there and not self._learner.is_over and self.seconds < last

    def go(self) -> None:
        """Train for a turn, and look."""
        self.seconds += self._learner.take(max(TURN_S, TURN_SHARE * self.seconds))
        self.elbo = self._elbo_of(self._learner.arrays())

    def tell(self, who: str) -> None:
        """Print where it stands."""
        if self.is_there:
            row(f"{WHAT}, {who}", self.seconds, None, "s")
        else:
            row(f"{WHAT}, {who}: given up after", self.seconds, None, "s")
            row(f"held-out ELBO then, {who}", self.elbo, None, "nats", "more")


def held_out_elbo(dataset: Dataset) -> Callable[[Arrays], float]:
    """Return what finds the mean ELBO of weights over the held-out images."""
    config = ExperimentConfig().model

    def elbo_of(arrays: Arrays) -> float:
        coder = make_coder(config, Weights(version=1, step=0, arrays=arrays))
        found = completed(evaluation(coder, dataset.held_out, dataset.config, num_nodes=1)).means.elbo
        return -np.inf if found is None else found

    return elbo_of


def settings_of(folder: Path, seed: int) -> Settings:
    """Return pythae's defaults with the network of the program's, in a folder that holds the images."""
    model = ExperimentConfig().model
    return Settings(
        images=str(folder / "images.npy"),
        folder=str(folder),
        threads=1,
        hidden=model.hidden,
        activation=model.activation,
        dynamic=True,
        seed=seed,
        weights=str(folder / "weights.npz"),
        processor_time=True,
    )


def race_of_pythae(peer: Peer, settings: Settings, elbo_of: Callable[[Arrays], float]) -> Race:
    """Return pythae's trainer at its start."""
    print(f"seed {settings.seed}: {peer.text}", flush=True)
    return Race(Theirs(peer, Path(settings.weights)), elbo_of)


def share_of_time(dataset: Dataset, python: Path, settings: Settings) -> tuple[float, float]:
    """Let both train; return the program's seconds, and what part of pythae's they are, or at most are."""
    elbo_of = held_out_elbo(dataset)
    with pythae_peer(python, settings) as peer:
        theirs = race_of_pythae(peer, settings, elbo_of)
        ours = Race(Ours(dataset, settings.seed), elbo_of)
        while ours.may_go_on():
            ours.go()
            if theirs.may_go_on():
                theirs.go()
        while theirs.may_go_on(min(CAP_S, ours.seconds * DECIDED / LIMIT)):
            theirs.go()
    ours.tell(f"the program, seed {settings.seed}")
    theirs.tell(f"pythae with its defaults, seed {settings.seed}")
    return (ours.seconds, ours.seconds / theirs.seconds) if ours.is_there else (np.inf, np.inf)


def with_our_settings(dataset: Dataset, python: Path, settings: Settings) -> None:
    """Let pythae train with the program's batches and learning rate."""
    training = ExperimentConfig().training
    settings = replace(settings, batch_size=training.batch_size, learning_rate=training.learning_rate)
    with pythae_peer(python, settings) as peer:
        theirs = race_of_pythae(peer, settings, held_out_elbo(dataset))
        while theirs.may_go_on():
            theirs.go()
    theirs.tell(f"pythae with the program's batches and learning rate, seed {settings.seed}")


def main() -> int:
    """Print the rows."""
    dataset = load_dataset(ExperimentConfig().data)
    python = peers_python(PYTHAE)
    seeds = tuple(map(int, sys.argv[1:])) or SEEDS
    with tempfile.TemporaryDirectory(prefix="latent-explorer-bench-") as name:
        folder = Path(name)
        np.save(folder / "images.npy", dataset.train.images)
        found = [share_of_time(dataset, python, settings_of(folder, seed)) for seed in seeds]
        with_our_settings(dataset, python, settings_of(folder, seeds[0]))
    seconds, shares = (statistics.median(values) for values in zip(*found, strict=True))
    row(f"{WHAT}, median of {len(seeds)} seeds", seconds, None, "s")
    row(f"{WHAT}, share of pythae's time with its defaults, at most", shares, LIMIT, "")
    return 0


if __name__ == "__main__":
    sys.exit(main())
