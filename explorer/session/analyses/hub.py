"""What every analysis needs to know: the open model and data, the image under the hand, the computing threads."""

from PySide6.QtCore import QObject, Signal

from core.config import ExperimentConfig
from core.data.dataset import Dataset
from core.snapshots import HeldOutReport
from explorer.messages import DocumentInfo
from explorer.session.drawing import DrawingSession
from explorer.session.latent import LatentSession
from explorer.session.movement import Movement
from explorer.session.subject import SubjectSession
from explorer.views.canvas import LatentCanvas
from explorer.workers.analysis import AnalysisThread
from explorer.workers.evidence import EvidenceThread


class AnalysisHub(QObject):
    """One place to listen to; it computes nothing itself."""

    model_opened = Signal(ExperimentConfig)
    """Another model is open, or one begins to be trained; its weights follow."""
    weights_changed = Signal()
    """Newer weights of the open model are with the threads."""
    data_changed = Signal()
    """Other data are open, or the same seen in another way."""
    held_out_reported = Signal(HeldOutReport)
    """The run in progress evaluated held-out images."""
    live_changed = Signal(bool)
    """A run has begun, or ended."""

    def __init__(
        self,
        canvas: LatentCanvas,
        latent: LatentSession,
        drawing: DrawingSession,
        subject: SubjectSession,
        analysis: AnalysisThread,
        evidence: EvidenceThread,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.canvas = canvas
        self.latent = latent
        self.drawing = drawing
        self.subject = subject
        self.analysis = analysis
        self.evidence = evidence
        self.config: ExperimentConfig | None = None
        """What the open model was made with; None while none is open."""
        self.dataset: Dataset | None = None
        self.name = ""
        """What the open model is called."""
        self.live = False
        """Whether a run changes the weights now."""
        self.has_weights = False
        """Whether the threads have weights of the open model."""
        latent.hand_changed.connect(self.tell_weights)
        self.movement = Movement(latent, drawing, self)
        self.movement.changed.connect(analysis.set_hand_moving)
        self.movement.changed.connect(evidence.set_hand_moving)
        self.movement.moved.connect(evidence.note_movement)

    def open_model(self, config: ExperimentConfig) -> None:
        """Take note of another model; analyses of the former are given up."""
        self.config = config
        self.has_weights = False
        self.analysis.give_up_all()
        self.model_opened.emit(config)

    def set_document(self, info: DocumentInfo) -> None:
        """Take note of what the open model is called, or the one that a run makes."""
        self.name = info.name

    def set_dataset(self, dataset: Dataset) -> None:
        """Take note of other data."""
        self.dataset = dataset
        self.data_changed.emit()
        self.subject.refresh()

    def set_live(self, live: bool) -> None:  # noqa: FBT001 - a setter
        """Take note that a run has begun or ended."""
        if live != self.live:
            self.live = live
            self.live_changed.emit(live)

    @property
    def fits(self) -> bool:
        """Whether the open model can encode the open data."""
        return self.latent.fits(self.dataset)

    def tell_weights(self) -> None:
        """Take note of newer weights of the open model."""
        self.has_weights = True
        self.weights_changed.emit()
        self.subject.refresh()

    def tell_newcomer(self) -> None:
        """Tell of the image under the hand again: what has just begun to listen hears of it, and of its numbers."""
        if self.has_weights:
            self.subject.tell_again()
