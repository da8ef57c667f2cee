"""How fast a run trains: images a second on the device that the setting `automatic` finds, a processor's or a card's.

MNIST's training images, batches of 128, two latent dimensions, Adam, ReLU.  On a processor the same step in JAX,
pythae's own trainer with the same network, and the matrix products of a step alone, take turns with it, so that
whatever else the machine does meets all of them; of each the median of its turns is printed.  The peers are installed
into an environment of their own, in `build/peers`.  Names of networks as arguments measure only these.
"""

import contextlib
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from benchmarks.peers.environment import JAX, PYTHAE, Peer, peers_python
from benchmarks.peers.pythae_settings import Settings, pythae_peer
from benchmarks.products import Products
from benchmarks.report import row
from core.config import ExperimentConfig
from core.data.dataset import Dataset
from core.data.sources import load_dataset
from core.snapshots import Split, StepReports
from core.training.loop import TrainingRun

ROUNDS, WARM_UP_S, TURN_S = 5, 2.0, 2.0
ENDLESS = 10_000
LATENT, BATCH = 2, 128
FLOOR_SHARE = 0.8
A_JAX, A_PYTHAE, THE_PRODUCTS = "JAX, jitted scan", "pythae's BaseTrainer", "matrix products alone"
IN_BFLOAT16 = "with products in bfloat16"


@dataclass(frozen=True, slots=True)
class Network:
    """A network, and on what it is trained."""

    name: str
    times_pythae: float
    """How much faster than pythae a run is to be, with one thread."""
    hidden: tuple[int, ...]
    channels: tuple[int, ...] = ()
    times_pythae_in_bfloat16: float | None = None
    """The same with products in bfloat16; None where they are too small for that."""

    @property
    def small(self) -> bool:
        """Whether it is for pictures of 8×8 pixels."""
        return self.times_pythae_in_bfloat16 is None

    @property
    def values(self) -> dict[str, object]:
        """The settings of the program that make it."""
        kind: dict[str, object] = {"network": "conv", "channels": self.channels} if self.channels else {}
        return {"hidden": self.hidden, **kind}


NETWORKS = (
    Network("64-128-2", 8.0, (128,)),
    Network("784-400-2", 2.4, (400,), times_pythae_in_bfloat16=3.0),
    Network("784-512-512-2", 1.6, (512, 512), times_pythae_in_bfloat16=2.4),
    Network("conv net", 1.15, (128,), channels=(32, 64), times_pythae_in_bfloat16=1.7),
)


class Trains(Protocol):
    """Whatever has turns."""

    rates: list[float]

    def take(self, seconds: float) -> None:
        """Do it for a while, and note the images a second."""


class Turns:
    """A run that trains only in its turns."""

    def __init__(
        self, dataset: Dataset, values: dict[str, object], threads: int, *, capture: bool = True, grey: bool = True
    ) -> None:
        config = ExperimentConfig().with_values(
            {
                "epochs": ENDLESS,
                "batch_size": BATCH,
                "latent_dim": LATENT,
                "threads": threads,
                "activation": "relu",
                "binarisation": "none" if grey else "dynamic",
                **values,
            }
        )
        # Without held-out images nothing but steps is timed.
        training_only = replace(dataset, held_out=Split(dataset.held_out.images[:0], None))
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
        return self._run.plan.text


def pooled(dataset: Dataset) -> Dataset:
    """Return the pictures without their margin of two pixels, three by three pixels as one: 8×8."""

    def smaller(split: Split) -> Split:
        inner = split.images[:][:, 2:26, 2:26].reshape(-1, 8, 3, 8, 3)
        return Split(inner.mean(axis=(2, 4)).astype(np.uint8), split.labels)

    return replace(dataset, train=smaller(dataset.train), held_out=smaller(dataset.held_out))


def in_turns(all_turns: list[Trains]) -> None:
    """Let each have its turn, round after round."""
    for _ in range(ROUNDS):
        for turns in all_turns:
            turns.take(TURN_S)


