"""docs/recipes.md out of the rows: `python -m benchmarks.recipes.table` renders it anew."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.recipes.definitions import RECIPES
from benchmarks.recipes.row import ROWS, Figure, Row, read_rows

PAGE = Path(__file__).parents[2] / "docs" / "recipes.md"

_HEAD = """# Published figures, repeated

Each recipe trains a model of a paper by the program's own `train` and measures the paper's figure on MNIST. Nats per
image; ± is the standard error over the images measured. `python -m benchmarks.recipes NAME` repeats one with a
**shortened** schedule on one processor thread; `--full` takes the paper's where it gives one (Burda et al.), else a
longer one, for hours.
This page is written by it from [rows.jsonl](../benchmarks/recipes/rows.jsonl), whatever the figures are.

"""
_NO_ROWS = "Nothing is measured yet.\n"
_TABLE_HEAD = """| figure | here | published | difference | model | images | schedule |
| --- | --- | --- | --- | --- | --- | --- |
"""
_COMPARISON = """
## What can be compared

- *Difference* is here minus published. For an NLL less is better, for an ELBO more. With a shortened schedule it holds
  what the passes left out are worth, and nothing here says how much of it that is. The IWAE had half the VAE's passes.
- A bound by importance sampling from the encoder's q is an upper bound of the NLL in expectation, there as here.
- A test image is drawn once, seeded by its index, and only as many are measured as the table says; which ones are drawn
  moves a mean by about its standard error, alike for two models that are measured on the same ones.
- MADE is trained and measured on a fixed draw of our own; the paper's is that of Salakhutdinov & Murray (2008), of the
  same greys.
- Weights start as everywhere in this program (last biases at the data's mean, the rest normal), not as in each paper.
- Mutual information is capped at ln N for N images: figures of different N cannot be compared.
- The papers of the two-dimensional model and of the gaps had networks and schedules of their own: those figures say
  whether the order of size is right, not more.

"""


def page(rows: Sequence[Row]) -> str:
    """Return the whole page."""
    if not rows:
        return _HEAD + _NO_ROWS
    rows = sorted(rows, key=_place)
    lines = [_line(row, figure) for row in rows for figure in row.figures]
    return _HEAD + _TABLE_HEAD + "".join(lines) + _COMPARISON + "## How each was found\n" + "".join(map(_section, rows))


def write_page(rows: Sequence[Row], path: Path = PAGE) -> None:
    """Write the page."""
    path.write_text(page(rows), "utf-8")


def _place(row: Row) -> int:
    return list(RECIPES).index(row.recipe)


def _line(row: Row, figure: Figure) -> str:
    published = "–" if figure.published is None else f"{_number(figure.published)} ({row.source})"
    difference = "–" if figure.published is None else f"{_signed(figure.value - figure.published)}"
    schedule = "as shipped" if row.shipped else "long" if row.full else "shortened"
    cells = (
        f"**{figure.name}**",
        measured(figure),
        published,
        difference,
        row.title,
        f"{row.num_images:,} {row.split}",
        schedule,
    )
    return "| " + " | ".join(_escaped(cells)) + " |\n"


def measured(figure: Figure) -> str:
    """Return a figure with its standard error."""
    error = "" if figure.standard_error is None else f" ± {figure.standard_error:.2g}"
    return f"{_number(figure.value)}{error}"


def _number(value: float) -> str:
    # A true minus, as long as the digits around it.
    return f"{value:.2f}".replace("-", "−")


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")


def _escaped(cells: Iterable[str]) -> list[str]:
    return [cell.replace("|", "\\|") for cell in cells]


def _section(row: Row) -> str:
    dims = "no latent code" if row.latent_dim is None else f"{row.latent_dim} latent dimensions"
    return (
        f"\n### `{row.recipe}`: {row.title}, on {row.split} images\n\n"
        f"- {dims}, trained on {row.num_train:,} images, measured on {row.num_images:,} {row.split} ones; binarisation "
        f"{row.binarisation}; seed {row.seed}.\n"
        f"- Schedule: {row.schedule}.\n"
        f"- Figures: {row.estimator}.\n"
        f"- {_took(row)}Measuring took {_seconds(row.measuring_seconds)}; torch {row.torch}, {row.date}.\n"
        f"\n```\n{row.command}\n```\n"
    )


def _took(row: Row) -> str:
    if row.training_seconds is None or row.training_processor_seconds is None:
        return ""
    return (
        f"Training took {_seconds(row.training_seconds)}, {_seconds(row.training_processor_seconds)} of one processor. "
    )


def _seconds(seconds: float) -> str:
    return f"{seconds / 60.0:.1f} min" if seconds >= 90.0 else f"{seconds:.0f} s"


if __name__ == "__main__":
    write_page(read_rows(ROWS))
