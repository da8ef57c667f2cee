"""The ladder of bounds: ELBO with L samples, IWAE-k and log p(x) on one plot."""

from PySide6.QtCore import QObject

from explorer.session.analyses.hub import AnalysisHub
from explorer.views.ladder import LadderPanel


class LadderSession(QObject):
    """Asks for what the panel shows and hands it over."""

    def __init__(self, panel: LadderPanel, hub: AnalysisHub, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panel = panel
        self._hub = hub