def on_a_card(dataset: Dataset) -> None:
    """Print what a card does with steps that are captured, in both precisions, and eager; pixels are binarised anew."""
    ways = [
        (network.name, Turns(dataset, network.values | {"precision": precision}, 1, capture=capture, grey=False))
        for network in NETWORKS
        if not network.small
        for capture, precision in ((True, "float32"), (True, "bfloat16"), (False, "float32"))
    ]
    for _, turns in ways:
        turns.warm_up()
    in_turns([turns for _, turns in ways])
    for name, turns in ways:
        row(f"training: {name}, {turns.text}", statistics.median(turns.rates), None, "images/s", "more")


def peers_of(network: Network, images: Path, threads: int, python: Path) -> dict[str, Peer]:
    """Return the other programs that train this network; what they write lies beside the images."""
    asked = Settings(str(images), str(images.parent), threads, network.hidden, network.channels, batch_size=BATCH)
    peers = {A_PYTHAE: pythae_peer(python, asked)}
    if network.channels:
        peers[f"{A_PYTHAE}, last layer transposed"] = pythae_peer(python, replace(asked, plain_upscaling=True))
    else:
        widths = "-".join(map(str, network.hidden))
        peers[A_JAX] = Peer(python, "jax_scan.py", str(images), widths, str(threads))
    return peers


def on_the_processor(dataset: Dataset, network: Network, threads: int, python: Path) -> None:
    """Print what a run does beside other programs and beside the products alone, with so many threads."""
    data = pooled(dataset) if network.small else dataset
    captured = Turns(data, network.values, threads)
    others: dict[str, Trains] = {
        "with eager steps": Turns(data, network.values, threads, capture=False),
        "with pixels binarised anew": Turns(data, network.values, threads, grey=False),
    }
    if not network.small:
        others[IN_BFLOAT16] = Turns(data, network.values | {"precision": "bfloat16"}, threads)
    for turns in (captured, *others.values()):
        turns.warm_up()  # type: ignore[attr-defined]
    if not network.channels:
        height, width = data.train.images.shape[1:]
        others[THE_PRODUCTS] = Products(height * width, network.hidden, LATENT, BATCH)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="latent-explorer-bench-")))
        np.save(folder / "images.npy", data.train.images)
        for what, peer in peers_of(network, folder / "images.npy", threads, python).items():
            others[what] = stack.enter_context(peer)
            print(f"{network.name}, {threads} threads: {captured.text}; {peer.text}", flush=True)
            peer.take(WARM_UP_S)
            peer.rates.clear()
        in_turns([captured, *others.values()])
    print_rows(network, threads, statistics.median(captured.rates), others)


def print_rows(network: Network, threads: int, ours: float, others: dict[str, Trains]) -> None:
    """Print the medians, and how ours compares."""
    name = f"training: {network.name}, {threads} thread{'s' if threads > 1 else ''}"
    medians = {what: statistics.median(turns.rates) for what, turns in others.items()}
    row(name, ours, medians.get(A_JAX), "images/s", "more")
    for what, rate in medians.items():
        row(f"{name}, {what}", rate, None, "images/s", "more")
    one = threads == 1
    row(f"{name}, times {A_PYTHAE}", ours / medians[A_PYTHAE], network.times_pythae if one else None, "×", "more")
    if bfloat16 := medians.get(IN_BFLOAT16):
        limit = network.times_pythae_in_bfloat16 if one else None
        row(f"{name}, {IN_BFLOAT16}, times {A_PYTHAE}", bfloat16 / medians[A_PYTHAE], limit, "×", "more")
    if floor := medians.get(THE_PRODUCTS):
        limit = FLOOR_SHARE if one and not network.small else None
        row(f"{name}, share of the products' floor", ours / floor, limit, "", "more")


def main() -> int:
    """Print the rows."""
    dataset = load_dataset(ExperimentConfig().data)
    if torch.cuda.is_available():
        on_a_card(dataset)
        return 0
    python = peers_python(JAX, PYTHAE)
    for network in NETWORKS:
        for threads in (1, 2):
            if len(sys.argv) == 1 or network.name in sys.argv[1:]:
                on_the_processor(dataset, network, threads, python)
    return 0


if __name__ == "__main__":
    sys.exit(main())
