"""What each recipe measures of its trained model, as rows."""

import datetime as dt
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from benchmarks.recipes.definitions import GAPS, IWAE, MADE, SEED, SURGERY, VAE, Recipe
from benchmarks.recipes.evidence import Mean, encoded, frozen_model, frozen_vae, log_evidence, seen, some_rows
from benchmarks.recipes.local import FITTING_SAMPLES, FITTING_STEPS, gaps
from benchmarks.recipes.row import Figure, Row
from benchmarks.recipes.surgery import surgery
from benchmarks.recipes.training import Trained, command_line
from core.data.dataset import Dataset
from core.models.made import Made
from core.objectives.terms import as_model
from core.snapshots import Split

NUM_SAMPLES = 5000
MADE_PIECE = 500


@dataclass(frozen=True, slots=True, eq=False)
class Measuring:
    """A trained model, and all that a row says besides its figures."""

    recipe: Recipe
    full: bool
    trained: Trained
    dataset: Dataset

    def row(
        self, num_images: int, split: str, estimator: str, figures: dict[str, Mean], seconds: float, title: str = ""
    ) -> Row:
        """Return the row of some figures."""
        config = self.trained.saved.config
        return Row(
            recipe=self.recipe.name,
            title=title or self.recipe.title,
            source=self.recipe.source,
            full=self.full,
            schedule=self.recipe.schedule(full=self.full).told,
            seed=config.training.seed,
            latent_dim=config.model.latent_dim if config.model.has_codes else None,
            num_train=len(self.dataset.train),
            num_images=num_images,
            split=split,
            binarisation=config.data.binarisation,
            estimator=estimator,
            figures=tuple(
                Figure(name, mean.value, mean.standard_error, self.recipe.published.get(name))
                for name, mean in figures.items()
            ),
            command=command_line(
                self.dataset.config.source,
                self.recipe.all_settings(full=self.full),
                f"{self.recipe.name}.safetensors",
            ),
            training_seconds=self.trained.seconds,
            training_processor_seconds=self.trained.processor_seconds,
            measuring_seconds=seconds,
            torch=torch.__version__,
            date=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        )

    def rows_of(self, split: Split) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Return which images the costly estimates are means over."""
        return some_rows(len(split), self.recipe.schedule(full=self.full).num_images, SEED)

    def measured(self) -> Iterator[Row]:
        """Yield the rows of the recipe's figures."""
        yield from MEASURES[self.recipe.name](self)


def bound(measuring: Measuring, num_samples: int = NUM_SAMPLES) -> Iterator[Row]:
    """Yield the NLL by the importance-weighted bound of 5,000 samples from the encoder's q."""
    begun = time.perf_counter()
    saved, split = measuring.trained.saved, measuring.dataset.held_out
    model, rows = frozen_vae(saved), measuring.rows_of(split)
    x = seen(split, rows, saved.config)
    generator = torch.Generator().manual_seed(SEED)
    cost = Mean.of(-log_evidence(model, x, encoded(model, x), num_samples, generator))
    told = f"importance-weighted bound of {num_samples:,} samples of the encoder's q, an upper bound of the NLL"
    yield measuring.row(len(x), "held out", told, {"NLL": cost}, time.perf_counter() - begun)


def exact(measuring: Measuring) -> Iterator[Row]:
    """Yield the exact NLL of an autoregressive model."""
    begun = time.perf_counter()
    saved, split = measuring.trained.saved, measuring.dataset.held_out
    model = as_model(frozen_model(saved), Made, "an exact NLL is that of an autoregressive model")
    rows = measuring.rows_of(split)
    with torch.inference_mode():
        costs = [
            -model.log_prob(seen(split, rows[start : start + MADE_PIECE], saved.config))
            for start in range(0, len(rows), MADE_PIECE)
        ]
    cost = Mean.of(torch.cat(costs))
    yield measuring.row(len(rows), "held out", "exact", {"NLL": cost}, time.perf_counter() - begun)


def local_gaps(measuring: Measuring, num_samples: int = NUM_SAMPLES, steps: int = FITTING_STEPS) -> Iterator[Row]:
    """Yield both gaps on held-out images and on training images, which the encoder has learned from."""
    saved = measuring.trained.saved
    model = frozen_vae(saved)
    told = (
        f"estimates: q fitted to each image by {steps:,} steps of Adam with {FITTING_SAMPLES} samples; log p(x) by "
        f"the higher of two importance-weighted bounds of {num_samples:,} samples, from that q and from the encoder's, "
        "so the approximation gap is a lower bound in expectation"
    )
    for name, split in (("held out", measuring.dataset.held_out), ("training", measuring.dataset.train)):
        begun = time.perf_counter()
        rows = measuring.rows_of(split)
        x = seen(split, rows, saved.config)
        found = gaps(model, x, torch.Generator().manual_seed(SEED), num_samples=num_samples, steps=steps)
        figures = {
            "approximation gap": found.approximation,
            "amortisation gap": found.amortisation,
            "log p(x)": found.log_evidence,
            "ELBO": found.elbo,
        }
        yield measuring.row(len(x), name, told, figures, time.perf_counter() - begun)


def surgeries(measuring: Measuring) -> Iterator[Row]:
    """Yield the four terms on all held-out and on all training images: mutual information depends on their number."""
    saved = measuring.trained.saved
    model = frozen_vae(saved)
    for name, split in (("held out", measuring.dataset.held_out), ("training", measuring.dataset.train)):
        begun = time.perf_counter()
        figures = surgery(model, split, saved.config, torch.Generator().manual_seed(SEED))
        told = (
            "ELBO, mutual information and marginal KL estimated with one code drawn for each image; the mean KL in "
            f"closed form; mutual information is capped at ln N = {math.log(len(split)):.2f}"
        )
        yield measuring.row(len(split), name, told, figures, time.perf_counter() - begun)


MEASURES = {VAE.name: bound, IWAE.name: bound, MADE.name: exact, SURGERY.name: surgeries, GAPS.name: local_gaps}
