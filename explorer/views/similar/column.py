"""One model's map with the cloud on it, and how wide the cloud is."""

import math

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from core.config import ModelConfig
from core.findings.clouds import Cloud
from core.snapshots import Codes
from explorer.views.canvas import LatentCanvas
from explorer.views.figures import Figure, FigureRow
from explorer.views.icon_button import IconButton
from explorer.views.panels.frame import ElidedLabel


class MapCanvas(LatentCanvas):
    """A small latent canvas: codes and a cloud, no pictures and no legend."""

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumSize(120, 96)
        self.setToolTip("Codes of the data, and the cloud of the noisy copies; drag to move, turn the wheel to zoom")
        self.set_layers(mosaic=False)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return a square of a comfortable size."""
        return QSize(180, 160)


class CloudColumn(QWidget):
    """Title, map and figures of one model."""

    remove_requested = Signal(int)
    """The slot of the model that is to go."""

    def __init__(self, slot: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slot = slot
        self._codes: Codes | None = None
        self._cloud: Cloud | None = None
        self._title = ElidedLabel(bold=True)
        self.remove = IconButton("close", "Take this model away", "Take this model away")
        self.remove.setVisible(slot > 0)
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
        self._title.set_text(title)
        self.canvas.setAccessibleName(f"Codes of {title}")
        self._codes = None
        self.canvas.set_codes(None)
        self.canvas.set_latent_dim(config.latent_dim, config.has_prior)
        self.set_cloud(None)

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
        self.canvas.refit_view()

    def set_cloud(self, cloud: Cloud | None) -> None:
        """Show a cloud and its figures, or none."""
        self._cloud = cloud
        if cloud is None:
            self.canvas.set_points(None)
            self.canvas.set_posterior(None)
            self.figures.set_figures(())
            return
        self.canvas.set_points(cloud.codes)
        self.canvas.set_posterior(cloud.clean)
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
    """Return a share as a percentage of three digits; a dash where it is not defined."""
    value = 100.0 * share
    if not math.isfinite(value):
        return "–"
    if value == 0.0 or value >= 99.95:
        return f"{value:.0f} %"
    decimals = 3 if value < 0.1 else 2 if value < 10.0 else 1
    return "< 0.001 %" if value < 0.001 else f"{value:.{decimals}f} %"
