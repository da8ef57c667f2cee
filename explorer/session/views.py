"""The views that a session fills, as one thing to hand over."""

from dataclasses import dataclass

from explorer.views.canvas import LatentCanvas
from explorer.views.compare import ComparePanel
from explorer.views.curves import CurvesPanel
from explorer.views.draw_pad import DrawPad
from explorer.views.fit import FitPanel
from explorer.views.gaps import GapsPanel
from explorer.views.hand_panel import HandPanel
from explorer.views.ladder import LadderPanel
from explorer.views.ledger import LedgerPanel
from explorer.views.main_window import MainWindow, Panels
from explorer.views.panels import DataPanel, ModelPanel, TrainingPanel
from explorer.views.read_outs import ReadOutsPanel
from explorer.views.sampling import SamplingView
from explorer.views.similar import SimilarPanel
from explorer.views.sliders import SlidersPanel


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """Window and panels, each by its own class."""

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
    fit: FitPanel
    ladder: LadderPanel
    gaps: GapsPanel
    read_outs: ReadOutsPanel
    similar: SimilarPanel
    compare: ComparePanel
    sampling: SamplingView

    @property
    def panels(self) -> Panels:
        """What the window lays out."""
        return Panels(
            self.data,
            self.model,
            self.training,
            self.canvas,
            self.hand,
            self.sliders,
            self.draw_pad,
            self.curves,
            (self.ladder, self.gaps, self.read_outs, self.similar),
            (self.ledger, self.fit),
            self.compare,
            self.sampling,
        )
