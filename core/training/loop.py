"""The training loop: a generator that yields frozen reports, about thirty milliseconds of steps apart.

All state lives in the run, none in the generator: whoever stops pulling pauses, and what `saved` returns between two
yields is consistent.  Chunks only decide how often the host looks: the same seed gives the same weights whatever they
are.
"""

from collections import deque
from collections.abc import Generator
from dataclasses import replace

import torch

from core.config import ExperimentConfig
from core.data.dataset import Dataset, ProgressCallback
from core.history import History
from core.models.build import build_model, load_weights, weights_of
from core.objectives.registry import OBJECTIVES
from core.saved_model import SavedModel
from core.snapshots import ExecutionPlan, HeldOutReport, Progress, RunNote, StepReports, Weights
from core.stored_pictures import StoredPicturesError
from core.training.chunks import CHUNK_SECONDS, ChunkLength
from core.training.device import check_size, choose_device, flushing_denormals
from core.training.divergence import MAX_ROLLBACKS, Divergence
from core.training.errors import TrainingError
from core.training.fitting import changes, fitted
from core.training.held_out import Evaluation
from core.training.live import LiveSettings
from core.training.memory import HALVINGS_ON_A_CARD, is_out_of_memory, release
from core.training.pace import Pace
from core.training.position import Position
from core.training.randomness import Stream, reseed
from core.training.reports import losses, provenance, start_text, step_reports
from core.training.resuming import inexact_because, resumed
from core.training.schedules import SCHEDULES, warmed_up_beta
from core.training.timetable import Timetable
from core.training.workplace import Workplace

Event = StepReports | HeldOutReport | RunNote | Progress


