"""The settings of an experiment, each declared once.  Free of torch, so that combo boxes stand before it is loaded."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from core.settings import Choice, ConfigError, Section, Setting, parse, setting, told

MODELS = (
    Choice("vae", "VAE", "Variational auto-encoder: maximises the evidence lower bound on log p(x)."),
    Choice(
        "autoencoder",
        "Autoencoder",
        "Plain autoencoder: minimises the reconstruction cost; it defines no p(x).",
    ),
)
NETWORKS = (
    Choice("mlp", "MLP", "Fully connected layers."),
    Choice("conv", "Convolutional", "Strided convolutions in the encoder, transposed ones in the decoder."),
)
LIKELIHOODS = (
    Choice("bernoulli", "Bernoulli", "Each pixel is 0 or 1; the decoder gives the logit of P(pixel = 1 | z)."),
)
POSTERIORS = (
    Choice("factorised", "Factorised Gaussian", "q(z|x) = N(mean, diag(exp(log_var))): independent dimensions."),
)
ACTIVATIONS = (
    Choice("relu", "ReLU", "max(0, x)."),
    Choice("gelu", "GELU", "x times the normal distribution function of x (tanh form); smooth."),
    Choice("tanh", "tanh", "Hyperbolic tangent; the choice of the first VAE papers."),
)
BINARISATIONS = (
    Choice(
        "dynamic",
        "dynamic",
        "Each pixel is drawn anew with its grey level as probability whenever an image is seen.",
    ),
    Choice("fixed", "fixed draw", "One draw per image, seeded by its index, the same for ever."),
    Choice("threshold", "threshold at ½", "A pixel is 1 when its grey level is at least one half."),
    Choice("none", "none (grey)", "Grey levels as they are; Bernoulli nats of grey pixels are not a likelihood."),
)
SCHEDULES = (
    Choice("constant", "constant", "The learning rate stays as set."),
    Choice("cosine", "cosine", "The learning rate falls to zero along half a cosine over all epochs."),
)
DEVICES = (
    Choice("auto", "automatic", "CUDA when it is available, else the processor."),
    Choice("cpu", "processor", "Always the processor."),
    Choice("cuda", "CUDA", "A CUDA graphics card; an error if there is none."),
)
PRECISIONS = (Choice("float32", "float32", "Single precision everywhere."),)
FITS = (
    Choice("fit", "fit", "The whole picture, scaled to fit, on a background of its border's colour."),
    Choice("crop", "crop", "The middle square of the picture, scaled to fill."),
)


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
    posterior: str = setting("factorised", label="Posterior", help="The family of q(z|x).", choices=POSTERIORS)
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
        if self.network == "mlp" and not 1 <= len(self.hidden) <= 8:
            raise ConfigError(f"hidden must name 1 to 8 layers, not {len(self.hidden)}")
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
    def has_prior(self) -> bool:
        """Whether the model defines a prior p(z), and with it p(x) and the ELBO."""
        return self.model != "autoencoder"


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
        "constant", label="Schedule", help="How the learning rate changes over the run.", choices=SCHEDULES
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
        "float32",
        label="Precision",
        help="Arithmetic of the matrix products.",
        choices=PRECISIONS,
        advanced=True,
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
