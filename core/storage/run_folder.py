"""The folder of a training run, as it is read: what was trained, its checkpoints, its record, and how it ended.

`run.json` says what was to be done, `manifest.json` which checkpoints there are, with their SHA-256, and how the run
ended; `checkpoints/` holds model files, `metrics.jsonl` the record.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from core.config import ExperimentConfig
from core.history import LAST_STEP, History
from core.regular_files import open_regular, size_of
from core.saved_model import SavedModel
from core.settings import ConfigError
from core.storage.metrics import read_metrics
from core.storage.model_file import MAX_FILE_BYTES, from_bytes
from core.storage.run_lock import RunLock
from core.storage.safetensors_header import HeaderError, parse_json

FORMAT: Final = "latent-explorer run"
VERSION: Final = 1
RUN, MANIFEST, METRICS, CHECKPOINTS = "run.json", "manifest.json", "metrics.jsonl", "checkpoints"
_MAX_JSON_BYTES = 2**20
_MOST_LISTED = 100
_CHECKPOINT = re.compile(r"step-\d{1,19}\.safetensors")


class RunFolderError(Exception):
    """A run's folder cannot be read or written; the message names it and the reason."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{str(path)!r}: {reason}")
        self.path = path
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint as the manifest lists it."""

    file: str
    step: int
    epochs: float
    sha256: str
    num_bytes: int
    written: str
    """When, as an ISO date with its time zone."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What a run's folder says of the run."""

    path: Path
    name: str
    """Of the document that the run makes."""
    created: str
    config: ExperimentConfig
    total_epochs: float
    checkpoints: tuple[Checkpoint, ...]
    """Oldest first."""
    ending: str
    """`completed`, `stopped` or `failed`; empty while it runs, and for ever where it was interrupted."""
    problems: tuple[str, ...] = field(default=())
    """What of the folder cannot be read."""


def is_run_folder(path: Path) -> bool:
    """Whether this looks like a run's folder."""
    return (path / RUN).is_file()


def read_run(path: Path) -> RunRecord:
    """Return what a run's folder says.  Raises RunFolderError for one that is none, or of a newer program."""
    run = _read_json(path, RUN)
    try:
        name, created, total_epochs = str(run["name"])[:200], str(run["created"])[:40], float(run["total_epochs"])
        config = ExperimentConfig.from_mapping(run["config"])
    except ConfigError as error:
        raise RunFolderError(path, f"the configuration in {RUN} is not valid: {error}") from None
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise RunFolderError(path, f"{RUN} lacks what a run needs: {error!r}") from None
    try:
        manifest = _read_json(path, MANIFEST)
        checkpoints = tuple(_checkpoint(entry) for entry in manifest["checkpoints"][:_MOST_LISTED])
        ending = str(manifest["ending"])
    except FileNotFoundError:
        return RunRecord(path, name, created, config, total_epochs, (), "")
    except (RunFolderError, KeyError, TypeError, ValueError, OverflowError) as error:
        reason = error.reason if isinstance(error, RunFolderError) else repr(error)
        problem = f"{MANIFEST} cannot be read ({reason}); its checkpoints are taken as they lie there"
        return RunRecord(path, name, created, config, total_epochs, _found(path), "", (problem,))
    return RunRecord(path, name, created, config, total_epochs, checkpoints, ending)


def load_checkpoint(record: RunRecord) -> tuple[SavedModel, tuple[str, ...]]:
    """Return the newest checkpoint that is whole, and what is to be said of those that are not.

    Raises RunFolderError where none is.
    """
    problems = list(record.problems)
    for checkpoint in reversed(record.checkpoints):
        try:
            saved = from_bytes(_verified(record.path / CHECKPOINTS / checkpoint.file, checkpoint))
        except (OSError, HeaderError, MemoryError) as error:
            reason = error.strerror or str(error) if isinstance(error, OSError) else str(error) or "no memory for it"
            problems.append(f"the checkpoint of step {checkpoint.step:,} cannot be read: {reason}")
        else:
            return saved, tuple(problems)
    if not record.checkpoints:
        raise RunFolderError(record.path, "it was interrupted before its first checkpoint")
    raise RunFolderError(record.path, f"none of its checkpoints can be read: {'; '.join(problems)}")


