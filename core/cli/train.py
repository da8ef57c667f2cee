"""`train`: a model from data, or a model trained on."""

import argparse
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
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
from core.saved_model import SavedModel
from core.snapshots import HeldOutReport, Progress, RunNote
from core.storage.model_file import ModelFileError, load_model, save_model
from core.training.errors import TrainingError

if TYPE_CHECKING:
    from core.training.loop import Event, TrainingRun

SUCCESS = 0


def train(options: argparse.Namespace, command_line: str) -> int:
    """Train as the arguments say, writing the model at every epoch's end; return the exit status.

    SIGINT and SIGTERM end the run after the steps in hand, with what there is saved; a second one ends it at once.
    """
    out = checked_out(Path(options.out), "--out", force=options.force)
    # Before any file is read: a wrong setting is told in a tenth of a second.
    changed_settings(ExperimentConfig(), options.settings)
    start = load_model(options.resume) if options.resume else None
    config = _configuration(options, start)
    check_experiment(config)
    loading = ProgressBar("reading data", quiet=options.quiet)
    dataset = load_dataset(config.data, loading.update)
    loading.clear()
    with _signals() as received:
        from core.training.loop import TrainingRun  # noqa: PLC0415 - torch takes two seconds to import

        if received:
            return 128 + received[0]
        run = TrainingRun(config, dataset, start=start)
        provenance = _provenance(run.config, command_line, start)
        bar = ProgressBar("training", quiet=options.quiet)
        training = _Training(run, out, provenance, bar, keep_optimiser=not options.without_optimiser)
        return training.pull(received)


class _Training:
    """A run with the file it is written to and the bar that shows it."""

    def __init__(
        self, run: "TrainingRun", out: Path, provenance: dict[str, str], bar: ProgressBar, *, keep_optimiser: bool
    ) -> None:
        self._run = run
        self._out = out
        self._keep_optimiser = keep_optimiser
        self._provenance = provenance
        self._bar = bar
        self._first_step = self._saved_step = run.step

    def pull(self, received: list[int]) -> int:
        """Take the run's events until it ends or a signal came, and save; return the exit status."""
        failure: TrainingError | None = None
        try:
            events = self._run.events()
            while not received and (event := next(events, None)) is not None:
                self._show(event)
        except TrainingError as error:
            # The run then stands at its last good state, which is worth keeping.
            failure = error
        finally:
            self._bar.clear()
        if self._saved_step != self._run.step:
            self._save()
        if failure is not None:
            raise failure
        if received:
            # Weights that nothing was learned by must not replace what --force found in the file.
            kept = (
                f"the model is in {str(self._out)!r}" if self._saved_step > self._first_step else "nothing is written"
            )
            self._bar.say(f"stopped at step {self._run.step:,}; {kept}")
            return 128 + received[0]
        return SUCCESS

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
        try:
            self._save()
        except ModelFileError as error:
            # The disk may have room again at the next epoch's end; the run need not be lost for it.
            self._bar.clear()
            sys.stderr.write(f"latent-explorer: {error}; training goes on\n")


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
    """Collect SIGINT and SIGTERM instead of ending the program; a second one has its usual effect."""
    received: list[int] = []
    kinds = (signal.SIGINT, signal.SIGTERM)

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
    text = f"epoch {progress.epoch:.1f} of {progress.total_epochs:g}, {progress.images_per_second:,.0f} images/s"
    if progress.seconds_left is not None:
        text += f", {duration(progress.seconds_left)} left"
    return text


def _report_text(report: HeldOutReport, total_epochs: float) -> str:
    means = report.means
    costs = f"NLL {means.nll:.2f}"
    if means.elbo is not None and means.kl is not None:
        costs = f"ELBO {means.elbo:.2f}  {costs}  KL {means.kl:.2f}"
    return (
        f"epoch {report.epoch:g} of {total_epochs:g}  step {report.step:,}  held-out {costs} "
        f"nats per image ({report.num_images:,} images)"
    )
