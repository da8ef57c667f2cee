"""One model's map with the cloud on it, and how wide the cloud is."""

import dataclasses
import math

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from core.config import ModelConfig
from core.findings.clouds import Cloud
from core.snapshots import Codes
from explorer.messages import Extent
from explorer.views.canvas import LatentCanvas
from explorer.views.canvas.backdrop import Scene
from explorer.views.figures import Figure, FigureRow
from explorer.views.icon_button import IconButton
from explorer.views.panels.frame import ElidedLabel

CLOUD_COLOUR = 2
"""Which colour of points on the canvas noisy copies have: green, as no label is; the first is that of samples of q."""


class MapCanvas(LatentCanvas):
    """A small latent canvas: codes and a cloud, no pictures and no legend."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumSize(120, 96)
        self.setToolTip("Codes of the data, and the cloud of the noisy copies; drag to move, turn the wheel to zoom")
        self.set_layers(mosaic=False, prior=False)
        self._close_up = False

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return a square of a comfortable size."""
        return QSize(180, 160)

    def set_close_up(self, close_up: bool) -> None:  # noqa: FBT001 - a Qt setter
        """Show the cloud as large as it fits, or all codes."""
        self._close_up = close_up
        if close_up:
            self.follow_cloud()
        else:
            self.fit_view()

    def follow_cloud(self) -> None:
        """Keep the cloud in view, in a close-up."""
        samples = self._samples
        if not self._close_up or samples is None or not len(samples.places):
            return
        places = np.nan_to_num(samples.places.astype(np.float64))
        (left, bottom), (right, top) = places.min(axis=0), places.max(axis=0)
        # A cloud of one point still needs a neighbourhood to be seen in.
        least = 1e-3 * max(1.0, *(abs(value) for value in (left, right, bottom, top)))
        wide, high = max(right - left, least) - (right - left), max(top - bottom, least) - (top - bottom)
        self._fit_target = Extent(left - wide / 2, right + wide / 2, bottom - high / 2, top + high / 2)
        self._set_view(self._view.fitted(self._fit_target, margin=0.25))

    def refit_view(self) -> None:
        """Follow codes that have outgrown the view, but for a close-up."""
        if not self._close_up:
            super().refit_view()

    def _scene(self) -> Scene:
        return dataclasses.replace(super()._scene(), scaled=False, notes=())


class CloudColumn(QWidget):
    """Title, map and figures of one model."""

    remove_requested = Signal(int)
    """The slot of the model that is to go."""

    def __init__(self, slot: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slot = slot
        self._codes: Codes | None = None
        self._cloud: Cloud | None = None
        self._title = ElidedLabel(bold=True, cut=Qt.TextElideMode.ElideRight)
        self.remove = IconButton("close", "Take this model away", "Take this model away")
        if slot == 0:
            self.remove.hide()
        self.remove.clicked.connect(self._on_remove)
        self.canvas = MapCanvas()
        self.figures = FigureRow("How the cloud lies")
        self._note = QLabel()
        self._note.setProperty("role", "muted")
        self._note.setWordWrap(True)
        self._note.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._note.hide()
        head = QHBoxLayout()
        head.setSpacing(2)
        head.addWidget(self._title, 1)
        head.addWidget(self.remove)
        head.addStrut(self.remove.sizeHint().height())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addLayout(head)
        column.addWidget(self.canvas, 1)
        column.addWidget(self.figures)

    @property
    def title(self) -> str:
        """The model's kind and name."""
        return self._title.text()

    @property
    def cloud(self) -> Cloud | None:
        """The cloud shown."""
        return self._cloud

    @property
    def codes(self) -> Codes | None:
        """The data codes shown."""
        return self._codes

    def set_model(self, title: str, config: ModelConfig) -> None:
        """Show another model, of which nothing is known yet."""
        self.set_title(title)
        self._codes = None
        self.canvas.set_codes(None)
        self.canvas.set_latent_dim(config.latent_dim, config.has_prior)
        self.set_cloud(None)

    def set_title(self, title: str) -> None:
        """Name the model."""
        self._title.set_text(title)
        self.canvas.setAccessibleName(f"Codes of {title}")

    def set_codes(self, codes: Codes | None) -> None:
        """Show codes of the data, on the two axes on which they spread most; the view stays where it fits."""
        first = self._codes is None
        if codes is not None and first and codes.mean.shape[1] > 2 and len(codes):
            widest = np.argsort(-np.nan_to_num(codes.mean).var(axis=0), kind="stable")
            self.canvas.set_axes(int(widest[0]), int(widest[1]))
        self._codes = codes
        self.canvas.set_codes(codes)
        if first:
            self.canvas.fit_view()
            self.canvas.follow_cloud()
        self.canvas.refit_view()

    def set_cloud(self, cloud: Cloud | None) -> None:
        """Show a cloud and its figures, or none."""
        self._cloud = cloud
        if cloud is None:
            self.canvas.set_points(None)
            self.canvas.set_posterior(None)
            self.figures.set_figures(())
            return
        self.canvas.set_points(cloud.codes, None, np.full(len(cloud.codes), CLOUD_COLOUR, np.int64))
        self.canvas.set_posterior(cloud.clean)
        self.canvas.follow_cloud()
        self.figures.set_figures(cloud_figures(cloud))

    def _on_remove(self) -> None:
        self.remove_requested.emit(self._slot)


def cloud_figures(cloud: Cloud) -> tuple[Figure, ...]:
    """Return what can be said of a cloud in numbers that may be compared between models."""
    against = f"the {cloud.num_data:,} data codes"
    figures = [
        Figure(
            percent(cloud.spread),
            "spread",
            f"Variance of the noisy copies' codes (trace of their covariance), in units of that of {against}: "
            "comparable between models, whatever the scale of their codes.",
        ),
        Figure(
            percent(cloud.offset),
            "offset",
            "Distance from the clean code to the middle of the cloud, in units of the root of that variance: "
            "how far the noise moves the code one way.",
        ),
    ]
    if cloud.same_label is not None:
        whose = (
            "the image's own label" if cloud.label_is_own else "the label of the data code nearest to its clean code"
        )
        figures.append(
            Figure(
                percent(cloud.same_label),
                f"label {cloud.label}",
                f"Share of {len(cloud.codes):,} noisy copies whose nearest data code has label {cloud.label}, {whose}.",
            )
        )
    return tuple(figures)


def percent(share: float) -> str:
    """Return a share as a percentage of about two digits; a dash where it is not defined."""
    value = 100.0 * share
    if not math.isfinite(value):
        return "–"
    if value == 0.0 or value >= 9.95:
        return f"{value:.0f}%"
    return "<0.01%" if value < 0.01 else f"{value:.{2 if value < 0.995 else 1}f}%"
