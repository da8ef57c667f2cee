"""Answers that come late: the threads stand still here, and the tests answer in their place."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.inference.coders import make_coder
from core.inference.codes import encode_split, latent_statistics
from core.saved_model import SavedModel
from core.snapshots import Mosaic
from explorer.messages import (
    CodesRequest,
    CodesResult,
    HandRequest,
    LoadedData,
    LoadedModel,
    PictureRequest,
    PictureResult,
)
from explorer.workers.hand import Hand, make_hand
from tests.open_program import OpenProgram, bars_data, trained
from tests.small_data import bar_data

pytestmark = [pytest.mark.usefixtures("qapp"), pytest.mark.qt_log_ignore("This plugin does not support")]


class StillProgram(OpenProgram):
    """A program whose threads were never started."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.window.show()
        self.workers = self.program.workers

    def open(self, saved: SavedModel, *, slow: bool = False) -> Hand:
        """Open a model and its data, and return what the inference thread would make of it."""
        self.workers.loading.model_loaded.emit(LoadedModel(Path("model.safetensors"), saved, "opened"))
        self.workers.loading.data_loaded.emit(LoadedData(bars_data()))
        return self.answer_model(slow=slow)

    def answer_model(self, *, slow: bool = False) -> Hand:
        """Adopt the newest weights as the inference thread would."""
        inference = self.workers.inference
        assert inference._model is not None
        config, weights = inference._model
        hand = make_hand(make_coder(config, weights), config)
        # The planted coder: one that belongs to the inference thread.
        cost = 1e3 if slow else 0.0
        hand = replace(hand, decode_ms=cost, encode_ms=cost)
        inference.hand_ready.emit(hand)
        return hand

    def asked(self, kind: type) -> object:
        """Return the request that waits for an answer."""
        return self.workers.inference._slots.get(kind)

    def answer_codes(self, hand: Hand, request: CodesRequest) -> CodesResult:
        """Answer a request for codes."""
        split = request.dataset.train if request.split_name == "train" else request.dataset.held_out
        codes = encode_split(hand.coder, split, request.split_name, request.dataset.config, request.limit)
        result = CodesResult(codes, latent_statistics(codes, hand.config), 1.0, request)
        self.workers.inference.codes_ready.emit(result)
        return result


@pytest.fixture
def still(tmp_path: Path) -> Iterator[StillProgram]:
    program = StillProgram(tmp_path)
    yield program
    program.leave()


def codes_request(still: StillProgram) -> CodesRequest:
    request = still.asked(CodesRequest)
    assert isinstance(request, CodesRequest)
    return request


def hand_request(still: StillProgram) -> HandRequest:
    request = still.asked(HandRequest)
    assert isinstance(request, HandRequest)
    return request


def test_a_stale_picture_is_dropped_and_the_newest_shown(still: StillProgram) -> None:
    hand = still.open(trained(), slow=True)
    still.answer_codes(hand, codes_request(still))
    still.drag_handle_to(0.6, 0.1)
    first = hand_request(still)
    still.drag_handle_to(-0.8, 0.7)
    second = hand_request(still)
    assert second.serial > first.serial
    shown = still.picture
    still.workers.inference.pictures_ready.emit(first.serial, hand.pictures(first.code))
    assert still.picture is shown, "the hand has moved on"
    answer = hand.pictures(second.code)
    still.workers.inference.pictures_ready.emit(second.serial, answer)
    assert still.picture is not None
    np.testing.assert_array_equal(still.picture, answer.deterministic)


def test_a_slow_coder_is_never_called_by_the_window(still: StillProgram, monkeypatch: pytest.MonkeyPatch) -> None:
    hand = still.open(trained(), slow=True)
    still.answer_codes(hand, codes_request(still))

    def refuse(*_values: object) -> None:
        raise AssertionError("the window has called a slow coder")

    monkeypatch.setattr(Hand, "pictures", refuse)
    monkeypatch.setattr(Hand, "encode", refuse)
    still.drag_handle_to(0.3, 0.3)
    still.draw((60, 140), (220, 140))
    assert isinstance(still.asked(HandRequest), HandRequest)
    assert isinstance(still.asked(PictureRequest), PictureRequest)


def test_a_stale_encoding_of_a_drawing_is_dropped(still: StillProgram) -> None:
    hand = still.open(trained(), slow=True)
    still.draw((60, 60), (220, 60))
    first = still.asked(PictureRequest)
    assert isinstance(first, PictureRequest)
    still.draw((140, 60), (140, 220))
    second = still.asked(PictureRequest)
    assert isinstance(second, PictureRequest)
    results = still.views.draw_pad.results
    still.workers.inference.picture_encoded.emit(PictureResult(first.serial, hand.encode(first.pixels)))
    assert results.encoding is None
    encoding = hand.encode(second.pixels)
    still.workers.inference.picture_encoded.emit(PictureResult(second.serial, encoding))
    assert results.encoding is encoding


def test_codes_of_data_that_were_closed_since_are_dropped(still: StillProgram) -> None:
    hand = still.open(trained())
    late = codes_request(still)
    still.workers.loading.data_loaded.emit(LoadedData(bar_data()))
    wanted = codes_request(still)
    assert wanted.dataset is not late.dataset
    still.answer_codes(hand, late)
    assert still.session.latent.codes is None
    result = still.answer_codes(hand, wanted)
    assert still.session.latent.codes is result.codes