def load_record(record: RunRecord) -> tuple[History, str]:
    """Return the curves that a run recorded, and what of them cannot be read, or nothing."""
    try:
        return read_metrics(record.path / METRICS, record.config.model.latent_dim)
    except OSError as error:
        return History(record.config.model.latent_dim), f"its record cannot be read: {error.strerror or error}"


def interrupted_runs(parent: Path) -> tuple[RunRecord, ...]:
    """Return the runs that ended without saying so and that nobody writes any more, the newest first.

    Folders that cannot be read are passed over.
    """
    found = []
    try:
        folders = [path for path in parent.iterdir() if is_run_folder(path)]
    except OSError:
        return ()
    for path in folders:
        try:
            record = read_run(path)
            if record.checkpoints and not record.ending and RunLock(path).is_free():
                found.append(record)
        except (RunFolderError, OSError):
            continue
    return tuple(sorted(found, key=lambda record: record.checkpoints[-1].written, reverse=True))


def _verified(path: Path, checkpoint: Checkpoint) -> bytes:
    with open_regular(path) as file:
        size = size_of(file)
        if checkpoint.sha256 and size != checkpoint.num_bytes:
            raise HeaderError(f"it has {size:,} bytes, not {checkpoint.num_bytes:,}")
        if size > MAX_FILE_BYTES:
            raise HeaderError(f"it has {size:,} bytes; at most {MAX_FILE_BYTES:,} are read")
        data = file.read(size + 1)
    if checkpoint.sha256 and hashlib.sha256(data).hexdigest() != checkpoint.sha256:
        raise HeaderError("its bytes are not those that were written (SHA-256)")
    return data


def _checkpoint(entry: Mapping[str, Any]) -> Checkpoint:
    checkpoint = Checkpoint(
        str(entry["file"]),
        int(entry["step"]),
        float(entry["epochs"]),
        str(entry["sha256"]),
        int(entry["bytes"]),
        str(entry["written"])[:40],
    )
    if not _CHECKPOINT.fullmatch(checkpoint.file) or not 0 <= checkpoint.step <= LAST_STEP:
        raise ValueError(f"{checkpoint.file[:80]!r} is no checkpoint")
    return checkpoint


def _found(path: Path) -> tuple[Checkpoint, ...]:
    """Return the checkpoints that lie in a folder whose manifest is lost; nothing vouches for their bytes."""
    try:
        files = sorted(each for each in (path / CHECKPOINTS).iterdir() if _CHECKPOINT.fullmatch(each.name))
    except OSError:
        return ()
    steps = [min(int(each.stem.removeprefix("step-")), LAST_STEP) for each in files]
    return tuple(Checkpoint(each.name, step, 0.0, "", 0, "") for each, step in zip(files, steps, strict=True))


def _read_json(folder: Path, name: str) -> Any:  # noqa: ANN401 - JSON can be anything
    """Return a JSON file of the folder, its format and version checked."""
    try:
        with open_regular(folder / name) as file:
            data = file.read(_MAX_JSON_BYTES + 1)
        if len(data) > _MAX_JSON_BYTES:
            raise RunFolderError(folder, f"{name} has more than {_MAX_JSON_BYTES:,} bytes")
        values = parse_json(data, name)
    except FileNotFoundError:
        if name == MANIFEST:
            raise
        raise RunFolderError(folder, f"{name} is missing: it is no run of this program") from None
    except OSError as error:
        raise RunFolderError(folder, f"{name} could not be read: {error.strerror or error}") from None
    except HeaderError as error:
        raise RunFolderError(folder, str(error)) from None
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise RunFolderError(folder, f"{name} is not that of a run of this program")
    version = values.get("version")
    if type(version) is not int or not version > 0:
        raise RunFolderError(folder, f"{name} has the version {version!r}, which is none")
    if version > VERSION:
        raise RunFolderError(
            folder, f"{name} has version {version}, of a newer program; this one reads versions up to {VERSION}"
        )
    return values
