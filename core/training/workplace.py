"""Where a run computes: the model, its optimiser and the images on one device, and the way steps are taken there."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from core.config import ExperimentConfig
from core.data.dataset import Dataset, ProgressCallback
from core.models.picture_model import PictureModel
from core.objectives.terms import Objective
from core.snapshots import ExecutionPlan
from core.training.captured.choice import piece_sums, step_taker
from core.training.device import choose_threads, flushing_denormals
from core.training.held_out import Evaluation, HeldOutImages
from core.training.memory import is_out_of_memory, release
from core.training.position import Position
from core.training.randomness import Stream, epoch_order, stream_seed
from core.training.resident import ResidentImages
from core.training.steps import GuardedStepper
from core.training.streamed import place_images, staged
from core.training.summing import EagerSums, PieceSums
from core.training.taking import EagerSteps, PlannedSteps, StepTaker


class Workplace:
    """Holds whatever lies on a device; `settle` moves it to another."""

    def __init__(
        self, model: PictureModel, objective: Objective, dataset: Dataset, config: ExperimentConfig, *, capture: bool
    ) -> None:
        """Make one that is nowhere yet: `settle_first` comes next."""
        self.model = model
        self._objective = objective
        self._dataset = dataset
        self._config = config
        self._capture = capture
        self._seed = config.training.seed
        self._threads = 1
        self._batches: tuple[int, int, tuple[torch.Tensor, ...]] | None = None
        """Of one epoch, and of which size they are."""
        self.taker: StepTaker
        self.device: torch.device
        self.images: ResidentImages
        self.held_out: HeldOutImages
        self.generator: torch.Generator
        self.stepper: GuardedStepper
        self._sums: PieceSums

    def settle_first(self, device: torch.device, progress: ProgressCallback | None = None, *, fresh: bool) -> str:
        """Settle on a device, or on the processor where a card has too little memory; return what is to be said of it.

        A fresh model then starts at the images' mean.
        """
        try:
            self.settle(device, progress, fresh=fresh)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            if device.type != "cuda":
                raise MemoryError(str(error)) from None
        else:
            return ""
        # Not in the handler, where the error holds on to what was allocated.
        release(device)
        self.settle(torch.device("cpu"), progress, fresh=fresh)
        return f"{_name_of(device)} has too little memory: the processor trains"

    def settle(self, device: torch.device, progress: ProgressCallback | None = None, *, fresh: bool = False) -> None:
        """Bring images and model to a device, with an optimiser that begins anew.  Raises what `progress` raises."""
        training, data = self._config.training, self._config.data
        self.device = device
        self.images = place_images(self._dataset.train.images, data, device, training.batch_size, progress)
        self.held_out = HeldOutImages(self._dataset.held_out, data, device)
        self.generator = torch.Generator(device)
        self._batches = None
        if fresh:
            self.model.start_at_mean(self.images.mean_picture(progress).cpu())
        self.model.to(device)
        self.stepper = GuardedStepper(
            self.model, self._objective, training.learning_rate, training.adam_epsilon, training.precision
        )

    def leave_card(self) -> None:
        """Move to the processor with all that was learned."""
        moments = self.stepper.adam.to_arrays()
        self.settle(torch.device("cpu"))
        self.stepper.adam.load(moments)

    def plan(self, config: ExperimentConfig, steps_per_chunk: int) -> tuple[ExecutionPlan, str]:
        """Choose how steps are taken with this configuration; return that, and why it is not the quickest way."""
        training = config.training
        self._config = config
        self._threads = choose_threads(training, on_card=self.device.type == "cuda")
        # What was captured before keeps memory that may be short by now.
        self.taker = EagerSteps(self.stepper, self.images, self.generator)
        self._sums = EagerSums(self.held_out, self.model, self._objective)
        with self.computing():
            self.taker, problem = step_taker(
                self.stepper, self.images, self.generator, training.batch_size, capture=self._capture
            )
            self._sums = piece_sums(self.held_out, self.model, self._objective, capture=self._capture)
        plan = ExecutionPlan(
            device=_name_of(self.device),
            precision=training.precision,
            path=self.taker.name,
            images=self.images.place,
            threads=self._threads,
            steps_per_chunk=steps_per_chunk,
            torch_version=torch.__version__,
        )
        return plan, "" if self.taker.name != EagerSteps.name else problem

    def evaluation(self, *, complete: bool) -> Evaluation:
        """Return an evaluation of all held-out images, or of the subset of them, that is still to begin."""
        if not self.held_out.evaluates_whole_pieces:
            # Captured ones keep memory, which is short then.
            self._sums = EagerSums(self.held_out, self.model, self._objective)
        return Evaluation(self.held_out, self._sums, has_prior=self.model.has_prior, complete=complete)

    def take_steps(self, positions: Sequence[Position], rates: Sequence[float], betas: Sequence[float]) -> None:
        """Take the steps after these positions, with a learning rate and beta for each.

        What those cost that were taken before an error waits with the stepper all the same.
        """
        planned = PlannedSteps()
        for position, rate, beta in zip(positions, rates, betas, strict=True):
            planned.add(self._indices(position), stream_seed(self._seed, Stream.STEP, position.step), beta, rate)
        for part in staged(self.images, planned, self._after(positions[-1], len(positions))):
            self.taker.take(part)

    def _after(self, position: Position, count: int) -> Sequence[torch.Tensor]:
        """Return the indices of the steps that come after that at a position, as far as they are of the same epoch."""
        return () if self._batches is None else self._batches[2][position.batch + 1 : position.batch + 1 + count]

    def _indices(self, position: Position) -> torch.Tensor:
        size = self._config.training.batch_size
        if self._batches is None or self._batches[:2] != (position.epoch, size):
            order = epoch_order(self._seed, position.epoch, len(self.images)).to(self.images.indices_on)
            self._batches = (position.epoch, size, torch.split(order, size))
        return self._batches[2][position.batch]

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Set what torch keeps per thread: the pulling thread may be any, and does other things in between."""
        if torch.get_num_threads() != self._threads:
            torch.set_num_threads(self._threads)
        # On CUDA: the quickest algorithm of the moment may differ from run to run, and TensorFloat-32 has the mantissa
        # of a half.
        exact = torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)
        with flushing_denormals(), exact, torch.enable_grad():
            yield


def _name_of(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "processor"
