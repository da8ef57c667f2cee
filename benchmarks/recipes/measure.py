"""What each recipe measures of its trained model, as rows."""

import datetime as dt
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Self

import torch

from benchmarks.recipes.definitions import GAPS, IWAE, MADE, SEED, SURGERY, VAE, Recipe
from benchmarks.recipes.gaps import gap_means
from benchmarks.recipes.row import Figure, Mean, Row
from benchmarks.recipes.surgery import surgical_terms
from benchmarks.recipes.training import Trained, command_line
from core.data.dataset import Dataset
from core.inference.nll import held_out_nll
from core.inference.steps import completed
from core.saved_model import SavedModel
from core.snapshots import Split
from core.storage.model_file import load_model
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
    shipped: bool = False
    training_seconds: float | None = None
    training_processor_seconds: float | None = None

    @classmethod
    def of_trained(cls, recipe: Recipe, trained: Trained, dataset: Dataset, *, full: bool) -> Self:
        """Return what to measure of a model that the recipe trained."""
        command = command_line(dataset.config.source, recipe.all_settings(full=full), f"{recipe.name}.safetensors")
        told = recipe.schedule(full=full).told
        took = (trained.seconds, trained.processor_seconds)
        return cls(recipe, full, trained.saved, dataset, recipe.title, told, command, False, *took)

    def of_shipped(self) -> Self:
        """Return the same to be measured of the model that comes with the program."""
        saved = load_model(resource("models", "mnist-2d.safetensors"))
        return replace(
            self,
            saved=saved,
            shipped=True,
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
            shipped=self.shipped,
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

    def measured(self) -> Iterator[Row]:
        """Yield the rows of the recipe's figures."""
        yield from MEASURES[self.recipe.name](self)


def nll(measuring: Measuring) -> Iterator[Row]:
    """Yield -log p(x): exact for an autoregressive model, by 5,000 samples of the encoder's q for a latent one."""
    begun = time.perf_counter()
    saved, split = measuring.saved, measuring.dataset.held_out
    found = completed(
        held_out_nll(
            saved.config.model,
            saved.as_weights(version=1),
            split,
            saved.config.data,
            limit=measuring.num_images(split),
            num_samples=NUM_SAMPLES,
            seed=SEED,
        )
    )
    told = f"{found.how}: {found.sentence.rstrip('.')}"
    figures = {"NLL": Mean(found.nll, found.standard_error)}
    yield measuring.row(found.num_images, "held-out", told, figures, time.perf_counter() - begun)


def gaps(measuring: Measuring) -> Iterator[Row]:
    """Yield both gaps on held-out images and on training images, which the encoder has learned from.

    Estimates for the recipe's own model; exact ones for the shipped one, of which nobody has published the like.
    """
    yield from _gaps_of(measuring, measuring.recipe.published)
    if measuring.is_mnist:
        yield from _gaps_of(measuring.of_shipped(), {})


def _gaps_of(measuring: Measuring, published: Mapping[str, float]) -> Iterator[Row]:
    for name, split in (("held-out", measuring.dataset.held_out), ("training", measuring.dataset.train)):
        begun = time.perf_counter()
        num_images = measuring.num_images(split)
        figures, told = gap_means(measuring.saved, split, name, num_images, SEED)
        yield measuring.row(num_images, name, told, figures, time.perf_counter() - begun, published)


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


MEASURES = {VAE.name: nll, IWAE.name: nll, MADE.name: nll, SURGERY.name: surgeries, GAPS.name: gaps}
