"""Variational inference by hand: fit q to one image, and the reparameterisation it stands on."""

from PySide6.QtCore import QObject

from explorer.session.analyses.hub import AnalysisHub
from explorer.views.fit import FitPanel


class FitSession(QObject):
    """Asks for what the panel shows and hands it over."""

    def __init__(self, panel: FitPanel, hub: AnalysisHub, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panel = panel
        self._hub = hub
