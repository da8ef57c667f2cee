"""Model files, damaged in every way we could think of, through the whole loader: refused with a reason, or sound."""

import math
import os
import tempfile
import warnings
from pathlib import Path

import numpy as np

from benchmarks.fuzz.isolation import Prepare, Tally, Trial, run
from benchmarks.fuzz.model_mutations import mutated
from benchmarks.reliability.dose import dose
from benchmarks.report import row
from core.models.layout import expected_shapes
from core.saved_model import SavedModel
from core.storage.model_file import ModelFileError, from_bytes, load_model, to_bytes
from core.storage.safetensors_header import HeaderError
from tests.core.tiny_models import saved_model, tiny_config

DEFAULT = 200_000
FULL = 10_000_000
HANG_S = 2.0
ROOM_BYTES = 64 * 2**20
_FROM_DISK = 50
"""One in so many is read from a file; the others, by the same code, from memory."""
_SAVED_AGAIN = 20


def main(count: int, seed: int) -> bool:
    """Print what came of so many damaged files; return whether every claim holds."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:  # noqa: PTH112, S108
        tally = run(_prepare(bases(), seed, Path(folder)), count)
    return report(tally)


def bases() -> list[bytes]:
    """Return small sound files: one of each kind of model, network and likelihood that changes what a file holds."""
    small = {"hidden": (3,), "channels": (2,), "image_height": 4, "image_width": 3}
    kinds: tuple[dict[str, object], ...] = (
        {},
        {"network": "conv"},
        {"model": "autoencoder"},
        {"model": "made"},
        {"likelihood": "gaussian", "variance": "global"},
        {"posterior": "full", "likelihood": "categorical", "grey_levels": 3},
    )
    return [to_bytes(saved_model(tiny_config(**small, **kind))) for kind in kinds]


def report(tally: Tally) -> bool:
    """Print the rows of a tally; return whether every claim holds."""
    for line in (*tally.crashes, *tally.examples):
        print(line)
    unsound = tally.outcomes.total() - tally.outcomes["sound"] - tally.outcomes["refused"]
    accepted = tally.outcomes["sound"]
    print(f"longest: file {tally.longest}, hungriest: file {tally.hungriest}")
    print(", ".join(f"{outcome}: {number:,}" for outcome, number in sorted(tally.outcomes.items())))
    kept = [
        row("files accepted, each of them sound", accepted / max(tally.count, 1), None, "of all"),
        row(
            "unsound files accepted (weights not finite or of another shape), or refused without name or reason",
            unsound,
            0,
            "files",
        ),
        row("crashes", len(tally.crashes), 0, "files"),
        row("exceptions of another kind than the documented one", tally.unexpected.total(), 0, "files"),
        row("the longest", tally.longest_s, HANG_S, "s"),
        row("memory for one file, at most", tally.peak_bytes / 2**20, ROOM_BYTES / 2**20, "MB"),
        row("files", tally.count, None, ""),
    ]
    return all(kept)


def _prepare(sound: list[bytes], seed: int, folder: Path) -> Prepare:
    def prepare(index: int) -> Trial:
        # A warning is a value that the loader let through and somebody stumbled over.
        warnings.simplefilter("error")
        data = mutated(sound, seed, index)
        path = None
        if index % _FROM_DISK == 0:
            path = folder / f"model.{os.getpid()}.safetensors"
            path.write_bytes(data)
        return Trial(lambda: _outcome(data, path, again=index % _SAVED_AGAIN == 0))

    return prepare


def _outcome(data: bytes, path: Path | None, *, again: bool) -> str:
    try:
        saved = from_bytes(data) if path is None else load_model(path)
    except HeaderError as error:
        return "refused" if str(error) else "refused without a reason"
    except ModelFileError as error:
        return "refused" if repr(str(path)) in str(error) else "refused without a name"
    return soundness(saved, again=again)


def soundness(saved: SavedModel, *, again: bool) -> str:
    """Return `sound`, or what is unsound in a model that was read; `again` also saves it and reads that."""
    shapes = expected_shapes(saved.config.model)
    if {name: array.shape for name, array in saved.weights.items()} != shapes:
        return "unsound: shapes"
    for array in saved.weights.values():
        if array.dtype != np.float32 or array.flags.writeable or not np.isfinite(array).all():
            return "unsound: weights"
    steps = saved.history.steps()
    if not math.isfinite(saved.epochs) or len(steps.nll) != len(steps.step):
        return "unsound: history"
    if again:
        copy = from_bytes(to_bytes(saved))
        if copy.config != saved.config or dict(copy.provenance) != dict(saved.provenance):
            return "unsound: saved again"
    return "sound"


if __name__ == "__main__":
    wanted = dose(__doc__, DEFAULT, FULL)
    main(wanted.count, wanted.seed)
