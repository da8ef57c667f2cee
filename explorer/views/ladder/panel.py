"""The ladder of bounds: ELBO with L samples, IWAE-k and log p(x) on one plot."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from core.findings.sampling import Ladder
from explorer.theme import current_palette
from explorer.views.dock_panel import DockPanel
from explorer.views.panels.frame import ElidedLabel, muted_line, show_text
from explorer.views.readouts import StatusLine, number

if TYPE_CHECKING:
    from explorer.views.ladder.plot import LadderPlot

_NO_LINE = "log p(x) is not known exactly above two latent dimensions: there is no line to climb to."


class LadderPanel(DockPanel):
    """Asks for the ladder of the image under the hand and shows it."""

    compute_requested = Signal()
    follow_changed = Signal()
    """Whether the ladder is to follow the hand."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Ladder of bounds")
        self.reason = muted_line("No model is open yet.")
        self.compute = QPushButton("Compute")
        self.compute.setProperty("role", "primary")
        self.compute.setToolTip("Draw 100,000 samples of the encoder's q and group them by 1 to 5,000.")
        self.follow = QCheckBox("follow the hand")
        self.follow.setToolTip("Compute anew whenever the image under the hand is another one.")
        self.subject = ElidedLabel(muted=True)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedWidth(90)
        self.progress.setAccessibleName("Samples drawn")
        self.legend = QLabel()
        self.legend.setWordWrap(True)
        self.status = StatusLine("Bounds in numbers")
        self._stage = QVBoxLayout()
        self._plot: LadderPlot | None = None
        self._ladder: Ladder | None = None
        self._log_px: float | None = None
        self._no_line = False
        row = QHBoxLayout()
        row.setSpacing(8)
        for widget in (self.compute, self.follow, self.progress):
            row.addWidget(widget)
        row.addWidget(self.subject, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 6, 12, 6)
        column.setSpacing(4)
        column.addWidget(self.reason)
        column.addLayout(row)
        column.addWidget(self.legend)
        column.addWidget(self.status)
        column.addLayout(self._stage, 1)
        self.compute.clicked.connect(self.compute_requested)
        self.follow.clicked.connect(self.follow_changed)
        self.set_reason("No model is open yet.")
        self.set_ladder(None)
        self._write_legend()

    def set_reason(self, text: str) -> None:
        """Say, in a sentence, why there is nothing to show; an empty text takes it away."""
        show_text(self.reason, text)
        self.compute.setEnabled(not text)
        for widget in (self.legend, self.status, self.subject):
            widget.setVisible(not text)
        if self._plot is not None:
            self._plot.setVisible(not text)

    def set_subject(self, text: str) -> None:
        """Say which image it is about."""
        self.subject.set_text(f"x: {text}" if text else "")

    def set_busy(self, busy: bool) -> None:  # noqa: FBT001 - a setter
        """Say whether samples are being drawn."""
        self.progress.setVisible(busy)

    def set_ladder(self, ladder: Ladder | None, failure: str = "") -> None:
        """Show a ladder as far as it is; or none, with the reason where it failed."""
        self._ladder = ladder
        if ladder is not None:
            self.progress.setRange(0, ladder.total_samples)
            self.progress.setValue(ladder.num_samples)
        self.set_busy(ladder is not None and not ladder.complete)
        self._write_status(failure)
        if self._plot is not None:
            self._plot.set_ladder(ladder)

    def set_log_px(self, log_px: float | None, *, exact: bool) -> None:
        """Show log p(x) where it is known exactly."""
        self._log_px = log_px if exact else None
        self._no_line = log_px is not None and not exact
        self._write_status("")
        if self._plot is not None:
            self._plot.set_log_px(self._log_px)

    @property
    def ladder(self) -> Ladder | None:
        """The ladder shown."""
        return self._ladder

    @property
    def plot(self) -> "LadderPlot":
        """The plot, made when it is first wanted: pyqtgraph takes its time to be imported."""
        if self._plot is None:
            from explorer.views.ladder.plot import LadderPlot  # noqa: PLC0415 - as the docstring says

            self._plot = LadderPlot(self)
            self._plot.setVisible(not self.reason.text())
            self._plot.set_ladder(self._ladder)
            self._plot.set_log_px(self._log_px)
            self._stage.addWidget(self._plot)
        return self._plot

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Make the plot, after the panel was painted."""
        super().showEvent(event)
        if self._plot is None:
            QTimer.singleShot(0, self._make_plot)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "legend"):
            self._write_legend()

    def _make_plot(self) -> None:
        self.plot.update()

    def _write_legend(self) -> None:
        colours = current_palette()
        self.legend.setText(
            f'<span style="color:{colours.accent}">▬ ELBO, L samples ± σ</span> &nbsp; '
            f'<span style="color:{colours.held_out}">● IWAE-k ± s.e.</span> &nbsp; '
            f'<span style="color:{colours.density}">┅ log p(x)</span> &nbsp; '
            f'<span style="color:{colours.muted_text}">More L: less noise, same bound; more k: tighter bound.</span>'
        )

    def _write_status(self, failure: str) -> None:
        ladder = self._ladder
        if failure or ladder is None:
            self.status.set_text(failure)
            return
        parts = [f"ELBO {number(ladder.elbo, 3)}"]
        if len(ladder.counts):
            last = float(ladder.iwae_mean[-1])
            parts.append(f"IWAE-{ladder.counts[-1]:,} {number(last, 3)} ± {ladder.iwae_error[-1]:.2g}")
        if self._log_px is not None:
            parts.append(f"log p(x) {number(self._log_px, 3)} (exact)")
        elif self._no_line:
            parts.append(_NO_LINE)
        parts.append(f"ESS {ladder.effective_sample_size:,.3g} of {ladder.num_samples:,} samples")
        self.status.set_text(" · ".join(parts))
