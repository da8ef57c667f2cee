"""The panel of training curves."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QStandardPaths, QTimer, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QMessageBox, QVBoxLayout, QWidget

from core.config import ModelConfig
from core.history import History
from core.snapshots import HeldOutReport, RunNote, StepReports
from explorer.settings import Settings
from explorer.theme import Palette, current_palette
from explorer.views.curves.controls import ALL, CurveControls, with_hidden
from explorer.views.curves.entries import WORDINGS, legend_entries
from explorer.views.curves.kinds import caption_for, help_for, undefined_for
from explorer.views.curves.legend import Entry, Legend
from explorer.views.curves.options import CurveOptions
from explorer.views.curves.quantities import KL_PER_DIMENSION, MOST_DIMENSIONS, NLL, QUANTITIES
from explorer.views.curves.record import CurveRecord
from explorer.views.curves.stage import Stage
from explorer.views.curves.style import panel_style
from explorer.views.writing import not_written, write_whole

if TYPE_CHECKING:
    from explorer.views.curves.plot import QuantityPlot

REPAINT_MS = 33
"""At most 30 repaints a second, for what the user does."""
NEWS_MS = 100
"""At most ten for what a run reports: each takes 5 ms and as much again to paint, which a drag meanwhile would feel."""
NEWS_BESIDE_HAND_MS = 500
"""At most two while a hand moves: at seven a second one in twelve of its movements met one."""

_NEED_PRIOR = {quantity.name for quantity in QUANTITIES if quantity.needs_prior}


class CurvesPanel(QWidget):
    """ELBO, NLL, KL and KL per dimension of train and held-out images, live, in nats per image."""

    saved = Signal(str)
    """A file was written from the panel's own menu."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Training curves")
        self._record = CurveRecord()
        self._x_range: tuple[float, float] | None = None
        self._drawing = False
        self._dirty = True
        self._settings: Settings | None = None
        self._left = ""
        """The quantity that was shown before a model came that does not define it."""
        self._model = ModelConfig()
        self._colours: Palette | None = None
        self.controls = CurveControls(self)
        self.legend = Legend(self)
        self._caption = QLabel(self)
        self._caption.setObjectName("caption")
        self._unit_note = QLabel(self)
        self._unit_note.setObjectName("note")
        for label in (self._caption, self._unit_note):
            label.setContentsMargins(6, 0, 6, 0)
            label.hide()
            self.legend.add_trailing(label)
        self._stage = Stage(self)
        self._undrawn: list[QuantityPlot] = []
        """Plots whose turn comes in the next turns of the event loop."""
        self._urgent = False
        """Whether what has changed is the user's doing, and not only a run's news."""
        self._news_ms = NEWS_MS
        self._waiting = False
        """Until `draw_now`: nothing is drawn."""
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._arrange()
        self._connect()
        self._last_options = self.options
        self._restyle()
        self._on_quantity(self.controls.quantity)

    def _arrange(self) -> None:
        below = QHBoxLayout()
        below.setSpacing(8)
        below.addWidget(self.legend, 1)
        below.addWidget(self.controls.outliers)
        below.addWidget(self.controls.follow)
        below.addWidget(self.controls.save)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 4)
        layout.setSpacing(3)
        layout.addWidget(self.controls)
        layout.addLayout(below)
        layout.addWidget(self._stage, 1)

    def _connect(self) -> None:
        self._timer.timeout.connect(self._on_timer)
        self.controls.quantity_chosen.connect(self._on_quantity)
        self.controls.options_changed.connect(self._on_options)
        self.controls.follow_asked.connect(self._on_follow)
        self.controls.save_asked.connect(self._on_save)
        self.legend.hidden_changed.connect(self._mark_dirty)
        self._stage.zoomed.connect(self._on_zoomed)
        self._stage.range_changed.connect(self._on_range_changed)
        self._stage.follow_requested.connect(self.follow)

    # --- what the session sets

    def set_history(self, history: History) -> None:
        """Show a whole history in place of what is shown."""
        self._record = CurveRecord()
        self._record.load(history)
        self.follow()

    def add_steps(self, reports: StepReports) -> None:
        """Append the reports of some training steps."""
        self._record.add_steps(reports)
        self._mark_news()

    def add_held_out(self, report: HeldOutReport) -> None:
        """Append a held-out evaluation."""
        self._record.add_held_out(report)
        self._mark_news()

    def add_note(self, note: RunNote) -> None:
        """Append a note: a thin vertical line with its text under the crosshair."""
        self._record.add_note(note)
        self._mark_news()

    def set_hand_moving(self, moving: bool) -> None:  # noqa: FBT001 - a setter
        """Draw what a run reports less often while the hand moves."""
        self._news_ms = NEWS_BESIDE_HAND_MS if moving else NEWS_MS

    def wait(self) -> None:
        """Draw nothing until `draw_now`."""
        self._waiting = True

    def draw_now(self) -> None:
        """Draw what has come, and from now on what comes."""
        self._waiting = False
        if self._dirty:
            self._mark_dirty()

    def clear(self) -> None:
        """Forget all curves and follow the next ones."""
        self._record = CurveRecord()
        self.follow()

    def set_unit_note(self, text: str) -> None:
        """Say beside the legend what the nats are not, e.g. of grey pixels; an empty text says nothing."""
        self._unit_note.setText(text)
        self._unit_note.setToolTip(text)
        self._unit_note.setVisible(bool(text))

    def set_model(self, model: ModelConfig) -> None:
        """Turn to a quantity that such a model defines, and back when one with a prior comes; name what is shown."""
        self._model, has_prior = model, model.has_prior
        for name, text in help_for(model).items():
            self.controls.set_quantity_help(name, text)
        self._mark_dirty()
        if not has_prior and self.controls.quantity in _NEED_PRIOR:
            self._left = self.controls.quantity
            self.controls.choose(NLL.name)
        elif has_prior and self._left:
            self.controls.choose(self._left)
            self._left = ""

    def remember(self, settings: Settings) -> None:
        """Show the quantity and the smoothing that were chosen last, and keep those chosen from now on."""
        self.controls.choose(settings.curves_quantity)
        self.controls.set_smoothing(settings.smoothing)
        self._settings = settings

    # --- what the panel's own controls do

    @property
    def options(self) -> CurveOptions:
        """How the curves are drawn."""
        options = self.controls.options
        return with_hidden(options, self.legend.hidden, in_epochs=options.in_epochs and self._record.epochs.known)

    @property
    def plots(self) -> dict[str, "QuantityPlot"]:
        """The plots by quantity."""
        plots = self._stage.plots()
        self._stage.show_only(self.controls.quantity)
        return plots

    @property
    def following(self) -> bool:
        """Whether all is shown up to the newest step."""
        return self._x_range is None and all(
            plot.follow_y for plot in self._stage.made if self.controls.quantity in (plot.quantity.name, ALL)
        )

    @property
    def unit_note(self) -> str:
        """The sentence beside the legend."""
        return self._unit_note.text()

    def follow(self) -> None:
        """Show everything again, and what is to come."""
        self._x_range = None
        for plot in self._stage.made:
            plot.follow_y = True
        self._mark_dirty()

    def refresh(self) -> None:
        """Draw what has come since the last time, now; the panel does so by itself, 30 times a second at most."""
        self._begin_drawing()
        while self._undrawn:
            self._draw_one()

    def _begin_drawing(self) -> None:
        self._dirty = self._urgent = False
        self.controls.set_epochs_known(self._record.epochs.known)
        self._undrawn = self._shown()

    def _draw_one(self) -> None:
        """Draw the next plot, and with the last one what is said beside them."""
        plot, self._drawing = self._undrawn.pop(0), True
        try:
            plot.undefined = undefined_for(self._model)
            plot.draw(self._record, self.options, self._x_range)
            if not self._undrawn:
                self.legend.set_entries(self._entries())
                self._show_caption()
                self.controls.set_following(self.following)
        finally:
            self._drawing = False

    def save_picture(self, path: Path) -> None:
        """Save the visible plots with their legend as .png or .svg.  Raises OSError; ValueError for other suffixes."""
        from explorer.views.curves.export import figure_bytes  # noqa: PLC0415 - few save a picture

        self.refresh()
        data = figure_bytes(path.suffix.lower(), self._shown(), self.legend.entries, self.unit_note)
        write_whole(path, data)

    def save_csv(self, path: Path) -> None:
        """Save every number behind the curves as a table.  Raises OSError."""
        from explorer.views.curves.export import table_text  # noqa: PLC0415 - as above

        write_whole(path, "".join(table_text(self._record)).encode())

    def _shown(self) -> "list[QuantityPlot]":
        return self._stage.shown(self.controls.quantity)

    def _mark_news(self) -> None:
        self._dirty = True
        if self.isVisible() and not self._timer.isActive():
            self._timer.start(self._news_ms)

    def _mark_dirty(self) -> None:
        self._dirty = self._urgent = True
        if self.isVisible() and not 0 <= self._timer.remainingTime() <= REPAINT_MS:
            self._timer.start(REPAINT_MS)

    def _on_timer(self) -> None:
        if not self.isVisible() or self._waiting:
            self._dirty |= bool(self._undrawn)
            self._undrawn = []
        elif self._dirty or self._undrawn:
            self._go_on_drawing()

    def _go_on_drawing(self) -> None:
        """Make or draw one plot, and leave the next to the next turn of the event loop.

        Ten curves of one plot take as long to make as a hand should ever wait, and a third of that to draw.
        """
        if self._stage.make_one(self.controls.quantity):
            self._timer.start(0)
            return
        if not self._undrawn:
            self._begin_drawing()
        self._draw_one()
        if self._undrawn:
            self._timer.start(0)
        elif self._dirty:
            self._timer.start(REPAINT_MS if self._urgent else self._news_ms)

    def _on_quantity(self, chosen: str) -> None:
        self._stage.show_only(chosen)
        if self._settings is not None:
            self._settings.curves_quantity = self._left or chosen
        self._mark_dirty()

    def _on_options(self) -> None:
        options, last = self.options, self._last_options
        if (options.in_epochs, options.log_x) != (last.in_epochs, last.log_x):
            self._x_range = None
        if options.log_y != last.log_y:
            for plot in self._stage.made:
                plot.follow_y = True
        if self._settings is not None and options.smoothing != last.smoothing:
            self._settings.smoothing = options.smoothing
        self._last_options = options
        self._mark_dirty()

    def _on_follow(self, wanted: bool) -> None:  # noqa: FBT001 - Qt's signature
        if wanted:
            self.follow()
            return
        shown = self._shown()
        self._x_range = shown[0].x_range
        for plot in shown:
            plot.follow_y = False

    def _on_zoomed(self, quantity: str, along_x: bool) -> None:  # noqa: FBT001 - a slot
        if along_x:
            self._x_range = self._stage[quantity].x_range
        self.controls.set_following(self.following)
        self._mark_dirty()

    def _on_range_changed(self) -> None:
        if not self._drawing:
            self._mark_dirty()

    def _on_save(self, suffix: str) -> None:
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        names = {"png": "Pictures (*.png)", "svg": "Drawings (*.svg)", "csv": "Tables (*.csv)"}
        chosen, _ = QFileDialog.getSaveFileName(
            self, "Save the curves", str(Path(folder) / f"curves.{suffix}"), names[suffix]
        )
        if not chosen:
            return
        path = Path(chosen) if chosen.lower().endswith(f".{suffix}") else Path(f"{chosen}.{suffix}")
        try:
            if suffix == "csv":
                self.save_csv(path)
            else:
                self.save_picture(path)
        except OSError as error:
            QMessageBox.warning(self, "Not saved", f"{not_written(path, error)}.")
        else:
            self.saved.emit(str(path))

    # --- words and colours

    def _entries(self) -> tuple[Entry, ...]:
        """The legend in the longest words that still stand in one row."""
        entries: tuple[Entry, ...] = ()
        for wording in WORDINGS:
            entries = legend_entries(self._record, self.controls.quantity, wording)
            if self.legend.width_of(entries) <= self.legend.width():
                break
        return entries

    def _show_caption(self) -> None:
        parts = [caption_for(self._model, self.controls.quantity)]
        parts = [part for part in parts if part and not self._record.empty]
        if self.controls.quantity == KL_PER_DIMENSION.name and self._record.has_kl and self.options.smoothing > 0.0:
            parts.append("train, smoothed")
        if self.controls.quantity in (KL_PER_DIMENSION.name, ALL) and self._record.has_kl:
            count = self._record.num_dimensions
            if count > MOST_DIMENSIONS:
                parts.append(f"top {MOST_DIMENSIONS} of {count} by KL")
            if self._record.kl_steps_per_row > 1:
                parts.append(f"KL per dimension: means of {self._record.kl_steps_per_row} steps")
        self._caption.setText("; ".join(parts))
        self._caption.setVisible(bool(parts))

    def _restyle(self) -> None:
        colours = current_palette()
        if colours is self._colours:
            return
        self._colours = colours
        self.setStyleSheet(panel_style(colours))
        for plot in self._stage.made:
            plot.restyle()
        self._mark_dirty()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Draw for the new size."""
        super().resizeEvent(event)
        self._mark_dirty()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_timer"):
            self._restyle()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Draw what came while nobody looked."""
        super().showEvent(event)
        if self._dirty:
            self._mark_dirty()
