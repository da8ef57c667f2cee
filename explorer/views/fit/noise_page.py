"""The reparameterisation: ε carried to z on the canvas, and what its gradient gains over the score function's."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QLabel, QPushButton, QVBoxLayout, QWidget

from core.findings.sampling import GradientNoise
from explorer.views.count_field import CountField
from explorer.views.flow import FlowLayout
from explorer.views.panels.frame import muted_line, show_text
from explorer.views.readouts import NumberRow, NumberTable, StatusLine, with_error

_MOST_ROWS = 6
_HEADER = ("Var ∇", "pathwise", "score", "score − b", "ratio", "ratio, b")
_PATHWISE = "Of ∇ log p(x|μ + L ε): the gradient through the sample."
_SCORE = "Of log p(x|z) ∇ log q(z): the score-function estimator, REINFORCE."
_BASELINE = "The same with the mean of the other samples' log p(x|z) taken off."


class NoisePage(QWidget):
    """Draws ε for the image under the hand and measures both gradient estimators."""

    draw_requested = Signal(int)
    """Show so many points."""
    redraw_requested = Signal()
    """Other ε."""
    clear_requested = Signal()
    origins_toggled = Signal()
    """Whether ε around the origin is to be shown too."""
    measure_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.count = CountField(1, 500, 50)
        self.count.setAccessibleName("Number of points")
        self.draw = QPushButton("Draw ε")
        self.draw.setToolTip("Draw ε ~ N(0, I) and show z = μ + L ε on the canvas.")
        self.redraw = QPushButton("Again (R)")
        self.redraw.setToolTip("Draw other ε (R).")
        self.clear = QPushButton("Clear")
        self.origins = QCheckBox("ε too, with lines to z")
        self.origins.setToolTip("Show each ε as a draw from the prior, and the line along which μ + L ε carries it.")
        self.measure = QPushButton("Measure")
        self.measure.setToolTip("Measure the variance of both gradient estimators over 20,000 samples.")
        self.status = StatusLine("Draws")
        self.reading = muted_line()
        self.table = NumberTable("Variance of the gradient estimators")
        self._possible = self._drawn = self._measuring = False
        self._arrange()
        self.draw.clicked.connect(self._on_draw)
        self.redraw.clicked.connect(self.redraw_requested)
        self.clear.clicked.connect(self.clear_requested)
        self.origins.clicked.connect(self.origins_toggled)
        self.measure.clicked.connect(self.measure_requested)
        self.set_noise(None)
        self._refresh()

    def set_possible(self, possible: bool) -> None:  # noqa: FBT001 - a setter
        """Say whether there is an image with a q."""
        self._possible = possible
        self._refresh()

    def set_drawn(self, count: int, seed: int) -> None:
        """Say how many points are on the canvas; 0 for none."""
        self._drawn = count > 0
        self.status.set_text(f"{count} points z = μ + L ε on the canvas, draw {seed + 1}" if count else "")
        self._refresh()

    def set_measuring(self, measuring: bool) -> None:  # noqa: FBT001 - a setter
        """Say whether the gradients are being measured."""
        self._measuring = measuring
        self._refresh()

    def set_noise(self, noise: GradientNoise | None) -> None:
        """Show the variances, or what they would be."""
        if noise is None:
            self.table.set_rows((), ())
            show_text(self.reading, "Both estimators have the gradient of the ELBO as their mean; their noise differs.")
            return
        rows = [
            _row(name, pathwise, score, baseline)
            for name, pathwise, score, baseline in zip(
                noise.names, noise.pathwise_variance, noise.score_variance, noise.baseline_variance, strict=True
            )
        ][:_MOST_ROWS]
        total = (noise.pathwise_variance.sum(), noise.score_variance.sum(), noise.baseline_variance.sum())
        self.table.set_rows(_HEADER, [*rows, _row("total", *(float(value) for value in total))])
        left = len(noise.names) - len(rows)
        more = f" The first {len(rows)} of {len(noise.names)} parameters are listed." if left else ""
        show_text(
            self.reading,
            f"Over {noise.num_samples:,} samples the score function is {with_error(noise.ratio, noise.ratio_error)} "
            f"times as noisy as the pathwise gradient, {with_error(noise.baseline_ratio, noise.baseline_ratio_error)} "
            f"times with a baseline b.{more}",
        )

    def show_failure(self, reason: str) -> None:
        """Say why something could not be measured."""
        show_text(self.reading, reason)

    def _refresh(self) -> None:
        self.draw.setEnabled(self._possible)
        self.redraw.setEnabled(self._possible and self._drawn)
        self.clear.setEnabled(self._drawn)
        self.measure.setEnabled(self._possible and not self._measuring)
        self.measure.setText("Measuring…" if self._measuring else "Measure")

    def _on_draw(self) -> None:
        self.draw_requested.emit(self.count.value())

    def _arrange(self) -> None:
        row = FlowLayout(spacing=6)
        label = QLabel("Points:")
        label.setBuddy(self.count)
        for widget in (label, self.count, self.draw, self.redraw, self.clear, self.origins):
            row.addWidget(widget)
        below = FlowLayout(spacing=6)
        below.addWidget(QLabel("Gradient in (μ, log σ):"))
        below.addWidget(self.measure)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 6, 12, 8)
        column.setSpacing(5)
        column.addLayout(row)
        column.addWidget(self.status)
        column.addLayout(below)
        column.addWidget(self.reading)
        column.addWidget(self.table)
        column.addStretch(1)


def _row(name: str, pathwise: float, score: float, baseline: float) -> NumberRow:
    quiet = max(pathwise, 1e-300)
    cells = (f"{pathwise:.3g}", f"{score:.3g}", f"{baseline:.3g}", f"{score / quiet:.3g}", f"{baseline / quiet:.3g}")
    return NumberRow(name, cells, f"{name}.  pathwise: {_PATHWISE}  score: {_SCORE}  score − b: {_BASELINE}")
