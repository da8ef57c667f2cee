"""Approximation and amortisation gaps over held-out images, and the images they are worst for."""

from PySide6.QtCore import QObject

from explorer.session.analyses.hub import AnalysisHub
from explorer.views.gaps import GapsPanel


class GapsSession(QObject):
    """Asks for what the panel shows and hands it over."""

    def __init__(self, panel: GapsPanel, hub: AnalysisHub, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panel = panel
        self._hub = hub
