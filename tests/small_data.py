"""A data set small enough to train on within a test: bars at random places, 12×12."""

import numpy as np

from core.config import DataConfig, ExperimentConfig
from core.data.dataset import Dataset, fingerprint_of
from core.snapshots import Split, frozen

SIDE = 12


def bars(num_images: int, seed: int = 0) -> Split:
    """Return pictures of one bright bar each, labelled by its direction."""
    generator = np.random.default_rng(seed)
    images = np.zeros((num_images, SIDE, SIDE), np.uint8)
    labels = generator.integers(0, 2, num_images)
    for image, label, place in zip(images, labels, generator.integers(1, SIDE - 2, num_images), strict=True):
        if label:
            image[place : place + 2] = 230
        else:
            image[:, place : place + 2] = 230
    return Split(frozen(images), frozen(labels, np.int64))


def bar_data(num_train: int = 512, num_held_out: int = 64) -> Dataset:
    """Return a data set of bars."""
    train, held_out = bars(num_train), bars(num_held_out, seed=1)
    return Dataset(
        "bars", DataConfig(source="bars"), train, held_out, ("across", "down"), fingerprint_of(train, held_out)
    )


def small_config(**changes: object) -> ExperimentConfig:
    """Return the configuration of a model that trains on bars in a moment."""
    values: dict[str, object] = {
        "hidden": (32, 16),
        "image_height": SIDE,
        "image_width": SIDE,
        "batch_size": 32,
        "epochs": 2,
        "device": "cpu",
        "threads": 1,
        "schedule": "constant",
    }
    return ExperimentConfig(data=DataConfig(source="bars")).with_values(values | changes)
