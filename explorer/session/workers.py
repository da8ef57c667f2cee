"""The program's threads, as one thing to start and to end."""

from dataclasses import dataclass

from core.config import ModelConfig
from core.snapshots import Weights
from explorer.workers.analysis import AnalysisThread
from explorer.workers.evidence import EvidenceThread
from explorer.workers.inference import InferenceThread
from explorer.workers.loading import LoadingThread
from explorer.workers.torch_import import is_importing
from explorer.workers.training import TrainingThread


@dataclass(frozen=True, slots=True, eq=False)
class Workers:
    """Every thread beside the GUI's."""

    training: TrainingThread
    inference: InferenceThread
    analysis: AnalysisThread
    evidence: EvidenceThread
    loading: LoadingThread
    storage: LoadingThread
    """Writes models, so that a save never waits behind a large folder that is being read."""
    second: InferenceThread
    """Computes by the model that the open one is compared with."""
    beside: LoadingThread
    """Reads models that are put beside the open one; what it reads is not opened."""

    @property
    def all(self) -> tuple[TrainingThread | InferenceThread | AnalysisThread | EvidenceThread | LoadingThread, ...]:
        """The threads, in the order they are asked to end."""
        own = self.training, self.inference, self.analysis, self.evidence, self.loading, self.storage
        return *own, self.second, self.beside

    @property
    def running(self) -> bool:
        """Whether a thread has begun and not ended."""
        return any(thread.isRunning() for thread in self.all)

    def shut_down(self) -> None:
        """Have every thread end as soon as it can; those not begun yet begin no more."""
        for thread in self.all:
            thread.shut_down()

    @property
    def importing_torch(self) -> bool:
        """Whether a thread is inside an import of torch."""
        return is_importing()

    @property
    def only_import_torch(self) -> bool:
        """Whether a thread is inside an import of torch, which nothing interrupts, and none is writing a model."""
        return is_importing() and not self.storage.isRunning()

    def set_model(self, config: ModelConfig, weights: Weights) -> None:
        """Have every thread that computes by the open model use these weights from now on."""
        self.analysis.set_model(config, weights)
        self.evidence.set_model(config, weights)
        self.inference.set_model(config, weights)


def make_workers() -> Workers:
    """Return the threads, not yet started."""
    second = InferenceThread()
    second.setObjectName("second inference")
    return Workers(
        TrainingThread(),
        InferenceThread(),
        AnalysisThread(),
        EvidenceThread(),
        LoadingThread("loading"),
        LoadingThread("storage"),
        second,
        LoadingThread("beside"),
    )
