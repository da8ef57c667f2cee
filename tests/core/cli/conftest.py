"""Files to train on and to evaluate, and the signals as they were."""

import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core import cli
from tests.core.cli.hands import SMALL


@pytest.fixture(autouse=True)
def _signals_are_put_back() -> Iterator[None]:
    before = [signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM)]
    yield
    assert before == [signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a file of 60 light rectangles on black, 8×8."""
    generator = np.random.default_rng(0)
    images = np.zeros((60, 8, 8), np.uint8)
    for image in images:
        top, left = generator.integers(1, 4, 2)
        image[top : top + 3, left : left + 4] = 255
    path = tmp_path / "rectangles.npz"
    np.savez(path, images=images)
    return path


@pytest.fixture
def model(data: Path, tmp_path: Path) -> Path:
    """Return the file of a model trained for two epochs on `data`."""
    out = tmp_path / "model.safetensors"
    assert cli.main(["train", "--data", str(data), "--out", str(out), "--set", "epochs=2", *SMALL]) == 0
    return out
