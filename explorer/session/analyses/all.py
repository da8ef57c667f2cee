"""Every analysis of the window; most begin when their panel is made, with what is open then."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from explorer.messages import DocumentInfo
from explorer.session.analyses.hub import AnalysisHub
from explorer.session.analyses.ledger import LedgerSession
from explorer.session.analyses.shelf import ModelShelf
from explorer.session.views import Views
from explorer.session.workers import Workers

if TYPE_CHECKING:
    from explorer.session.analyses.compare import CompareSession
    from explorer.session.analyses.fit import FitSession
    from explorer.session.analyses.gaps import GapsSession
    from explorer.session.analyses.ladder import LadderSession
    from explorer.session.analyses.read_outs import ReadOutsSession
    from explorer.session.analyses.similar import SimilarSession
    from explorer.views.fit import FitPanel
    from explorer.views.gaps import GapsPanel
    from explorer.views.ladder import LadderPanel
    from explorer.views.read_outs import ReadOutsPanel
    from explorer.views.similar import SimilarPanel


class Analyses(QObject):
    """One session for each panel; asking for one of a panel that is not made yet has it made."""

    held_out_wanted = Signal()
    """The held-out half is to be shown: an image of it was chosen."""

    def __init__(
        self, views: Views, workers: Workers, shelf: ModelShelf, hub: AnalysisHub, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._views = views
        self._workers = workers
        self._shelf = shelf
        self._hub = hub
        self.ledger = LedgerSession(views.ledger, hub, self)
        self._fit: FitSession | None = None
        self._ladder: LadderSession | None = None
        self._gaps: GapsSession | None = None
        self._read_outs: ReadOutsSession | None = None
        self._similar: SimilarSession | None = None
        self._compare: CompareSession | None = None
        views.late.fit.then(self._begin_fit)
        views.late.ladder.then(self._begin_ladder)
        views.late.gaps.then(self._begin_gaps)
        views.late.read_outs.then(self._begin_read_outs)
        views.late.similar.then(self._begin_similar)

    def show_document(self, document: DocumentInfo) -> None:
        """Take the open model's name, which a run or a save may have changed."""
        if self._similar is not None:
            self._similar.set_open_name(document.name)
        if self._compare is not None:
            self._compare.set_open_name(document.name)

    def redraw(self) -> None:
        """Draw other noise, if draws of q are shown."""
        if self._fit is not None:
            self._fit.redraw()

    def toggle_comparison(self) -> None:
        """Let the user choose a model to compare with; or end the comparison."""
        self.compare.toggle()

    # Each by its name

    @property
    def fit(self) -> "FitSession":
        """Fits q to the image under the hand."""
        return self._fit or self._begin_fit(self._views.fit)

    @property
    def ladder(self) -> "LadderSession":
        """Climbs the ladder of bounds."""
        return self._ladder or self._begin_ladder(self._views.ladder)

    @property
    def gaps(self) -> "GapsSession":
        """Measures the gaps over held-out images."""
        return self._gaps or self._begin_gaps(self._views.gaps)

    @property
    def read_outs(self) -> "ReadOutsSession":
        """Measures what the codes of the held-out images say."""
        return self._read_outs or self._begin_read_outs(self._views.read_outs)

    @property
    def similar(self) -> "SimilarSession":
        """Follows the image under the hand with clouds and neighbours."""
        return self._similar or self._begin_similar(self._views.similar)

    @property
    def compare(self) -> "CompareSession":
        """Keeps two models at the same image."""
        if self._compare is None:
            from explorer.session.analyses.compare import CompareSession

            self._compare = CompareSession(self._views, self._workers, self._shelf, self._hub, self)
        return self._compare

    # Each is imported and made with its panel, or right after it

    def _begin_fit(self, panel: "FitPanel") -> "FitSession":
        if self._fit is None:
            from explorer.session.analyses.fit import FitSession

            self._fit = FitSession(panel, self._hub, self)
            self._hub.tell_newcomer()
        return self._fit

    def _begin_ladder(self, panel: "LadderPanel") -> "LadderSession":
        if self._ladder is None:
            from explorer.session.analyses.ladder import LadderSession

            self._ladder = LadderSession(panel, self._hub, self)
            self._hub.tell_newcomer()
        return self._ladder

    def _begin_gaps(self, panel: "GapsPanel") -> "GapsSession":
        if self._gaps is None:
            from explorer.session.analyses.gaps import GapsSession

            self._gaps = GapsSession(panel, self._hub, self)
            self._gaps.held_out_wanted.connect(self.held_out_wanted)
        return self._gaps

    def _begin_read_outs(self, panel: "ReadOutsPanel") -> "ReadOutsSession":
        if self._read_outs is None:
            from explorer.session.analyses.read_outs import ReadOutsSession

            self._read_outs = ReadOutsSession(panel, self._hub, self)
        return self._read_outs

    def _begin_similar(self, panel: "SimilarPanel") -> "SimilarSession":
        if self._similar is None:
            from explorer.session.analyses.similar import SimilarSession

            self._similar = SimilarSession(panel, self._shelf, self._hub, self)
            self._hub.tell_newcomer()
        return self._similar
