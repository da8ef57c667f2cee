"""Every analysis of the window, made at once."""

from PySide6.QtCore import QObject

from explorer.messages import DocumentInfo
from explorer.session.analyses.compare import CompareSession
from explorer.session.analyses.fit import FitSession
from explorer.session.analyses.gaps import GapsSession
from explorer.session.analyses.hub import AnalysisHub
from explorer.session.analyses.ladder import LadderSession
from explorer.session.analyses.ledger import LedgerSession
from explorer.session.analyses.read_outs import ReadOutsSession
from explorer.session.analyses.shelf import ModelShelf
from explorer.session.analyses.similar import SimilarSession
from explorer.session.views import Views
from explorer.session.workers import Workers


class Analyses(QObject):
    """One session for each panel."""

    def __init__(
        self, views: Views, workers: Workers, shelf: ModelShelf, hub: AnalysisHub, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.ledger = LedgerSession(views.ledger, hub, self)
        self.fit = FitSession(views.fit, hub, self)
        self.ladder = LadderSession(views.ladder, hub, self)
        self.gaps = GapsSession(views.gaps, hub, self)
        self.read_outs = ReadOutsSession(views.read_outs, hub, self)
        self.similar = SimilarSession(views, workers, shelf, hub, self)
        self.compare = CompareSession(views, workers, shelf, hub, self)

    def show_document(self, document: DocumentInfo) -> None:
        """Take the open model's name, which a run or a save may have changed."""
        self.similar.set_open_name(document.name)
        self.compare.set_open_name(document.name)
