"""Data files, damaged or made to take too much, through every reader: refused with a reason, or read within bounds."""

import os
import random
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.fuzz.data_bases import array_files, picture_files
from benchmarks.fuzz.data_mutations import mutated
from benchmarks.fuzz.isolation import Prepare, Tally, Trial, run
from benchmarks.fuzz.monsters import Monster, monsters
from benchmarks.reliability.dose import dose
from benchmarks.report import row
from core.config import DataConfig
from core.data.dataset import DataError, ProgressCallback
from core.data.importing import import_picture, needs_import_choices, preview_import, suggested_config
from core.data.sources import load_dataset

DEFAULT = 1_000_000
FULL = 10_000_000
HANG_S = 2.0
ROOM_BYTES = 64 * 2**20
SIDE = 8
_FOLDERS = 0.03
"""Share of the trials that are of a folder: each writes a handful of files."""


def main(count: int, seed: int) -> bool:
    """Print what came of so many damaged files, and of the largest; return whether every claim holds."""
    parent = Path("/dev/shm")  # noqa: S108 - in memory, for files that are written by the million
    with tempfile.TemporaryDirectory(dir=parent if parent.is_dir() else None) as folder:
        damaged = run(_damaged(seed, Path(folder)), count)
        largest_files = monsters(64 if count >= DEFAULT else 8)
        largest = run(
            _monsters(largest_files, Path(folder)), len(largest_files) * len(_READINGS), batch=4, patience_s=300.0
        )
    return all([report("damaged", damaged), report("made to take too much", largest)])


def report(what: str, tally: Tally) -> bool:
    """Print the rows of a tally; return whether every claim holds."""
    for line in (*tally.crashes, *tally.examples):
        print(f"{what}: {line}")
    print(f"{what}: longest: {tally.longest}, hungriest: {tally.hungriest}")
    print(f"{what}: " + ", ".join(f"{outcome}: {number:,}" for outcome, number in sorted(tally.outcomes.items())))
    unsound = tally.outcomes.total() - tally.outcomes["read"] - tally.outcomes["refused"]
    kept = [
        row(f"{what}: read", tally.outcomes["read"] / max(tally.count, 1), None, "of all"),
        row(f"{what}: read wrongly, refused without a reason, or {HANG_S:g} s without progress", unsound, 0, "files"),
        row(f"{what}: crashes", len(tally.crashes), 0, "files"),
        row(f"{what}: exceptions other than DataError", tally.unexpected.total(), 0, "files"),
        row(f"{what}: the longest", tally.longest_s, HANG_S if what == "damaged" else None, "s"),
        row(f"{what}: memory beyond the need, at most", tally.peak_bytes / 2**20, ROOM_BYTES / 2**20, "MB"),
        row(f"{what}: files", tally.count, None, ""),
    ]
    return all(kept)


Reading = Callable[[Path, ProgressCallback], str]


