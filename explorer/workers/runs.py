"""Runs in their folders, read for the window: those that were interrupted, and any one of them."""

from pathlib import Path

from PySide6.QtCore import QFile

from core.storage.run_folder import RunFolderError, RunRecord, interrupted_runs, load_checkpoint, load_record, read_run
from core.storage.run_lock import RunLock, owner_of
from core.storage.run_writer import sweep_ended_runs
from explorer.messages import InterruptedRun, LoadedRun


def found_runs(folder: Path) -> tuple[InterruptedRun, ...]:
    """Return the interrupted runs in a folder of runs, the newest first; old runs that ended are removed."""
    sweep_ended_runs(folder)
    return tuple(_offered(record) for record in interrupted_runs(folder))


def loaded_run(path: Path, *, to_resume: bool) -> LoadedRun:
    """Return what there is of a run: its newest whole checkpoint, or where there is none its curves alone.

    Raises RunFolderError for a folder that is no run's.
    """
    record = read_run(path)
    why_read_only = _why_read_only(path)
    interrupted = bool(not record.ending and not why_read_only)
    try:
        saved, problems = load_checkpoint(record)
    except RunFolderError as error:
        history, problem = load_record(record)
        problems = (error.reason, *filter(None, [problem]))
        return LoadedRun(
            path, record.name, record.config, history, None, problems, can_resume=False,
            why_read_only=why_read_only, to_resume=to_resume,
        )  # fmt: skip
    return LoadedRun(
        path, record.name, record.config, saved.history, saved, problems, can_resume=interrupted,
        why_read_only=why_read_only, to_resume=to_resume,
    )  # fmt: skip


def remove_run(path: Path) -> None:
    """Move a run's folder to the trash, from where it can be had back.

    Raises RunFolderError where somebody writes it, or there is no trash.
    """
    reason = _why_read_only(path)
    if reason:
        raise RunFolderError(path, f"{reason}; it stays where it is")
    # The stubs know only the form that also tells where.
    moved: object = QFile.moveToTrash(str(path))
    if moved is not True:
        raise RunFolderError(path, "there is no trash that it could be moved to; it stays where it is")


def _why_read_only(path: Path) -> str:
    try:
        return "" if RunLock(path).is_free() else f"it is being written by {owner_of(path)}"
    except OSError as error:
        return f"its folder cannot be written to ({error.strerror or error})"


def _offered(record: RunRecord) -> InterruptedRun:
    newest = record.checkpoints[-1]
    return InterruptedRun(
        record.path, record.name, newest.step, newest.epochs, record.total_epochs, newest.written or record.created
    )
