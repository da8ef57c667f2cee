"""What each recipe measures of its trained model, as rows."""

import datetime as dt
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Self

import torch

from benchmarks.recipes.definitions import GAPS, IWAE, MADE, SEED, SURGERY, VAE, Recipe
from benchmarks.recipes.evidence import Mean, frozen_vae, pulled, seen
from benchmarks.recipes.local import FITTING_SAMPLES, FITTING_STEPS, gaps
from benchmarks.recipes.planar import HERMITE_ORDER, REACH, SIDE, planar_gaps
from benchmarks.recipes.row import Figure, Row
from benchmarks.recipes.surgery import surgical_terms
from benchmarks.recipes.training import Trained, command_line
from core.data.dataset import Dataset
from core.inference.codes import subset_indices
from core.inference.nll import held_out_nll
from core.saved_model import SavedModel
from core.snapshots import Split
from core.storage.model_file import load_model
from core.tensors import Images
from resources import resource

NUM_SAMPLES = 5000


@dataclass(frozen=True, slots=True, eq=False)
class Measuring:
    """A trained model, and all that a row says besides its figures."""

    recipe: Recipe
    full: bool
    saved: SavedModel
    dataset: Dataset
    title: str
    schedule: str
    command: str
    training_seconds: float | None = None
    training_processor_seconds: float | None = None

    @classmethod
    def of_trained(cls, recipe: Recipe, trained: Trained, dataset: Dataset, *, full: bool) -> Self:
        """Return what to measure of a model that the recipe trained."""
        command = command_line(dataset.config.source, recipe.all_settings(full=full), f"{recipe.name}.safetensors")
        told = recipe.schedule(full=full).told
        took = (trained.seconds, trained.processor_seconds)
        return cls(recipe, full, trained.saved, dataset, recipe.title, told, command, *took)

    def of_shipped(self) -> Self:
        """Return the same to be measured of the model that comes with the program."""
        saved = load_model(resource("models", "mnist-2d.safetensors"))
        return replace(
            self,
            saved=saved,
            title="the shipped model of two latent dimensions, 784-512-256-128-2, GELU, factorised posterior",
            schedule=f"{saved.epochs:g} passes; batch {saved.config.training.batch_size}; the shipped model as it is",
            command=saved.provenance["command"].replace("main.py", "./run", 1),
            training_seconds=None,
            training_processor_seconds=None,
        )

    def row(
        self,
        num_images: int,
        split: str,
        estimator: str,
        figures: Mapping[str, Mean],
        seconds: float,
        published: Mapping[str, float] | None = None,
    ) -> Row:
        """Return the row of some figures, beside the recipe's published ones where no others are given."""
        config = self.saved.config
        known = self.recipe.published if published is None else published
        return Row(
            recipe=self.recipe.name,
            title=self.title,
            source=self.recipe.source,
            full=self.full,
            schedule=self.schedule,
            seed=config.training.seed,
            latent_dim=config.model.latent_dim if config.model.has_codes else None,
            num_train=len(self.dataset.train),
            num_images=num_images,
            split=split,
            binarisation=config.data.binarisation,
            estimator=estimator,
            figures=tuple(
                Figure(name, mean.value, mean.standard_error, known.get(name)) for name, mean in figures.items()
            ),
            command=self.command,
            training_seconds=self.training_seconds,
            training_processor_seconds=self.training_processor_seconds,
            measuring_seconds=seconds,
            torch=torch.__version__,
            date=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        )

    @property
    def is_mnist(self) -> bool:
        """Whether the data is that of the shipped model."""
        return self.dataset.config.source == "mnist"

    def num_images(self, split: Split) -> int:
        """Return how many images the costly estimates are means over."""
        return min(self.recipe.schedule(full=self.full).num_images, len(split))

    def seen(self, split: Split) -> Images:
        """Return the x of a seeded draw of so many images of a split.

        Drawn, because the first half of MNIST's test images is easier than the second.
        """
        return seen(split, subset_indices(len(split), self.num_images(split), SEED), self.saved.config)

    def measured(self) -> Iterator[Row]:
        """Yield the rows of the recipe's figures."""
        yield from MEASURES[self.recipe.name](self)


