"""Approximation and amortisation gaps over held-out images, and the images they are worst for."""

import time

import numpy as np
from PySide6.QtCore import QObject, Signal

from core.compatibility import data_for
from core.data.binarisation import seen_by_model
from core.data.dataset import Dataset
from core.findings.fitting import Gaps
from explorer.messages import picture_of
from explorer.session.analyses.bounds import why_undefined
from explorer.session.analyses.hub import AnalysisHub
from explorer.session.reading import missing_picture
from explorer.views.gaps import COLUMNS, ROWS, GapsPanel, Worst
from explorer.workers.analysis import AnalysisEnded, Found
from explorer.workers.variational import MeasureGaps

_SHOW_EVERY_S = 0.2
STALE = "the weights have changed since"


class GapsSession(QObject):
    """Has the gaps measured, shows them as they come, and goes to the image that is clicked."""

    held_out_wanted = Signal()
    """The held-out half is to be shown: an image of it was chosen."""

    def __init__(self, panel: GapsPanel, hub: AnalysisHub, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panel = panel
        self._hub = hub
        self._asked: MeasureGaps | None = None
        self._gaps: Gaps | None = None
        self._note = ""
        self._shown_at = 0.0
        panel.measure_requested.connect(self.measure)
        panel.cancel_requested.connect(self.cancel)
        panel.image_chosen.connect(self._on_image_chosen)
        panel.order_changed.connect(self._show_worst)
        hub.model_opened.connect(self._on_opened)
        hub.data_changed.connect(self._on_opened)
        hub.weights_changed.connect(self._on_weights_changed)
        hub.analysis.found.connect(self._on_found)
        hub.analysis.ended.connect(self._on_ended)
        self._show_reason()

    def measure(self, num_images: int) -> None:
        """Measure so many held-out images by the present weights."""
        dataset, config = self._hub.dataset, self._hub.latent.config
        if dataset is None or config is None or self._reason():
            return
        self._gaps, self._note = None, ""
        self._panel.set_gaps(None)
        self._panel.set_busy(True)
        self._asked = MeasureGaps(config, dataset.held_out, dataset.config, num_images)
        self._hub.analysis.ask(self._asked)

    def cancel(self) -> None:
        """Measure no more images; those measured stay."""
        if self._panel_is_busy:
            self._hub.analysis.give_up(MeasureGaps)
            self._end("cancelled")

    @property
    def _panel_is_busy(self) -> bool:
        return self._asked is not None and not self._panel.cancel.isHidden()

    def _end(self, note: str) -> None:
        self._panel.set_busy(False)
        self._note = note
        self._show()

    def _on_opened(self) -> None:
        self._hub.analysis.give_up(MeasureGaps)
        self._asked = self._gaps = None
        self._note = ""
        self._panel.set_busy(False)
        self._panel.set_gaps(None)
        self._show_reason()

    def _on_weights_changed(self) -> None:
        hand, gaps = self._hub.latent.hand, self._gaps
        if gaps is not None and hand is not None and hand.version != gaps.version and STALE not in self._note:
            self._note = f"{self._note}; {STALE}" if self._note else STALE
            self._panel.set_gaps(gaps, self._note)
        self._show_reason()

    def _on_found(self, found: Found) -> None:
        if found.analysis is not self._asked or not isinstance(found.finding, Gaps):
            return
        self._gaps = found.finding
        # Twelve pictures and two histograms five times a second are enough for the eye.
        if time.monotonic() - self._shown_at > _SHOW_EVERY_S:
            self._show()

    def _on_ended(self, ended: AnalysisEnded) -> None:
        if ended.analysis is self._asked:
            self._end("" if ended.failure is None else f"It failed: {ended.failure.reason}")

    def _show(self) -> None:
        self._shown_at = time.monotonic()
        self._panel.set_gaps(self._gaps, self._note)
        self._show_worst()

    def _show_worst(self) -> None:
        gaps, asked, config = self._gaps, self._asked, self._hub.latent.config
        if gaps is None or asked is None or config is None:
            return
        by = gaps.amortisation if self._panel.gallery.order == "amortisation" else gaps.approximation
        rows = np.argsort(-by, kind="stable")[: COLUMNS * ROWS]
        images = gaps.indices[rows]
        size = config.image_height, config.image_width
        taken = self._hub.latent.reading.taken(asked.split.images, images)
        if taken is None:
            pictures = [missing_picture(*size)] * len(rows)
        else:
            pictures = [picture_of(seen, *size) for seen in seen_by_model(taken, images, data_for(asked.data, config))]
        self._panel.set_worst(
            tuple(
                Worst(int(image), picture, float(gaps.approximation[row]), float(gaps.amortisation[row]))
                for row, image, picture in zip(rows, images, pictures, strict=True)
            )
        )

    def _on_image_chosen(self, image: int) -> None:
        if (
            self._asked is not None
            and self._hub.dataset is not None
            and self._asked.split is self._hub.dataset.held_out
        ):
            self.held_out_wanted.emit()
            self._hub.latent.select_image(image)

    def _reason(self) -> str:
        config, dataset = self._hub.latent.config, self._hub.dataset
        if config is None:
            return "No model is open yet."
        if why_undefined(config):
            return why_undefined(config)
        if dataset is None:
            return "No data is open yet: gaps are measured over held-out images."
        if not self._hub.fits:
            return _misfit(dataset, config.image_height, config.image_width)
        return "" if len(dataset.held_out) else f"{dataset.name} has no held-out images."

    def _show_reason(self) -> None:
        reason, dataset = self._reason(), self._hub.dataset
        self._panel.set_reason(reason)
        self._panel.set_num_held_out(0 if reason or dataset is None else len(dataset.held_out))


def _misfit(dataset: Dataset, height: int, width: int) -> str:
    return (
        f"The open model takes pictures of {height}×{width} pixels, and those of {dataset.name} have "
        f"{dataset.height}×{dataset.width}: nothing can be measured."
    )
