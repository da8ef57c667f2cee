"""`train`: a model from data, or a model trained on."""

import argparse
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from core.cli.arguments import UsageError, changed_settings, shown_value
from core.cli.output import checked_out
from core.cli.progress_bar import ProgressBar, duration
from core.compatibility import check_experiment
from core.config import SECTIONS, DataConfig, ExperimentConfig
from core.data.importing import suggested_config
from core.data.sources import load_dataset, named_sources, source_path
from core.history import History
from core.saved_model import SavedModel
from core.snapshots import HeldOutReport, Progress, RunNote
from core.storage.model_file import ModelFileError, load_model, save_model
from core.storage.run_folder import CHECKPOINTS, is_run_folder, load_checkpoint, read_run
from core.stored_pictures import StoredPicturesError
from core.training.errors import TrainingError
from core.training.keeping import RunKeeper

if TYPE_CHECKING:
    from core.training.loop import Event, TrainingRun

SUCCESS = 0
# Epochs of a small data set are over in less time than the disk needs: saving takes a twentieth at most.
_SAVES_SHARE = 20.0
_ENDINGS = {"completed": "completed its epochs", "stopped": "was stopped", "failed": "failed"}


def train(options: argparse.Namespace, command_line: str) -> int:
    """Train as the arguments say, writing the model at epochs' ends; return the exit status.

    Meanwhile the run is kept in a folder beside that file, which a kill leaves for --resume.  SIGINT, SIGTERM and
    SIGHUP end the run after the steps in hand, with what there is saved; a second one ends it at once.
    """
    out = checked_out(Path(options.out), "--out", force=options.force)
    # Before any file is read: a wrong setting is told in a tenth of a second.
    changed_settings(ExperimentConfig(), options.settings)
    interrupted, start = _started_from(options)
    config = _configuration(options, start)
    check_experiment(config)
    loading = ProgressBar("reading data", quiet=options.quiet)
    dataset = load_dataset(config.data, loading.update)
    loading.clear()
    with _signals() as received:
        from core.training.loop import TrainingRun  # noqa: PLC0415 - torch takes two seconds to import

        if received:
            return 128 + received[0]
        bar = ProgressBar("training", quiet=options.quiet)
        keeper = RunKeeper(interrupted or out.with_suffix(".run"), out.stem, bar.complain)
        with closing(keeper):
            if interrupted and start is not None:
                keeper.take_up(start.history.last_step)
            preparing = _PreparingBar(ProgressBar("preparing", quiet=options.quiet), received)
            try:
                run = TrainingRun(config, dataset, start=start, resume=interrupted is not None, progress=preparing.tell)
            except _GivenUp:
                bar.say("stopped before the first step; nothing is written")
                return 128 + received[0]
            finally:
                preparing.bar.clear()
            keeper.begin(run, start.history if start is not None else History(run.config.model.latent_dim))
            provenance = _provenance(run.config, command_line, start)
            training = _Training(run, out, provenance, bar, keeper, keep_optimiser=not options.without_optimiser)
            return training.pull(received)


class _GivenUp(Exception):  # noqa: N818 - a request, not an error
    """A signal came while images were read that a run needs before its first step."""


class _PreparingBar:
    """Shows how far those images are read, which takes minutes for a file larger than memory."""

    def __init__(self, bar: ProgressBar, received: list[int]) -> None:
        self.bar = bar
        self._received = received

    def tell(self, share: float, text: str) -> None:
        if self._received:
            raise _GivenUp
        self.bar.update(share, text)


class _Training:
    """A run with the file it is written to and the bar that shows it."""

    def __init__(
        self,
        run: "TrainingRun",
        out: Path,
        provenance: dict[str, str],
        bar: ProgressBar,
        keeper: RunKeeper,
        *,
        keep_optimiser: bool,
    ) -> None:
        self._run = run
        self._out = out
        self._keep_optimiser = keep_optimiser
        self._provenance = provenance
        self._bar = bar
        self._keeper = keeper
        self._first_step = self._saved_step = run.step
        self._save_due = 0.0

    def pull(self, received: list[int]) -> int:
        """Take the run's events until it ends or a signal came, and save; return the exit status."""
        failure: TrainingError | StoredPicturesError | None = None
        try:
            events = self._run.events()
            while not received and (event := next(events, None)) is not None:
                self._keeper.record(event)
                self._show(event)
                self._keeper.keep_if_due(self._run)
        except (TrainingError, StoredPicturesError) as error:
            # The run then stands at its last good state, which is worth keeping.
            failure = error
        finally:
            self._bar.clear()
        if self._saved_step != self._run.step:
            self._save()
        if failure is not None:
            self._keeper.end("failed", self._run.saved(), is_written=True)
            raise failure
        if received:
            self._say_stopped()
            return 128 + received[0]
        # The model's file holds all that the run's folder does.
        self._keeper.discard()
        return SUCCESS

    def _say_stopped(self) -> None:
        # Weights that nothing was learned by must not replace what --force found in the file.
        learned = self._saved_step > self._first_step
        kept = f"the model is in {str(self._out)!r}" if learned else "nothing is written"
        if learned:
            self._keeper.keep(self._run)
        elif self._keeper.is_new:
            self._keeper.discard()
        folder = self._keeper.folder
        go_on = f"; --resume {shlex.quote(str(folder))} trains on to the end" if folder is not None else ""
        self._bar.say(f"stopped at step {self._run.step:,}; {kept}{go_on}")

    def _show(self, event: "Event") -> None:
        match event:
            case Progress(step=step):
                steps = self._run.total_steps - self._first_step
                self._bar.update((step - self._first_step) / steps, _progress_text(event))
            # A small held-out half is evaluated whole within an epoch too.
            case HeldOutReport(complete=True, epoch=epoch) if epoch.is_integer():
                self._bar.say(_report_text(event, self._run.total_epochs))
                self._save_if_possible()
            case RunNote(step, kind, text) if kind != "start":
                self._bar.say(f"step {step:,}: {text}")

    def _save(self) -> None:
        saved = self._run.saved()
        optimiser = saved.optimiser if self._keep_optimiser else {}
        provenance = {**saved.provenance, **self._provenance}
        save_model(self._out, replace(saved, provenance=provenance, optimiser=optimiser))
        self._saved_step = self._run.step

    def _save_if_possible(self) -> None:
        before = time.monotonic()
        if before < self._save_due:
            return
        try:
            self._save()
        except ModelFileError as error:
            # The disk may have room again at the next epoch's end; the run need not be lost for it.
            self._bar.complain(str(error))
        now = time.monotonic()
        self._save_due = now + _SAVES_SHARE * (now - before)


