"""What the codes of a whole data set say: information, activity, rate and distortion, the scoreboard."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QTabWidget, QVBoxLayout, QWidget

from core.config import ModelConfig
from core.findings.read_outs import ReadOuts
from core.findings.scoreboard import ScoreboardEntry
from explorer.views.dock_panel import DockPanel
from explorer.views.panels.frame import muted_line, show_text
from explorer.views.read_outs.figures import FiguresPage
from explorer.views.read_outs.plane_point import PlanePoint
from explorer.views.read_outs.scoreboard import Scoreboard

_PROGRESS_WIDTH = 120


class ReadOutsPanel(DockPanel):
    """Figures over the held-out images, live while a model trains, and the scoreboard of this session."""

    measure_requested = Signal()
    """The user wants the figures over all held-out images."""
    scoreboard_requested = Signal(int, int)
    """The user wants a row: over how many images (0: all), with how many samples where it is an estimate."""
    cancel_requested = Signal()
    """The user wants no more of what is being measured."""
    row_removed = Signal(int)
    """The user has taken away the row that was added as this one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Read-outs")
        self._num_held_out = 0
        self._busy = False
        self.reason, self.status = muted_line(), muted_line()
        self.measure = QPushButton()
        self.measure.setToolTip("ELBO, information and activity over every held-out image, with more codes of each.")
        self.cancel = QPushButton("Cancel")
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setRange(0, 1000)
        self.progress.setAccessibleName("Progress of the measurement")
        self.figures = FiguresPage()
        self.board = Scoreboard()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self.tabs.addTab(self.figures, "Figures")
        self.tabs.addTab(self.board, "Scoreboard")
        self.progress.setFixedWidth(_PROGRESS_WIDTH)
        corner = QWidget()
        row = QHBoxLayout(corner)
        row.setContentsMargins(0, 0, 0, 2)
        row.setSpacing(8)
        for widget in (self.progress, self.cancel, self.measure):
            row.addWidget(widget)
        self.tabs.setCornerWidget(corner)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 4, 12, 4)
        column.setSpacing(4)
        column.addWidget(self.status)
        column.addWidget(self.reason)
        column.addWidget(self.tabs, 1)
        self.measure.clicked.connect(self.measure_requested)
        self.cancel.clicked.connect(self.cancel_requested)
        self.board.add_requested.connect(self.scoreboard_requested)
        self.board.row_removed.connect(self.row_removed)
        self.set_progress("")
        self.set_num_held_out(0)

    # What the session sets

    def set_reason(self, text: str) -> None:
        """Say, in a sentence, why there is nothing to show; an empty text takes it away."""
        show_text(self.reason, text)

    def set_interval(self, seconds: float) -> None:
        """Say how often figures come by themselves."""
        self.figures.set_interval(seconds)

    def set_model(self, model: ModelConfig) -> None:
        """Offer what the model allows."""
        self.figures.set_full_covariance(model.has_prior and model.posterior == "full" and model.latent_dim > 1)
        self.board.set_model(model)

    def set_num_held_out(self, count: int) -> None:
        """Say how many held-out images there are to measure on; 0 where there is nothing to measure."""
        self._num_held_out = count
        self.measure.setText(f"Measure on all {count:,}" if count else "Measure on all")
        self._refresh()

    def set_read_outs(self, found: ReadOuts | None) -> None:
        """Show the figures; None takes them away."""
        self.figures.set_read_outs(found)

    def set_plane(self, trail: Sequence[PlanePoint], others: Sequence[PlanePoint], left_out: int) -> None:
        """Show where the open model is and was on the plane of rate and distortion, and where others are."""
        self.figures.set_plane(trail, others, left_out)

    def set_entries(self, entries: Sequence[ScoreboardEntry]) -> None:
        """Show the scoreboard's rows, in the order in which they were added."""
        self.board.set_entries(entries)

    def set_progress(self, text: str, share: float | None = None) -> None:
        """Show how much of what is being measured is done; without a share nothing goes on, and the text says why."""
        self._busy = share is not None
        show_text(self.status, "" if self._busy else text)
        self.progress.setToolTip(text)
        self.progress.setValue(round(1000.0 * (share or 0.0)))
        self._refresh()

    # Its own

    def _refresh(self) -> None:
        available = self._num_held_out > 0
        self.measure.setEnabled(available and not self._busy)
        self.board.set_available(available and not self._busy)
        self.progress.setVisible(self._busy)
        self.cancel.setVisible(self._busy)
