"""Runs at a learning rate of 10, of every model and many seeds: each ends with a model that can be used."""

import itertools
import sys

import numpy as np

from benchmarks.reliability.dose import dose
from benchmarks.report import row
from core.choices import MODELS, NETWORKS
from core.compatibility import check_experiment
from core.inference.coders import make_coder
from core.saved_model import SavedModel
from core.settings import ConfigError
from core.storage.model_file import from_bytes, to_bytes
from core.training.errors import TrainingError
from core.training.loop import TrainingRun
from tests.small_data import bar_data, small_config

DEFAULT, FULL = 100, 2000
RATE = 10.0
"""Ten thousand times what Adam is usually given."""
_EPOCHS = 40


def measure(count: int, seed: int) -> int:
    """Print the rows; return how many runs ended usable."""
    usable = rolled_back = gave_up = 0
    for number, values in zip(range(count), itertools.cycle(_combinations()), strict=False):
        run = TrainingRun(small_config(**{**values, "training.seed": seed + number}), bar_data())
        try:
            for _ in run.events():
                pass
        except TrainingError as error:
            gave_up += 1
            if "start again with a smaller learning rate" not in str(error):
                print(f"{values}: {error}", file=sys.stderr)
        kinds = {note.kind for note in run.history.notes}
        rolled_back += "rollback" in kinds
        problem = why_unusable(run.saved())
        usable += not problem
        if problem:
            print(f"run {number}, {values}: {problem}", file=sys.stderr)
    row(f"of {count} runs at a learning rate of {RATE:g}, usable in the end", usable, count, "", "more")
    row("of these, went back to a good state", rolled_back, None, "")
    row("of these, ended with the advice to choose a smaller rate", gave_up, None, "")
    return usable


def why_unusable(saved: SavedModel) -> str:
    """Return what is wrong with a model, or nothing: it can be kept, opened, decoded from and trained further."""
    opened = from_bytes(to_bytes(saved))
    if not all(np.isfinite(array).all() for array in opened.weights.values()):
        return "some weights are not finite"
    model = opened.config.model
    if model.has_codes:
        codes = np.random.default_rng(0).normal(size=(8, model.latent_dim)).astype(np.float32)
        pictures = make_coder(model, opened.as_weights(1)).decode(codes)
        if not np.isfinite(pictures).all():
            return "decoded pictures are not finite"
    gentle = opened.config.with_values({"learning_rate": 1e-4, "epochs": 1})
    further = TrainingRun(gentle, bar_data(), start=opened)
    for _ in further.events():
        pass
    costs = further.history.held_out[-1].means.nll
    return "" if np.isfinite(costs) else f"trained further, its held-out NLL is {costs}"


def _combinations() -> list[dict[str, object]]:
    found = []
    for model, network, schedule in itertools.product(MODELS, NETWORKS, ("constant", "cosine")):
        values: dict[str, object] = {
            "model.model": model.name,
            "network": network.name,
            "schedule": schedule,
            "channels": (4, 8),
            "learning_rate": RATE,
            "epochs": _EPOCHS,
        }
        try:
            check_experiment(small_config(**values))
        except ConfigError:
            continue
        found.append(values)
    return found


if __name__ == "__main__":
    wanted = dose(__doc__, DEFAULT, FULL)
    measure(wanted.count, wanted.seed)
