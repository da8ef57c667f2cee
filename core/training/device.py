"""Where a run computes, and with how many threads."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from core.available_memory import available_memory
from core.config import ModelConfig, TrainingConfig
from core.models.layout import num_parameters
from core.storage.model_file import MAX_FILE_BYTES
from core.training.errors import TrainingError

# Below this batch a second thread costs more than it brings as soon as anything else runs: a step of 20 images took
# 2.5 ms with one thread and 14 ms with two beside other load.
_SMALLEST_THREADED_BATCH = 64
# Weights, gradients and Adam's two moments, in float32; a file has all of them but the gradients.
_BYTES_PER_PARAMETER = 16
_FILE_BYTES_PER_PARAMETER = 12
# Left for the curves in a model's file.
_CURVE_BYTES = 2**28


@contextmanager
def flushing_denormals() -> Iterator[None]:
    """Take denormal numbers for zero, in this thread and in those of a pool that it makes meanwhile.

    Moments of weights that no image reaches decay into denormals, which slow Adam down by 2.8 and more.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def choose_device(name: str) -> torch.device:
    """Return the device that the setting `auto`, `cpu` or `cuda` means here.  Raises TrainingError without CUDA."""
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        reason = "this torch is built without CUDA" if torch.version.cuda is None else "torch finds no CUDA card"
        raise TrainingError(f"device is set to CUDA, but {reason} (torch {torch.__version__}); choose automatic")
    return torch.device("cuda" if available and name in {"auto", "cuda"} else "cpu")


def choose_threads(config: TrainingConfig, cores: int | None = None, *, on_card: bool = False) -> int:
    """Return how many threads a run takes: as set, else one fewer than there are cores.

    One where a card computes, and for small batches.
    """
    if config.threads:
        return config.threads
    if on_card or config.batch_size < _SMALLEST_THREADED_BATCH:
        return 1
    return max(1, (available_cores() if cores is None else cores) - 1)


def available_cores() -> int:
    """Return how many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_size(config: ModelConfig, available: int | None = None) -> None:
    """Raise TrainingError when the model with its optimiser fits in no file, or not in memory (bytes that are free)."""
    largest = (MAX_FILE_BYTES - _CURVE_BYTES) // _FILE_BYTES_PER_PARAMETER
    if num_parameters(config) > largest:
        raise TrainingError(
            f"a network of {num_parameters(config):,} weights could not be saved: a model's file holds at most "
            f"{largest:,} with their optimiser's state; choose fewer or narrower layers"
        )
    needed = num_parameters(config) * _BYTES_PER_PARAMETER
    free = available_memory() if available is None else available
    if free is not None and needed > free:
        raise TrainingError(
            f"a network of {num_parameters(config):,} weights needs {needed / 2**30:.1f} GiB to train, and "
            f"{free / 2**30:.1f} GiB are free: choose fewer or narrower layers"
        )
