"""Fit q: controls, numbers and the climb of the ELBO."""

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton, QVBoxLayout, QWidget

from core.choices import POSTERIORS
from core.findings.fitting import FitStep
from explorer.views.fit.climb import ClimbPlot
from explorer.views.flow import FlowLayout
from explorer.views.panels.frame import muted_line, show_text
from explorer.views.readouts import StatusLine, number

_STARTS = (
    ("encoder", "encoder", "What the encoder says of the image: amortised inference, to be improved on."),
    ("prior", "prior", "N(0, I): what is known before the image is seen.  The ascent may end in a poorer mode."),
)
_ESTIMATE = "estimate of log p(x)"
_EXACT = "log p(x)"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of log p(x) of the image."""

    log_px: float
    doubt: float
    """Error bar of the quadrature, or standard error of the estimate."""
    exact: bool


class InferencePage(QWidget):
    """Starts, pauses and steps through a fit, and shows how far it is."""

    begin_requested = Signal(str, str)
    """Fit q, or go on fitting: the family and what to start from."""
    pause_requested = Signal()
    step_requested = Signal(str, str)
    """A single iteration: the family and what to start from if none has begun."""
    reset_requested = Signal()
    choice_changed = Signal()
    """Another family or start; a fit in progress is one of another."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.families, self.starts = QComboBox(), QComboBox()
        for choice in POSTERIORS:
            # The panel is narrow: the name for short, the whole of it in the tool tip.
            self.families.addItem(choice.name, choice.name)
            self.families.setItemData(
                self.families.count() - 1, f"{choice.label}: {choice.help}", Qt.ItemDataRole.ToolTipRole
            )
        for name, text, tip in _STARTS:
            self.starts.addItem(text, name)
            self.starts.setItemData(self.starts.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.families.setAccessibleName("Family of q")
        self.families.setToolTip("The family that q is chosen from: its best member is what is climbed to.")
        self.starts.setAccessibleName("Start of the fit")
        self.starts.setToolTip("Where the ascent starts.")
        self.begin = QPushButton("Fit q")
        self.begin.setProperty("role", "primary")
        self.begin.setToolTip("Gradient ascent on the ELBO of this one image, the decoder fixed.")
        self.pause, self.step, self.reset = QPushButton("Pause"), QPushButton("Step"), QPushButton("Reset")
        self.step.setToolTip("One iteration.")
        self.reset.setToolTip("Take the fitted q away.")
        self.status, self.detail = StatusLine("State of the fit"), StatusLine("Fit beside the encoder")
        self.note = muted_line()
        self.plot = ClimbPlot()
        self._steps: list[FitStep] = []
        self._known: Known | None = None
        self._encoder_elbo: float | None = None
        self._running = False
        self._possible = False
        self._arrange()
        self.begin.clicked.connect(self._on_begin)
        self.step.clicked.connect(self._on_step)
        self.pause.clicked.connect(self.pause_requested)
        self.reset.clicked.connect(self.reset_requested)
        self.families.activated.connect(self.choice_changed)
        self.starts.activated.connect(self.choice_changed)
        self._refresh()

    @property
    def choice(self) -> tuple[str, str]:
        """Family and start."""
        return str(self.families.currentData()), str(self.starts.currentData())

    @property
    def last(self) -> FitStep | None:
        """The newest iteration shown."""
        return self._steps[-1] if self._steps else None

    def set_possible(self, possible: bool) -> None:  # noqa: FBT001 - a setter
        """Say whether there is anything to fit."""
        self._possible = possible
        self._refresh()

    def set_family(self, name: str) -> None:
        """Choose a family; no intent is emitted."""
        self.families.setCurrentIndex(max(0, self.families.findData(name)))

    def set_running(self, running: bool) -> None:  # noqa: FBT001 - a setter
        """Say whether iterations go on by themselves."""
        self._running = running
        self._refresh()

    def clear(self) -> None:
        """Show no fit."""
        self._steps = []
        self._encoder_elbo = None
        self._refresh()

    def add_step(self, step: FitStep) -> None:
        """Show one more iteration."""
        self._steps.append(step)
        self._encoder_elbo = step.encoder_elbo
        self._refresh()

    def set_known(self, known: Known | None) -> None:
        """Show log p(x), or nothing where it is not known yet."""
        self._known = known
        self._refresh()

    def set_note(self, text: str) -> None:
        """Say something of the fit that went wrong or ended."""
        show_text(self.note, text)

    def _refresh(self) -> None:
        last = self.last
        finished = last is not None and last.finished
        self.begin.setText("Go on" if last is not None and not finished and not self._running else "Fit q")
        self.begin.setEnabled(self._possible and not self._running)
        self.pause.setEnabled(self._running)
        self.step.setEnabled(self._possible and not self._running and not finished)
        self.reset.setEnabled(last is not None)
        self.status.set_text(self._text())
        self.detail.set_text(self._details())
        self.plot.set_elbos([step.elbo for step in self._steps])
        lines = []
        if self._known is not None:
            text = _EXACT if self._known.exact else _ESTIMATE
            lines.append((self._known.log_px, text, "density"))
        if self._encoder_elbo is not None:
            lines.append((self._encoder_elbo, "encoder's ELBO", "accent"))
        self.plot.set_lines(lines)

    def _text(self) -> str:
        last = self.last
        if last is None:
            return "" if not self._possible else "Nothing is fitted yet."
        parts = [f"iteration {last.iteration}", f"ELBO {number(last.elbo, 3)} nats"]
        if self._known is not None:
            left = self._known.log_px - last.elbo
            kind = "" if self._known.exact else " (estimate)"
            parts.append(f"gap left {number(left, 3)}{kind}")
        return " · ".join(parts)

    def _details(self) -> str:
        last = self.last
        if last is None:
            return ""
        won = last.elbo - last.encoder_elbo
        parts = [f"{number(abs(won), 3)} nats {'above' if won >= 0.0 else 'below'} the encoder's q"]
        parts.append("arrived: no step promises more" if last.finished else f"|gradient| {last.gradient_norm:.2g}")
        return " · ".join(parts)

    def _on_begin(self) -> None:
        self.begin_requested.emit(*self.choice)

    def _on_step(self) -> None:
        self.step_requested.emit(*self.choice)

    def _arrange(self) -> None:
        row = FlowLayout(spacing=6)
        for name, box in (("q:", self.families), ("from", self.starts)):
            label = QLabel(name)
            label.setBuddy(box)
            row.addWidget(label)
            row.addWidget(box)
        for button in (self.begin, self.pause, self.step, self.reset):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 4, 12, 4)
        column.setSpacing(3)
        column.addLayout(row)
        column.addWidget(self.status)
        column.addWidget(self.detail)
        column.addWidget(self.note)
        column.addWidget(self.plot, 1)