def nll(measuring: Measuring, num_samples: int = NUM_SAMPLES) -> Iterator[Row]:
    """Yield -log p(x): exact for an autoregressive model, by 5,000 samples of the encoder's q for a latent one."""
    begun = time.perf_counter()
    saved, split = measuring.saved, measuring.dataset.held_out
    found = pulled(
        held_out_nll(
            saved.config.model,
            saved.as_weights(version=1),
            split,
            saved.config.data,
            limit=measuring.num_images(split),
            num_samples=num_samples,
            seed=SEED,
        )
    )
    told = f"{found.how}: {found.sentence.rstrip('.')}"
    figures = {"NLL": Mean(found.nll, found.standard_error)}
    yield measuring.row(found.num_images, "held-out", told, figures, time.perf_counter() - begun)


def _local_gaps(measuring: Measuring, num_samples: int = NUM_SAMPLES, steps: int = FITTING_STEPS) -> Iterator[Row]:
    """Yield both gaps on held-out images and on training images, which the encoder has learned from."""
    saved = measuring.saved
    model = frozen_vae(saved)
    told = (
        f"estimates: q fitted to each image by {steps:,} steps of Adam with {FITTING_SAMPLES} samples; log p(x) by "
        f"the higher of two importance-weighted bounds of {num_samples:,} samples, from that q and from the encoder's, "
        "so the approximation gap is a lower bound in expectation"
    )
    for name, split in (("held-out", measuring.dataset.held_out), ("training", measuring.dataset.train)):
        begun = time.perf_counter()
        x = measuring.seen(split)
        found = gaps(model, x, torch.Generator().manual_seed(SEED), num_samples=num_samples, steps=steps)
        yield measuring.row(len(x), name, told, found.figures(), time.perf_counter() - begun)


def both_gaps(measuring: Measuring) -> Iterator[Row]:
    """Yield estimates for the recipe's own model, and exact gaps of the shipped one, whose codes are two numbers."""
    yield from _local_gaps(measuring)
    if measuring.is_mnist:
        yield exact_gaps(measuring.of_shipped())


def exact_gaps(measuring: Measuring, side: int = SIDE) -> Row:
    """Return both gaps on held-out images, log p(x) being an integral; nobody has published such figures."""
    begun = time.perf_counter()
    split = measuring.dataset.held_out
    x = measuring.seen(split)
    model = frozen_vae(measuring.saved)
    found, error = planar_gaps(model, x, torch.Generator().manual_seed(SEED), side)
    told = (
        f"log p(x) is the integral over a grid of {side}×{side} nodes on ±{REACH:g}, off by at most {error:.1g} "
        f"nats from that of half the resolution; q is fitted from the encoder's, the prior and the highest modes; "
        f"ELBOs by a Gauss-Hermite rule of {HERMITE_ORDER}×{HERMITE_ORDER} nodes"
    )
    return measuring.row(len(x), "held-out", told, found.figures(), time.perf_counter() - begun, published={})


def surgeries(measuring: Measuring) -> Iterator[Row]:
    """Yield the four terms of the recipe's model and of the shipped one."""
    yield from _surgery_of(measuring)
    if measuring.is_mnist:
        yield from _surgery_of(measuring.of_shipped())


def _surgery_of(measuring: Measuring) -> Iterator[Row]:
    """Yield the four terms on all held-out and on all training images: mutual information depends on their number."""
    for name, split in (("held-out", measuring.dataset.held_out), ("training", measuring.dataset.train)):
        begun = time.perf_counter()
        figures, told = surgical_terms(measuring.saved, split, SEED)
        yield measuring.row(len(split), name, told, figures, time.perf_counter() - begun)


MEASURES = {VAE.name: nll, IWAE.name: nll, MADE.name: nll, SURGERY.name: surgeries, GAPS.name: both_gaps}
