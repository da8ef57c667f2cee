"""Models that are told apart by their step alone, and a file system that fails where it is told to."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np

from core.config import ExperimentConfig
from core.history import History
from core.models.layout import expected_shapes
from core.saved_model import SavedModel
from core.snapshots import StepReports, frozen
from tests.small_data import small_config

CALLS: Final = ("open", "write", "fsync", "fchmod", "close", "replace", "unlink", "mkdir", "ftruncate")
"""Whatever a save asks of the system."""
ERRORS: Final = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES)


def config_of(width: int) -> ExperimentConfig:
    """Return the configuration of a model whose files grow with the square of `width`."""
    return small_config(hidden=(width, width))


def model_of(config: ExperimentConfig, step: int) -> SavedModel:
    """Return a model after so many steps: its weights and curves follow from the step."""
    generator = np.random.default_rng(step)
    weights = {
        name: frozen(generator.normal(size=shape).astype(np.float32))
        for name, shape in expected_shapes(config.model).items()
    }
    history = History(config.model.latent_dim)
    nothing = np.zeros(step)
    steps = np.arange(1, step + 1, dtype=np.int64)
    history.add_steps(StepReports(frozen(steps), frozen(nothing), frozen(nothing), frozen(np.zeros((step, 2)))))
    return SavedModel(config, weights, history, {"epochs": repr(step / 10)})


def same_weights(one: SavedModel, other: SavedModel) -> bool:
    """Return whether two models have the same weights, bit for bit."""
    return one.weights.keys() == other.weights.keys() and all(
        one.weights[name].tobytes() == other.weights[name].tobytes() for name in one.weights
    )


class Calls:
    """Stands before the system's calls: counts them, and does something at one of them."""

    def __init__(self, at: int = -1, action: Callable[[str], None] | None = None, *, after: bool = False) -> None:
        """Do `action` at call number `at`, instead of it if it raises; or once the call is done."""
        self.names: list[str] = []
        self._at = at
        self._action = action
        self._after = after

    @contextmanager
    def watched(self) -> Iterator["Calls"]:
        """Watch within the context."""
        real = {name: getattr(os, name) for name in CALLS}
        try:
            for name, call in real.items():
                setattr(os, name, self._watching(name, call))
            yield self
        finally:
            for name, call in real.items():
                setattr(os, name, call)

    def _watching(self, name: str, call: Callable[..., object]) -> Callable[..., object]:
        def watched(*arguments: object, **keywords: object) -> object:
            number = len(self.names)
            self.names.append(name)
            if number == self._at and self._action is not None and not self._after:
                self._action(name)
            result = call(*arguments, **keywords)
            if number == self._at and self._action is not None and self._after:
                self._action(name)
            return result

        return watched


@contextmanager
def disk_full_after(num_bytes: int) -> Iterator[None]:
    """Let the disk have room for so many bytes more, and then for none."""
    real, left = os.write, num_bytes

    def limited(descriptor: int, data: bytes | memoryview) -> int:
        nonlocal left
        if not left:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = real(descriptor, data[:left])
        left -= written
        return written

    os.write = limited  # type: ignore[assignment]
    try:
        yield
    finally:
        os.write = real
