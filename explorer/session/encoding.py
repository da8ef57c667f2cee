"""All images of a half encoded at the user's wish, while the weights are at rest."""

from PySide6.QtCore import QObject

from core.findings.encoding import EncodedHalf, EncodedSoFar
from explorer.messages import CodesRequest, CodesResult
from explorer.session.analyses.hub import AnalysisHub
from explorer.session.shown_data import SPLIT_NAMES
from explorer.views.main_window import MainWindow
from explorer.workers.analysis import AnalysisEnded, Found
from explorer.workers.encoding import EncodeAll

COMMAND = "view.encode_all"


class EncodingSession(QObject):
    """Has all images encoded in the background, tells how far that is, and hands the codes to the latent session."""

    def __init__(self, hub: AnalysisHub, window: MainWindow, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._hub = hub
        self._window = window
        self._asked: EncodeAll | None = None
        window.encoding_cancelled.connect(self.cancel)
        hub.model_opened.connect(self._give_up)
        hub.weights_changed.connect(self._give_up)
        hub.data_changed.connect(self._on_data_changed)
        hub.live_changed.connect(self._on_live_changed)
        hub.latent.codes_changed.connect(self._offer)
        hub.analysis.found.connect(self._on_found)
        hub.analysis.ended.connect(self._on_ended)
        self._offer()

    def begin(self) -> None:
        """Encode all images of the half that is shown."""
        dataset = self._hub.dataset
        if dataset is None or self._reason():
            return
        self._asked = EncodeAll(dataset, self._hub.latent.split_name)
        self._hub.analysis.ask(self._asked)
        self._tell(0, len(dataset.half(self._asked.split_name)))
        self._offer()

    def cancel(self) -> None:
        """Encode no more; the codes that are shown stay."""
        if self._asked is not None:
            self._give_up()
            self._window.show_status("Encoding cancelled.")

    def _give_up(self) -> None:
        if self._asked is not None:
            self._hub.analysis.give_up(EncodeAll)
            self._end()
        self._offer()

    def _end(self) -> None:
        self._asked = None
        self._window.show_encoding(1.0)
        self._offer()

    def _on_data_changed(self) -> None:
        if self._asked is not None and self._asked.dataset is not self._hub.dataset:
            self._give_up()
        self._offer()

    def _on_live_changed(self, live: bool) -> None:  # noqa: FBT001 - a signal's argument
        if live:
            self._give_up()
        self._offer()

    def _on_found(self, found: Found) -> None:
        asked = self._asked
        if asked is None or found.analysis is not asked:
            return
        match found.finding:
            case EncodedSoFar(done, total):
                self._tell(done, total)
            case EncodedHalf(codes, statistics):
                request = CodesRequest(asked.split_name, asked.dataset, codes.total)
                self._hub.latent.take_codes(CodesResult(codes, statistics, 0.0, request))

    def _on_ended(self, ended: AnalysisEnded) -> None:
        if self._asked is None or ended.analysis is not self._asked:
            return
        name, latent = self._asked.split_name, self._hub.latent
        self._end()
        if ended.failure is not None:
            self._window.show_error(ended.failure)
        elif latent.split_name == name and self._all_shown:
            # Where the other half is looked at, it would be taken to be about that one.
            self._window.show_status(f"All {SPLIT_NAMES[name]} images are encoded.")

    def _tell(self, done: int, total: int) -> None:
        self._window.show_encoding(done / total, f"Encoding {done:,} of {total:,}")

    @property
    def _all_shown(self) -> bool:
        codes = self._hub.latent.codes
        return codes is not None and self._hub.fits and len(codes) >= codes.total

    def _reason(self) -> str:
        """Return why nothing is to be encoded now; nothing where something is."""
        hub = self._hub
        if self._asked is not None:
            return "All images are being encoded."
        if hub.live:
            return "A run changes the weights: all images can be encoded when it is over."
        if hub.latent.codes is None or not hub.fits:
            return "No codes are shown yet."
        return "The codes of all images are shown." if self._all_shown else ""

    def _offer(self) -> None:
        reason = self._reason()
        self._window.commands.set_enabled(COMMAND, not reason, reason)