class _Watch:
    """Notes the longest time without progress."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._at = time.monotonic()

    def __call__(self, _share: float, _text: str) -> None:
        """Take a step of progress; the end is one."""
        now = time.monotonic()
        self.longest_s, self._at = max(self.longest_s, now - self._at), now


def _load(path: Path, progress: ProgressCallback) -> str:
    found = load_dataset(DataConfig(source=str(path), image_size=SIDE), progress)
    for split in (found.train, found.held_out):
        images = split.images[:]
        if images.dtype != np.uint8 or images.ndim != 3 or images.flags.writeable:
            return "wrong pictures"
        if split.labels is not None and (len(split.labels) != len(split.images) or (split.labels < 0).any()):
            return "wrong labels"
    return "read"


def _look(path: Path, _: ProgressCallback) -> str:
    needs_import_choices(path)
    found = preview_import(path, suggested_config(path))
    return "read" if all(picture.dtype == np.uint8 for picture in found.pictures) else "wrong pictures"


def _picture(path: Path, _: ProgressCallback) -> str:
    found = import_picture(path, DataConfig(image_size=SIDE))
    return "read" if found.shape == (SIDE, SIDE) and found.dtype == np.uint8 else "wrong picture"


_READINGS: tuple[Reading, ...] = (_load, _look, _picture)
_ARRAYS, _PICTURES = array_files(), picture_files()
_BASES = _ARRAYS | _PICTURES


def outcome(reading: Reading, path: Path) -> str:
    """Return what came of reading a path in a word; only what is no DataError is raised."""
    warnings.simplefilter("ignore")
    watch = _Watch()
    try:
        found = reading(path, watch)
    except DataError as error:
        found = "refused" if str(error).strip() else "refused without a reason"
    watch(1.0, "")
    return found if watch.longest_s <= HANG_S else f"{found} after {HANG_S:g} s without progress"


def _damaged(seed: int, folder: Path) -> Prepare:
    suffixes = list(_BASES)

    def prepare(index: int) -> Trial:
        # Not the global generator, and quicker to make than numpy's.
        rng = random.Random((seed << 48) + index)  # noqa: S311 - no secret
        own = folder / str(os.getpid())
        own.mkdir(exist_ok=True)
        if rng.random() < _FOLDERS:
            path = _folder(rng, own / "pictures")
            return Trial(lambda: outcome(rng.choice((_load, _look)), path))
        suffix = rng.choice(list(_ARRAYS)) if rng.random() < 0.6 else rng.choice(suffixes)
        # The contents may be of another kind than the name says.
        name = suffix if rng.random() < 0.95 else rng.choice(suffixes)
        path = own / f"train-images{'.idx' if name == '.gz' else ''}{name}"
        path.write_bytes(mutated(suffix, _BASES, rng))
        if suffix in (".idx", ".gz"):
            _beside(rng, own, path)
        reading = _picture if suffix in _PICTURES else rng.choice((_load, _look, _load, _picture))
        return Trial(lambda: outcome(reading, path))

    return prepare


def _beside(rng: random.Random, own: Path, path: Path) -> None:
    """Put labels and test images beside an IDX file, or take those of another trial away."""
    for name in ("train-labels.idx", "t10k-images.idx"):
        beside = own / name
        if path != beside and rng.random() < 0.3:
            beside.write_bytes(mutated(".idx", _BASES, rng))
        else:
            beside.unlink(missing_ok=True)


def _folder(rng: random.Random, root: Path) -> Path:
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    for number in range(rng.randrange(5)):
        suffix = rng.choice(list(_PICTURES))
        inside = root / rng.choice(("", "a", "b", "1", "é"))
        inside.mkdir(exist_ok=True)
        name = rng.choice((f"{number}", "x\ny", "'\"", "😀", os.fsdecode(b"\xff"), "." + str(number)))
        (inside / f"{name}{suffix}").write_bytes(mutated(suffix, _BASES, rng))
    match rng.randrange(8):
        case 0:
            (root / "round.png").symlink_to(root)
        case 1:
            os.mkfifo(root / "pipe.png")
        case 2:
            (root / "zero.png").symlink_to("/dev/zero")
        case 3:
            (root / "folder.png").mkdir()
        case 4:
            (root / "nowhere.png").symlink_to(root / "nothing")
        case 5:
            (root / "empty.png").touch()
    return root


def _monsters(files: list[Monster], folder: Path) -> Prepare:
    def prepare(index: int) -> Trial:
        monster = files[index // len(_READINGS)]
        path = folder / f"{os.getpid()}-{monster.name}"
        for other in folder.glob(f"{os.getpid()}-*"):
            other.unlink()
        path.write_bytes(monster.data)
        reading = _READINGS[index % len(_READINGS)]
        return Trial(lambda: outcome(reading, path), monster.need_bytes)

    return prepare


if __name__ == "__main__":
    wanted = dose(__doc__, DEFAULT, FULL)
    main(wanted.count, wanted.seed)
