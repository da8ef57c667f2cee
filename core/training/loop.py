"""The training loop: a generator that yields frozen reports, about thirty milliseconds of steps apart.

All state lives in the run, none in the generator: whoever stops pulling pauses, and what `saved` returns between two
yields is consistent.  Chunks only decide how often the host looks: the same seed gives the same weights whatever they
are.
"""

import datetime as dt
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import numpy as np
import torch

from core.compatibility import check_experiment
from core.config import ExperimentConfig
from core.data.dataset import Dataset
from core.history import History
from core.models.build import build_model, load_weights, weights_of
from core.objectives.registry import OBJECTIVES
from core.saved_model import SavedModel
from core.snapshots import ExecutionPlan, HeldOutReport, Progress, RunNote, StepReports, Weights, frozen
from core.training.chunks import CHUNK_SECONDS, ChunkLength
from core.training.device import check_size, choose_device, choose_threads
from core.training.divergence import MAX_ROLLBACKS, SNAPSHOT_STEPS, STREAK_TO_HALT, Divergence
from core.training.errors import TrainingError
from core.training.fitting import changes, fitted
from core.training.held_out import Evaluation, HeldOutImages
from core.training.pace import Pace
from core.training.position import Position
from core.training.randomness import Stream, epoch_order, reseed
from core.training.resident import ResidentImages
from core.training.schedules import SCHEDULES
from core.training.steps import GuardedStepper, StepCosts
from core.training.taking import EagerSteps, step_taker

Event = StepReports | HeldOutReport | RunNote | Progress

EVALUATIONS_PER_EPOCH: Final = 4
_SECTION_OF_LIVE = {"learning_rate": "training", "beta": "objective"}