def test_codes_of_the_other_half_are_dropped(still: StillProgram) -> None:
    hand = still.open(trained())
    late = codes_request(still)
    still.window.split_chosen.emit("train")
    still.answer_codes(hand, late)
    assert still.session.latent.codes is None
    result = still.answer_codes(hand, codes_request(still))
    assert result.codes.split == "train"
    assert result.codes is still.session.latent.codes


def test_until_the_other_half_is_encoded_a_point_is_still_the_image_it_was(still: StillProgram) -> None:
    hand = still.open(trained())
    result = still.answer_codes(hand, codes_request(still))
    still.window.split_chosen.emit("train")
    canvas = still.views.canvas
    place = still.pixel_of(result.codes.mean[3])
    still.driver.move(canvas, [place + still.pixel(0.2, 0.0) - still.pixel(0.0, 0.0), place])
    (line,) = canvas.hover_card._lines
    assert "held-out image" in line
    shift = still.pixel(0.3, 0.3) - still.pixel(0.0, 0.0)
    still.driver.drag(canvas, [place, place + shift / 2, place + shift], gap_ms=6)
    assert still.handle.anchor is None, "it is none of the training images"


def test_codes_of_older_weights_are_dropped(still: StillProgram) -> None:
    first = still.open(trained())
    request = codes_request(still)
    still.workers.loading.model_loaded.emit(LoadedModel(Path("again.safetensors"), trained(), "opened"))
    second = still.answer_model()
    assert second.version > first.version
    still.answer_codes(first, request)
    assert still.session.latent.codes is None
    still.answer_codes(second, codes_request(still))
    assert still.session.latent.codes is not None


def test_a_mosaic_of_older_weights_is_dropped(still: StillProgram) -> None:
    hand = still.open(trained())
    tiles = Mosaic(np.zeros((12, 12), np.uint8), (-1.0, -1.0), (1.0, 1.0), (0, 1), hand.version - 1)
    still.workers.inference.mosaic_ready.emit(tiles, 1.0)
    assert still.views.canvas._mosaic is None
    tiles = replace(tiles, version=hand.version)
    still.workers.inference.mosaic_ready.emit(tiles, 1.0)
    assert still.views.canvas._mosaic is tiles


def test_a_hand_of_a_model_that_was_closed_since_is_dropped(still: StillProgram) -> None:
    still.open(trained())
    inference = still.workers.inference
    other = trained(latent_dim=3)
    still.workers.loading.model_loaded.emit(LoadedModel(Path("three.safetensors"), other, "opened"))
    late = make_hand(make_coder(trained().config.model, trained().as_weights(99)), trained().config.model)
    inference.hand_ready.emit(late)
    assert still.session.latent.hand is None
    hand = still.answer_model()
    assert still.session.latent.hand is hand


def test_the_line_to_a_grabbed_image_outlives_the_arrival_of_the_training_images(still: StillProgram) -> None:
    still.workers.loading.model_loaded.emit(LoadedModel(Path("model.safetensors"), trained(), "opened"))
    whole = bars_data()
    nothing = type(whole.train)(np.zeros((0, 12, 12), np.uint8), None)
    still.workers.loading.data_loaded.emit(LoadedData(replace(whole, train=nothing), partial=True))
    hand = still.answer_model()
    result = still.answer_codes(hand, codes_request(still))
    place = still.pixel_of(result.codes.mean[3])
    shift = still.pixel(0.3, 0.3) - still.pixel(0.0, 0.0)
    still.driver.drag(still.views.canvas, [place, place + shift / 2, place + shift], gap_ms=6)
    anchor = still.handle.anchor
    assert anchor is not None
    again = type(whole.held_out)(np.array(whole.held_out.images), whole.held_out.labels)
    still.workers.loading.data_loaded.emit(LoadedData(replace(whole, held_out=again)))
    assert still.handle.anchor == anchor
    still.answer_codes(hand, codes_request(still))
    assert still.handle.anchor == anchor


def test_a_refresh_is_told_also_where_no_image_is_held_out(still: StillProgram) -> None:
    told: list[float] = []
    still.session.latent.refreshed.connect(told.append)
    whole = bars_data()
    still.workers.loading.model_loaded.emit(LoadedModel(Path("model.safetensors"), trained(), "opened"))
    nothing = type(whole.train)(np.zeros((0, 12, 12), np.uint8), None)
    still.workers.loading.data_loaded.emit(LoadedData(replace(whole, held_out=nothing)))
    hand = still.answer_model()
    still.workers.inference.mosaic_ready.emit(
        Mosaic(np.zeros((12, 12), np.uint8), (-1.0, -1.0), (1.0, 1.0), (0, 1), hand.version), 3.0
    )
    assert told == [3.0]
    still.session.latent.refreshed.disconnect(told.append)


def test_a_refresh_is_told_with_what_codes_and_mosaic_took_together(still: StillProgram) -> None:
    told: list[float] = []
    still.session.latent.refreshed.connect(told.append)
    hand = still.open(trained())
    still.workers.inference.mosaic_ready.emit(
        Mosaic(np.zeros((12, 12), np.uint8), (-1.0, -1.0), (1.0, 1.0), (0, 1), hand.version), 3.0
    )
    assert not told
    assert still.answer_codes(hand, codes_request(still)).elapsed_ms == 1.0
    assert told == [4.0]
    still.session.latent.refreshed.disconnect(told.append)
