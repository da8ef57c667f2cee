"""Similar input, similar code: clouds of codes under noise, and nearest neighbours."""

from PySide6.QtCore import QObject

from explorer.session.analyses.hub import AnalysisHub
from explorer.views.similar import SimilarPanel


class SimilarSession(QObject):
    """Asks for what the panel shows and hands it over."""

    def __init__(self, panel: SimilarPanel, hub: AnalysisHub, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panel = panel
        self._hub = hub