class TrainingRun:
    """Trains a new model, or one that was saved, for `config.training.epochs` more epochs on a data set.

    Raises TrainingError or ConfigError where configuration, data set and saved model do not fit.  To be pulled by one
    thread; `set_learning_rate` and `set_beta` may be called from another.
    """

    def __init__(
        self,
        config: ExperimentConfig,
        dataset: Dataset,
        *,
        start: SavedModel | None = None,
        steps_per_chunk: int | None = None,
        capture: bool = True,
    ) -> None:
        """Make a run; `steps_per_chunk` and `capture` overrule what it would choose by itself."""
        self.config = fitted(config, dataset, start)
        training = self.config.training
        self.device = choose_device(training.device)
        check_size(self.config.model)
        self._dataset = dataset
        self._images = ResidentImages(dataset.train.images, self.config.data, self.device)
        self._held_out = HeldOutImages(dataset.held_out, self.config.data, self.device)
        self._seed = training.seed
        self._generator = torch.Generator(self.device)
        self._order: tuple[int, torch.Tensor] | None = None
        self._schedule = SCHEDULES[training.schedule]

        self._model = build_model(self.config.model, reseed(torch.Generator(), self._seed, Stream.WEIGHTS))
        if start is None:
            self._model.start_at_mean(self._images.mean_picture().cpu())
        else:
            load_weights(self._model, start.weights)
        self._model.to(self.device)
        self._objective = OBJECTIVES[self.config.model.model](self.config.objective)
        self._stepper = GuardedStepper(self._model, self._objective, training.learning_rate, training.adam_epsilon)

        self.history = History(self.config.model.latent_dim)
        # Not in the generator: it may be closed between two of them.
        self._unsaid: deque[RunNote | HeldOutReport] = deque()
        self._wanted: dict[str, float] = {}
        self._position = Position(0, 0, 0, -(-len(self._images) // training.batch_size))
        if start is not None:
            self._continue_from(start)
        self._first_step = self._position.step
        self.total_steps = self._first_step + training.epochs * self._position.batches_per_epoch
        self.total_epochs = self._position.epochs + training.epochs
        self._divergence = Divergence(self._stepper, self._first_step)
        self._evaluation: Evaluation | None = None
        self._version = 0
        self._pace = Pace()
        self._chunk_length = ChunkLength(steps_per_chunk)
        self.plan = ExecutionPlan(
            device=torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "processor",
            precision=training.precision,
            path=EagerSteps.name,
            threads=choose_threads(training),
            steps_per_chunk=self._chunk_length.steps,
            torch_version=torch.__version__,
        )
        with self._computing():
            self._taker, problem = step_taker(
                self._stepper, self._images, self._generator, training.batch_size, capture=capture
            )
        self.plan = replace(self.plan, path=self._taker.name)
        if problem:
            self._note("start", f"steps are not captured: {problem}")
        if self._chunk_length.chosen:
            self._note("start", self._start_text())

    @property
    def step(self) -> int:
        """Steps the model has taken, earlier runs included."""
        return self._position.step

    @property
    def num_parameters(self) -> int:
        """Number of weights of the model."""
        return sum(parameter.numel() for parameter in self._model.parameters())

    def set_learning_rate(self, value: float) -> None:
        """Use this learning rate from the next step on; a schedule then scales it.  Raises ConfigError."""
        self._wanted["learning_rate"] = self._checked("learning_rate", value)

    def set_beta(self, value: float) -> None:
        """Weigh the KL term by this from the next step on.  Raises ConfigError."""
        self._wanted["beta"] = self._checked("beta", value)

    def events(self) -> Generator[Event, None, None]:
        """Yield reports until all epochs are done; may be closed between yields, and called again to go on.

        Raises TrainingError when training diverges again and again; the run then stands at its last good state.
        """
        while True:
            self._apply_wanted()
            while self._unsaid:
                yield self._unsaid.popleft()
            if self._evaluation is not None:
                yield from self._evaluate(self._evaluation)
            elif self._position.step < self.total_steps:
                with self._computing():
                    reports = self._chunk()
                yield reports
                while self._unsaid:
                    yield self._unsaid.popleft()
                yield self._progress()
            else:
                return

    def weights(self) -> Weights:
        """Return a copy of the weights under the next version number."""
        self._version += 1
        return Weights(self._version, self._position.step, weights_of(self._model))

    def saved(self) -> SavedModel:
        """Return the model as it stands, with its curves and what a continued run needs."""
        return SavedModel(
            config=self.config,
            weights=weights_of(self._model),
            history=self.history.copy(),
            provenance={
                "seed": str(self._seed),
                "plan": self.plan.text,
                "epochs": repr(self._position.epochs),
                "data": self._dataset.name,
                "data_fingerprint": self._dataset.fingerprint,
                "torch": torch.__version__,
                "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            },
            optimiser=self._position.to_arrays() | self._stepper.adam_arrays(),
        )

    # Steps

    def _chunk(self) -> StepReports:
        """Take some steps, wait for them, and see to those that were not finite."""
        self._pace.begin()
        first, position, num_images = self._position.step, self._position, 0
        num_steps = min(self._chunk_length.steps, self._steps_to_boundary())
        positions = []
        for _ in range(num_steps):
            num_images += self._take_step(position)
            position = position.after_step()
            positions.append(position)
        costs = self._stepper.take_costs()
        self._pace.end(num_images)
        kept = self._divergence.count_kept(costs.skipped)
        self._position = positions[kept - 1]
        reports = self._reports(first + 1, costs, kept)
        self.history.add_steps(reports)
        for step in reports.step[costs.skipped[:kept]]:
            self._note("non_finite", f"loss or gradient was not finite: step {step} was skipped", int(step))
        if self._divergence.halted:
            self._roll_back()
        else:
            self._divergence.remember(self._position.step)
        self._plan_evaluation()
        unmeasured = not self._chunk_length.chosen
        chosen = self._chunk_length.measured(num_steps, self._pace.last_seconds)
        # A run that is over before enough was measured still says what it ran with.
        if chosen or (unmeasured and self._position.step == self.total_steps):
            self.plan = replace(self.plan, steps_per_chunk=self._chunk_length.steps)
            self._note("start", self._start_text(), self._first_step)
        return reports

    def _take_step(self, position: Position) -> int:
        if self._order is None or self._order[0] != position.epoch:
            order = epoch_order(self._seed, position.epoch, len(self._images)).to(self.device)
            self._order = (position.epoch, order)
        size = self.config.training.batch_size
        indices = self._order[1][position.batch * size : (position.batch + 1) * size]
        generator = reseed(self._generator, self._seed, Stream.STEP, position.step)
        done = (position.step - self._first_step) / (self.total_steps - self._first_step)
        self._stepper.set_learning_rate(self.config.training.learning_rate * self._schedule(done))
        self._taker.take(indices, self._beta_at(position), generator)
        return len(indices)

    def _beta_at(self, position: Position) -> float:
        """Return the weight of the KL term: during a warm-up it rises in a line from 0 to β.  Sønderby et al. 2016."""
        objective = self.config.objective
        if objective.warm_up_epochs <= 0.0:
            return objective.beta
        return objective.beta * min(1.0, position.epochs / objective.warm_up_epochs)

    def _steps_to_boundary(self) -> int:
        """Return how many steps there are to the next one after which something is due, whatever the chunk."""
        position = self._position
        to_mark = min(mark - position.batch for mark in self._marks() if mark > position.batch)
        to_snapshot = SNAPSHOT_STEPS - position.step % SNAPSHOT_STEPS
        return min(to_mark, to_snapshot, self.total_steps - position.step)

    def _marks(self) -> set[int]:
        """Return after how many batches of an epoch held-out images are evaluated; the last is its end."""
        batches = self._position.batches_per_epoch
        return {round(batches * part / EVALUATIONS_PER_EPOCH) for part in range(1, EVALUATIONS_PER_EPOCH + 1)}

    def _plan_evaluation(self) -> None:
        position = self._position
        ends = position.batch == 0 or position.step == self.total_steps
        if len(self._held_out) and (ends or position.batch in self._marks()):
            self._evaluation = Evaluation(self._held_out, self._model, self._objective, complete=ends)

    def _reports(self, first_step: int, costs: StepCosts, kept: int) -> StepReports:
        nll = np.where(costs.skipped, np.nan, costs.nll)[:kept]
        per_dimension = np.where(costs.skipped[:, None], np.nan, costs.kl_per_dimension)[:kept]
        kl = per_dimension.sum(axis=1) if self.config.model.has_prior else np.full(kept, np.nan)
        steps = np.arange(first_step, first_step + kept, dtype=np.int64)
        return StepReports(frozen(steps), frozen(nll), frozen(kl), frozen(per_dimension))

    def _roll_back(self) -> None:
        good_step = self._divergence.roll_back()
        if self._divergence.rollbacks > MAX_ROLLBACKS:
            raise TrainingError(
                f"training diverges: at step {self._position.step} loss or gradient was not finite "
                f"{STREAK_TO_HALT} times in a row, after {MAX_ROLLBACKS} returns to a good state with half the "
                f"learning rate, now {self.config.training.learning_rate:g}.  The model stands as it was after step "
                f"{good_step}; start again with a smaller learning rate"
            )
        self._set_live("learning_rate", self.config.training.learning_rate / 2.0)
        self._note(
            "rollback",
            f"{STREAK_TO_HALT} steps in a row were not finite: back to the weights of step {good_step}, learning rate "
            f"halved to {self.config.training.learning_rate:g} ({self._divergence.rollbacks} of {MAX_ROLLBACKS})",
        )

    # Held-out images

    def _evaluate(self, evaluation: Evaluation) -> Generator[Event, None, None]:
        """Evaluate in pieces with a yield between them; the reports are then to be said."""
        while True:
            with self._computing():
                more = self._advanced(evaluation)
            if not more:
                break
            yield self._progress()
        self._evaluation = None
        for num_images, means in evaluation.means():
            complete = num_images == len(self._held_out)
            report = HeldOutReport(self._position.step, self._position.epochs, means, num_images, complete)
            self.history.add_held_out(report)
            self._unsaid.append(report)

    def _advanced(self, evaluation: Evaluation) -> bool:
        """Evaluate pieces for about one chunk's time; return whether there may be more."""
        self._pace.begin()
        deadline = self._pace.now() + CHUNK_SECONDS
        more = evaluation.advance()
        while more and self._pace.now() < deadline:
            more = evaluation.advance()
        self._pace.end(0)
        return more

    # Settings and reports

    def _checked(self, name: str, value: float) -> float:
        section = getattr(self.config, _SECTION_OF_LIVE[name])
        checked: float = getattr(replace(section, **{name: value}), name)
        check_experiment(self.config.with_values({name: checked}))
        return checked

    def _apply_wanted(self) -> None:
        while self._wanted:
            name, value = self._wanted.popitem()
            before = getattr(getattr(self.config, _SECTION_OF_LIVE[name]), name)
            if value != before:
                self._set_live(name, value)
                self._note("setting", f"{name} {before:g} → {value:g}")

    def _set_live(self, name: str, value: float) -> None:
        self.config = self.config.with_values({name: value})

    def _note(self, kind: str, text: str, step: int | None = None) -> None:
        note = RunNote(self._position.step if step is None else step, kind, text)
        self.history.add_note(note)
        self._unsaid.append(note)

    def _start_text(self) -> str:
        training = self.config.training
        epochs = f"{training.epochs} epoch{'s' if training.epochs != 1 else ''}"
        return f"{epochs}, seed {self._seed}, {len(self._images):,} images; {self.plan.text}"

    def _progress(self) -> Progress:
        left = (self.total_steps - self._position.step) / self._position.batches_per_epoch * len(self._images)
        return Progress(
            step=self._position.step,
            total_steps=self.total_steps,
            epoch=self._position.epochs,
            total_epochs=self.total_epochs,
            images_per_second=self._pace.images_per_second,
            seconds_left=self._pace.seconds_for(left),
        )

    @contextmanager
    def _computing(self) -> Iterator[None]:
        """Set what torch keeps per thread: the pulling thread may be any, and does other things in between."""
        if torch.get_num_threads() != self.plan.threads:
            torch.set_num_threads(self.plan.threads)
        # Moments of weights that no image reaches decay into denormals, which slow Adam down by 2.8.
        torch.set_flush_denormal(True)
        try:
            # On CUDA: the quickest algorithm of the moment may differ from run to run, and TensorFloat-32 has the
            # mantissa of a half.
            with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False), torch.enable_grad():
                yield
        finally:
            torch.set_flush_denormal(False)

    def _continue_from(self, start: SavedModel) -> None:
        self.history = start.history.copy()
        steps, batches = self.history.steps().step, self._position.batches_per_epoch
        last_step = int(steps[-1]) if len(steps) else 0
        self._position = Position.after_epochs(last_step, start.epochs, batches)
        for change in changes(start, self.config, self._dataset):
            self._note("setting", change, last_step)
        if not start.optimiser:
            self._note("start", "Adam starts afresh: the model was saved without its optimiser's state")
            return
        try:
            position = Position.from_arrays(start.optimiser, last_step)
            self._stepper.load_adam(start.optimiser)
            self._position = position.with_batches(batches)
        except ValueError as error:
            self._note("start", f"Adam starts afresh: its saved state cannot be used, {error}")
