"""The evidence thread: log p(x), its bound and the true posterior of the image under the hand, quick and then exact."""

import math
import threading
import time
import traceback
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from core.config import ModelConfig
from core.data.dataset import Dataset
from core.snapshots import Weights
from core.stored_pictures import StoredPicturesError
from explorer.messages import Failed, LedgerAnswer, LedgerRequest, TableReady
from explorer.workers.ledgers import Ledgers, NoLedgers, make_ledgers, needs_torch
from explorer.workers.priority import lower_priority
from explorer.workers.serving import ServingThread

REST_S = 0.02
"""So long after the last movement, which a mouse makes every 8 ms, the exact answer is worth its time."""
LIVE_SHARE = 0.1
"""While a run changes the weights, building tables takes at most this share of the time."""


@dataclass(frozen=True, slots=True, eq=False)
class _Build:
    """Make what answers by these weights."""

    config: ModelConfig
    weights: Weights


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """See whether the table covers the codes of these data."""

    dataset: Dataset


@dataclass(frozen=True, slots=True, eq=False)
class _Refine:
    """Answer an image again, exactly."""

    request: LedgerRequest


_Work = _Build | _Look | _Refine | LedgerRequest


class EvidenceThread(ServingThread):
    """Owns the table of one version of the model; answers the newest image at once, and refines when the hand rests.

    Newer weights of a run wait until the table in the making is done, and then nine times as long; images are
    meanwhile answered by the table before, and each answer says of which version it is.  Any other model ends a table
    in the making at once.
    """

    building = Signal(int)
    """A table of this version is being built."""
    table_ready = Signal(TableReady)
    answered = Signal(LedgerAnswer)
    failed = Signal(Failed)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("evidence")
        self._wake = threading.Condition()
        self._wanted: _Build | None = None
        self._dataset: Dataset | None = None
        self._look: _Look | None = None
        self._request: LedgerRequest | None = None
        self._torch = ""
        """Its version, or why it cannot be had, once that is known."""
        self._live = False
        self._hand_moves = False
        self._moved_at = -math.inf
        """On the clock of time.monotonic()."""
        self._shutting_down = False
        # What follows only this thread changes.
        self._current: _Build | None = None
        self._read: Dataset | None = None
        """The images that a table was last made with, or was to be."""
        self._ledgers: Ledgers | None = None
        self._is_whole = False
        """Whether the table is not one of the smaller ones made during a run."""
        self._rough: _Refine | None = None
        self._may_build_at = 0.0

    def set_model(self, config: ModelConfig, weights: Weights) -> None:
        """Answer by these weights as soon as their table is there; `table_ready` follows."""
        with self._wake:
            self._wanted = _Build(config, weights)
            self._wake.notify()

    def set_data(self, dataset: Dataset | None) -> None:
        """Have tables cover the codes of these images too."""
        with self._wake:
            self._dataset = dataset
            self._look = None if dataset is None else _Look(dataset)
            self._wake.notify()

    def set_torch(self, version: str) -> None:
        """Take note that torch is there, or, as "failed: ...", that it cannot be had."""
        with self._wake:
            self._torch = version
            self._wake.notify()

    def set_live(self, live: bool) -> None:  # noqa: FBT001 - a setter
        """Take note that a run changes the weights, or no longer does."""
        with self._wake:
            self._live = live
            self._wake.notify()

    def set_hand_moving(self, moving: bool) -> None:  # noqa: FBT001 - a setter
        """Let a table that replaces another wait while the hand moves: it takes a core for a second."""
        with self._wake:
            self._hand_moves = moving
            self._wake.notify()

    def note_movement(self) -> None:
        """Put off exact answers: the hand has just moved, and another image may follow."""
        self._moved_at = time.monotonic()

    def ask(self, request: LedgerRequest) -> None:
        """Answer this image unless a newer one comes first."""
        with self._wake:
            self._request = request
            self._wake.notify()

    def shut_down(self) -> None:
        """End the thread within a few hundredths of a second, whatever is being built."""
        super().shut_down()
        with self._wake:
            self._shutting_down = True
            self._wake.notify()

    def serve(self) -> None:
        """Build, answer and refine until told to shut down."""
        lower_priority(self)
        while (work := self._next()) is not None:
            try:
                match work:
                    case LedgerRequest():
                        self._answer(work)
                    case _Build():
                        self._build(work)
                    case _Look():
                        self._look_at(work)
                    case _Refine():
                        self._refine(work.request)
            except StoredPicturesError as error:
                self._do_without_data(work)
                self.failed.emit(Failed(str(error)))
            except Exception as error:
                self._rough = None
                self.failed.emit(Failed(str(error) or type(error).__name__, traceback.format_exc()))

    def _next(self) -> _Work | None:
        """Wait for what is most urgent: the image under the hand, newer weights, then a better answer."""
        with self._wake:
            while not self._shutting_down:
                now, moments = time.monotonic(), []
                if self._request is not None and self._ledgers is not None and not self._replaced():
                    request, self._request = self._request, None
                    return request
                if self._wanted is not None and (self._torch or not needs_torch(self._wanted.config)):
                    if self._replaced():
                        moments.append(0.0)
                    elif not self._hand_moves:
                        moments.append(self._may_build_at)
                    if moments and now >= moments[-1]:
                        wanted, self._wanted = self._wanted, None
                        return wanted
                if self._look is not None and self._ledgers is not None and self._wanted is None:
                    look, self._look = self._look, None
                    return look
                if self._rough is not None:
                    moments.append(self._moved_at + REST_S)
                    if now >= moments[-1]:
                        rough, self._rough = self._rough, None
                        return rough
                self._wake.wait(max(min(moments) - now, 1e-3) if moments else None)
            return None

    def _do_without_data(self, work: _Work) -> None:
        """Build the table that failed once more, without codes of the data, whose file cannot be read."""
        with self._wake:
            # Others may have been opened meanwhile.
            if self._dataset is self._read:
                self._dataset = self._look = None
            failed = work if isinstance(work, _Build) else self._current if self._ledgers is None else None
            if failed is not None and self._wanted is None:
                self._wanted, self._may_build_at = failed, 0.0
            self._wake.notify()

    def _replaced(self) -> bool:
        """Return whether another model is open than the one whose table is here: its answers would mislead."""
        if self._wanted is None:
            return False
        return not self._live or self._current is None or self._wanted.config != self._current.config

    def _build(self, work: _Build) -> None:
        with self._wake:
            live, torch, dataset = self._live, self._torch, self._dataset
            self._look, self._read = None, dataset
        if not live or self._is_whole or self._current is None or self._current.config != work.config:
            # Beside a whole table another, and a run with all it needs, would take too much memory, and what is whole
            # belongs to the model before the run.
            self._ledgers = self._rough = None
        self._current, self._is_whole = work, not live
        self.building.emit(work.weights.version)
        start = time.perf_counter()
        made: Ledgers | None
        if torch.startswith("failed") and needs_torch(work.config):
            made = NoLedgers(f"Nothing can be computed without torch, whose import {torch}", work.weights.version)
        else:
            made = make_ledgers(work.config, work.weights, dataset, self._between_chunks, coarse=live)
        if made is None:
            return  # newer weights are waiting, or the end
        seconds = time.perf_counter() - start
        self._may_build_at = time.monotonic() + seconds * (1.0 / LIVE_SHARE - 1.0)
        self._ledgers, self._rough = made, None
        self.table_ready.emit(TableReady(work.weights.version, 1e3 * seconds, made.memory_bytes))

    def _between_chunks(self) -> bool:
        """Answer the newest image by the former table; return whether going on building is in vain."""
        while True:
            with self._wake:
                if self._shutting_down or self._replaced():
                    return True
                if self._ledgers is None:
                    return False
                request, self._request = self._request, None
                if request is None:
                    if not self._hand_moves:
                        return False
                    self._wake.wait()
            if request is not None:
                self._answer(request)

    def _look_at(self, work: _Look) -> None:
        """Build the table again where the data's codes leave it."""
        self._read = work.dataset
        if self._ledgers is not None and self._current is not None and not self._ledgers.covers(work.dataset):
            self._build(self._current)

    def _answer(self, request: LedgerRequest) -> None:
        ledgers = self._ledgers
        if ledgers is None or not self._can_see(request):
            return
        start = time.perf_counter()
        ledger, posterior = ledgers.quick(request.pixels[None])
        elapsed = 1e3 * (time.perf_counter() - start)
        self._rough = _Refine(request) if ledgers.refines else None
        self.answered.emit(LedgerAnswer(request.serial, ledger, posterior, not ledgers.refines, elapsed))

    def _refine(self, request: LedgerRequest) -> None:
        if self._ledgers is None or not self._can_see(request):
            return
        start = time.perf_counter()
        found = self._ledgers.refined(request.pixels[None], self._is_outdated)
        if found is not None and not self._is_outdated():
            elapsed = 1e3 * (time.perf_counter() - start)
            self.answered.emit(LedgerAnswer(request.serial, *found, refined=True, milliseconds=elapsed))

    def _can_see(self, request: LedgerRequest) -> bool:
        """Return whether an image is of the model's size: those for the next model may come before its weights."""
        return self._current is not None and len(request.pixels) == self._current.config.num_pixels

    def _is_outdated(self) -> bool:
        with self._wake:
            return self._shutting_down or self._request is not None or self._replaced()
