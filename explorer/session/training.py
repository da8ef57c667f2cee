"""The run in progress: start, pause, change, stop; its reports to the curves, its weights to the canvas."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from core.compatibility import check_experiment, data_for, is_normalised
from core.config import ExperimentConfig
from core.data.dataset import Dataset
from core.history import History
from core.saved_model import SavedModel
from core.settings import ConfigError
from core.snapshots import ExecutionPlan, HeldOutReport
from explorer.messages import (
    Completed,
    Ending,
    Failed,
    RunKeeping,
    RunReport,
    RunRequest,
    RunResult,
    RunState,
    RunWeights,
    Stopped,
)
from explorer.session.latent import LatentSession
from explorer.views.curves import CurvesPanel
from explorer.views.panels import TrainingPanel
from explorer.workers.training import TrainingThread

# The canvas follows a run at most twice a second and takes at most a tenth of the time.
_REFRESH_GAP_MS = 500
# While the hand moves half as often: each takes 15 ms of the window's thread, which one movement or two would feel.
_REFRESH_GAP_BESIDE_HAND_MS = 1000
_REFRESH_SHARE = 0.1


class TrainingSession(QObject):
    """Starts runs and shows them; there is at most one."""

    state_changed = Signal(RunState)
    run_ended = Signal(RunResult)
    weights_sent = Signal(RunWeights)
    """A version of the weights of the run in progress."""
    held_out_reported = Signal(HeldOutReport)
    epochs_changed = Signal(float)
    """How many epochs the model in training has seen."""

    def __init__(
        self,
        panel: TrainingPanel,
        curves: CurvesPanel,
        latent: LatentSession,
        training: TrainingThread,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._panel = panel
        self._curves = curves
        self._latent = latent
        self._training = training
        self._state = RunState.IDLE
        self._run_id = 0
        self._told_end = 0
        self._version = 1
        self._epochs_told = -1.0
        self._refresh_gap_ms = _REFRESH_GAP_MS
        self.history = History(2)
        self._refresh_timer = QTimer(self)
        self._refresh_timer.setSingleShot(True)
        self._refresh_timer.timeout.connect(self._ask_weights)
        training.state_changed.connect(self._on_state_changed)
        training.run_started.connect(self._on_run_started)
        training.reported.connect(self._on_reported)
        training.weights_ready.connect(self._on_weights_ready)
        training.ended.connect(self._on_ended)
        training.ended.connect(self._see_it_over)
        latent.refreshed.connect(self._on_refreshed)
        panel.pause_requested.connect(self.pause)
        panel.resume_requested.connect(self.resume)
        panel.stop_requested.connect(self.stop)

    @property
    def state(self) -> RunState:
        """What the training thread is doing."""
        return self._state

    @property
    def active(self) -> bool:
        """Whether a run is in progress, paused ones included."""
        return self._state is not RunState.IDLE

    def next_version(self) -> int:
        """Return a version number that no weights had before in this program."""
        self._version += 1
        return self._version

    def show_history(self, history: History, config: ExperimentConfig) -> None:
        """Show the curves of a model that was opened or started."""
        self.history = history
        self._panel.set_status("")
        self._panel.set_plan("")
        self._curves.set_model(config.model)
        self._curves.set_history(history)
        self._curves.set_unit_note(unit_note(config))

    def start(
        self,
        config: ExperimentConfig,
        dataset: Dataset,
        start: SavedModel | None,
        autosave: Path,
        keeping: RunKeeping,
    ) -> None:
        """Train a new model, or `start` further; the model is written to `autosave` in the end."""
        if self.active:
            return
        self._run_id += 1
        self._set_state(RunState.STARTING)
        if start is None:
            self.show_history(History(config.model.latent_dim), config)
        else:
            self._curves.set_unit_note(unit_note(config))
            # The open model keeps its own curves, whatever becomes of the run.
            self.history = start.history.copy()
        self._latent.set_live(True)
        self._training.start_run(RunRequest(self._run_id, config, dataset, start, autosave, keeping))

    def pause(self) -> None:
        """Hold the run where it is."""
        if self._state is RunState.RUNNING:
            self._training.pause()

    def resume(self) -> None:
        """Let a held run go on."""
        if self._state is RunState.PAUSED:
            self._training.resume()

    def stop(self) -> None:
        """End the run; the model keeps what it has learned."""
        if self.active and self._state is not RunState.STOPPING:
            self._set_state(RunState.STOPPING)
            self._training.stop()

    def set_hand_moving(self, moving: bool) -> None:  # noqa: FBT001 - a setter
        """Follow the run less often while the hand moves."""
        self._refresh_gap_ms = _REFRESH_GAP_BESIDE_HAND_MS if moving else _REFRESH_GAP_MS

    def change(self, name: str, value: float) -> None:
        """Change a live setting of the run in progress."""
        if self.active:
            self._training.change(name, value)

    def _set_state(self, state: RunState) -> None:
        self._state = state
        self._panel.set_run_state(state)
        self.state_changed.emit(state)

    def _on_state_changed(self, state: RunState) -> None:
        # Idle is said by `ended`, with the result; what comes before a stop was carried out is no news.
        if state is RunState.IDLE or self._state is RunState.STOPPING:
            return
        self._set_state(state)

    def _on_run_started(self, run_id: int, plan: ExecutionPlan) -> None:
        if run_id == self._run_id:
            self._panel.set_plan(plan.text)
            self._ask_weights()

    def _on_reported(self, report: RunReport) -> None:
        if report.run_id != self._run_id:
            return
        for steps in report.steps:
            self.history.add_steps(steps)
            self._curves.add_steps(steps)
        for held_out in report.held_out:
            self.history.add_held_out(held_out)
            self._curves.add_held_out(held_out)
            self.held_out_reported.emit(held_out)
        for note in report.notes:
            self.history.add_note(note)
            self._curves.add_note(note)
            if note.kind in {"non_finite", "warning", "rollback", "memory", "resumed"}:
                self._panel.set_status(note.text)
            elif note.kind == "start":
                self._panel.set_plan(note.text)
        if report.progress is not None:
            self._panel.set_progress(report.progress)
            self._tell_epochs(report.progress.epoch)

    def _tell_epochs(self, epochs: float) -> None:
        # As often as the figure shown changes, which has one decimal.
        shown = round(epochs, 1)
        if shown != self._epochs_told:
            self._epochs_told = shown
            self.epochs_changed.emit(epochs)

    def _ask_weights(self) -> None:
        if self._state in (RunState.RUNNING, RunState.STARTING):
            self._training.send_weights(self.next_version())
        elif self._state is RunState.PAUSED:
            self._refresh_timer.start(_REFRESH_GAP_MS)

    def _on_weights_ready(self, sent: RunWeights) -> None:
        if sent.run_id == self._run_id:
            self.weights_sent.emit(sent)

    def _on_refreshed(self, elapsed_ms: float) -> None:
        if self.active:
            rest = elapsed_ms * (1.0 / _REFRESH_SHARE - 1.0)
            self._refresh_timer.start(int(max(self._refresh_gap_ms, min(rest, 60_000))))

    def _on_ended(self, result: RunResult) -> None:
        if result.run_id != self._run_id:
            return
        self._refresh_timer.stop()
        self._set_state(RunState.IDLE)
        self._panel.set_progress(None)
        self._panel.set_status(ending_text(result.ending, result.save_error))
        if result.saved is not None:
            self.history = result.saved.history
            self._curves.set_history(self.history)
        self._told_end = result.run_id
        self.run_ended.emit(result)
        self._latent.set_live(False)

    def _see_it_over(self, result: RunResult) -> None:
        """See to it that a run that has ended is over, also when an error kept its end from being told.

        Else the window would say for ever that it stops, and nothing could be opened or trained.
        """
        if result.run_id == self._run_id and self._told_end != result.run_id:
            self._told_end = result.run_id
            self._refresh_timer.stop()
            self._set_state(RunState.IDLE)
            self.run_ended.emit(result)
            self._latent.set_live(False)


def ending_text(ending: Ending, save_error: str = "") -> str:
    """Return how a run ended, in a sentence for the user."""
    match ending:
        case Completed():
            text = "Training completed."
        case Stopped():
            text = "Training stopped; Continue trains on from here."
        case Failed(reason):
            text = f"Training failed: {reason}"
    return f"{text} The model could not be saved: {save_error}" if save_error else text


def checked_start(config: ExperimentConfig, dataset: Dataset, start: SavedModel | None) -> ExperimentConfig:
    """Return the configuration of a run on this data.  Raises ConfigError, with the reason, where none is possible.

    A new model sees the binarisation that is chosen for it, one that is trained on the one that it is shown with.
    """
    height, width = dataset.height, dataset.width
    if start is None:
        model = replace(config.model, image_height=height, image_width=width)
        data = replace(dataset.config, binarisation=config.data.binarisation)
        return _checked(ExperimentConfig(data, model, config.objective, config.training))
    model = start.config.model
    if (model.image_height, model.image_width) != (height, width):
        raise ConfigError(
            f"the open model was made for pictures of {model.image_height}×{model.image_width} pixels, "
            f"the open data has {height}×{width}"
        )
    return _checked(ExperimentConfig(dataset.config, model, config.objective, config.training))


def _checked(config: ExperimentConfig) -> ExperimentConfig:
    result = replace(config, data=data_for(config.data, config.model))
    check_experiment(result)
    return result


def unit_note(config: ExperimentConfig) -> str:
    """Return what must be said beside nats that are not those of a likelihood; empty where they are."""
    if not config.model.is_mass:
        return "Nats of a density: not to be compared with those of a mass, and no bits per pixel."
    normalised = is_normalised(config.model, grey=config.data.binarisation == "none")
    return "" if normalised else "Bernoulli nats of grey pixels are not a likelihood."
