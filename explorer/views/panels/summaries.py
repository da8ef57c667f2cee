"""Sentences that panels show: counts, models, progress and endings in words."""

import math

from core.config import ModelConfig
from core.settings import Section
from explorer.messages import DataInfo, DocumentInfo

# U+202F would be right between parts, but DejaVu draws it as wide as a space.
_DOT = " · "


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: 1 epoch, 12 epochs, 60,000 images."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def counts_of_data(data: DataInfo) -> str:
    """Return how many images there are and their size, height × width in pixels."""
    return f"{data.num_train:,} train, {data.num_held_out:,} held out, {data.height} × {data.width}"


def labels_of_data(data: DataInfo) -> str:
    """Return the names of the labels, shortened where there are many; empty without labels."""
    names = data.label_names
    if not names:
        return "no labels"
    if len(names) > 4 or sum(map(len, names)) > 24:
        return f"{len(names)} labels: {names[0]} … {names[-1]}"
    return f"{counted(len(names), 'label')}: {', '.join(names)}"


def model_line(config: ModelConfig) -> str:
    """Return a model in one line: kind, network with its widths, latent dimensions, and what is not the usual."""
    widths = config.hidden if config.network == "mlp" else config.channels
    network = f"{_label(config, 'network')} {'-'.join(map(str, widths))}".strip()
    codes = counted(config.latent_dim, "latent dim") if config.has_codes else f"{_label(config, 'ordering')} order"
    parts = [_label(config, "model"), network, codes]
    if config.likelihood != "bernoulli":
        parts.append(_label(config, "likelihood"))
    if config.has_prior and config.posterior == "full":
        parts.append("full covariance")
    return _DOT.join(parts)


def document_line(document: DocumentInfo) -> str:
    """Return what is known of an open model: model_line, number of parameters, epochs trained.

    Lines break between the facts only: within them the spaces are U+00A0.
    """
    parts = model_line(document.config.model).split(_DOT)
    if document.num_parameters:
        parts.append(parameters(document.num_parameters))
    parts.append(epochs(document.epochs))
    return _DOT.join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in parts)


def parameters(number: int) -> str:
    """Return a number of parameters in two digits: 0.9 M parameters."""
    if number >= 100_000:
        millions = number / 1e6
        return f"{millions:.1f} M parameters" if millions < 100 else f"{millions:,.0f} M parameters"
    return f"{number / 1e3:.1f} k parameters" if number >= 1000 else counted(number, "parameter")


def epochs(number: float) -> str:
    """Return trained epochs: 12 epochs, 3.4 epochs, untrained."""
    if number <= 0:
        return "untrained"
    return counted(round(number), "epoch") if math.isclose(number, round(number)) else f"{number:.1f} epochs"


def duration(seconds: float) -> str:
    """Return a time as 0:42, 12:05 or 3:07:09; not a number and below zero as an ellipsis."""
    if not math.isfinite(seconds) or seconds < 0:
        return "…"
    minutes, rest = divmod(math.ceil(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def total_text(total_epochs: float) -> str:
    """Return how many epochs a run is to have, with a decimal only where they are not whole."""
    whole = math.isclose(total_epochs, round(total_epochs))
    return f"{total_epochs:.0f}" if whole else f"{total_epochs:.1f}"


def progress_line(epoch: float, total_epochs: float, images_per_second: float, seconds_left: float | None) -> str:
    """Return a run's progress: epoch 3.4 of 10, images per second, time left."""
    # Rounded down: epoch 9.97 of 10 is not yet 10.
    parts = [f"epoch {math.floor(epoch * 10 + 1e-6) / 10:.1f} of {total_text(total_epochs)}"]
    if math.isfinite(images_per_second) and images_per_second > 0:
        parts.append(f"{_two_digits(images_per_second):,} images/s")
    if seconds_left is not None:
        parts.append(f"{duration(seconds_left)} left")
    return _DOT.join(parts)


def _two_digits(number: float) -> int:
    step: int = 10 ** max(0, math.floor(math.log10(max(number, 1.0))) - 1)
    return round(number / step) * step


def _label(config: Section, name: str) -> str:
    declared = next(entry for entry in config.settings() if entry.name == name)
    chosen = getattr(config, name)
    return next((choice.label for choice in declared.declaration.choices if choice.name == chosen), str(chosen))
