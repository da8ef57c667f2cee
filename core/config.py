"""The settings of an experiment, each declared once.  Free of torch, so that combo boxes stand before it is loaded."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from core.choices import (
    ACTIVATIONS,
    BINARISATIONS,
    CORRUPTIONS,
    DEVICES,
    FITS,
    LIKELIHOODS,
    MODELS,
    NETWORKS,
    ORDERINGS,
    POSTERIORS,
    PRECISIONS,
    SCHEDULES,
    SPARSITIES,
    VARIANCES,
)
from core.settings import ConfigError, Section, Setting, parse, setting, told

MOST_LAYERS = 8
MOST_EXACT_DIMENSIONS = 2
"""Latent dimensions up to which log p(x) is integrated; above, it is estimated."""


@dataclass(frozen=True, slots=True)
class DataConfig(Section):
    """Which images, and how they become what the model sees."""

    source: str = setting(
        "mnist",
        label="Data",
        help="mnist, shapes, or the path of an IDX, npy, npz file or a folder of pictures.",
    )
    binarisation: str = setting(
        "dynamic",
        label="Binarisation",
        help="How grey pixels become the zeros and ones that a Bernoulli likelihood describes.",
        choices=BINARISATIONS,
    )
    image_size: int = setting(
        28,
        label="Size",
        help="Side of the square pictures that a folder or array is scaled to.",
        unit="px",
        minimum=8,
        maximum=64,
    )
    fit: str = setting("fit", label="Fit", help="How a picture that is not square becomes square.", choices=FITS)
    invert: bool = setting(
        default=False,
        label="Invert",
        help="Turn dark on light into light on dark; models learn light strokes on black.",
    )
    subfolder_labels: bool = setting(
        default=True,
        label="Labels from subfolders",
        help="The name of the subfolder that holds a picture is its label.",
    )
    held_out_fraction: float = setting(
        0.1,
        label="Held out",
        help="Share of the images kept away from training, drawn with the data seed.",
        minimum=0.0,
        maximum=0.9,
        exclusive_minimum=True,
    )
    data_seed: int = setting(
        0,
        label="Data seed",
        help="Decides the held-out images and every fixed draw of the binarisation.",
        minimum=0,
        maximum=2**31 - 1,
        advanced=True,
    )
    num_levels: int = setting(
        256,
        label="Grey levels",
        help="Levels that grey pixels are rounded to; taken from a categorical likelihood.",
        minimum=2,
        maximum=256,
        advanced=True,
    )
    centre_drawings: bool = setting(
        default=True,
        label="Centre drawings",
        help="Scale a drawing into a 20×20 box and put its centre of mass in the middle, as MNIST was made.",
        advanced=True,
    )


@dataclass(frozen=True, slots=True)
class ModelConfig(Section):
    """The model and its networks."""

    model: str = setting("vae", label="Model", help="What kind of model is trained.", choices=MODELS)
    network: str = setting("mlp", label="Network", help="The family of encoder and decoder networks.", choices=NETWORKS)
    latent_dim: int = setting(
        2,
        label="Latent dimensions",
        help="Number of latent variables K; two can be seen whole on the canvas.",
        minimum=1,
        maximum=256,
    )
    hidden: tuple[int, ...] = setting(
        (512, 256, 128),
        label="Hidden layers",
        help="Widths of the encoder's hidden layers, mirrored in the decoder; "
        "a convolutional network takes the last alone, for its dense layer.",
        minimum=1,
        maximum=8192,
    )
    channels: tuple[int, ...] = setting(
        (32, 64),
        label="Channels",
        help="Channels of the convolutional encoder's layers, each halving the picture; the decoder mirrors them.",
        minimum=1,
        maximum=1024,
    )
    activation: str = setting("gelu", label="Activation", help="The nonlinearity between layers.", choices=ACTIVATIONS)
    likelihood: str = setting(
        "bernoulli",
        label="Likelihood",
        help="The distribution p(x|z) of a picture's pixels.",
        choices=LIKELIHOODS,
    )
    grey_levels: int = setting(
        4,
        label="Grey levels",
        help="Grey levels V of a categorical likelihood; pixels are rounded to them.",
        minimum=2,
        maximum=16,
    )
    variance: str = setting(
        "fixed",
        label="Variance",
        help="Where the standard deviation of a Gaussian likelihood comes from.",
        choices=VARIANCES,
    )
    pixel_std: float = setting(
        0.1,
        label="Pixel σ",
        help="Standard deviation of a Gaussian likelihood's pixels, whose greys go from 0 to 1; "
        "a learned one starts here.",
        minimum=0.01,
        maximum=10.0,
    )
    posterior: str = setting("factorised", label="Posterior", help="The family of q(z|x).", choices=POSTERIORS)
    sparsity: str = setting(
        "kl", label="Sparsity", help="How a sparse autoencoder prices active code units.", choices=SPARSITIES
    )
    ordering: str = setting(
        "raster",
        label="Ordering",
        help="The order in which an autoregressive model takes the pixels.",
        choices=ORDERINGS,
    )
    ordering_seed: int = setting(
        0,
        label="Ordering seed",
        help="Decides a random ordering, and the masks of an autoregressive model.",
        minimum=0,
        maximum=2**31 - 1,
        advanced=True,
    )
    image_height: int = setting(
        28,
        label="Image height",
        help="Height of the pictures; taken from the data.",
        unit="px",
        minimum=1,
        maximum=256,
        advanced=True,
    )
    image_width: int = setting(
        28,
        label="Image width",
        help="Width of the pictures; taken from the data.",
        unit="px",
        minimum=1,
        maximum=256,
        advanced=True,
    )

    def check(self) -> None:
        """Refuse networks that cannot be built."""
        if self.network == "mlp" and len(self.hidden) > MOST_LAYERS:
            raise ConfigError(f"hidden must name at most {MOST_LAYERS} layers, not {len(self.hidden)}")
        if self.network == "conv":
            halvings = len(self.channels)
            if not 1 <= halvings <= 4:
                raise ConfigError(f"channels must name 1 to 4 layers, not {halvings}")
            if min(self.image_height, self.image_width) < 2**halvings:
                raise ConfigError(
                    f"channels halve the picture {halvings} times, which {self.image_height}×{self.image_width} pixels "
                    f"do not allow: at least {2**halvings} pixels a side are needed"
                )

    @property
    def num_pixels(self) -> int:
        """Number of pixels D of one picture."""
        return self.image_height * self.image_width

    @property
    def has_codes(self) -> bool:
        """Whether the model has latent codes at all; an autoregressive one has none."""
        return self.model != "made"

    @property
    def has_prior(self) -> bool:
        """Whether the model defines a prior p(z), and with it the ELBO."""
        return self.model in {"vae", "iwae"}

    @property
    def is_mass(self) -> bool:
        """Whether the likelihood gives probabilities; a density's nats have no bits per pixel."""
        return self.likelihood in {"bernoulli", "categorical"}


