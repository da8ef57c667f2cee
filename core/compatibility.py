"""Which settings of an experiment can be trained together, and what a model's likelihood asks of the data."""

from dataclasses import replace

from core.choices import LIKELIHOODS
from core.config import DataConfig, ExperimentConfig, ModelConfig, ObjectiveConfig
from core.settings import ConfigError

MOST_FULL_DIMENSIONS = 64


def check_experiment(config: ExperimentConfig) -> None:
    """Raise ConfigError with the reason for what cannot be trained together.

    Not when a single setting changes: forms and command lines change one after the other.
    """
    for refused, reason in (*_impossible_models(config.model), *_impossible_data(config), *_impossible_bounds(config)):
        if refused:
            raise ConfigError(reason)


def needs_grey(model: ModelConfig) -> bool:
    """Return whether the likelihood describes grey pixels, so that binarised ones cannot train it."""
    return model.likelihood != "bernoulli"


def is_normalised(model: ModelConfig, *, grey: bool) -> bool:
    """Return whether nats of such pixels are those of a distribution; Bernoulli nats of grey pixels are not."""
    return needs_grey(model) or not grey


def data_for(data: DataConfig, model: ModelConfig) -> DataConfig:
    """Return the data's configuration with as many grey levels as the model's likelihood describes."""
    return replace(data, num_levels=model.grey_levels if model.likelihood == "categorical" else 256)


def settled(before: ExperimentConfig, after: ExperimentConfig) -> tuple[ExperimentConfig, str]:
    """Return `after` with what the last choice makes impossible put right, and what was, in a sentence; else empty.

    A form changes one setting at a time: choosing a likelihood or a model must not leave its user with a riddle.
    """
    model, said = after.model, []
    changes: dict[str, object] = {}
    if model.likelihood != before.model.likelihood:
        binarisation = after.data.binarisation
        if needs_grey(model):
            # Said also on the way from one such likelihood to another: the note names the one that is chosen.
            changes["binarisation"] = "none"
            said.append(f"Binarisation is set to none: {_a_likelihood(model)} describes grey pixels.")
        elif binarisation == "none":
            changes["binarisation"] = "dynamic"
            said.append(f"Binarisation is set to dynamic: {_a_likelihood(model)} describes pixels that are 0 or 1.")
    if model.model != before.model.model:
        if model.model == "iwae" and _is_weighed(after.objective):
            changes |= {"beta": 1.0, "warm_up_epochs": 0.0, "free_bits": 0.0}
            said.append("β is set to 1, warm-up and free bits to 0: the importance-weighted bound has no KL to weigh.")
        if not model.has_codes and (model.network != "mlp" or not model.hidden):
            changes["network"] = "mlp"
            changes["hidden"] = model.hidden or ModelConfig().hidden
            said.append("Network is set to MLP: an autoregressive model masks fully connected layers.")
    return (after.with_values(changes) if changes else after), " ".join(said)


def _a_likelihood(model: ModelConfig) -> str:
    label = next(choice.label for choice in LIKELIHOODS if choice.name == model.likelihood)
    return f"a {label if model.likelihood != 'categorical' else label.lower()} likelihood"


def _impossible_models(model: ModelConfig) -> tuple[tuple[bool, str], ...]:
    made, full = not model.has_codes, model.has_prior and model.posterior == "full"
    numbers = model.latent_dim * (model.latent_dim + 1) // 2
    network = "an autoregressive model (MADE) masks fully connected layers: network must be mlp, not conv"
    hidden = "an autoregressive model (MADE) needs a hidden layer to mask: hidden must name at least one"
    covariance = (
        f"a full covariance of {model.latent_dim} dimensions has {numbers:,} numbers an image: latent_dim must be at "
        f"most {MOST_FULL_DIMENSIONS}, or posterior factorised"
    )
    return (
        (made and model.network != "mlp", network),
        (made and not model.hidden, hidden),
        (full and model.latent_dim > MOST_FULL_DIMENSIONS, covariance),
    )


def _impossible_data(config: ExperimentConfig) -> tuple[tuple[bool, str], ...]:
    model, binarisation = config.model, config.data.binarisation
    wanted = f"binarisation must be none, not {binarisation}"
    levels = f"a categorical likelihood describes {model.grey_levels} grey levels, and binarised pixels have two"
    density = f"a {model.likelihood.replace('_', ' ')} density of pixels that are all 0 or 1 grows without bound"
    return (
        (model.likelihood == "categorical" and binarisation != "none", f"{levels}: {wanted}"),
        (not model.is_mass and binarisation != "none", f"{density}: {wanted}"),
    )


def _impossible_bounds(config: ExperimentConfig) -> tuple[tuple[bool, str], ...]:
    reason = (
        "the importance-weighted bound has no KL term of its own to weigh: with iwae, beta must be 1, and "
        "warm_up_epochs and free_bits 0"
    )
    return ((config.model.model == "iwae" and _is_weighed(config.objective), reason),)


def _is_weighed(objective: ObjectiveConfig) -> bool:
    return objective.beta != 1.0 or objective.warm_up_epochs > 0.0 or objective.free_bits > 0.0
