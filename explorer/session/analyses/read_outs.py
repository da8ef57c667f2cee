"""What the codes of a whole data set say: information, activity, rate and distortion, the scoreboard."""

from PySide6.QtCore import QObject, QTimer

from core.config import ExperimentConfig
from core.data.dataset import Dataset
from core.findings.read_outs import Measuring, ReadOuts
from core.findings.scoreboard import ScoreboardEntry, comparable
from core.snapshots import HeldOutReport
from explorer.session.analyses.hub import AnalysisHub
from explorer.views.read_outs import PlanePoint, ReadOutsPanel
from explorer.workers.analysis import AnalysisEnded, Found
from explorer.workers.read_outs import FollowReadOuts, MeasureNll, MeasureReadOuts

INTERVAL_MS = 5000
"""Between two read-outs while a run changes the weights."""
SUBSET = 2000
"""Held-out images of the read-outs that come by themselves: half a second of a planar model."""
ALL_NODES, SUBSET_NODES = 36, 4
"""Codes of each image behind the NLL of up to two dimensions."""


class ReadOutsSession(QObject):
    """Asks for what the panel shows and hands it over."""

    def __init__(self, panel: ReadOutsPanel, hub: AnalysisHub, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._panel = panel
        self._hub = hub
        self._stale = False
        """Whether the weights are newer than the read-outs."""
        self._following = False
        """Whether read-outs were asked for that have not come: newer ones would take their place, again and again."""
        self._measuring: type[MeasureReadOuts | MeasureNll] | None = None
        """What was asked for by hand and goes on."""
        self._trail: list[PlanePoint] = []
        self._others: dict[str, PlanePoint] = {}
        self._entries: list[ScoreboardEntry] = []
        # Of the panel: nothing is followed that cannot be seen any more.
        self._timer = QTimer(panel)
        self._timer.setSingleShot(True)
        self._timer.setInterval(INTERVAL_MS)
        self._timer.timeout.connect(self._follow)
        hub.model_opened.connect(self._on_model_opened)
        hub.weights_changed.connect(self._on_weights_changed)
        hub.held_out_reported.connect(self._on_held_out_reported)
        hub.data_changed.connect(self._on_data_changed)
        hub.analysis.found.connect(self._on_found)
        hub.analysis.ended.connect(self._on_ended)
        panel.sight_changed.connect(self._follow)
        panel.measure_requested.connect(self.measure_all)
        panel.scoreboard_requested.connect(self.add_to_scoreboard)
        panel.cancel_requested.connect(self.cancel)
        panel.row_removed.connect(self._on_row_removed)
        panel.set_interval(INTERVAL_MS / 1000.0)
        if hub.config is not None:
            self._stale = hub.has_weights or not hub.live
            panel.set_model(hub.config.model)
        self._show_reason()
        self._follow()

    # What was opened, and what changed

    def _on_model_opened(self, config: ExperimentConfig) -> None:
        if self._trail:
            self._others[self._trail[-1].name] = self._trail[-1]
        self._trail = []
        self._measuring, self._following = None, False
        self._timer.stop()
        self._panel.set_model(config.model)
        self._panel.set_read_outs(None)
        self._panel.set_progress("")
        self._show_plane()
        self._show_reason()
        self._stale = not self._hub.live
        # The threads are given the weights right after this.
        QTimer.singleShot(0, self._follow)

    def _on_weights_changed(self) -> None:
        self._stale = True
        self._follow_in_time()

    def _on_held_out_reported(self, report: HeldOutReport) -> None:  # noqa: ARG002 - that the weights have changed
        self._on_weights_changed()

    def _on_data_changed(self) -> None:
        self._trail = []
        self._panel.set_read_outs(None)
        self._show_plane()
        self._show_reason()
        self._hub.analysis.give_up(FollowReadOuts)
        self._stale, self._following = True, False
        self._follow()

    # The read-outs that come by themselves

    def _follow_in_time(self) -> None:
        if not self._timer.isActive():
            self._follow()

    def _follow(self) -> None:
        """Ask for the read-outs of a subset if there is somebody to see them and something new to see."""
        dataset = self._dataset()
        if dataset is None or self._hub.config is None:
            return
        if not self._stale or self._following or not self._panel.in_sight:
            return
        self._stale, self._following = False, True
        self._timer.start()
        model = self._hub.config.model
        self._hub.analysis.ask(FollowReadOuts(model, dataset.held_out, dataset.config, SUBSET, SUBSET_NODES))

    # What is asked for by hand

    def measure_all(self) -> None:
        """Ask for the read-outs of all held-out images."""
        dataset = self._dataset()
        if dataset is not None and self._hub.config is not None:
            model = self._hub.config.model
            self._begin(MeasureReadOuts(model, dataset.held_out, dataset.config, None, ALL_NODES))

    def add_to_scoreboard(self, limit: int, num_samples: int) -> None:
        """Ask for -log p(x) over at most `limit` held-out images, 0 for all, as a row of the scoreboard."""
        dataset, config = self._dataset(), self._hub.config
        if dataset is None or config is None:
            return
        if not dataset.fingerprint:
            self._panel.set_progress("The data is still being read: a row needs to say which images it is of.")
            return
        work = MeasureNll(
            config=config.model,
            split=dataset.held_out,
            data=dataset.config,
            data_name=dataset.name,
            data_fingerprint=dataset.fingerprint,
            name=self._hub.name + (" (in training)" if self._hub.live else ""),
            limit=limit or None,
            num_samples=num_samples,
        )
        self._begin(work)

    def _begin(self, work: MeasureReadOuts | MeasureNll) -> None:
        self.cancel()
        self._measuring = type(work)
        self._panel.set_progress("Measuring…", 0.0)
        self._hub.analysis.ask(work)

    def cancel(self) -> None:
        """Give up what was asked for by hand."""
        if self._measuring is not None:
            self._hub.analysis.give_up(self._measuring)
            self._measuring = None
            self._panel.set_progress("")

    # What was found

    def _on_found(self, found: Found) -> None:
        finding = found.finding
        by_hand = self._measuring is not None and type(found.analysis) is self._measuring
        if isinstance(finding, Measuring):
            if by_hand:
                self._panel.set_progress("Measuring…", finding.share)
        elif isinstance(finding, ReadOuts):
            self._show_read_outs(finding)
        elif isinstance(finding, ScoreboardEntry):
            self._entries.append(finding)
            self._panel.set_entries(tuple(self._entries))

    def _on_ended(self, ended: AnalysisEnded) -> None:
        kind = type(ended.analysis)
        if kind is FollowReadOuts:
            self._following = False
            if ended.failure is not None:
                self._panel.set_reason(f"The read-outs failed: {ended.failure.reason}")
            self._follow_in_time()
        if kind is self._measuring:
            self._measuring = None
            self._panel.set_progress("" if ended.failure is None else f"It failed: {ended.failure.reason}")

    def _show_read_outs(self, found: ReadOuts) -> None:
        self._panel.set_read_outs(found)
        if found.rate is None or found.distortion is None:
            return
        point = PlanePoint(self._hub.name, found.rate, found.distortion, self._key())
        self._trail.append(point)
        self._show_plane()

    def _show_plane(self) -> None:
        key = self._key()
        # The model that is open has its own mark, also when it was open before.
        others = [point for point in self._others.values() if point.name != self._hub.name]
        beside = tuple(point for point in others if point.key == key)
        self._panel.set_plane(tuple(self._trail), beside, len(others) - len(beside))

    def _on_row_removed(self, row: int) -> None:
        if 0 <= row < len(self._entries):
            del self._entries[row]
            self._panel.set_entries(tuple(self._entries))

    # What there is to measure

    def _key(self) -> tuple[str, ...]:
        """Return what must be the same of two models for their nats to be compared."""
        dataset, config = self._hub.dataset, self._hub.config
        if dataset is None or config is None:
            return ()
        return comparable(config.model, dataset.config, dataset.name, dataset.fingerprint).key

    def _dataset(self) -> Dataset | None:
        """Return the data that the open model can be measured on, if there are any."""
        dataset = self._hub.dataset
        return dataset if dataset is not None and self._hub.config is not None and not self._reason() else None

    def _reason(self) -> str:
        dataset, config = self._hub.dataset, self._hub.config
        if config is None:
            return "No model is open yet."
        if dataset is None:
            return "No data is open yet: read-outs are means over held-out images."
        model = config.model
        if (model.image_height, model.image_width) != (dataset.height, dataset.width):
            return (
                f"The open model takes pictures of {model.image_height}×{model.image_width} pixels, and those of "
                f"{dataset.name} have {dataset.height}×{dataset.width}: nothing can be measured."
            )
        if not len(dataset.held_out):
            return f"{dataset.name} has no held-out images."
        return ""

    def _show_reason(self) -> None:
        reason = self._reason()
        self._panel.set_reason(reason)
        dataset = self._hub.dataset
        self._panel.set_num_held_out(0 if reason or dataset is None else len(dataset.held_out))
