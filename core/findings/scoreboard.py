"""The scoreboard: -log p(x) of several models, beside each other only where their nats can be compared."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from core.choices import BINARISATIONS, LIKELIHOODS, MODELS
from core.compatibility import is_normalised
from core.config import DataConfig, ModelConfig
from core.findings import Finding
from core.findings.nll import HeldOutNll
from core.settings import Choice


@dataclass(frozen=True, slots=True)
class Comparable:
    """What must be the same of two figures for their nats to be those of distributions over the same x."""

    data: str
    """What the data is called."""
    data_fingerprint: str
    split: str
    pixels: str
    """How grey pixels became those that the model sees, in words."""
    measure: str
    """`mass`, `density` or `none`."""

    @property
    def key(self) -> tuple[str, ...]:
        """What must be the same: the same images are the same under whatever name they were opened."""
        return (self.data_fingerprint, self.split, self.pixels, self.measure)

    @property
    def title(self) -> str:
        """The group in a line."""
        measure = {"mass": "probability mass", "density": "density", "none": "no likelihood"}[self.measure]
        return f"{self.data}, {self.split.replace('_', '-')} · {self.pixels} · {measure}"

    def why_apart(self, other: "Comparable") -> str:
        """Return, in sentences, why figures of this group cannot be compared with those of another."""
        reasons = []
        if self.data_fingerprint != other.data_fingerprint:
            reasons.append("they are of other images")
        elif self.split != other.split:
            reasons.append("one half of the data was trained on, the other was not")
        if self.measure != other.measure:
            if "none" in {self.measure, other.measure}:
                reasons.append("Bernoulli nats of grey pixels belong to no distribution")
            else:
                reasons.append("a density of continuous pixels is no probability, and has another unit")
        elif self.pixels != other.pixels:
            reasons.append("another binarisation makes other pixels, which hold more or fewer nats by themselves")
        return f"Apart from “{other.title}”: {'; '.join(reasons)}." if reasons else ""


@dataclass(frozen=True, slots=True, eq=False)
class ScoreboardEntry(Finding):
    """One row: a model and its -log p(x) over some images, nats per image."""

    name: str
    model: str
    likelihood: str
    latent_dim: int | None
    """None for a model without codes."""
    num_pixels: int
    group: Comparable
    nll: HeldOutNll

    @property
    def bits_per_dim(self) -> float | None:
        """Return nll / (D ln 2); None for what is no probability mass."""
        return self.nll.nll / (self.num_pixels * math.log(2.0)) if self.group.measure == "mass" else None


@dataclass(frozen=True, slots=True, eq=False)
class ScoreboardGroup:
    """Rows that can be compared, the best first."""

    key: Comparable
    entries: tuple[ScoreboardEntry, ...]
    why_apart: str
    """Why these rows stand apart from the first group; empty for the first."""

    @property
    def note(self) -> str:
        """What to mind inside the group, in sentences; empty where there is nothing."""
        notes = []
        if len({entry.nll.num_images for entry in self.entries}) > 1:
            notes.append("Figures over different numbers of images differ by chance as well: see the standard errors.")
        if any(entry.nll.is_estimate for entry in self.entries):
            notes.append("An estimate is too large in expectation: the model may be better than its row.")
        return " ".join(notes)


def comparable(
    model: ModelConfig, data: DataConfig, data_name: str, data_fingerprint: str, split: str = "held_out"
) -> Comparable:
    """Return what figures of a model on some data can be compared with."""
    normalised = is_normalised(model, grey=data.binarisation == "none")
    measure = "none" if not normalised else "mass" if model.is_mass else "density"
    return Comparable(data_name, data_fingerprint, split, _pixels(model, data), measure)


def scoreboard_entry(
    name: str, model: ModelConfig, data: DataConfig, data_name: str, data_fingerprint: str, nll: HeldOutNll
) -> ScoreboardEntry:
    """Return the row of a figure that was found of a model and data."""
    return ScoreboardEntry(
        name=name,
        model=_label(MODELS, model.model),
        likelihood=_label(LIKELIHOODS, model.likelihood),
        latent_dim=model.latent_dim if model.has_codes else None,
        num_pixels=model.num_pixels,
        group=comparable(model, data, data_name, data_fingerprint, nll.split),
        nll=nll,
    )


def grouped(entries: Iterable[ScoreboardEntry]) -> tuple[ScoreboardGroup, ...]:
    """Return the rows in groups that can be compared, in the order in which their first rows came."""
    groups: dict[tuple[str, ...], list[ScoreboardEntry]] = {}
    for entry in entries:
        groups.setdefault(entry.group.key, []).append(entry)
    result: list[ScoreboardGroup] = []
    for rows in groups.values():
        key = rows[0].group
        why = key.why_apart(result[0].key) if result else ""
        result.append(ScoreboardGroup(key, tuple(sorted(rows, key=_by_nll)), why))
    return tuple(result)


def _by_nll(entry: ScoreboardEntry) -> float:
    nll = entry.nll.nll
    return nll if math.isfinite(nll) else math.inf


def _pixels(model: ModelConfig, data: DataConfig) -> str:
    if data.binarisation != "none":
        seed = f", data seed {data.data_seed}" if data.binarisation == "fixed" else ""
        return f"binarisation: {_label(BINARISATIONS, data.binarisation)}{seed}"
    levels = model.grey_levels if model.likelihood == "categorical" else 256
    return f"grey, {levels} levels"


def _label(choices: tuple[Choice, ...], key: str) -> str:
    return next((choice.label for choice in choices if choice.name == key), key)
