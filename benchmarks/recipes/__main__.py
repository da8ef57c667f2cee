"""Runs recipes: trains, measures, keeps the rows and renders the table.

`python -m benchmarks.recipes vae made` runs two with shortened schedules; `--full` takes the published or longer ones,
which last hours; `--seconds` only says how long the training would take here.
"""

import argparse
import hashlib
import sys
from pathlib import Path

import torch

from benchmarks.recipes.definitions import RECIPES, Recipe
from benchmarks.recipes.measure import Measuring
from benchmarks.recipes.row import Row, keep_rows
from benchmarks.recipes.table import write_page
from benchmarks.recipes.training import command_line, configured, keep, kept, seconds_for, train
from core.data.dataset import Dataset
from core.data.sources import load_dataset
from core.training.fitting import fitted

SOURCE = "mnist"
MODELS = Path("build") / "recipes"


def main() -> int:
    """Run the named recipes, all without a name; return 0, or 2 for an unknown name."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.recipes", description="Repeat published figures.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"which: {', '.join(RECIPES)}; all by default")
    parser.add_argument("--full", action="store_true", help="the published or a longer schedule")
    parser.add_argument("--seconds", action="store_true", help="only say how long the training takes here")
    parser.add_argument("--again", action="store_true", help="train again what an earlier call has trained and kept")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in RECIPES]
    if unknown:
        print(f"unknown recipe {', '.join(unknown)}; known: {', '.join(RECIPES)}", file=sys.stderr)
        return 2
    torch.set_num_threads(1)
    for name in options.names or RECIPES:
        recipe = RECIPES[name]
        settings = recipe.all_settings(full=options.full)
        print(f"{name}: {recipe.title}\n  {command_line(SOURCE, settings, f'{name}.safetensors')}", flush=True)
        config = configured(SOURCE, settings)
        dataset = load_dataset(config.data)
        if options.seconds:
            print(f"  training takes about {seconds_for(config, dataset):,.0f} s here", flush=True)
            continue
        rows = run(recipe, dataset, full=options.full, again=options.again)
        write_page(keep_rows(rows))
    return 0


def run(recipe: Recipe, dataset: Dataset, *, full: bool, again: bool = False, models: Path = MODELS) -> list[Row]:
    """Return the rows of one recipe; its model is trained unless an earlier call kept it."""
    settings = recipe.all_settings(full=full)
    config = configured(dataset.config.source, settings)
    # By the settings, so that recipes that share a model share its file.
    path = models / f"{hashlib.sha256(' '.join(settings).encode()).hexdigest()[:16]}.safetensors"
    trained = None if again else kept(path, fitted(config, dataset, None))
    if trained is None:
        trained = train(config, dataset, say)
        keep(trained, path)
    rows = []
    for row in Measuring.of_trained(recipe, trained, dataset, full=full).measured():
        say(", ".join(f"{figure.name} {figure.value:.3f}" for figure in row.figures) + f" ({row.split}: {row.title})")
        rows.append(row)
    return rows


def say(text: str) -> None:
    """Print a line of progress."""
    print(f"  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
