"""Whether configuration, data set and saved model fit together."""

from dataclasses import replace

from core.compatibility import check_experiment, data_for
from core.config import ExperimentConfig
from core.data.dataset import Dataset
from core.saved_model import SavedModel
from core.settings import ConfigError
from core.training.errors import TrainingError


def fitted(config: ExperimentConfig, dataset: Dataset, start: SavedModel | None) -> ExperimentConfig:
    """Return the configuration of a run: sizes and import choices from the data, binarisation and the rest as set.

    Raises TrainingError where data, configuration and the saved model contradict each other, ConfigError where
    settings do.
    """
    if not len(dataset.train):
        raise TrainingError(f"{dataset.name} has no training images")
    data = data_for(replace(dataset.config, binarisation=config.data.binarisation), config.model)
    check_experiment(replace(config, data=data))
    if start is None:
        try:
            model = replace(config.model, image_height=dataset.height, image_width=dataset.width)
        except ConfigError as error:
            raise TrainingError(f"this model cannot be trained on {dataset.name}: {error}") from None
        return replace(config, data=data, model=model)
    _check_start(config, dataset, start)
    return replace(config, data=data, model=start.config.model)


def _check_start(config: ExperimentConfig, dataset: Dataset, start: SavedModel) -> None:
    model = start.config.model
    if (model.image_height, model.image_width) != (dataset.height, dataset.width):
        raise TrainingError(
            f"the model takes pictures of {model.image_height}×{model.image_width} pixels and {dataset.name} has "
            f"{dataset.height}×{dataset.width}: train a new model on this data"
        )
    differences = [
        f"{declared.label.lower()} is {kept!r}, not {wanted!r}"
        for declared, kept, wanted in (
            (setting.declaration, getattr(model, setting.name), getattr(config.model, setting.name))
            for setting in model.settings()
            if not setting.name.startswith("image_")
        )
        if kept != wanted
    ]
    if differences:
        raise TrainingError(
            f"a model keeps its networks when its training goes on: {'; '.join(differences)}; start a new model"
        )


def changes(start: SavedModel, config: ExperimentConfig, dataset: Dataset) -> list[str]:
    """Return what is different now from how the saved model was last trained, one line each, as notes say it."""
    before = start.config
    found = []
    fingerprint = start.provenance.get("data_fingerprint", dataset.fingerprint)
    if fingerprint != dataset.fingerprint:
        found.append(f"data {start.provenance.get('data', before.data.source)} → {dataset.name}, another set of images")
    pairs = (
        ("binarisation", before.data.binarisation, config.data.binarisation),
        ("beta", before.objective.beta, config.objective.beta),
        ("learning_rate", before.training.learning_rate, config.training.learning_rate),
        ("batch_size", before.training.batch_size, config.training.batch_size),
        ("adam_epsilon", before.training.adam_epsilon, config.training.adam_epsilon),
        ("schedule", before.training.schedule, config.training.schedule),
    )
    found.extend(f"{name} {_shown(was)} → {_shown(now)}" for name, was, now in pairs if was != now)
    return found


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
