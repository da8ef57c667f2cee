"""What one recipe measured, as a line of JSON, and the file that keeps these lines."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

ROWS = Path(__file__).parent / "rows.jsonl"


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over images, nats per image, with its standard error where the images are a sample of more."""

    value: float
    standard_error: float | None

    @classmethod
    def of(cls, values: np.ndarray[Any, Any]) -> Self:
        """Return the mean of one number an image."""
        error = float(values.std(ddof=1) / len(values) ** 0.5) if len(values) > 1 else None
        return cls(float(values.mean()), error)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number, nats per image, beside the published one."""

    name: str
    value: float
    standard_error: float | None
    """Over the images measured; None where they give none."""
    published: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """One model measured on one set of images."""

    recipe: str
    title: str
    source: str
    """Where the published figures stand."""
    full: bool
    """Whether the schedule is the long one, not a shortened one."""
    shipped: bool
    """Whether it is the model that comes with the program, which no recipe trains."""
    schedule: str
    seed: int
    latent_dim: int | None
    """None for a model without codes."""
    num_train: int
    num_images: int
    """Images that the figures are means over."""
    split: str
    binarisation: str
    estimator: str
    """How the figures were found, in words."""
    figures: tuple[Figure, ...]
    command: str
    """The command line that trains the same model."""
    training_seconds: float | None
    """By the clock on the wall, whatever else the machine did; None where nobody measured it."""
    training_processor_seconds: float | None
    measuring_seconds: float
    torch: str
    date: str

    @property
    def key(self) -> tuple[str, str, bool, int, str]:
        """What a newer measurement replaces an older one by."""
        return (self.recipe, self.title, self.full, self.seed, self.split)

    def to_json(self) -> str:
        """Return one line."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, line: str) -> Self:
        """Return the row in a line.  Raises ValueError or TypeError for what is none."""
        values: dict[str, Any] = json.loads(line)
        return cls(**{**values, "figures": tuple(Figure(**figure) for figure in values["figures"])})


def read_rows(path: Path = ROWS) -> tuple[Row, ...]:
    """Return the rows kept in a file; none where there is no file yet."""
    if not path.exists():
        return ()
    return tuple(Row.from_json(line) for line in path.read_text("utf-8").splitlines() if line.strip())


def keep_rows(new: Iterable[Row], path: Path = ROWS) -> tuple[Row, ...]:
    """Write the rows into the file, each in the place of an older one of the same key; return all that are there."""
    kept = {row.key: row for row in read_rows(path)}
    kept.update({row.key: row for row in new})
    rows = tuple(kept.values())
    path.write_text(_lines(rows), "utf-8")
    return rows


def _lines(rows: Sequence[Row]) -> str:
    return "".join(row.to_json() + "\n" for row in rows)
