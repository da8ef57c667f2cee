"""The folder of a training run, as it is written: by one program at a time, losing little to a kill at any moment."""

import contextlib
import datetime as dt
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final, Self

from core.config import ExperimentConfig
from core.history import History
from core.saved_model import SavedModel
from core.storage.atomic import sweep_stale_temporaries, sync_folder, write_atomically
from core.storage.metrics import Event, MetricsLog
from core.storage.model_file import ModelFileError, checked_bytes, reason_of
from core.storage.run_folder import (
    CHECKPOINTS,
    FORMAT,
    MANIFEST,
    METRICS,
    RUN,
    VERSION,
    Checkpoint,
    RunFolderError,
    RunRecord,
    is_run_folder,
    read_run,
)
from core.storage.run_lock import RunLock, owner_of

KEPT: Final = 3
"""So many checkpoints are kept, the newest ones."""
KEPT_RUNS: Final = 5
"""So many runs that ended are kept."""


class RunWriter:
    """Writes the folder of one run.  What fails is raised as RunFolderError; the run may go on and try again later."""

    def __init__(self, record: RunRecord, lock: RunLock, log: MetricsLog) -> None:
        """Use `create` or `take_up`."""
        self._record = record
        self._lock = lock
        self._log = log

    @property
    def path(self) -> Path:
        """The folder."""
        return self._record.path

    @classmethod
    def create(cls, path: Path, name: str, config: ExperimentConfig, total_epochs: float) -> Self:
        """Begin a run in a folder of this name, or with a number behind it where there is one.

        Raises RunFolderError.
        """
        try:
            folder = _made(path)
            record = RunRecord(folder, name, _now(), config, total_epochs, (), "")
            lock = cls._laid_out(record)
            return cls(record, lock, MetricsLog(folder / METRICS))
        except OSError as error:
            raise RunFolderError(path, f"could not be made: {reason_of(error)}") from error

    @classmethod
    def take_up(cls, path: Path, step: int) -> Self:
        """Go on with a run from one of its steps.  Raises RunFolderError, also where another program writes it."""
        lock = RunLock(path)
        try:
            acquired = lock.acquire()
        except OSError as error:
            raise RunFolderError(path, f"cannot be written to: {reason_of(error)}") from error
        if not acquired:
            raise RunFolderError(path, f"the run is being written by {owner_of(path)}")
        try:
            # Read once it is ours: the other program may have gone on until then.
            record = read_run(path)
            sweep_stale_temporaries(path / CHECKPOINTS)
            log = MetricsLog(path / METRICS)
        except OSError as error:
            lock.release()
            raise RunFolderError(path, f"cannot be written to: {reason_of(error)}") from error
        except RunFolderError:
            lock.release()
            raise
        log.resume_at(step)
        kept = tuple(each for each in record.checkpoints if each.step <= step)
        _sweep_checkpoints(record)
        return cls(replace(record, checkpoints=kept, ending="", problems=()), lock, log)

    def record(self, event: Event) -> None:
        """Take in an event; `flush` writes it."""
        self._log.add(event)

    def record_history(self, history: History) -> None:
        """Take in all that was reported before the run was kept; `flush` writes it."""
        self._log.add_history(history)

    def flush(self) -> None:
        """Write what was recorded.  Raises RunFolderError."""
        with self._errors():
            self._log.flush()

    def checkpoint(self, saved: SavedModel) -> None:
        """Write a checkpoint, list it, and forget those before the last three.  Raises RunFolderError."""
        with self._errors():
            if not is_run_folder(self.path):
                self._make_again(saved)
            self._log.sync()
            self._write_checkpoint(saved)

    def end(self, how: str) -> None:
        """Say how the run ended, so that it is not taken for an interrupted one.  Raises RunFolderError."""
        with self._errors():
            self._log.sync()
            self._list(self._record.checkpoints, how)

    def discard(self) -> None:
        """Close the folder and remove it."""
        self._log.close()
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.release()

    def close(self) -> None:
        """Let others write the folder."""
        self._log.close()
        self._lock.release()

    def _write_checkpoint(self, saved: SavedModel) -> None:
        folder = self.path / CHECKPOINTS
        data = checked_bytes(folder, saved)
        step = saved.history.last_step
        checkpoint = Checkpoint(
            f"step-{step:010}.safetensors", step, saved.epochs, hashlib.sha256(data).hexdigest(), len(data), _now()
        )
        # One of the same step is the same but for its date, and listed with another sum: not to be written over
        # before the manifest says so.
        if any(each.step == step for each in self._record.checkpoints):
            return
        write_atomically(folder / checkpoint.file, data)
        self._list((*self._record.checkpoints, checkpoint)[-KEPT:], "")
        _sweep_checkpoints(self._record)

    def _list(self, checkpoints: tuple[Checkpoint, ...], ending: str) -> None:
        entries = [
            {("bytes" if name == "num_bytes" else name): value for name, value in asdict(each).items()}
            for each in checkpoints
        ]
        _write_json(self.path / MANIFEST, {"checkpoints": entries, "ending": ending})
        self._record = replace(self._record, checkpoints=checkpoints, ending=ending)

    def _make_again(self, saved: SavedModel) -> None:
        """Make the folder anew that somebody removed or renamed, with all that the run knows of itself."""
        self._log.close()
        self._lock.release()
        self.path.mkdir(parents=True, exist_ok=True)
        self._record = replace(self._record, checkpoints=())
        self._lock = self._laid_out(self._record)
        self._log = MetricsLog(self.path / METRICS)
        self._log.add_history(saved.history)

    @staticmethod
    def _laid_out(record: RunRecord) -> RunLock:
        lock = RunLock(record.path)
        lock.acquire()
        (record.path / CHECKPOINTS).mkdir(exist_ok=True)
        # Else a lost power could take a folder whose files are all on the disk.
        for folder in (record.path, record.path.parent):
            sync_folder(folder)
        values = {
            "name": record.name,
            "created": record.created,
            "total_epochs": record.total_epochs,
            "config": record.config.to_mapping(),
        }
        _write_json(record.path / RUN, values)
        return lock

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except ModelFileError as error:
            raise RunFolderError(self.path, error.reason) from error
        except OSError as error:
            raise RunFolderError(self.path, f"could not be written: {reason_of(error)}") from error


