"""The analysis thread: long work about a model or an image, told step by step, side by side, given up at any step."""

import threading
import traceback
from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from PySide6.QtCore import QObject, Signal

from core.config import ModelConfig
from core.findings import Finding
from core.snapshots import Weights
from core.stored_pictures import StoredPicturesError
from explorer.messages import Failed
from explorer.workers.priority import lower_priority
from explorer.workers.serving import ServingThread
from explorer.workers.torch_import import import_torch

if TYPE_CHECKING:
    from core.inference.coders import Coder

Steps = Generator[Finding | None, None, None]


class OpenModel:
    """One version of a model, with what computes by it made when it is first asked for."""

    def __init__(self, config: ModelConfig, weights: Weights) -> None:
        self.config = config
        self.weights = weights
        self._coder: Coder | None = None

    @property
    def coder(self) -> "Coder":
        """Encoder and decoder.  Raises ValueError for a model without codes."""
        if self._coder is None:
            from core.inference.coders import make_coder

            self._coder = make_coder(self.config, self.weights)
        return self._coder


@dataclass(frozen=True, slots=True, eq=False)
class Analysis(ABC):
    """A piece of work for the analysis thread; every kind is a frozen dataclass of its own with what it needs."""

    patient: ClassVar[bool] = False
    """Whether it rests while the hand moves: what goes through a whole data set takes a core for long."""

    @abstractmethod
    def steps(self, model: OpenModel) -> Steps:
        """Yield what is found, or None when there is nothing to tell, every few hundredths of a second.

        It is closed at a yield when it is given up.  It keeps the version of the model it began with.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Something that an analysis found."""

    analysis: Analysis
    finding: Finding


@dataclass(frozen=True, slots=True, eq=False)
class AnalysisEnded:
    """An analysis ended by itself, or failed; one that was given up or replaced says nothing more."""

    analysis: Analysis
    failure: Failed | None = None


class AnalysisThread(ServingThread):
    """Pulls analyses in turn, one of each kind at a time: a newer one takes an older one's place."""

    found = Signal(Found)
    ended = Signal(AnalysisEnded)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("analysis")
        self._wake = threading.Condition()
        self._model: OpenModel | None = None
        self._asked: dict[type[Analysis], Analysis] = {}
        self._running: dict[type[Analysis], tuple[Analysis, Steps]] = {}
        self._given_up: set[type[Analysis]] = set()
        self._held: set[type[Analysis]] = set()
        self._single: set[type[Analysis]] = set()
        self._hand_moves = False
        self._shutting_down = False

    def set_model(self, config: ModelConfig, weights: Weights) -> None:
        """Analyses asked for from now on are about these weights."""
        with self._wake:
            self._model = OpenModel(config, weights)
            self._wake.notify()

    def ask(self, analysis: Analysis) -> None:
        """Begin an analysis, in place of one of its kind; any number of `found` and one `ended` follow."""
        kind = type(analysis)
        with self._wake:
            self._asked[kind] = analysis
            self._held.discard(kind)
            self._single.discard(kind)
            self._wake.notify()

    def give_up(self, kind: type[Analysis]) -> None:
        """End the analysis of this kind, if there is one; it says nothing more."""
        with self._wake:
            self._asked.pop(kind, None)
            self._given_up.add(kind)
            self._wake.notify()

    def give_up_all(self) -> None:
        """End every analysis, as when another model is opened."""
        with self._wake:
            self._asked.clear()
            self._given_up.update(self._running)
            self._wake.notify()

    def hold(self, kind: type[Analysis]) -> None:
        """Pull the analysis of this kind no further but by `pull_once`."""
        with self._wake:
            self._held.add(kind)

    def pull_once(self, kind: type[Analysis]) -> None:
        """Hold the analysis of this kind and pull it a single time."""
        with self._wake:
            self._held.add(kind)
            self._single.add(kind)
            self._wake.notify()

    def set_hand_moving(self, moving: bool) -> None:  # noqa: FBT001 - a setter
        """Let patient analyses rest while the hand moves."""
        with self._wake:
            self._hand_moves = moving
            self._wake.notify()

    def shut_down(self) -> None:
        """End the thread after the current step."""
        super().shut_down()
        with self._wake:
            self._shutting_down = True
            self._wake.notify()

    def serve(self) -> None:
        """Pull analyses until told to shut down."""
        lower_priority(self)
        while (due := self._next_due()) is not None:
            for kind in due:
                self._pull(kind)
        for _, steps in self._running.values():
            steps.close()

    def _next_due(self) -> list[type[Analysis]] | None:
        """Begin what was asked for and end what was given up; return what is to be pulled, None to end."""
        with self._wake:
            while not self._shutting_down:
                for kind in self._given_up & self._running.keys():
                    self._running.pop(kind)[1].close()
                self._given_up.clear()
                if self._model is not None:
                    for kind, analysis in self._asked.items():
                        if kind in self._running:
                            self._running.pop(kind)[1].close()
                        self._running[kind] = (analysis, analysis.steps(self._model))
                    self._asked.clear()
                due = [kind for kind in self._running if self._may_go_on(kind)]
                self._single.clear()
                if due:
                    return due
                self._wake.wait()
            return None

    def _may_go_on(self, kind: type[Analysis]) -> bool:
        if kind in self._single:
            return True
        return kind not in self._held and not (kind.patient and self._hand_moves)

    def _pull(self, kind: type[Analysis]) -> None:
        analysis, steps = self._running[kind]
        try:
            import_torch()
            finding = next(steps)
        except StopIteration:
            self._end(kind, AnalysisEnded(analysis))
        except StoredPicturesError as error:
            self._end(kind, AnalysisEnded(analysis, Failed(str(error))))
        except Exception as error:
            failure = Failed(str(error) or type(error).__name__, traceback.format_exc())
            self._end(kind, AnalysisEnded(analysis, failure))
        else:
            if finding is not None and self._is_wanted(analysis):
                self.found.emit(Found(analysis, finding))

    def _end(self, kind: type[Analysis], ended: AnalysisEnded) -> None:
        del self._running[kind]
        if self._is_wanted(ended.analysis):
            self.ended.emit(ended)

    def _is_wanted(self, analysis: Analysis) -> bool:
        kind = type(analysis)
        with self._wake:
            return not self._shutting_down and kind not in self._given_up and kind not in self._asked
