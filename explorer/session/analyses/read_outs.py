"""What the codes of a whole data set say: information, activity, rate and distortion, the scoreboard."""

from PySide6.QtCore import QObject

from explorer.session.analyses.hub import AnalysisHub
from explorer.views.read_outs import ReadOutsPanel


class ReadOutsSession(QObject):
    """Asks for what the panel shows and hands it over."""

    def __init__(self, panel: ReadOutsPanel, hub: AnalysisHub, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panel = panel
        self._hub = hub
