"""The inference thread, run for real on a small model."""

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from core.config import ModelConfig
from core.inference.array_likelihoods import Parameters
from core.inference.coders import Coder, make_coder
from core.inference.codes import encode_split
from core.shapes import Code, CodeArray
from core.snapshots import Codes, Mosaic, Weights
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
from explorer.workers import inference as module
from explorer.workers.hand import Hand
from explorer.workers.inference import InferenceThread
from tests.explorer.workers.running import running
from tests.open_program import bars_data, trained
from tests.small_data import SIDE


class Listener:
    """Keeps what the thread said."""

    def __init__(self, thread: InferenceThread) -> None:
        self.hands: list[Hand] = []
        self.codes: list[Codes] = []
        self.mosaics: list[Mosaic] = []
        self.strips: list[tuple[int, Any]] = []
        self.pictures: list[tuple[int, HandPictures]] = []
        self.encodings: list[PictureResult] = []
        self.failures: list[Failed] = []
        thread.hand_ready.connect(self.hands.append)
        thread.codes_ready.connect(self._on_codes)
        thread.mosaic_ready.connect(self._on_mosaic)
        thread.filmstrip_ready.connect(self._on_strip)
        thread.pictures_ready.connect(self._on_pictures)
        thread.picture_encoded.connect(self.encodings.append)
        thread.failed.connect(self.failures.append)

    def _on_codes(self, result: CodesResult) -> None:
        self.codes.append(result.codes)

    def _on_mosaic(self, mosaic: Mosaic, _elapsed_ms: float) -> None:
        self.mosaics.append(mosaic)

    def _on_strip(self, dimension: int, picture: object) -> None:
        self.strips.append((dimension, picture))

    def _on_pictures(self, serial: int, pictures: HandPictures) -> None:
        self.pictures.append((serial, pictures))


class GatedCoder:
    """A coder that decodes only while its gate is open, and says when something waits there."""

    def __init__(self, coder: Coder) -> None:
        self._coder = coder
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._coder, name)

    def parameters(self, codes: CodeArray) -> Parameters:
        self.waiting.set()
        assert self.gate.wait(10.0)
        return self._coder.parameters(codes)


@pytest.fixture
def thread(qtbot: QtBot) -> Iterator[InferenceThread]:
    with running(InferenceThread(), qtbot) as thread:
        yield thread


@pytest.fixture
def heard(thread: InferenceThread) -> Listener:
    return Listener(thread)


