"""The inference thread: owns its copy of the model, answers the newest request of each kind."""

import threading
import time
import traceback
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QObject, Signal

from core.config import ModelConfig
from core.findings.pixel_sampling import PixelScore
from core.inference.autoregressive import AutoregressiveCoder
from core.inference.coders import make_coder
from core.inference.codes import encode_split, latent_statistics
from core.inference.sweeps import filmstrip, mosaic
from core.snapshots import Mosaic, Weights, frozen
from core.stored_pictures import StoredPicturesError
from explorer.messages import (
    CodesRequest,
    CodesResult,
    Failed,
    FilmstripRequest,
    HandPictures,
    HandRequest,
    MosaicRequest,
    PictureRequest,
    PictureResult,
)
from explorer.workers.hand import Hand, make_hand
from explorer.workers.pixel_hand import PixelHand, make_pixel_hand
from explorer.workers.priority import lower_priority
from explorer.workers.serving import ServingThread
from explorer.workers.torch_import import import_torch

if TYPE_CHECKING:
    from core.inference.coders import Coder

_Request = HandRequest | PictureRequest | FilmstripRequest | MosaicRequest | CodesRequest
# What the hand waits for comes first, what only refreshes the background last.
_URGENCY = (HandRequest, PictureRequest, FilmstripRequest, MosaicRequest, CodesRequest)
# These do not even wait for the codes of all images to be done.
_URGENT = (HandRequest, PictureRequest)


class InferenceThread(ServingThread):
    """Encodes and decodes beside the GUI thread.  One slot a kind: a newer request replaces an unanswered one."""

    hand_ready = Signal(Hand)
    pixel_hand_ready = Signal(PixelHand)
    """In place of `hand_ready` for an autoregressive model, which has no codes."""
    codes_ready = Signal(CodesResult)
    mosaic_ready = Signal(Mosaic, float)
    filmstrip_ready = Signal(int, np.ndarray)
    pictures_ready = Signal(int, HandPictures)
    picture_encoded = Signal(PictureResult)
    picture_scored = Signal(int, PixelScore)
    failed = Signal(Failed)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("inference")
        self._wake = threading.Condition()
        self._model: tuple[ModelConfig, Weights] | None = None
        self._slots: dict[type[_Request], _Request] = {}
        self._shutting_down = False
        self._coder: Coder | None = None
        self._pixel_hand: PixelHand | None = None

    def set_model(self, config: ModelConfig, weights: Weights) -> None:
        """Use these weights from now on; `hand_ready` follows."""
        with self._wake:
            self._model = (config, weights)
            # Requests for the former model would fail or mislead on one of another shape.
            self._slots.clear()
            self._wake.notify()

    def ask(self, request: _Request) -> None:
        """Answer this request unless a newer one of its kind comes first."""
        with self._wake:
            self._slots[type(request)] = request
            self._wake.notify()

    def shut_down(self) -> None:
        """End the thread after the current piece of work."""
        super().shut_down()
        with self._wake:
            self._shutting_down = True
            self._wake.notify()

    def serve(self) -> None:
        """Serve requests until told to shut down."""
        lower_priority(self)
        while (work := self._next()) is not None:
            self._attempt(work)

    def _attempt(self, work: tuple[ModelConfig, Weights] | _Request) -> None:
        try:
            if isinstance(work, tuple):
                self._adopt(*work)
            else:
                self._answer(work)
        except StoredPicturesError as error:
            self.failed.emit(Failed(str(error)))
        except Exception as error:
            self.failed.emit(Failed(str(error) or type(error).__name__, traceback.format_exc()))

    def _next(self) -> tuple[ModelConfig, Weights] | _Request | None:
        with self._wake:
            while True:
                if self._shutting_down:
                    return None
                if self._model is not None:
                    model, self._model = self._model, None
                    return model
                if self._coder is not None or self._pixel_hand is not None:
                    for kind in _URGENCY:
                        if kind in self._slots:
                            return self._slots.pop(kind)
                self._wake.wait()

    def _adopt(self, config: ModelConfig, weights: Weights) -> None:
        self._coder = self._pixel_hand = None
        if not config.has_codes:
            self._pixel_hand = make_pixel_hand(AutoregressiveCoder(config, weights))
            self.pixel_hand_ready.emit(self._pixel_hand)
            return
        if config.network != "mlp":
            import_torch()
        coder = make_coder(config, weights)
        self._coder = coder
        self.hand_ready.emit(make_hand(coder, config))

    def _answer(self, request: _Request) -> None:
        coder = self._coder
        if coder is None:
            if self._pixel_hand is not None and isinstance(request, PictureRequest):
                self.picture_scored.emit(request.serial, self._pixel_hand.score(request.pixels))
            return
        start = time.perf_counter()
        match request:
            case HandRequest(serial, code, source, corrupted):
                pictures = Hand(coder, coder.config, coder.version, 0.0, 0.0).pictures(code, source, corrupted)
                self.pictures_ready.emit(serial, pictures)
            case PictureRequest(serial, pixels, corrupted):
                encoding = Hand(coder, coder.config, coder.version, 0.0, 0.0).encode(pixels, corrupted)
                self.picture_encoded.emit(PictureResult(serial, encoding))
            case FilmstripRequest():
                self._answer_filmstrip(coder, request)
            case MosaicRequest():
                tiles = mosaic(
                    coder,
                    request.low,
                    request.high,
                    request.axes,
                    request.base_code,
                    columns=request.columns,
                    rows=request.rows,
                )
                self.mosaic_ready.emit(tiles, 1e3 * (time.perf_counter() - start))
            case CodesRequest():
                self._answer_codes(coder, request, start)

    def _answer_filmstrip(self, coder: "Coder", request: FilmstripRequest) -> None:
        pictures = filmstrip(
            coder, request.base_code, request.dimension, request.low, request.high, count=request.count
        )
        self.filmstrip_ready.emit(request.dimension, frozen(np.concatenate(list(pictures), axis=1)))

    def _answer_codes(self, coder: "Coder", request: CodesRequest, start: float) -> None:
        split = request.dataset.half(request.split_name)
        codes = encode_split(
            coder,
            split,
            request.split_name,
            request.dataset.config,
            request.limit,
            should_stop=self._stops_between_pieces,
        )
        if codes is None:
            return
        statistics = latent_statistics(codes, coder.config)
        self.codes_ready.emit(CodesResult(codes, statistics, 1e3 * (time.perf_counter() - start), request))

    def _stops_between_pieces(self) -> bool:
        """Answer what the hand waits for; return whether the codes in work are of no more use."""
        while (request := self._urgent()) is not None:
            self._attempt(request)
        return self._is_outdated()

    def _urgent(self) -> _Request | None:
        with self._wake:
            for kind in _URGENT:
                if self._model is None and kind in self._slots:
                    return self._slots.pop(kind)
        return None

    def _is_outdated(self) -> bool:
        with self._wake:
            return self._shutting_down or self._model is not None or CodesRequest in self._slots