@dataclass(frozen=True, slots=True)
class ObjectiveConfig(Section):
    """What a training step minimises."""

    beta: float = setting(
        1.0,
        label="β",
        help="Weight of the KL term; only with β = 1 is the objective minus the ELBO.",
        minimum=0.0,
        maximum=1000.0,
        live=True,
    )
    warm_up_epochs: float = setting(
        0.0,
        label="KL warm-up",
        help="Over so many epochs the weight of the KL term rises from 0 to β.",
        unit="epochs",
        minimum=0.0,
        maximum=100_000.0,
    )
    free_bits: float = setting(
        0.0,
        label="Free bits",
        help="Nats that each latent dimension may carry without a price: only what its KL has beyond them is paid.",
        unit="nats",
        minimum=0.0,
        maximum=100.0,
    )
    num_samples: int = setting(
        1,
        label="Samples",
        help="Codes drawn for each image and step: L of a VAE lowers the noise, k of an IWAE tightens its bound.",
        minimum=1,
        maximum=1024,
    )
    corruption: str = setting(
        "gaussian", label="Corruption", help="What a denoising autoencoder does to its input.", choices=CORRUPTIONS
    )
    corruption_level: float = setting(
        0.3,
        label="Corruption level",
        help="Standard deviation of the noise, or the share of dropped pixels (at most 1).",
        minimum=0.0,
        maximum=10.0,
    )
    sparsity_weight: float = setting(
        1.0,
        label="Sparsity λ",
        help="Weight of the price on active code units, in nats.",
        minimum=0.0,
        maximum=1e6,
    )
    sparsity_target: float = setting(
        0.05,
        label="Target ρ",
        help="Mean activation that each sigmoid unit is drawn to.",
        minimum=0.0,
        maximum=1.0,
        exclusive_minimum=True,
    )

    def check(self) -> None:
        """Refuse levels that are none."""
        if self.corruption == "dropout" and self.corruption_level > 1.0:
            raise ConfigError(f"corruption_level must be at most 1, a share of pixels, not {self.corruption_level:g}")
        if self.sparsity_target >= 1.0:
            raise ConfigError(f"sparsity_target must lie in (0, 1), not {self.sparsity_target:g}")


