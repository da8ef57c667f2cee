"""How active the code units of a sparse autoencoder are, live."""

import numpy as np
from PySide6.QtCore import QObject

from core.config import ExperimentConfig
from core.findings.activations import UnitActivations
from core.snapshots import Codes, frozen
from explorer.session.latent import LatentSession
from explorer.views.panels import ModelPanel


class ActivationSession(QObject):
    """Shows the mean activations over the images on the canvas, whenever their codes are new."""

    def __init__(self, panel: ModelPanel, latent: LatentSession, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panel = panel
        self._latent = latent
        self._config: ExperimentConfig | None = None
        latent.refreshed.connect(self._show)

    def open_model(self, config: ExperimentConfig) -> None:
        """Take note of another model; its codes follow."""
        self._config = config
        self._panel.set_activations(None)

    def _show(self) -> None:
        codes, config = self._latent.codes, self._config
        if config is None or codes is None or not len(codes):
            return
        self._panel.set_activations(activations_of(codes, config))


def activations_of(codes: Codes, config: ExperimentConfig) -> UnitActivations | None:
    """Return the mean activation of each unit, or its mean absolute value where L1 prices it; None for other models."""
    if config.model.model != "sparse_autoencoder":
        return None
    means = np.abs(codes.mean).mean(axis=0, dtype=np.float64)
    target = config.objective.sparsity_target if config.model.sparsity == "kl" else None
    return UnitActivations(frozen(means), target, len(codes), codes.version)
