"""The training thread: pulls the training loop, owns model and optimiser, reports at most 30 times a second."""

import contextlib
import queue
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from core.history import History
from core.saved_model import SavedModel
from core.settings import ConfigError
from core.snapshots import ExecutionPlan
from core.storage.run_folder import RunFolderError
from core.stored_pictures import StoredPicturesError
from core.training.errors import TrainingError
from core.training.keeping import RunKeeper
from explorer.messages import (
    Completed,
    Ending,
    Failed,
    JobFailed,
    RunReport,
    RunRequest,
    RunResult,
    RunState,
    RunWeights,
    SavedFile,
    Stopped,
)
from explorer.workers.cores import OwnCore
from explorer.workers.priority import lower_priority
from explorer.workers.run_batch import RunBatch
from explorer.workers.serving import ServingThread
from explorer.workers.torch_import import import_torch

if TYPE_CHECKING:
    from core.training.loop import TrainingRun

_REPORT_GAP_S = 1 / 30
_UNSEEN_S = 0.3
"""What is over by then needs no progress."""
# Each time the run comes up for air it takes the interpreter's lock from the window, and waits for it: while a hand
# moves that is too often thirty times a second, for both.
_STRETCH_FOR_A_HAND = 3


class _LoadTorch:
    """Import torch."""


class _Pause:
    """Let the run rest."""


class _Resume:
    """Let it go on."""


class _Stop:
    """End the run after its current chunk of steps."""


class _ShutDown:
    """End the thread."""


