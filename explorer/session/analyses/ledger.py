"""The ledger of the bound: log p(x), ELBO and the divergences between them, as bars that add up."""

from PySide6.QtCore import QObject

from explorer.session.analyses.hub import AnalysisHub
from explorer.views.ledger import LedgerPanel


class LedgerSession(QObject):
    """Asks for what the panel shows and hands it over."""

    def __init__(self, panel: LedgerPanel, hub: AnalysisHub, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panel = panel
        self._hub = hub