def _started_from(options: argparse.Namespace) -> tuple[Path | None, SavedModel | None]:
    """Return the folder of the run to go on with, if it is one, and the model to train on, if there is one."""
    if not options.resume:
        return None, None
    path = Path(options.resume)
    return (path, _interrupted(path, options)) if is_run_folder(path) else (None, load_model(path))


def _interrupted(folder: Path, options: argparse.Namespace) -> SavedModel:
    """Return the newest whole checkpoint of an interrupted run.  Raises UsageError, or RunFolderError."""
    if options.settings or options.data is not None:
        raise UsageError(
            "a run goes on as it was configured: without --set and --data; to train with others, give --resume the "
            f"file of one of its checkpoints, in {str(folder / CHECKPOINTS)!r}"
        )
    record = read_run(folder)
    if record.ending:
        raise UsageError(f"the run in {str(folder)!r} was not interrupted: it {_ENDINGS.get(record.ending, 'ended')}")
    saved, problems = load_checkpoint(record)
    for problem in problems:
        sys.stderr.write(f"latent-explorer: {problem}\n")
    return saved


def _configuration(options: argparse.Namespace, start: SavedModel | None) -> ExperimentConfig:
    """Return what to train: the data's suggestions or the model's own settings, then what --set changes."""
    if start is None:
        if options.data is None:
            raise UsageError(f"--data is needed: {', '.join(named_sources.names)} or a path")
        data = suggested_config(source_of(options.data))
        return changed_settings(replace(ExperimentConfig(), data=data), options.settings)
    config = start.config
    if options.data is not None:
        config = replace(config, data=replace(config.data, source=source_of(options.data)))
    return changed_settings(config, options.settings)


def source_of(data: str) -> str:
    """Return a source as a model remembers it: a name, or a path that holds in every folder.  Raises DataError."""
    return data if data in named_sources.names else str(source_path(DataConfig(source=data)).absolute())


def _provenance(config: ExperimentConfig, command_line: str, start: SavedModel | None) -> dict[str, str]:
    recipe = [
        f"{section}.{declared.name}={shown_value(getattr(getattr(config, section), declared.name))}"
        for section, declares in SECTIONS.items()
        for declared in declares.settings()
        # It follows from the likelihood's own, and a recipe is to be taken as it stands.
        if declared.name != "num_levels"
    ]
    provenance = {"command": command_line, "recipe": shlex.join(recipe), "seed": str(config.training.seed)}
    if start is not None:
        earlier = [start.provenance.get("earlier_commands", ""), start.provenance.get("command", "unknown")]
        provenance["earlier_commands"] = "\n".join(filter(None, earlier))
    return provenance


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Collect SIGINT, SIGTERM and SIGHUP instead of ending the program; a second one has its usual effect."""
    received: list[int] = []
    kinds = [signal.SIGINT, signal.SIGTERM]
    # nohup has it ignored, and means it.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        kinds.append(signal.SIGHUP)

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        for kind in kinds:
            signal.signal(kind, usual[kind])

    usual = {kind: signal.signal(kind, note) for kind in kinds}
    try:
        yield received
    finally:
        for kind in kinds:
            signal.signal(kind, usual[kind])


def _progress_text(progress: Progress) -> str:
    text = f"epoch {progress.epoch:.1f} of {progress.total_epochs:.4g}, {progress.images_per_second:,.0f} images/s"
    if progress.seconds_left is not None:
        text += f", {duration(progress.seconds_left)} left"
    return text


def _report_text(report: HeldOutReport, total_epochs: float) -> str:
    means = report.means
    costs = f"NLL {means.nll:.2f}"
    if means.elbo is not None and means.kl is not None:
        costs = f"ELBO {means.elbo:.2f}  {costs}  KL {means.kl:.2f}"
    return (
        f"epoch {report.epoch:g} of {total_epochs:.4g}  step {report.step:,}  held-out {costs} "
        f"nats per image ({report.num_images:,} images)"
    )