@dataclass(frozen=True, slots=True)
class _Change:
    """Set a setting of the run that can change while it lasts."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class _SendWeights:
    """Send a copy of the weights, under this version number."""

    version: int


@dataclass(frozen=True, slots=True)
class _Save:
    """Write the model of the run as it stands."""

    path: Path


_Command = RunRequest | _LoadTorch | _Pause | _Resume | _Stop | _ShutDown | _Change | _SendWeights | _Save


class _StopRun(Exception):  # noqa: N818 - a request, not an error
    """The user asked the run to end."""


class TrainingThread(ServingThread):
    """Trains one run at a time.  Its methods may be called from the GUI thread; they only queue commands."""

    torch_loaded = Signal(str)
    preparing = Signal(float, str)
    """How far the images are read, 0 to 1, that a run needs before its first step; nothing where that is done at once.
    """
    run_started = Signal(int, ExecutionPlan)
    state_changed = Signal(RunState)
    reported = Signal(RunReport)
    weights_ready = Signal(RunWeights)
    change_refused = Signal(Failed)
    model_saved = Signal(SavedFile)
    save_failed = Signal(JobFailed)
    keeping_failed = Signal(str)
    """Why the run cannot be kept on the disk at present; empty once it can again."""
    ended = Signal(RunResult)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("training")
        self._commands: queue.SimpleQueue[_Command] = queue.SimpleQueue()
        self._put_off: deque[_Command] = deque()
        """What was asked of a run before it could do it."""
        self._paused = False
        self._shutting_down = False
        self._request: RunRequest | None = None
        self._sharing = threading.Lock()
        self._hand_moves = False
        self._core: OwnCore | None = None
        self._computes_alone = False
        """Whether a run is computed with one thread, on the processor."""

    def load_torch(self) -> None:
        """Import torch now, so that the first run starts at once."""
        self._commands.put(_LoadTorch())

    def start_run(self, request: RunRequest) -> None:
        """Train; `run_started`, any number of reports and one `ended` follow."""
        self._commands.put(request)

    def pause(self) -> None:
        """Stop pulling the loop until `resume`."""
        self._commands.put(_Pause())

    def resume(self) -> None:
        """Pull the loop again."""
        self._commands.put(_Resume())

    def stop(self) -> None:
        """End the run after its current chunk of steps."""
        self._commands.put(_Stop())

    def change(self, name: str, value: float) -> None:
        """Change `learning_rate` or `beta` of the run from its next step on."""
        self._commands.put(_Change(name, value))

    def send_weights(self, version: int) -> None:
        """Send a copy of the weights, under this version number, after the current chunk."""
        self._commands.put(_SendWeights(version))

    def set_hand_moving(self, moving: bool) -> None:  # noqa: FBT001 - a setter
        """Come up for air less often while the hand moves, and let a run of one thread have a core for itself."""
        self._share_cores(hand_moves=moving)

    def _share_cores(self, *, hand_moves: bool | None = None, computes_alone: bool | None = None) -> None:
        """Note what changed, and have a core alone or give it back; from either thread."""
        with self._sharing:
            if hand_moves is not None:
                self._hand_moves = hand_moves
            if computes_alone is not None:
                self._computes_alone = computes_alone
            if self._core is None:
                return
            if self._hand_moves and self._computes_alone:
                self._core.take()
            else:
                self._core.give_back()

    def save(self, path: Path) -> None:
        """Write the model in training as it stands; `model_saved` or `save_failed` follows, unless it ends first."""
        self._commands.put(_Save(path))

    def shut_down(self) -> None:
        """End the run and then the thread."""
        super().shut_down()
        self._commands.put(_ShutDown())

    def serve(self) -> None:
        """Serve commands until told to shut down."""
        lower_priority(self)
        self._core = OwnCore()
        while not self._shutting_down:
            command = self._commands.get()
            if isinstance(command, RunRequest):
                self._train(command)
            elif isinstance(command, _LoadTorch):
                self._load_torch()
            elif isinstance(command, _ShutDown):
                return

    def on_breakdown(self, failed: Failed) -> None:
        """End the run that broke, for the window, which would otherwise show it as going on for ever."""
        self._share_cores(computes_alone=False)
        if self._request is not None:
            run_id, self._request = self._request.run_id, None
            self.state_changed.emit(RunState.IDLE)
            self.ended.emit(RunResult(run_id, failed, None, None))

    def _load_torch(self) -> None:
        try:
            self.torch_loaded.emit(import_torch())
        except Exception as error:
            self.torch_loaded.emit(f"failed: {error}")

    def _train(self, request: RunRequest) -> None:
        self._paused = False
        self._put_off.clear()
        self._request, keeping = request, request.keeping
        with contextlib.closing(RunKeeper(keeping.folder, keeping.name, self.keeping_failed.emit)) as keeper:
            result = self._trained(request, keeper)
        self._request = None
        self._share_cores(computes_alone=False)
        self.state_changed.emit(RunState.IDLE)
        self.ended.emit(result)

    def _trained(self, request: RunRequest, keeper: RunKeeper) -> RunResult:
        run: TrainingRun | None = None
        ending: Ending
        self.state_changed.emit(RunState.STARTING)
        try:
            if request.keeping.resume and request.start is not None:
                keeper.take_up(request.start.history.last_step)
            import_torch()
            from core.training import loop

            resume = request.keeping.resume
            telling = _PreparingReports(self.preparing.emit, self._check_wanted)
            with contextlib.closing(telling):
                run = loop.TrainingRun(
                    request.config, request.dataset, start=request.start, resume=resume, progress=telling.tell
                )
            earlier = request.start.history if request.start is not None else History(run.config.model.latent_dim)
            keeper.begin(run, earlier)
            self.run_started.emit(request.run_id, run.plan)
            self.state_changed.emit(RunState.RUNNING)
            self._share_cores(computes_alone=_is_of_one_thread(run))
            self._pull(request, run, keeper)
        except _StopRun:
            ending = Stopped()
        except (TrainingError, ConfigError, RunFolderError, StoredPicturesError) as error:
            ending = Failed(str(error))
        except MemoryError:
            ending = Failed("There is not enough memory for this run: choose a smaller network or fewer images.")
        except Exception as error:
            ending = Failed(str(error) or type(error).__name__, traceback.format_exc())
        else:
            ending = Completed()
        saved = run.saved() if run is not None else None
        path, problem = _written(request.autosave, saved, make_folder=True)
        keeper.end(type(ending).__name__.lower(), saved, is_written=path is not None)
        return RunResult(request.run_id, ending, saved, path, problem)

    def _check_wanted(self) -> None:
        """Raise _StopRun where the run was told to end before its first step; put off what else was asked of it."""
        with contextlib.suppress(queue.Empty):
            while True:
                command = self._commands.get(block=False)
                if isinstance(command, _ShutDown | _Stop):
                    self._shutting_down = isinstance(command, _ShutDown)
                    raise _StopRun
                if isinstance(command, _LoadTorch):
                    self._load_torch()
                else:
                    self._put_off.append(command)

    def _pull(self, request: RunRequest, run: "TrainingRun", keeper: RunKeeper) -> None:
        batch = RunBatch(request.run_id)
        events = run.events()
        try:
            for event in events:
                run.stretch = _STRETCH_FOR_A_HAND if self._hand_moves else 1
                batch.add(event)
                keeper.record(event)
                if batch.age_s >= _REPORT_GAP_S:
                    self.reported.emit(batch.take())
                self._obey_all(run, request, batch, keeper)
                keeper.keep_if_due(run)
        finally:
            events.close()
            if batch.filled:
                self.reported.emit(batch.take())

    def _obey_all(self, run: "TrainingRun", request: RunRequest, batch: RunBatch, keeper: RunKeeper) -> None:
        """Carry out what was queued; while paused, wait here for more."""
        while True:
            try:
                command = self._put_off.popleft() if self._put_off else self._commands.get(block=self._paused)
            except queue.Empty:
                return
            if isinstance(command, _Pause) and batch.filled:
                # Before it is said that the run stands still.
                self.reported.emit(batch.take())
            self._obey(command, run, request)
            if isinstance(command, _Pause):
                # Who pauses a run may leave it for hours.
                keeper.keep(run)

    def _obey(self, command: "_Command", run: "TrainingRun", request: RunRequest) -> None:
        match command:
            case _ShutDown() | _Stop():
                self._shutting_down = isinstance(command, _ShutDown)
                raise _StopRun
            case _Pause() if not self._paused:
                self._paused = True
                self._share_cores(computes_alone=False)
                self.state_changed.emit(RunState.PAUSED)
            case _Resume() if self._paused:
                self._paused = False
                self._share_cores(computes_alone=_is_of_one_thread(run))
                self.state_changed.emit(RunState.RUNNING)
            case _Change():
                self._change(command, run)
            case _SendWeights(version):
                weights = run.weights()
                numbered = type(weights)(version, weights.step, weights.arrays)
                self.weights_ready.emit(RunWeights(request.run_id, request.config.model, numbered))
            case _Save(path):
                self._save(path, run.saved())
            case _LoadTorch():
                self._load_torch()
            case _:
                # A second Pause or Resume, or a command that came late: nothing is left to do.
                pass

    def _change(self, command: _Change, run: "TrainingRun") -> None:
        """Change a live setting; a value that is not allowed is said and changes nothing."""
        setters = {"learning_rate": run.set_learning_rate, "beta": run.set_beta}
        try:
            setters[command.name](command.value)
        except ConfigError as error:
            self.change_refused.emit(Failed(str(error)))

    def _save(self, path: Path, saved: SavedModel) -> None:
        written, problem = _written(path, saved)
        if written is None:
            self.save_failed.emit(JobFailed("save model", str(path), Failed(problem)))
        else:
            self.model_saved.emit(SavedFile(path, saved))


class _PreparingReports:
    """Tells how far a run's images are read, once that takes long enough to be seen."""

    def __init__(self, say: Callable[[float, str], object], check_wanted: Callable[[], None]) -> None:
        self._say = say
        self._check_wanted = check_wanted
        self._due = time.monotonic() + _UNSEEN_S
        self._told = False

    def tell(self, fraction: float, text: str) -> None:
        self._check_wanted()
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + _REPORT_GAP_S
            self._told = True
            self._say(fraction, text)

    def close(self) -> None:
        if self._told:
            self._say(1.0, "")


def _is_of_one_thread(run: "TrainingRun") -> bool:
    return run.device.type == "cpu" and run.plan.threads == 1


def _written(path: Path, saved: SavedModel | None, *, make_folder: bool = False) -> tuple[Path | None, str]:
    """Return where the model was written, or None and the reason why it was not.

    Only folders of the program's own are made: where a user names one that is not there, it is a slip of the pen.
    """
    if saved is None:
        return None, ""
    from core.storage.model_file import ModelFileError, save_model

    try:
        if make_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        save_model(path, saved)
    except (ModelFileError, OSError) as error:
        return None, str(error)
    return path, ""
