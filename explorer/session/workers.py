"""The program's threads, as one thing to start and to end."""

from dataclasses import dataclass

from explorer.workers.inference import InferenceThread
from explorer.workers.loading import LoadingThread
from explorer.workers.training import TrainingThread


@dataclass(frozen=True, slots=True, eq=False)
class Workers:
    """Every thread beside the GUI's."""

    training: TrainingThread
    inference: InferenceThread
    loading: LoadingThread
    storage: LoadingThread
    """Writes models, so that a save never waits behind a large folder that is being read."""

    @property
    def all(self) -> tuple[TrainingThread | InferenceThread | LoadingThread, ...]:
        """The threads, in the order they are asked to end."""
        return self.training, self.inference, self.loading, self.storage


def make_workers() -> Workers:
    """Return the threads, not yet started."""
    return Workers(TrainingThread(), InferenceThread(), LoadingThread("loading"), LoadingThread("storage"))