def sweep_ended_runs(parent: Path, keep: int = KEPT_RUNS) -> tuple[Path, ...]:
    """Remove the folders of runs that ended, but for the newest few; return their paths.

    What such a run made is in the file of its model; one that was killed in its first seconds made nothing.  A run
    that can be recovered stays, and what another program writes.  Never raises OSError.
    """
    ended = []
    with contextlib.suppress(OSError):
        for path in parent.iterdir():
            with contextlib.suppress(RunFolderError, OSError):
                record = read_run(path)
                if record.ending or not record.checkpoints:
                    ended.append((path.joinpath(RUN).stat().st_mtime, path))
    swept = []
    for _, path in sorted(ended, reverse=True)[keep:]:
        with contextlib.suppress(OSError):
            lock = RunLock(path)
            if lock.acquire():
                shutil.rmtree(path, ignore_errors=True)
                lock.release()
                swept.append(path)
    return tuple(swept)


def _sweep_checkpoints(record: RunRecord) -> None:
    """Remove the checkpoints that the manifest does not list: old ones, and one that a kill left without its entry."""
    listed = {each.file for each in record.checkpoints}
    for path in (record.path / CHECKPOINTS).glob("step-*.safetensors"):
        if path.name not in listed:
            with contextlib.suppress(OSError):
                path.unlink()


def _made(path: Path) -> Path:
    """Return a folder that was made just now, by nobody else."""
    if path.parent.exists() and not path.parent.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path.parent))
    path.parent.mkdir(parents=True, exist_ok=True)
    candidate, number = path, 2
    while True:
        try:
            candidate.mkdir()
        except FileExistsError:
            candidate, number = path.with_name(f"{path.name} {number}"), number + 1
        else:
            return candidate


def _write_json(path: Path, values: Mapping[str, object]) -> None:
    text = json.dumps({"format": FORMAT, "version": VERSION, **values}, indent=1)
    write_atomically(path, text.encode())


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
