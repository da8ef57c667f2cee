"""The views that a session fills, as one thing to hand over."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.views.canvas import LatentCanvas
from explorer.views.compare import ComparePanel
from explorer.views.curves import CurvesPanel
from explorer.views.draw_pad import DrawPad
from explorer.views.hand_panel import HandPanel
from explorer.views.later import Later
from explorer.views.ledger import LedgerPanel
from explorer.views.main_window import MainWindow
from explorer.views.panels import DataPanel, ModelPanel, TrainingPanel
from explorer.views.sampling import SamplingView
from explorer.views.sliders import SlidersPanel

if TYPE_CHECKING:
    # Made later, and imported then.
    from explorer.views.fit import FitPanel
    from explorer.views.gaps import GapsPanel
    from explorer.views.ladder import LadderPanel
    from explorer.views.read_outs import ReadOutsPanel
    from explorer.views.similar import SimilarPanel


@dataclass(frozen=True, slots=True, eq=False)
class LatePanels:
    """The panels that are not seen when the window opens: they are behind another's tab, or in another's place."""

    fit: "Later[FitPanel]"
    ladder: "Later[LadderPanel]"
    gaps: "Later[GapsPanel]"
    read_outs: "Later[ReadOutsPanel]"
    similar: "Later[SimilarPanel]"
    sampling: Later[SamplingView]
    """For a model without codes."""


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """Window and panels, each by its own class; those that are `late` are made when they are asked for here."""

    window: MainWindow
    canvas: LatentCanvas
    sliders: SlidersPanel
    hand: HandPanel
    draw_pad: DrawPad
    curves: CurvesPanel
    data: DataPanel
    model: ModelPanel
    training: TrainingPanel
    ledger: LedgerPanel
    compare: ComparePanel
    late: LatePanels

    @property
    def fit(self) -> "FitPanel":
        """The panel that fits q."""
        return self.late.fit()

    @property
    def ladder(self) -> "LadderPanel":
        """The panel of the ladder of bounds."""
        return self.late.ladder()

    @property
    def gaps(self) -> "GapsPanel":
        """The panel of the gaps over held-out images."""
        return self.late.gaps()

    @property
    def read_outs(self) -> "ReadOutsPanel":
        """The panel of read-outs and scoreboard."""
        return self.late.read_outs()

    @property
    def similar(self) -> "SimilarPanel":
        """The panel of similar images."""
        return self.late.similar()

    @property
    def sampling(self) -> SamplingView:
        """What stands in the canvas's place for a model without codes."""
        return self.late.sampling()
