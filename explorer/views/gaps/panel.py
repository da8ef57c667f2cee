"""Approximation and amortisation gaps over held-out images, and the images they are worst for."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from core.findings.fitting import Gaps
from explorer.views.count_field import CountField
from explorer.views.gaps.gallery import Gallery, Worst
from explorer.views.gaps.histogram import GapHistograms
from explorer.views.panels.frame import muted_line, show_text
from explorer.views.readouts import StatusLine

DEFAULT_IMAGES = 500


class GapsPanel(QWidget):
    """Measures both gaps of some held-out images, and shows them as they come."""

    measure_requested = Signal(int)
    """Measure so many images."""
    cancel_requested = Signal()
    image_chosen = Signal(int)
    """Go to this held-out image."""
    order_changed = Signal()
    """The gallery is to be chosen by the other gap."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Gaps")
        self.reason = muted_line("No model is open yet.")
        self.count = CountField(1, DEFAULT_IMAGES, DEFAULT_IMAGES)
        self.count.setAccessibleName("Number of held-out images")
        self.count.setGroupSeparatorShown(True)
        self.of_all = QLabel()
        self.measure = QPushButton("Measure")
        self.measure.setProperty("role", "primary")
        self.measure.setToolTip(
            "For each image: log p(x), the encoder's ELBO, and the best ELBO of the family by gradient ascent from the "
            "encoder's q, from the prior and from the posterior's modes."
        )
        self.cancel = QPushButton("Cancel")
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Images measured")
        self.status = StatusLine("State of the measurement")
        self.histograms, self.gallery = GapHistograms(), Gallery()
        self._total = 0
        self._busy = False
        self._arrange()
        self.measure.clicked.connect(self._on_measure)
        self.cancel.clicked.connect(self.cancel_requested)
        self.gallery.image_chosen.connect(self.image_chosen)
        self.gallery.order_changed.connect(self.order_changed)
        self.set_reason("No model is open yet.")
        self.set_gaps(None)

    def set_reason(self, text: str) -> None:
        """Say, in a sentence, why nothing can be measured; an empty text takes it away."""
        show_text(self.reason, text)
        for widget in (self.histograms, self.gallery, self.status):
            widget.setVisible(not text)
        self._refresh()

    def set_num_held_out(self, total: int) -> None:
        """Say how many held-out images there are."""
        if total != self._total:
            self._total = total
            chosen = self.count.value()
            self.count.setMaximum(max(total, 1))
            self.count.setValue(min(max(chosen, min(DEFAULT_IMAGES, total)), max(total, 1)))
            self.of_all.setText(f"of {total:,} held-out images")
        self._refresh()

    def set_busy(self, busy: bool) -> None:  # noqa: FBT001 - a setter
        """Say whether a measurement goes on."""
        self._busy = busy
        self._refresh()

    def set_gaps(self, gaps: Gaps | None, note: str = "") -> None:
        """Show what is measured so far, or nothing; `note` is said beside it."""
        self.histograms.set_gaps(gaps)
        self.progress.setRange(0, 1 if gaps is None else gaps.wanted)
        self.progress.setValue(0 if gaps is None else len(gaps))
        parts = []
        if gaps is not None:
            how = (
                "exact log p(x)" if gaps.exact else "log p(x) estimated: too small in expectation, and the gap with it"
            )
            parts = [f"{len(gaps):,} of {gaps.wanted:,} images, of {gaps.total:,} held out", f"{gaps.family} q", how]
        self.status.set_text(" · ".join([*parts, note] if note else parts))
        if gaps is None:
            self.gallery.set_worst(())

    def set_worst(self, worst: Sequence[Worst]) -> None:
        """Show the gallery's images."""
        self.gallery.set_worst(worst)

    def _refresh(self) -> None:
        possible = self._total > 0 and self.reason.isHidden()
        self.measure.setEnabled(possible and not self._busy)
        self.count.setEnabled(possible and not self._busy)
        self.cancel.setVisible(self._busy)
        self.progress.setVisible(self._busy)

    def _on_measure(self) -> None:
        self.measure_requested.emit(self.count.value())

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        for widget in (self.measure, self.count, self.of_all, self.cancel):
            row.addWidget(widget)
        row.addWidget(self.progress, 1)
        row.addStretch(0)
        self.of_all.setProperty("role", "muted")
        below = QHBoxLayout()
        below.setSpacing(12)
        below.addWidget(self.histograms, 3)
        below.addWidget(self.gallery, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 6, 12, 6)
        column.setSpacing(4)
        column.addWidget(self.reason)
        column.addLayout(row)
        column.addWidget(self.status)
        column.addLayout(below, 1)