class TrainingRun:
    """Trains a new model, or one that was saved, for `config.training.epochs` more epochs on a data set.

    Raises TrainingError or ConfigError where configuration, data set and saved model do not fit.  To be pulled by one
    thread; `set_learning_rate` and `set_beta` may be called from another.
    """

    plan: ExecutionPlan
    """How it computes, from the next step on."""

    # The threads of a pool flush denormals if its maker did when it was made, at the first large operation: in here.
    @flushing_denormals()
    def __init__(
        self,
        config: ExperimentConfig,
        dataset: Dataset,
        *,
        start: SavedModel | None = None,
        resume: bool = False,
        steps_per_chunk: int | None = None,
        capture: bool = True,
        progress: ProgressCallback | None = None,
    ) -> None:
        """Make a run; `steps_per_chunk` and `capture` overrule what it would choose by itself.

        `progress` is told how far the images are read that it needs before its first step, and may raise to give up.
        With `resume` it goes on with the interrupted run that `start` was kept of, to the end that run would have had,
        as it was configured: `config` counts for nothing then.
        """
        timetable: Timetable | None = None
        if resume:
            config, timetable = resumed(start, dataset)
        self.config = fitted(config, dataset, start)
        training = self.config.training
        check_size(self.config.model)
        self._dataset = dataset
        self._schedule = SCHEDULES[training.schedule]
        self._objective = OBJECTIVES[self.config.model.model](self.config.objective)
        self.history = History(self.config.model.latent_dim) if start is None else start.history.copy()
        # Not in the generator: it may be closed between two of them.
        self._unsaid: deque[RunNote | HeldOutReport] = deque()
        self._live = LiveSettings()
        self._halvings = self._version = 0
        self._pace = Pace()
        self.stretch = 1
        """How many times longer than usual it computes between two yields: what is computed is the same."""
        self._wanted_chunk = steps_per_chunk
        self._position = Position(0, 0, 0, -(-len(dataset.train) // training.batch_size))
        self._evaluation: Evaluation | None = None
        self._model = build_model(self.config.model, reseed(torch.Generator(), training.seed, Stream.WEIGHTS))
        if start is not None:
            load_weights(self._model, start.weights)
        self._place = Workplace(self._model, self._objective, dataset, self.config, capture=capture)
        if problem := self._place.settle_first(choose_device(training.device), progress, fresh=start is None):
            self._note("memory", problem)
        self._set_out(start, timetable)

    def _set_out(self, start: SavedModel | None, resumed_timetable: Timetable | None) -> None:
        """Take the place in training that a saved model has, or the first; choose how steps are taken from there."""
        if start is not None:
            self._continue_from(start)
        self._timetable = resumed_timetable or Timetable.of_epochs(self._position, self.config.training.epochs)
        self._divergence = Divergence(self._place.stepper, self._position.step)
        self._make_plan()
        if start is not None and resumed_timetable is not None:
            self._take_up(start)
        if self._chunk_length.chosen:
            self._note("start", self._start_text())

    @property
    def step(self) -> int:
        """Steps the model has taken, earlier runs included."""
        return self._position.step

    @property
    def total_steps(self) -> int:
        """Steps the model will have taken when the run is done."""
        return self._timetable.last_step

    @property
    def total_epochs(self) -> float:
        """Epochs the model will have seen when the run is done."""
        return self._timetable.total_epochs

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return self._place.device

    def set_learning_rate(self, value: float) -> None:
        """Use this learning rate from the next step on; a schedule then scales it.  Raises ConfigError."""
        self._live.want(self.config, "learning_rate", value)

    def set_beta(self, value: float) -> None:
        """Weigh the KL term by this from the next step on.  Raises ConfigError."""
        self._live.want(self.config, "beta", value)

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
                with self._place.computing():
                    reports = self._chunk()
                if reports is not None:
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
        """Return the model as it stands, with its curves and what a continued or resumed run needs."""
        return SavedModel(
            config=self.config,
            weights=weights_of(self._model),
            history=self.history.copy(),
            provenance=provenance(self.config.training, self.plan, self._position, self._dataset),
            optimiser={
                **self._position.to_arrays(),
                **self._timetable.to_arrays(),
                **self._divergence.to_arrays(),
                **self._place.stepper.adam.to_arrays(),
            },
        )

    # Steps

    def _chunk(self) -> StepReports | None:
        """Take some steps, wait for them, and see to those that went wrong; None where memory sufficed for none."""
        self._pace.begin()
        num_steps = min(self._chunk_length.steps * self.stretch, self._timetable.steps_to_boundary(self._position))
        positions = [self._position]
        while len(positions) <= num_steps:
            positions.append(positions[-1].after_step())
        betas = [warmed_up_beta(self.config.objective, position.epochs) for position in positions[:-1]]
        rates = [self._rate_at(position) for position in positions[:-1]]
        short_of_memory = False
        unreadable: StoredPicturesError | None = None
        try:
            self._place.take_steps(positions[:-1], rates, betas)
        except StoredPicturesError as error:
            unreadable = error
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            short_of_memory = True  # not the error itself: it holds on to all that the step had allocated
        done = self._place.stepper.num_costs
        reports = self._counted(positions[1 : done + 1], betas[:done]) if done else None
        if unreadable is not None:
            raise unreadable  # once what was done before it has been counted
        if short_of_memory:
            self._relieve_memory()
        else:
            self._measure_chunk(num_steps)
        return reports

    def _counted(self, positions: list[Position], betas: list[float]) -> StepReports:
        """Wait for the steps to these positions, and take in what they cost."""
        first, costs = self._position.step, self._place.stepper.take_costs()
        sizes = self.config.training.batch_size, len(self._place.images)
        self._pace.end(positions[-1].images_seen(*sizes) - self._position.images_seen(*sizes))
        kept, warning = self._divergence.count_kept(costs.skipped, losses(costs, betas))
        self._position = positions[kept - 1]
        reports = step_reports(first + 1, costs, kept, has_kl=self.config.model.has_prior)
        self.history.add_steps(reports)
        for step in reports.step[costs.skipped[:kept]]:
            self._note("non_finite", f"loss or gradient was not finite: step {step} was skipped", int(step))
        if warning is not None:
            self._note("warning", self._divergence.warning, positions[warning].step)
        if self._divergence.halted:
            self._roll_back()
        else:
            self._divergence.remember(self._position.step)
        self._plan_evaluation()
        return reports

    def _measure_chunk(self, num_steps: int) -> None:
        unmeasured = not self._chunk_length.chosen
        chosen = self._chunk_length.measured(num_steps, self._pace.last_seconds)
        # A run that is over before enough was measured still says what it ran with.
        if chosen or (unmeasured and self._position.step == self.total_steps):
            self.plan = replace(self.plan, steps_per_chunk=self._chunk_length.steps)
            self._note("start", self._start_text(), self._note_step)

    def _rate_at(self, position: Position) -> float:
        return self.config.training.learning_rate * self._schedule(self._timetable.share_done(position.step))

    def _roll_back(self) -> None:
        what = self._divergence.complaint
        good_step = self._divergence.roll_back()
        rate = self.config.training.learning_rate
        if self._divergence.rollbacks > MAX_ROLLBACKS:
            raise TrainingError(
                f"training diverges: at step {self._position.step:,} {what}, after {MAX_ROLLBACKS} returns to a good "
                f"state with half the learning rate, now {rate:g}. The model stands as it was after step "
                f"{good_step:,}; start again with a smaller learning rate"
            )
        self._set_live("learning_rate", rate / 2.0)
        self._note(
            "rollback",
            f"{what}: back to the weights of step {good_step:,}, learning rate halved to "
            f"{self.config.training.learning_rate:g} ({self._divergence.rollbacks} of {MAX_ROLLBACKS})",
        )

    # Memory

    def _relieve_memory(self) -> None:
        """Go on with half the batch; where that does not help on a card, on the processor."""
        release(self.device)
        size, on_card = self.config.training.batch_size, self.device.type == "cuda"
        if on_card and (size == 1 or self._halvings == HALVINGS_ON_A_CARD):
            self._leave_card()
        elif size == 1:
            raise TrainingError(
                "there is not enough memory to train this model, even one image at a time: "
                "choose fewer or narrower layers"
            )
        else:
            self._halvings += 1
            self._set_live("batch_size", size // 2)
            batches = -(-len(self._place.images) // (size // 2))
            self._position = self._position.with_batches(batches)
            self._timetable = self._timetable.rebatched(self._position)
            self._make_plan()
            self._note("memory", f"out of memory with batches of {size}: {size // 2} from here on")

    def _leave_card(self) -> None:
        card, counts = self.plan.device, self._divergence.to_arrays()
        self._place.leave_card()
        self._divergence = Divergence(self._place.stepper, self._position.step)
        self._divergence.load(counts)
        self._make_plan()
        if self._evaluation is not None:
            self._plan_evaluation()  # anew, with the images where the model is
        self._note("memory", f"out of memory on {card}: training goes on with the processor")

    def _make_plan(self) -> None:
        """Choose how steps are taken, and say so."""
        self._chunk_length = ChunkLength(self._wanted_chunk)
        self._note_step = self._position.step
        self.plan, problem = self._place.plan(self.config, self._chunk_length.steps)
        if problem:
            self._note("start", f"steps are not captured: {problem}")

    # Held-out images

    def _plan_evaluation(self) -> None:
        held_out = self._place.held_out
        if len(held_out) and held_out.per_call and self._timetable.is_evaluation_due(self._position):
            self._evaluation = self._place.evaluation(complete=self._timetable.ends(self._position))

    def _evaluate(self, evaluation: Evaluation) -> Generator[Event, None, None]:
        """Evaluate in pieces with a yield between them; the reports are then to be said."""
        while True:
            with self._place.computing():
                more = self._advanced(evaluation)
            if not more:
                break
            yield self._progress()
        if self._evaluation is not evaluation:
            return  # begun again with less memory, or given up
        self._evaluation = None
        for num_images, means in evaluation.means():
            complete = num_images == len(self._place.held_out)
            report = HeldOutReport(self._position.step, self._position.epochs, means, num_images, complete)
            self.history.add_held_out(report)
            self._unsaid.append(report)

    def _advanced(self, evaluation: Evaluation) -> bool:
        """Evaluate pieces for about one chunk's time; return whether there may be more."""
        self._pace.begin()
        try:
            more = evaluation.advance(CHUNK_SECONDS * self.stretch)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            self._evaluation, more = None, False
        self._pace.end(0)
        if self._evaluation is None:
            release(self.device)
            if not self._place.held_out.take_fewer():
                self._note("memory", "out of memory: held-out images are not evaluated any more")
            self._plan_evaluation()
        return more

    # Settings and reports

    def _apply_wanted(self) -> None:
        for name, before, value in self._live.changes(self.config):
            self._set_live(name, value)
            self._note("setting", f"{name} {before:g} → {value:g}")
            if name == "beta":
                self._divergence.forget_best()

    def _set_live(self, name: str, value: float) -> None:
        self.config = self.config.with_values({name: value})

    def _note(self, kind: str, text: str, step: int | None = None) -> None:
        note = RunNote(self._position.step if step is None else step, kind, text)
        self.history.add_note(note)
        self._unsaid.append(note)

    def _start_text(self) -> str:
        return start_text(self.config.training, len(self._place.images), self.plan)

    def _progress(self) -> Progress:
        left = (self.total_steps - self._position.step) / self._position.batches_per_epoch * len(self._place.images)
        return Progress(
            step=self._position.step,
            total_steps=self.total_steps,
            epoch=self._position.epochs,
            total_epochs=self.total_epochs,
            images_per_second=self._pace.images_per_second,
            seconds_left=self._pace.seconds_for(left),
        )

    def _continue_from(self, start: SavedModel) -> None:
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
            self._place.stepper.adam.load(start.optimiser)
            self._position = position.with_batches(batches)
        except ValueError as error:
            self._note("start", f"Adam starts afresh: its saved state cannot be used, {error}")

    def _take_up(self, start: SavedModel) -> None:
        """Go on where an interrupted run stood, in everything that is not weights or moments."""
        self._divergence.load(start.optimiser)
        changed = inexact_because(start, self.plan)
        how = f"not bit for bit as it would have been: {changed}" if changed else "as if it had not been interrupted"
        self._note("resumed", f"resumed at step {self._position.step:,}, {how}")
        evaluated = any(report.step == self._position.step for report in self.history.held_out)
        if self._position.step > self._timetable.first_step and not evaluated:
            self._plan_evaluation()
