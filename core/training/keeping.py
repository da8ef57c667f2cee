"""A run kept on the disk while it trains: what a kill takes with it is the last few seconds."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.history import History
from core.saved_model import SavedModel
from core.snapshots import HeldOutReport, Progress, RunNote, StepReports
from core.storage.run_folder import RunFolderError
from core.storage.run_writer import RunWriter

if TYPE_CHECKING:
    # What it keeps runs on torch, which it does not need itself.
    from core.training.loop import TrainingRun

FIRST_S: Final = 5.0
"""A run that is younger is begun again as quickly as it is recovered."""
GAP_S: Final = 10.0
LONGEST_GAP_S: Final = 45.0
# Writing is to take no more than a fiftieth of the time.
_SHARE = 0.02
_FLUSH_S = 1.0


class RunKeeper:
    """Writes a run's folder.  A disk that fails is said once and tried again; the run goes on."""

    def __init__(
        self,
        folder: Path,
        name: str,
        on_problem: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make one that has no folder yet; `on_problem` hears a reason, or nothing once all is well again.

        `name` is that of the document which the run makes.
        """
        self._folder = folder
        self._name = name
        self._taken_up = False
        self._on_problem = on_problem
        self._now = clock
        self._writer: RunWriter | None = None
        self._problem = ""
        self._lacks_checkpoint = False
        self._due = self._now() + FIRST_S
        self._flush_due = self._now() + _FLUSH_S

    @property
    def folder(self) -> Path | None:
        """The folder that is being written; None while there is none."""
        return None if self._writer is None else self._writer.path

    @property
    def is_new(self) -> bool:
        """Whether the folder was made by this run, and not taken up."""
        return not self._taken_up

    def take_up(self, step: int) -> None:
        """Go on with the folder of an interrupted run.  Raises RunFolderError, as where another program writes it."""
        self._taken_up = True
        self._writer = RunWriter.take_up(self._folder, step)

    def begin(self, run: "TrainingRun", earlier: History) -> None:
        """Make the folder, unless it was taken up; `earlier` is what the model had seen before."""
        if self._writer is None:
            self._attempt(lambda: self._make(run, earlier))

    def record(self, event: StepReports | HeldOutReport | RunNote | Progress) -> None:
        """Take in what a run reports."""
        if self._writer is not None:
            self._writer.record(event)

    def keep_if_due(self, run: "TrainingRun") -> None:
        """Write a checkpoint if the last one is old enough, and what was recorded every second."""
        now = self._now()
        if now >= self._due:
            self.keep(run)
        elif now >= self._flush_due and self._writer is not None:
            self._flush_due = now + _FLUSH_S
            self._attempt(self._writer.flush, is_checkpoint=False)

    def keep(self, run: "TrainingRun") -> None:
        """Write a checkpoint now."""
        before = self._now()
        self._attempt(lambda: self._write(run))
        now = self._now()
        self._due = now + min(max(GAP_S, (now - before) / _SHARE), LONGEST_GAP_S)
        self._flush_due = now + _FLUSH_S

    def end(self, how: str, saved: SavedModel | None, *, is_written: bool) -> None:
        """Say how the run ended, and close its folder.

        Where the model could not be written elsewhere, a last checkpoint is, and the run is left for a recovery.
        """
        writer = self._writer
        # A run that could not even begin again is as interrupted as before.
        if writer is not None and saved is not None:
            self._attempt(lambda: writer.end(how) if is_written else writer.checkpoint(saved))
        self.close()

    def discard(self) -> None:
        """Remove the folder: what the run made is kept elsewhere, whole."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.discard()

    def close(self) -> None:
        """Close the folder, whatever state the run is in."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _make(self, run: "TrainingRun", earlier: History) -> None:
        self._writer = RunWriter.create(self._folder, self._name, run.config, run.total_epochs)
        self._writer.record_history(earlier)

    def _write(self, run: "TrainingRun") -> None:
        if self._writer is None:
            self._make(run, run.history)
        if self._writer is not None:
            self._writer.checkpoint(run.saved())

    def _attempt(self, action: Callable[[], None], *, is_checkpoint: bool = True) -> None:
        try:
            action()
        except RunFolderError as error:
            problem = str(error)
        else:
            problem = ""
        if self._lacks_checkpoint and not is_checkpoint:
            return  # a few lines of the record more or less: all is well when a checkpoint is there again
        self._lacks_checkpoint = bool(problem) and is_checkpoint
        if problem != self._problem:
            self._problem = problem
            self._on_problem(problem)