@pytest.fixture
def gated(thread: InferenceThread, heard: Listener, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> GatedCoder:
    """Return the thread's coder, its gate closed."""
    made: list[GatedCoder] = []

    def make(config: ModelConfig, weights: Weights) -> GatedCoder:
        made.append(GatedCoder(make_coder(config, weights)))
        return made[-1]

    monkeypatch.setattr(module, "make_coder", make)
    thread.set_model(trained().config.model, trained().as_weights(5))
    qtbot.waitUntil(lambda: bool(heard.hands))
    made[-1].gate.clear()
    made[-1].waiting.clear()
    return made[-1]


def code(*values: float) -> Code:
    return np.array(values, np.float32)


def hand_request(serial: int, *values: float) -> HandRequest:
    return HandRequest(serial, code(*values), None)


def test_requests_wait_for_the_first_model(qtbot: QtBot, thread: InferenceThread, heard: Listener) -> None:
    thread.set_model(trained().config.model, trained().as_weights(1))
    thread.ask(hand_request(1, 0.0, 0.0))
    qtbot.waitUntil(lambda: bool(heard.pictures))
    serial, pictures = heard.pictures[0]
    assert serial == 1
    assert pictures.version == 1
    np.testing.assert_array_equal(pictures.deterministic, heard.hands[0].decode(code(0.0, 0.0)))


def test_the_latest_request_wins_and_the_ones_between_are_never_decoded(
    qtbot: QtBot, thread: InferenceThread, heard: Listener, gated: GatedCoder
) -> None:
    thread.ask(hand_request(1, 0.1, 0.0))
    assert gated.waiting.wait(5.0)
    for serial in range(2, 30):
        thread.ask(hand_request(serial, 0.1 * serial, 0.0))
    gated.gate.set()
    qtbot.waitUntil(lambda: len(heard.pictures) == 2)
    qtbot.wait(30)
    assert [serial for serial, _ in heard.pictures] == [1, 29]
    np.testing.assert_allclose(heard.pictures[1][1].code, [2.9, 0.0], rtol=1e-6)


def test_what_the_hand_waits_for_comes_before_the_background(
    qtbot: QtBot, thread: InferenceThread, heard: Listener, gated: GatedCoder
) -> None:
    order: list[str] = []
    thread.codes_ready.connect(lambda: order.append("codes"))
    thread.mosaic_ready.connect(lambda: order.append("mosaic"))
    thread.pictures_ready.connect(lambda: order.append("hand"))
    thread.ask(hand_request(1, 0.0, 0.0))
    assert gated.waiting.wait(5.0)
    thread.ask(CodesRequest("held_out", bars_data(), 64))
    thread.ask(MosaicRequest((-1.0, -1.0), (1.0, 1.0), (0, 1), code(0.0, 0.0), 3, 3))
    thread.ask(hand_request(2, 1.0, 0.0))
    gated.gate.set()
    qtbot.waitUntil(lambda: len(order) == 4)
    assert order == ["hand", "hand", "mosaic", "codes"]
    assert not heard.failures


def test_another_model_drops_what_was_asked_of_the_former(
    qtbot: QtBot, thread: InferenceThread, heard: Listener, gated: GatedCoder
) -> None:
    thread.ask(hand_request(1, 0.0, 0.0))
    assert gated.waiting.wait(5.0)
    thread.ask(CodesRequest("held_out", bars_data(), 64))
    other = trained(latent_dim=3)
    thread.set_model(other.config.model, other.as_weights(6))
    gated.gate.set()
    qtbot.waitUntil(lambda: len(heard.hands) == 2)
    qtbot.wait(30)
    assert heard.hands[1].version == 6
    assert heard.codes == []
    assert not heard.failures


def test_codes_mosaic_and_filmstrip_carry_what_was_asked(
    qtbot: QtBot, thread: InferenceThread, heard: Listener
) -> None:
    thread.set_model(trained().config.model, trained().as_weights(9))
    qtbot.waitUntil(lambda: bool(heard.hands))
    thread.ask(CodesRequest("train", bars_data(), 100))
    thread.ask(MosaicRequest((-2.0, -1.0), (2.0, 1.0), (0, 1), code(0.0, 0.0), 4, 2))
    thread.ask(FilmstripRequest(1, code(0.5, 0.0), -2.0, 2.0, 5))
    thread.ask(PictureRequest(3, np.zeros(SIDE * SIDE, np.float32)))
    qtbot.waitUntil(lambda: bool(heard.codes and heard.mosaics and heard.strips and heard.encodings))
    codes, mosaic, (dimension, strip) = heard.codes[0], heard.mosaics[0], heard.strips[0]
    assert (len(codes), codes.total, codes.split, codes.version) == (100, len(bars_data().train), "train", 9)
    assert (mosaic.picture.shape, mosaic.version) == ((2 * SIDE, 4 * SIDE), 9)
    # Tile (0, 0), at the upper left, is decoded at the centre of its own rectangle.
    np.testing.assert_array_equal(mosaic.picture[:SIDE, :SIDE], heard.hands[0].decode(code(-1.5, 0.5)))
    assert dimension == 1
    assert strip.shape == (SIDE, 5 * SIDE)
    np.testing.assert_array_equal(strip[:, -SIDE:], heard.hands[0].decode(code(0.5, 2.0)))
    assert heard.encodings[0].serial == 3


def test_an_error_is_said_and_the_thread_goes_on(qtbot: QtBot, thread: InferenceThread, heard: Listener) -> None:
    thread.set_model(trained().config.model, trained().as_weights(1))
    thread.ask(hand_request(1, 0.0, 0.0, 0.0))
    qtbot.waitUntil(lambda: bool(heard.failures))
    assert heard.failures[0].reason
    assert "Traceback" in heard.failures[0].details
    thread.ask(hand_request(2, 0.0, 0.0))
    qtbot.waitUntil(lambda: bool(heard.pictures))


def test_weights_that_do_not_fit_are_said_and_the_next_model_is_used(
    qtbot: QtBot, thread: InferenceThread, heard: Listener
) -> None:
    thread.set_model(trained().config.model, trained(latent_dim=3).as_weights(1))
    qtbot.waitUntil(lambda: bool(heard.failures))
    assert "weights" in heard.failures[0].reason
    thread.set_model(trained().config.model, trained().as_weights(2))
    qtbot.waitUntil(lambda: bool(heard.hands))
    assert heard.hands[0].version == 2


def test_the_thread_ends_in_the_middle_of_a_large_encoding(
    qtbot: QtBot, thread: InferenceThread, heard: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()

    def encode_until_told(*_values: object, should_stop: Any, **_named: object) -> None:
        asked.set()
        while not should_stop():
            pass

    monkeypatch.setattr(module, "encode_split", encode_until_told)
    thread.set_model(trained().config.model, trained().as_weights(1))
    qtbot.waitUntil(lambda: bool(heard.hands))
    thread.ask(CodesRequest("train", bars_data(), 100))
    assert asked.wait(5.0)
    thread.shut_down()
    assert thread.wait(2_000)
    assert heard.codes == []


def test_a_newer_request_for_codes_interrupts_the_one_in_progress(
    qtbot: QtBot, thread: InferenceThread, heard: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()

    def encode_the_second(*values: Any, should_stop: Any, **named: Any) -> Codes | None:
        if asked.is_set():
            return encode_split(*values, should_stop=should_stop, **named)
        asked.set()
        while not should_stop():
            pass
        return None

    monkeypatch.setattr(module, "encode_split", encode_the_second)
    thread.set_model(trained().config.model, trained().as_weights(1))
    qtbot.waitUntil(lambda: bool(heard.hands))
    thread.ask(CodesRequest("train", bars_data(), 100))
    assert asked.wait(5.0)
    thread.ask(CodesRequest("held_out", bars_data(), 100))
    qtbot.waitUntil(lambda: bool(heard.codes))
    assert [codes.split for codes in heard.codes] == ["held_out"]


def test_the_hand_does_not_wait_for_all_images_to_be_encoded(
    qtbot: QtBot, thread: InferenceThread, heard: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answered = threading.Event(), threading.Event()
    thread.picture_encoded.connect(lambda _result: answered.set(), Qt.ConnectionType.DirectConnection)

    def encode_until_the_hand_is_answered(*values: Any, should_stop: Any, **named: Any) -> Codes | None:
        asked.set()
        while not answered.is_set():
            assert not should_stop()
        return encode_split(*values, should_stop=should_stop, **named)

    monkeypatch.setattr(module, "encode_split", encode_until_the_hand_is_answered)
    thread.set_model(trained().config.model, trained().as_weights(1))
    qtbot.waitUntil(lambda: bool(heard.hands))
    thread.ask(CodesRequest("train", bars_data(), 100))
    assert asked.wait(5.0)
    thread.ask(hand_request(1, 0.0, 0.0, 0.0))  # of a wrong shape: the codes in work outlive what goes wrong meanwhile
    thread.ask(PictureRequest(3, np.zeros(SIDE * SIDE, np.float32)))
    qtbot.waitUntil(lambda: bool(heard.codes))
    assert [result.serial for result in heard.encodings] == [3]
    assert len(heard.failures) == 1