@dataclass(frozen=True, slots=True)
class TrainingConfig(Section):
    """How the objective is minimised."""

    epochs: int = setting(10, label="Epochs", help="Passes over the training images.", minimum=1, maximum=100_000)
    batch_size: int = setting(128, label="Batch size", help="Images per step.", minimum=1, maximum=65_536)
    learning_rate: float = setting(
        1e-3,
        label="Learning rate",
        help="Step size of Adam.",
        minimum=0.0,
        maximum=100.0,
        exclusive_minimum=True,
        live=True,
    )
    schedule: str = setting(
        "cosine", label="Schedule", help="How the learning rate changes over the run.", choices=SCHEDULES
    )
    adam_epsilon: float = setting(
        1e-8, label="Adam's ε", help="Added to the root of a second moment.", minimum=1e-12, maximum=1.0, advanced=True
    )
    seed: int = setting(
        0,
        label="Seed",
        help="Decides initial weights, order of the images, noise and binarisation.",
        minimum=0,
        maximum=2**31 - 1,
    )
    device: str = setting("auto", label="Device", help="Where the training runs.", choices=DEVICES, advanced=True)
    threads: int = setting(
        0,
        label="Threads",
        help="Processor threads of the training; 0 takes one fewer than there are cores.",
        minimum=0,
        maximum=256,
        advanced=True,
    )
    precision: str = setting(
        "float32", label="Precision", help="Arithmetic of the matrix products.", choices=PRECISIONS, advanced=True
    )


@dataclass(frozen=True, slots=True)
class ExperimentConfig:
    """Everything that decides a training run."""

    data: DataConfig = field(default_factory=DataConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    @classmethod
    def from_mapping(cls, values: Mapping[str, object]) -> Self:
        """Return the experiment that `to_mapping` described.  Raises ConfigError."""
        sections = {}
        for name, section in SECTIONS.items():
            given = values.get(name, {})
            if not isinstance(given, Mapping):
                raise ConfigError(f"section {name} must be a mapping of settings, not a {type(given).__name__}")
            sections[name] = section.from_mapping(given)
        for name in values:
            if name not in SECTIONS:
                raise ConfigError(f"unknown section {told(name)}; known: {', '.join(SECTIONS)}")
        return cls(**sections)  # type: ignore[arg-type]

    def to_mapping(self) -> dict[str, dict[str, object]]:
        """Return plain nested values that JSON can hold."""
        return {name: getattr(self, name).to_mapping() for name in SECTIONS}

    def with_values(self, values: Mapping[str, object]) -> Self:
        """Return a copy with settings replaced by `name` or `section.name`, in any order.  Raises ConfigError."""
        changes: dict[str, dict[str, object]] = {}
        for key, value in values.items():
            section, declared = find_setting(key)
            parsed = parse(declared, value) if isinstance(value, str) and declared.type is not str else value
            changes.setdefault(section, {})[declared.name] = parsed
        # All of a section at once: no layers at all are wrong for one network and right for another.
        changed = {section: replace(getattr(self, section), **parts) for section, parts in changes.items()}
        return replace(self, **changed)


SECTIONS: dict[str, type[Section]] = {
    "data": DataConfig,
    "model": ModelConfig,
    "objective": ObjectiveConfig,
    "training": TrainingConfig,
}


def find_setting(key: str) -> tuple[str, Setting]:
    """Return the section and declaration of `name` or `section.name`.  Raises ConfigError."""
    wanted_section, _, name = key.rpartition(".")
    found = [
        (section, declared)
        for section, declares in SECTIONS.items()
        for declared in declares.settings()
        if declared.name == name and wanted_section in ("", section)
    ]
    if len(found) > 1:
        raise ConfigError(
            f"setting {key!r} is ambiguous: write " + " or ".join(f"{section}.{name}" for section, _ in found)
        )
    if not found:
        known = sorted(
            f"{section}.{declared.name}" for section, declares in SECTIONS.items() for declared in declares.settings()
        )
        raise ConfigError(f"unknown setting {told(key)}; known: {', '.join(known)}")
    return found[0]
