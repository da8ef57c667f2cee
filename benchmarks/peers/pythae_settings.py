"""What pythae's trainer is told to train."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.peers.environment import Peer


@dataclass(frozen=True, slots=True)
class Settings:
    """Two latent dimensions, Bernoulli pixels, Adam; None leaves a setting as pythae has it."""

    images: str
    """Path of a npy file, uint8 (N, side, side)."""
    folder: str
    """Where the trainer may write what it writes."""
    threads: int
    hidden: tuple[int, ...]
    channels: tuple[int, ...] = ()
    plain_upscaling: bool = False
    """Whether the last layer is a transposed convolution, as in pythae's own networks, or what the program has."""
    activation: str = "relu"
    dynamic: bool = False
    """Whether pixels are binarised anew each time, or grey."""
    batch_size: int | None = None
    learning_rate: float | None = None
    processor_time: bool = False
    """Whether a turn's seconds are those of the processor, or those of the clock on the wall."""
    seed: int = 0
    weights: str = ""
    """Path of a npz file that is written after each turn, under the names of the program's own weights."""


def pythae_peer(python: Path, settings: Settings) -> Peer:
    """Return a peer that trains so."""
    return Peer(python, "pythae_trainer.py", json.dumps(asdict(settings)))
