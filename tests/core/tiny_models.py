"""Small models with random weights, for tests of what is done with a model rather than of the model."""

import numpy as np

from core.config import ExperimentConfig, ModelConfig
from core.history import History
from core.models.layout import expected_shapes
from core.saved_model import SavedModel
from core.snapshots import ElboMeans, HeldOutReport, RunNote, StepReports, Weights, frozen


def tiny_config(**values: object) -> ModelConfig:
    """Return a model of 6×5 pixels with two hidden layers, changed by `values`."""
    return ModelConfig.from_mapping(
        {"image_height": 6, "image_width": 5, "hidden": (9, 7), "channels": (3, 4), "activation": "tanh", **values}
    )


def random_weights(config: ModelConfig, seed: int = 0, scale: float = 1.0) -> Weights:
    """Return weights whose products keep the size of what they multiply, times `scale`."""
    generator = np.random.default_rng(seed)
    return Weights(
        version=7,
        step=0,
        arrays={
            name: frozen(
                scale * generator.standard_normal(shape) / np.sqrt(np.prod(shape[1:], initial=1.0)), np.float32
            )
            for name, shape in expected_shapes(config).items()
        },
    )


def saved_model(config: ModelConfig | None = None) -> SavedModel:
    """Return a model with curves, notes, provenance and an optimiser's state."""
    config = config or tiny_config()
    history = History(config.latent_dim)
    generator = np.random.default_rng(5)
    columns = config.latent_dim if config.has_prior else 0
    first, second = (ElboMeans(7.5, 2.5, (2.0, 0.5)), ElboMeans(7.25, 2.25, (1.75, 0.5)))
    if not config.has_prior:
        first, second = (ElboMeans(means.nll, None, ()) for means in (first, second))
    history.add_steps(
        StepReports(
            frozen(np.arange(1, 5)),
            frozen([9.0, 8.0, np.nan, 7.0]),
            frozen([1.0, 2.0, np.nan, 3.0] if config.has_prior else [np.nan] * 4),
            frozen(generator.random((4, columns))),
        )
    )
    history.add_held_out(HeldOutReport(4, 0.5, first, 20, complete=False))
    history.add_held_out(HeldOutReport(8, 1.0, second, 40, complete=True))
    history.add_note(RunNote(3, "non_finite", "step 3: gradient is not finite — “skipped” \U0001f600"))
    return SavedModel(
        config=ExperimentConfig(model=config).with_values({"seed": 11, "source": "/data/Цифры \n'x'"}),
        weights=random_weights(config).arrays,
        history=history,
        provenance={"command": "train --data 'shapes'", "seed": "11"},
        optimiser={
            "first_moment/a": frozen(generator.standard_normal(12), np.float32),
            "step": np.array(8),
            "generator": frozen(generator.integers(0, 256, 50), np.uint8),
            "scale": frozen(np.array([1e-300]), np.float64),
            "flag": frozen(np.array([True, False])),
        },
    )
